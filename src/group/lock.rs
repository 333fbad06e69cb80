//! The group's lock: at most one device at a time may run a transaction.

use std::collections::VecDeque;
use std::time::Duration;

use super::event::{LockEvent, LockScope};
use crate::protocol::{DeviceId, Millis};

/// How many ended locks are remembered.
const REMEMBERED: usize = 128;

/// The group's lock, and the last few that ended.
#[derive(Clone, Debug, Default)]
pub struct GroupLock {
    state: LockState,
    ended: VecDeque<EndedLock>,
    /// Whether another device had it when we asked.
    waited_for: bool,
    /// When the server last said anything about it.
    told_at: Option<Millis>,
    out_of_sight: Option<(DeviceId, LockScope)>,
}

/// Who has the lock. The server tells of a foreign lock only when it is in our way and when it ends, so "free" is as far
/// as this device knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LockState {
    /// Nobody, as far as we know.
    #[default]
    Free,
    /// This device asked for the lock; no answer came yet.
    Requested {
        /// The scope that was asked for.
        scope: LockScope,
        /// When it was asked for.
        since: Millis,
    },
    /// Another device has it.
    Held {
        /// The device that holds the lock.
        holder: DeviceId,
        /// The scope of its transaction.
        scope: LockScope,
        /// When we first learned of it.
        since: Millis,
        /// What we want it for, if we wait for it.
        wanted: Option<LockScope>,
    },
    /// This device holds the lock.
    Ours {
        /// The scope of the transaction.
        scope: LockScope,
        /// When the lock was granted.
        since: Millis,
        /// When our lease ends by our own clock; a drop has none.
        expires_at: Option<Millis>,
    },
}

/// A lock of this device that it no longer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedLock {
    /// Who had it; [`None`] is this device.
    pub holder: Option<DeviceId>,
    /// The scope of the transaction.
    pub scope: LockScope,
    /// When the lock ended, by our clock.
    pub at: Millis,
    /// For how long it is known to have been held.
    pub held: Option<Duration>,
    /// Whether it ended by losing the connection rather than by a commit of ours.
    pub lost: bool,
}

impl GroupLock {
    /// Who holds the lock, as far as this device knows.
    #[must_use]
    pub const fn state(&self) -> &LockState {
        &self.state
    }

    /// The last few that ended, newest first.
    #[must_use]
    pub fn ended(&self) -> impl ExactSizeIterator<Item = &EndedLock> {
        self.ended.iter()
    }

    /// When the server last said anything about it.
    #[must_use]
    pub const fn told_at(&self) -> Option<Millis> {
        self.told_at
    }

    /// Who had it when our connection ended, if that is the last that was told.
    #[must_use]
    pub const fn out_of_sight(&self) -> Option<(DeviceId, LockScope)> {
        self.out_of_sight
    }

    /// Whether this device holds or awaits it.
    #[must_use]
    pub const fn is_ours_or_awaited(&self) -> bool {
        matches!(
            self.state,
            LockState::Requested { .. } | LockState::Ours { .. } | LockState::Held { wanted: Some(_), .. }
        )
    }

    /// Whether another device had it since we asked for it.
    pub(super) const fn was_waited_for(&self) -> bool {
        self.waited_for
    }

    /// Whether it is ours, and the time for which we took it is over, but for the moment that giving it back takes.
    pub(super) fn is_over(&self, at: Millis) -> bool {
        let moment = Duration::from_millis(500);
        matches!(self.state, LockState::Ours { expires_at: Some(expires_at), .. } if at.after(moment) >= expires_at)
    }

    /// Takes in what happened to it at that time.
    pub fn apply(&mut self, at: Millis, event: &LockEvent) {
        if !matches!(event, LockEvent::Requested(_) | LockEvent::Abandoned | LockEvent::Lost(_)) {
            self.told_at = Some(at);
            self.out_of_sight = None;
        }
        match event {
            LockEvent::Requested(scope) => self.state = LockState::Requested { scope: *scope, since: at },
            LockEvent::HeldBy { holder, scope } => self.held_by(at, *holder, *scope),
            LockEvent::Acquired { scope, expires_at } => {
                self.state = LockState::Ours { scope: *scope, since: at, expires_at: *expires_at };
            }
            LockEvent::Released(scope) => self.own_ended(at, *scope, false),
            LockEvent::Lost(scope) => self.own_ended(at, *scope, true),
            LockEvent::Abandoned => self.abandoned(),
            LockEvent::Ended { holder, scope } => self.foreign_ended(at, *holder, *scope),
        }
        self.waited_for = match self.state {
            LockState::Held { wanted, .. } => wanted.is_some(),
            LockState::Requested { .. } => self.waited_for && !matches!(event, LockEvent::Requested(_)),
            LockState::Free | LockState::Ours { .. } => false,
        };
    }

    fn held_by(&mut self, at: Millis, holder: DeviceId, scope: LockScope) {
        let (since, wanted) = match &self.state {
            LockState::Requested { scope: wanted, .. } => (at, Some(*wanted)),
            LockState::Held { holder: known, since, wanted, .. } if *known == holder => (*since, *wanted),
            LockState::Held { wanted, .. } => (at, *wanted),
            LockState::Free | LockState::Ours { .. } => (at, None),
        };
        self.state = LockState::Held { holder, scope, since, wanted };
    }

    fn own_ended(&mut self, at: Millis, scope: LockScope, lost: bool) {
        let held = match self.state {
            LockState::Ours { since, .. } => Some(at.since(since)),
            _ => None,
        };
        self.state = LockState::Free;
        self.remember(EndedLock { holder: None, scope, at, held, lost });
    }

    fn abandoned(&mut self) {
        match &mut self.state {
            LockState::Held { wanted, .. } => *wanted = None,
            LockState::Requested { .. } => self.state = LockState::Free,
            LockState::Free | LockState::Ours { .. } => {}
        }
    }

    fn foreign_ended(&mut self, at: Millis, holder: DeviceId, scope: LockScope) {
        let mut held = None;
        if let LockState::Held { holder: known, since, wanted, .. } = &self.state {
            if *known == holder {
                held = Some(at.since(*since));
            }
            // Who waits asks again at once.
            self.state = wanted.map_or(LockState::Free, |scope| LockState::Requested { scope, since: at });
        }
        self.remember(EndedLock { holder: Some(holder), scope, at, held, lost: false });
    }

    /// The wall clock was moved, by this many milliseconds.
    pub(super) fn shift(&mut self, by: i64) {
        let shift = |at: &mut Millis| *at = at.offset_by(by);
        self.told_at.iter_mut().for_each(shift);
        self.ended.iter_mut().for_each(|ended| shift(&mut ended.at));
        match &mut self.state {
            LockState::Free => {}
            LockState::Requested { since, .. } | LockState::Held { since, .. } => shift(since),
            LockState::Ours { since, expires_at, .. } => {
                shift(since);
                expires_at.iter_mut().for_each(shift);
            }
        }
    }

    /// Whoever had it may have lost it while we were away.
    pub(super) fn logged_in(&mut self) {
        if let LockState::Held { holder, scope, .. } = self.state {
            self.out_of_sight = Some((holder, scope));
        }
        self.state = LockState::Free;
    }

    /// A lock of ours does not outlive its connection; that of another does.
    pub(super) fn disconnected(&mut self, at: Millis) {
        match self.state {
            LockState::Ours { scope, .. } => self.own_ended(at, scope, true),
            _ => self.abandoned(),
        }
    }

    fn remember(&mut self, ended: EndedLock) {
        self.ended.push_front(ended);
        self.ended.truncate(REMEMBERED);
    }
}
