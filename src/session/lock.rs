//! The group's lock: taking, waiting for and releasing it, and dropping a device under it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Phase, Session};
use crate::group::{DisconnectCause, Event, LockEvent, LockScope, Refusal};
use crate::protocol::{ClientMessage, DeviceEntry, DeviceId, Dialect, Millis, Sealed, TransactionScope};

/// For how long a lock is taken that nobody set a limit to.
pub const LEASE: Duration = Duration::from_mins(1);
/// For how long a lock is asked for that is given back at once. Longer than the way there and back takes: the mediator
/// closes the connection at its end.
const LOOK: Duration = Duration::from_secs(15);
/// A scope under which no device joins or leaves, and after whose end nobody has anything to fetch.
const LOOK_SCOPE: TransactionScope = TransactionScope::SettingsSync;
/// How long before the end of its lease a lock is given back at most.
const MOST_EARLY: Duration = Duration::from_millis(500);

/// Our side of the lock.
#[derive(Debug)]
pub(super) enum OwnLock {
    /// Not ours, and not wanted.
    Free,
    /// Asked for; no answer yet.
    Requested(Wish),
    /// Refused; asked for again when the holder's transaction ends.
    Waiting(Wish),
    /// This device holds the lock.
    Held(Wish),
    /// The commit was sent; no answer came yet.
    Committing(Wish),
}

/// What the lock is wanted for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    scope: TransactionScope,
    ttl: Option<Duration>,
    /// When it was last asked for: the lease counts from here, since the server began to count later.
    asked_at: Millis,
    goal: Goal,
    /// Only asked for to see who has it, or given up while the answer was under way.
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

impl Wish {
    /// For how long the lock may be held; a drop ends by its own steps.
    fn lease(&self) -> Option<Duration> {
        (self.goal == Goal::Hold).then(|| self.ttl.unwrap_or(LEASE))
    }
}

impl OwnLock {
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

    /// When a lock that is only held has to be given back. A server that takes it back itself must not be faster, since it
    /// closes the connection, too.
    pub(super) fn give_back_at(&self, dialect: Dialect) -> Option<Millis> {
        let Self::Held(wish) = self else { return None };
        let lease = wish.lease()?;
        let early = if dialect.limits_transactions() { MOST_EARLY.min(lease / 20) } else { Duration::ZERO };
        Some(wish.asked_at.after(lease.saturating_sub(early)))
    }

    /// Whether it is ours, or asked for.
    pub(super) const fn is_wanted(&self) -> bool {
        !matches!(self, Self::Free)
    }

    /// Whether the server has granted it to us, and has not yet confirmed its end.
    pub(super) const fn is_ours(&self) -> bool {
        matches!(self, Self::Held(_) | Self::Committing(_))
    }

