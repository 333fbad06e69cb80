//! Who holds the group's lock, and since when, as far as this connection knows.

use std::time::Duration;

use super::{Event, Lock, LockState, Scope};
use crate::protocol::ids::span_millis;
use crate::protocol::{DeviceId, Millis};

/// The lock while somebody holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldLock {
    /// The device that holds it; [`None`] is this device.
    pub holder: Option<DeviceId>,
    /// The transaction scope, if it was told.
    pub scope: Scope,
    /// Since when, or when we first learned of it; by the clock that is never set.
    pub since: Duration,
}

/// Follows the lock through the events of one session. Its times are of the clock that is never set, so that a span never
/// shrinks.
#[derive(Clone, Debug, Default)]
pub struct LockWatch(Lock);

impl LockWatch {
    /// Takes in an event; returns the lock that it ended, if it ended one.
    pub fn take(&mut self, at: Duration, event: &Event) -> Option<HeldLock> {
        let before = self.held();
        match event {
            Event::Lock(event) => self.0.apply(Millis(span_millis(at)), event),
            // Whoever holds it may release it before we are back.
            Event::LoggedIn(_) | Event::Disconnected { .. } => self.0 = Lock::default(),
            _ => return None,
        }
        let after = self.held();
        let goes_on = |held: &HeldLock| after.is_some_and(|now| (now.holder, now.since) == (held.holder, held.since));
        before.filter(|held| !goes_on(held))
    }

    /// Who holds it now.
    #[must_use]
    pub const fn held(&self) -> Option<HeldLock> {
        let (holder, scope, since) = match *self.0.state() {
            LockState::Held { holder, scope, since, .. } => (Some(holder), scope, since),
            LockState::Ours { scope, since, .. } => (None, scope, since),
            LockState::Free | LockState::Requested { .. } => return None,
        };
        Some(HeldLock { holder, scope, since: Duration::from_millis(since.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DisconnectCause, LockEvent, NextStep};
    use super::*;

    const PHONE: DeviceId = DeviceId(7);

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn held_by(holder: DeviceId) -> Event {
        Event::Lock(LockEvent::HeldBy { holder, scope: None })
    }

    #[test]
    fn a_lock_ends_once_however_often_it_is_in_the_way() {
        let mut watch = LockWatch::default();
        assert_eq!(watch.take(at(1), &held_by(PHONE)), None);
        assert_eq!(watch.take(at(5), &held_by(PHONE)), None, "the same lock is in the way again");
        let held = HeldLock { holder: Some(PHONE), scope: None, since: at(1) };
        assert_eq!(watch.held(), Some(held));
        let ended = Event::Lock(LockEvent::Ended { holder: PHONE, scope: None });
        assert_eq!(watch.take(at(9), &ended), Some(held));
        assert_eq!(watch.take(at(10), &ended), None);
    }

    #[test]
    fn a_lock_of_another_is_not_known_to_outlive_our_connection() {
        let mut watch = LockWatch::default();
        watch.take(at(1), &held_by(PHONE));
        let lost = Event::Disconnected { cause: DisconnectCause::NoAnswer, next: NextStep::End };
        assert!(watch.take(at(2), &lost).is_some());
        assert_eq!(watch.held(), None);
    }

    #[test]
    fn one_holder_after_the_other_is_two_locks() {
        let mut watch = LockWatch::default();
        watch.take(at(1), &held_by(PHONE));
        let first = watch.take(at(4), &held_by(DeviceId(8)));
        assert_eq!(first.map(|held| held.holder), Some(Some(PHONE)));
        assert_eq!(watch.held().map(|held| held.since), Some(at(4)));
    }
}
