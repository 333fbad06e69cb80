//! The group's lock: taking, waiting for and releasing it, and dropping a device under it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Phase, Session};
use crate::group::{DisconnectCause, Event, LockEvent, Refusal, Scope};
use crate::protocol::{ClientMessage, DeviceEntry, DeviceId, Millis, Sealed, TransactionScope};

/// Our side of the lock.
#[derive(Debug)]
pub(super) enum Lock {
    /// Not ours, and not wanted.
    Free,
    /// Asked for; no answer yet.
    Requested(Wish),
    /// Refused; asked for again when the holder's transaction ends.
    Waiting(Wish),
    /// Ours.
    Held(Wish),
    /// Being released.
    Committing(Wish),
}

/// What the lock is wanted for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    scope: TransactionScope,
    ttl: Option<Duration>,
    /// When we give it back ourselves, where the server does not take it back.
    until: Option<Millis>,
    goal: Goal,
    /// Given up while the answer was under way.
    unwanted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    /// Until the user releases it.
    Hold,
    /// To drop a device: refresh the list, drop, commit.
    Drop(DeviceId, DropStep),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DropStep {
    Listing,
    Dropping,
    Done,
}

/// An answer that the server owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    Begin,
    List,
    Drop,
    Commit,
}

impl Lock {
    /// Which answer the server owes; a holder of the lock owes none.
    pub(super) const fn awaited(&self) -> Option<Awaited> {
        match self {
            Self::Requested(_) => Some(Awaited::Begin),
            Self::Committing(_) => Some(Awaited::Commit),
            Self::Held(wish) => match wish.goal {
                Goal::Drop(_, DropStep::Listing) => Some(Awaited::List),
                Goal::Drop(_, DropStep::Dropping) => Some(Awaited::Drop),
                Goal::Drop(_, DropStep::Done) | Goal::Hold => None,
            },
            Self::Free | Self::Waiting(_) => None,
        }
    }

    /// When a lock that is only held has to be given back.
    pub(super) const fn held_until(&self) -> Option<Millis> {
        match self {
            Self::Held(wish) => wish.until,
            _ => None,
        }
    }

    /// The clock was set back.
    pub(super) fn set_back(&mut self, back: impl FnOnce(&mut Millis)) {
        if let Self::Held(Wish { until: Some(until), .. }) = self {
            back(until);
        }
    }

    /// Whether a drop is under way.
    pub(super) const fn is_dropping(&self) -> bool {
        match self {
            Self::Requested(wish) | Self::Held(wish) | Self::Committing(wish) => matches!(wish.goal, Goal::Drop(..)),
            Self::Free | Self::Waiting(_) => false,
        }
    }
}

impl Session {
    pub(super) fn take_lock(&mut self, scope: TransactionScope, ttl: Option<Duration>) {
        self.begin(Wish { scope, ttl, until: None, goal: Goal::Hold, unwanted: false });
    }

    pub(super) fn drop_device(&mut self, device: DeviceId) {
        let goal = Goal::Drop(device, DropStep::Listing);
        self.begin(Wish { scope: TransactionScope::DropDevice, ttl: None, until: None, goal, unwanted: false });
    }

    fn begin(&mut self, wish: Wish) {
        match self.lock() {
            Some(Lock::Free) => {
                self.emit(Event::Lock(LockEvent::Requested(Some(wish.scope))));
                self.ask(wish);
            }
            Some(_) => self.refuse(Refusal::LockBusy),
            None => self.refuse(Refusal::NotConnected),
        }
    }

    fn ask(&mut self, wish: Wish) {
        let scope = Sealed::seal(&wish.scope, &self.config.keys.clone(), self.nonce());
        self.send(&ClientMessage::BeginTransaction { scope, ttl: wish.ttl });
        self.set_lock(Lock::Requested(wish));
    }

    fn set_lock(&mut self, to: Lock) {
        if let Some(lock) = self.lock() {
            *lock = to;
        }
    }

    fn lock_event(&mut self, event: LockEvent) {
        self.emit(Event::Lock(event));
    }

    pub(super) fn release_lock(&mut self) {
        match self.lock() {
            Some(Lock::Held(wish)) if wish.goal == Goal::Hold => {
                let wish = *wish;
                self.commit(wish);
            }
            Some(Lock::Requested(wish)) if wish.goal == Goal::Hold => wish.unwanted = true,
            Some(Lock::Waiting(_)) => {
                self.set_lock(Lock::Free);
                self.lock_event(LockEvent::Abandoned);
            }
            Some(Lock::Free) => self.refuse(Refusal::NoLock),
            Some(_) => self.refuse(Refusal::Busy),
            None => self.refuse(Refusal::NotConnected),
        }
    }

    fn commit(&mut self, wish: Wish) {
        self.set_lock(Lock::Committing(wish));
        self.send(&ClientMessage::CommitTransaction);
    }

    pub(super) fn on_lock_acquired(&mut self, now: Millis) {
        let Some(&mut Lock::Requested(wish)) = self.lock() else {
            return self.ignored("the lock was granted although we did not ask for it");
        };
        let expires_at = wish.ttl.map(|ttl| now.after(ttl));
        let until = expires_at.filter(|_| !self.dialect().limits_transactions());
        self.set_lock(Lock::Held(Wish { until, ..wish }));
        self.lock_event(LockEvent::Acquired { scope: Some(wish.scope), expires_at });
        if wish.unwanted {
            self.commit(wish);
        } else if matches!(wish.goal, Goal::Drop(..)) {
            self.request_devices(now);
        }
    }

