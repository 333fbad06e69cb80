//! [`Course`]: how much there was each second.

use std::collections::VecDeque;
use std::time::Duration;

use crate::protocol::Millis;

/// How many seconds the course of things is kept for.
pub const SECONDS: usize = 120;

/// What happened within one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LatencySecond {
    /// How many messages came.
    pub received: u32,
    /// How many acknowledgements left.
    pub acknowledged: u32,
    /// The longest that a message waited for its acknowledgement.
    pub slowest: Duration,
}

/// How much there was each second.
#[derive(Debug, Default)]
pub(super) struct Course {
    past: VecDeque<(u64, LatencySecond)>,
    newest: (u64, LatencySecond),
}

impl Course {
    /// The last seconds, oldest first, ending with the one that `now` falls into.
    pub(super) fn until(&self, now: Millis, seconds: usize) -> Vec<LatencySecond> {
        let seconds = seconds.min(SECONDS);
        let mut course = vec![LatencySecond::default(); seconds];
        let newest = number(now);
        for (number, second) in self.seconds() {
            let place = newest.checked_sub(*number).and_then(|back| usize::try_from(back).ok());
            let place = place.and_then(|back| seconds.checked_sub(back + 1));
            if let Some(cell) = place.and_then(|place| course.get_mut(place)) {
                *cell = *second;
            }
        }
        course
    }

    /// The beginning of the last second in which anything happened; zero if nothing ever did.
    pub(super) const fn newest(&self) -> Millis {
        Millis(self.newest.0.saturating_mul(1_000))
    }

    /// Messages a second over the last few whole seconds.
    pub(super) fn rate(&self, now: Millis) -> u32 {
        const OVER: u64 = 5;
        let newest = number(now);
        let within = self.seconds().filter(|(at, _)| *at < newest && *at + OVER >= newest);
        let received: u64 = within.map(|(_, second)| u64::from(second.received)).sum();
        u32::try_from(received.div_ceil(OVER)).unwrap_or(u32::MAX)
    }

    fn seconds(&self) -> impl Iterator<Item = &(u64, LatencySecond)> {
        self.past.iter().chain(std::iter::once(&self.newest))
    }

    /// The second that `at` falls into, or the newest one if the clock went back.
    pub(super) fn second(&mut self, at: Millis) -> &mut LatencySecond {
        let wanted = number(at);
        if self.newest.0 < wanted {
            if self.past.len() + 1 >= SECONDS {
                self.past.pop_front();
            }
            self.past.push_back(self.newest);
            self.newest = (wanted, LatencySecond::default());
        }
        &mut self.newest.1
    }
}

const fn number(at: Millis) -> u64 {
    at.0 / 1_000
}
