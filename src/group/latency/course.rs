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
    /// What half of the messages waited at most for their acknowledgement, to an eighth.
    pub p50: Duration,
    /// What nineteen of twenty waited at most, to an eighth.
    pub p95: Duration,
    /// The longest that a message waited.
    pub slowest: Duration,
}

/// How much there was each second.
#[derive(Debug, Default)]
pub(super) struct Course {
    past: VecDeque<(u64, LatencySecond)>,
    newest: (u64, LatencySecond),
    waits: SecondWaits,
}

/// How long the acknowledgements of one second took: eight steps for each doubling of the microseconds.
#[derive(Debug)]
struct SecondWaits {
    counts: [u32; SecondWaits::STEPS],
}

impl Default for SecondWaits {
    fn default() -> Self {
        Self { counts: [0; Self::STEPS] }
    }
}

impl SecondWaits {
    const STEPS: usize = 32 * 8;

    fn add(&mut self, waited: Duration, count: u32) {
        let micros = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX).max(1);
        let power = micros.ilog2();
        let eighths = usize::try_from(((u128::from(micros) - (1_u128 << power)) << 3) >> power).unwrap_or(0);
        let step = (power as usize * 8 + eighths).min(Self::STEPS - 1);
        if let Some(place) = self.counts.get_mut(step) {
            *place = place.saturating_add(count);
        }
    }

    /// The end of the step in which so many of a hundred have been reached.
    fn percentile(&self, percent: u64) -> Duration {
        let all: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        let wanted = (all * percent).div_ceil(100).max(1);
        let mut reached = 0;
        let step = self.counts.iter().position(|count| {
            reached += u64::from(*count);
            reached >= wanted
        });
        step.map_or(Duration::ZERO, |step| {
            let (power, eighths) = (step / 8, step as u64 % 8);
            Duration::from_micros((1 << power) + (((eighths + 1) << power) >> 3))
        })
    }
}

impl Course {
    /// The newest second with what is reckoned of its acknowledgements.
    fn newest_second(&self) -> LatencySecond {
        let second = self.newest.1;
        if second.acknowledged == 0 {
            return second;
        }
        let [p50, p95] = [50, 95].map(|percent| self.waits.percentile(percent).min(second.slowest));
        LatencySecond { p50, p95, ..second }
    }

    /// Takes in that so many acknowledgements left at that time.
    pub(super) fn acknowledged(&mut self, at: Millis, waited: Duration, count: u32) {
        let second = self.second(at);
        second.acknowledged = second.acknowledged.saturating_add(count);
        second.slowest = second.slowest.max(waited);
        self.waits.add(waited, count);
    }

    /// The last seconds, oldest first, ending with the one that `now` falls into.
    pub(super) fn until(&self, now: Millis, seconds: usize) -> Vec<LatencySecond> {
        let seconds = seconds.min(SECONDS);
        let mut course = vec![LatencySecond::default(); seconds];
        let newest = number(now);
        for (number, second) in self.past.iter().copied().chain([(self.newest.0, self.newest_second())]) {
            let place = newest.checked_sub(number).and_then(|back| usize::try_from(back).ok());
            let place = place.and_then(|back| seconds.checked_sub(back + 1));
            if let Some(cell) = place.and_then(|place| course.get_mut(place)) {
                *cell = second;
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
            self.past.push_back((self.newest.0, self.newest_second()));
            self.waits = SecondWaits::default();
            self.newest = (wanted, LatencySecond::default());
        }
        &mut self.newest.1
    }
}

const fn number(at: Millis) -> u64 {
    at.0 / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_keeps_its_median_and_its_slow_ones() {
        let mut course = Course::default();
        let ms = Duration::from_millis;
        course.acknowledged(Millis(10_000), ms(2), 90);
        course.acknowledged(Millis(10_500), ms(40), 8);
        course.acknowledged(Millis(10_900), ms(3_000), 2);
        course.acknowledged(Millis(11_000), ms(7), 1);
        let seconds = course.until(Millis(11_999), 2);
        let near = |is: Duration, wanted: Duration| is >= wanted && is <= wanted * 9 / 8;
        let [first, second] = seconds.as_slice() else { panic!("{seconds:?}") };
        assert!(near(first.p50, ms(2)) && near(first.p95, ms(40)) && first.slowest == ms(3_000), "{first:?}");
        assert_eq!((second.p50, second.p95, second.slowest), (ms(7), ms(7), ms(7)), "not more than the slowest");
    }
}