    pub(super) fn on_lock_rejected(&mut self, holder: DeviceId, scope: Scope) {
        let Some(&mut Lock::Requested(wish)) = self.lock() else {
            return self.ignored("the lock was refused although we did not ask for it");
        };
        self.lock_event(LockEvent::HeldBy { holder, scope });
        self.refresh_if_missing(holder);
        if wish.unwanted {
            self.set_lock(Lock::Free);
            self.lock_event(LockEvent::Abandoned);
        } else {
            self.set_lock(Lock::Waiting(wish));
        }
    }

    pub(super) fn on_lock_ended(&mut self, holder: DeviceId, scope: Scope) {
        self.lock_event(LockEvent::Ended { holder, scope });
        self.refresh_if_missing(holder);
        if let Some(&mut Lock::Waiting(wish)) = self.lock() {
            self.ask(wish);
        }
        // After these the list may be another; what we cannot read may be one of these.
        let changes_the_list = matches!(
            scope,
            None | Some(TransactionScope::DropDevice | TransactionScope::NewDeviceSync | TransactionScope::Unknown(_))
        );
        if changes_the_list {
            self.refresh_soon();
        }
    }

    pub(super) fn on_lock_released(&mut self, now: Millis) {
        let Some(&mut Lock::Committing(wish)) = self.lock() else {
            return self.ignored("a commit was confirmed that we did not ask for");
        };
        self.set_lock(Lock::Free);
        self.lock_event(LockEvent::Released(Some(wish.scope)));
        if matches!(wish.goal, Goal::Drop(..)) {
            self.request_devices(now);
        }
        self.leave_if_promoted(now);
    }

    /// The list asked for under the lock has come: drop the device if it is still there.
    pub(super) fn on_list_for_drop(&mut self, devices: &BTreeMap<DeviceId, DeviceEntry>) {
        let Phase::Online(online) = &mut self.phase else { return };
        let Lock::Held(wish) = &mut online.lock else { return };
        let Goal::Drop(device, step @ DropStep::Listing) = &mut wish.goal else { return };
        // A list asked for earlier says nothing about now.
        if !online.awaited_lists.is_empty() {
            return;
        }
        let device = *device;
        if devices.contains_key(&device) {
            *step = DropStep::Dropping;
            self.own_drop_sent = device == self.config.device_id;
            self.send(&ClientMessage::DropDevice(device));
        } else {
            let wish = *wish;
            self.refuse(Refusal::NoSuchDevice);
            self.commit(wish);
        }
    }

    pub(super) fn on_device_dropped(&mut self, device: DeviceId) {
        match self.lock() {
            Some(&mut Lock::Held(mut wish)) if wish.goal == Goal::Drop(device, DropStep::Dropping) => {
                wish.goal = Goal::Drop(device, DropStep::Done);
                if device == self.config.device_id {
                    self.commit(wish);
                    return self.left_group();
                }
                self.forget(device);
                self.emit(Event::DeviceDropped(device));
                self.commit(wish);
            }
            _ => self.ignored("a drop was confirmed that we did not ask for"),
        }
    }

    /// Commits a lock that is only held, so that the others need not wait for its end.
    pub(super) fn release_before_leaving(&mut self) {
        if let Some(&mut Lock::Held(wish)) = self.lock()
            && wish.goal == Goal::Hold
        {
            self.commit(wish);
            self.set_lock(Lock::Free);
            self.lock_event(LockEvent::Released(Some(wish.scope)));
        }
    }

    /// Our slot is gone, and the lock with it, which was committed or ended with our connection.
    pub(super) fn release_for_good(&mut self) {
        let scope = match self.lock() {
            Some(Lock::Held(wish) | Lock::Committing(wish)) => wish.scope,
            _ => return,
        };
        self.set_lock(Lock::Free);
        self.lock_event(LockEvent::Released(Some(scope)));
    }

    /// What we drop ourselves is no news.
    fn forget(&mut self, device: DeviceId) {
        if let Some(known) = &mut self.known {
            known.forget(device);
        }
    }

    /// The connection is gone, and with it what was asked for or held.
    pub(super) fn lose_lock(&mut self, lock: &Lock, cause: &DisconnectCause) {
        let (wish, event) = match lock {
            Lock::Free => return,
            Lock::Requested(wish) | Lock::Waiting(wish) => (wish, LockEvent::Abandoned),
            Lock::Held(wish) | Lock::Committing(wish) => (wish, LockEvent::Lost(Some(wish.scope))),
        };
        let was_awaited = event == LockEvent::Abandoned && !wish.unwanted && *cause != DisconnectCause::ByUser;
        self.lock_event(event);
        match wish.goal {
            Goal::Drop(_, DropStep::Listing | DropStep::Dropping) => self.refuse(Refusal::Unconfirmed),
            Goal::Hold if was_awaited => self.refuse(Refusal::NotLocked),
            Goal::Hold | Goal::Drop(_, DropStep::Done) => {}
        }
    }
}