    /// The wall clock was moved.
    pub(super) fn shift(&mut self, shift: impl FnOnce(&mut Millis)) {
        match self {
            Self::Requested(wish) | Self::Waiting(wish) | Self::Held(wish) | Self::Committing(wish) => {
                shift(&mut wish.asked_at);
            }
            Self::Free => {}
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
        self.begin(Wish { scope, ttl, asked_at: self.last_handled, goal: Goal::Hold, unwanted: false });
    }

    /// Asks for the lock only to be told who has it.
    pub(super) fn look_at_lock(&mut self) {
        let (scope, ttl, asked_at) = (LOOK_SCOPE, Some(LOOK), self.last_handled);
        self.begin(Wish { scope, ttl, asked_at, goal: Goal::Hold, unwanted: true });
    }

    pub(super) fn drop_device(&mut self, device: DeviceId) {
        let goal = Goal::Drop(device, DropStep::Listing);
        let asked_at = self.last_handled;
        self.begin(Wish { scope: TransactionScope::DropDevice, ttl: None, asked_at, goal, unwanted: false });
    }

    /// Drops our own device, whoever has the lock.
    pub(super) fn give_up_slot(&mut self) {
        self.own_drop_sent = true;
        self.send(&ClientMessage::DropDevice(self.config.device_id));
    }

    fn begin(&mut self, wish: Wish) {
        match self.lock() {
            Some(OwnLock::Free) => {
                self.emit(Event::Lock(LockEvent::Requested(Some(wish.scope))));
                self.ask(wish);
            }
            Some(_) => self.refuse(Refusal::LockBusy),
            None => self.refuse(Refusal::NotConnected),
        }
    }

    fn ask(&mut self, wish: Wish) {
        let wish = Wish { asked_at: self.last_handled, ..wish };
        let scope = Sealed::seal(&wish.scope, &self.config.keys.clone(), self.nonce());
        self.send(&ClientMessage::BeginTransaction { scope, ttl: wish.lease() });
        self.set_lock(OwnLock::Requested(wish));
    }

    fn set_lock(&mut self, to: OwnLock) {
        if let Some(lock) = self.lock() {
            *lock = to;
        }
    }

    fn lock_event(&mut self, event: LockEvent) {
        self.emit(Event::Lock(event));
    }

    pub(super) fn release_lock(&mut self) {
        match self.lock() {
            Some(OwnLock::Held(wish)) if wish.goal == Goal::Hold => {
                let wish = *wish;
                self.commit(wish);
            }
            Some(OwnLock::Requested(wish)) if wish.goal == Goal::Hold => wish.unwanted = true,
            Some(OwnLock::Waiting(_)) => {
                self.set_lock(OwnLock::Free);
                self.lock_event(LockEvent::Abandoned);
            }
            Some(OwnLock::Free) => self.refuse(Refusal::NoLock),
            Some(_) => self.refuse(Refusal::Busy),
            None => self.refuse(Refusal::NotConnected),
        }
    }

    fn commit(&mut self, wish: Wish) {
        self.set_lock(OwnLock::Committing(wish));
        self.send(&ClientMessage::CommitTransaction);
    }

    pub(super) fn on_lock_acquired(&mut self, now: Millis) {
        let Some(&mut OwnLock::Requested(wish)) = self.lock() else {
            return self.ignored("the lock was granted although we did not ask for it");
        };
        let expires_at = wish.lease().map(|lease| wish.asked_at.after(lease));
        self.set_lock(OwnLock::Held(wish));
        self.lock_event(LockEvent::Acquired { scope: Some(wish.scope), expires_at });
        if wish.unwanted {
            self.commit(wish);
        } else if matches!(wish.goal, Goal::Drop(..)) {
            self.request_devices(now);
        }
    }

    pub(super) fn on_lock_rejected(&mut self, holder: DeviceId, scope: LockScope) {
        let Some(&mut OwnLock::Requested(wish)) = self.lock() else {
            return self.ignored("the lock was refused although we did not ask for it");
        };
        self.lock_event(LockEvent::HeldBy { holder, scope });
        self.refresh_if_missing(holder);
        if wish.unwanted {
            self.set_lock(OwnLock::Free);
            self.lock_event(LockEvent::Abandoned);
        } else {
            self.set_lock(OwnLock::Waiting(wish));
        }
    }

    pub(super) fn on_lock_ended(&mut self, holder: DeviceId, scope: LockScope) {
        self.lock_event(LockEvent::Ended { holder, scope });
        self.refresh_if_missing(holder);
        if let Some(&mut OwnLock::Waiting(wish)) = self.lock() {
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
        let Some(&mut OwnLock::Committing(wish)) = self.lock() else {
            return self.ignored("a commit was confirmed that we did not ask for");
        };
        self.set_lock(OwnLock::Free);
        self.lock_event(LockEvent::Released(Some(wish.scope)));
        if matches!(wish.goal, Goal::Drop(..)) {
            self.request_devices(now);
        }
        self.leave_if_promoted(now);
    }

    /// The list asked for under the lock has come: drop the device if it is still there.
    pub(super) fn on_list_for_drop(&mut self, devices: &BTreeMap<DeviceId, DeviceEntry>) {
        let Phase::Online(online) = &mut self.phase else { return };
        let OwnLock::Held(wish) = &mut online.lock else { return };
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
        let is_own_drop = self.own_drop_sent && device == self.config.device_id;
        match self.lock() {
            Some(&mut OwnLock::Held(mut wish)) if wish.goal == Goal::Drop(device, DropStep::Dropping) => {
                wish.goal = Goal::Drop(device, DropStep::Done);
                if device == self.config.device_id {
                    self.commit(wish);
                    return self.left_group();
                }
                self.forget(device);
                self.emit(Event::DeviceDropped(device));
                self.commit(wish);
            }
            _ if is_own_drop => self.left_group(),
            _ => self.ignored("a drop was confirmed that we did not ask for"),
        }
    }

    /// Commits a lock that is only held, so that the others need not wait for its end.
    pub(super) fn release_before_leaving(&mut self) {
        if let Some(&mut OwnLock::Held(wish)) = self.lock()
            && wish.goal == Goal::Hold
        {
            self.commit(wish);
            self.set_lock(OwnLock::Free);
            self.lock_event(LockEvent::Released(Some(wish.scope)));
        }
    }

    /// Our slot is gone, and the lock with it, which was committed or ended with our connection.
    pub(super) fn release_for_good(&mut self) {
        let scope = match self.lock() {
            Some(OwnLock::Held(wish) | OwnLock::Committing(wish)) => wish.scope,
            _ => return,
        };
        self.set_lock(OwnLock::Free);
        self.lock_event(LockEvent::Released(Some(scope)));
    }

    /// What we drop ourselves is no news.
    fn forget(&mut self, device: DeviceId) {
        if let Some(known) = &mut self.known {
            known.dropped(device, None);
        }
    }

    /// The connection is gone, and with it what was asked for or held.
    pub(super) fn lose_lock(&mut self, lock: &OwnLock, cause: &DisconnectCause) {
        let (wish, event) = match lock {
            OwnLock::Free => return,
            OwnLock::Requested(wish) | OwnLock::Waiting(wish) => (wish, LockEvent::Abandoned),
            OwnLock::Held(wish) | OwnLock::Committing(wish) => (wish, LockEvent::Lost(Some(wish.scope))),
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
