//! What is due when: one time per timer, and the next of them at hand.

use std::collections::{BTreeMap, BTreeSet};

use super::connection_id::ConnectionId;
use crate::protocol::{DeviceGroupId, DeviceId, Millis};

/// What a time is set for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A connection that has to log in, or to be heard.
    Connection(ConnectionId),
    /// The end of the time of a group's lock.
    Lock(DeviceGroupId),
    /// A group that nobody is connected to.
    Group(DeviceGroupId),
    /// The slot of a volatile device that left.
    Slot(DeviceGroupId, DeviceId),
}

#[derive(Debug, Default)]
pub(super) struct Timers {
    by_time: BTreeSet<(Millis, Timer)>,
    by_timer: BTreeMap<Timer, Millis>,
}

impl Timers {
    /// Sets a timer; a time set before is forgotten.
    pub(super) fn set(&mut self, timer: Timer, at: Millis) {
        self.cancel(timer);
        self.by_timer.insert(timer, at);
        self.by_time.insert((at, timer));
    }

    pub(super) fn cancel(&mut self, timer: Timer) {
        if let Some(at) = self.by_timer.remove(&timer) {
            self.by_time.remove(&(at, timer));
        }
    }

    /// Takes one timer that is due.
    pub(super) fn take_due(&mut self, now: Millis) -> Option<Timer> {
        let (at, timer) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.cancel(timer);
        Some(timer)
    }

    /// The time that a timer is set for.
    pub(super) fn at(&self, timer: Timer) -> Option<Millis> {
        self.by_timer.get(&timer).copied()
    }

    pub(super) fn next(&self) -> Option<Millis> {
        self.by_time.first().map(|(at, _)| *at)
    }
}
