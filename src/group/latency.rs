//! How long things took.

use std::collections::VecDeque;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::event::Probe;
use crate::protocol::Millis;

/// How many seconds the course of things is kept for.
pub const SECONDS: usize = 120;

/// The longest span that is told apart from longer ones: thirty days, in microseconds.
const LONGEST: u64 = 30 * 24 * 60 * 60 * 1_000_000;

/// How long things took, and how much there was each second.
#[derive(Debug, Default)]
pub struct Latency {
    /// From receiving a message until its acknowledgement left.
    pub acknowledgement: Spread,
    /// From the server's storing a message until we received it, corrected by the clock offset.
    pub age: Spread,
    /// WebSocket ping to pong.
    pub ping: Spread,
    /// Asking for the device list until it came.
    pub devices_info: Spread,
    /// Sending a reflection until the server stored it.
    pub reflection: Spread,
    past: VecDeque<(u64, Second)>,
    newest: (u64, Second),
}

/// What happened within one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// How many messages came.
    pub received: u32,
    /// How many acknowledgements left.
    pub acknowledged: u32,
    /// The longest that a message waited for its acknowledgement.
    pub slowest: Duration,
}

impl Latency {
    pub(super) const fn round_trip(&mut self, probe: Probe) -> &mut Spread {
        match probe {
            Probe::Ping => &mut self.ping,
            Probe::DevicesInfo => &mut self.devices_info,
        }
    }

    pub(super) fn received(&mut self, at: Millis, messages: usize) {
        let second = self.second(at);
        second.received = second.received.saturating_add(u32::try_from(messages).unwrap_or(u32::MAX));
    }

    pub(super) fn acknowledged(&mut self, at: Millis, waited: Duration) {
        self.acknowledgement.record(waited);
        let second = self.second(at);
        second.acknowledged = second.acknowledged.saturating_add(1);
        second.slowest = second.slowest.max(waited);
    }

    /// The last seconds, oldest first, ending with the one that `now` falls into.
    #[must_use]
    pub fn course(&self, now: Millis, seconds: usize) -> Vec<Second> {
        let seconds = seconds.min(SECONDS);
        let mut course = vec![Second::default(); seconds];
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
    #[must_use]
    pub const fn newest(&self) -> Millis {
        Millis(self.newest.0.saturating_mul(1_000))
    }

    /// Messages a second over the last few whole seconds.
    #[must_use]
    pub fn rate(&self, now: Millis) -> u32 {
        const OVER: u64 = 5;
        let newest = number(now);
        let within = self.seconds().filter(|(at, _)| *at < newest && *at + OVER >= newest);
        let received: u64 = within.map(|(_, second)| u64::from(second.received)).sum();
        u32::try_from(received.div_ceil(OVER)).unwrap_or(u32::MAX)
    }

    fn seconds(&self) -> impl Iterator<Item = &(u64, Second)> {
        self.past.iter().chain(std::iter::once(&self.newest))
    }

    /// The second that `at` falls into, or the newest one if the clock went back.
    fn second(&mut self, at: Millis) -> &mut Second {
        let wanted = number(at);
        if self.newest.0 < wanted {
            if self.past.len() + 1 >= SECONDS {
                self.past.pop_front();
            }
            self.past.push_back(self.newest);
            self.newest = (wanted, Second::default());
        }
        &mut self.newest.1
    }
}

const fn number(at: Millis) -> u64 {
    at.0 / 1_000
}

/// A distribution of spans: percentiles in bounded memory, to two significant digits.
#[derive(Debug, Default)]
pub struct Spread {
    /// Made with the first span, so that what is never measured takes no memory.
    histogram: Option<Histogram<u32>>,
    last: Option<Duration>,
}

impl Spread {
    pub(super) fn record(&mut self, span: Duration) {
        if self.histogram.is_none() {
            self.histogram = Histogram::new_with_bounds(1, LONGEST, 2).ok();
        }
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(u64::try_from(span.as_micros()).unwrap_or(LONGEST));
        }
        self.last = Some(span);
    }

    /// How many spans were measured.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.as_ref().map_or(0, Histogram::len)
    }

    /// The span that was measured last.
    #[must_use]
    pub const fn last(&self) -> Option<Duration> {
        self.last
    }

    /// The span that this part (0 to 1) of all spans does not exceed.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        let histogram = self.histogram.as_ref().filter(|histogram| !histogram.is_empty())?;
        Some(Duration::from_micros(histogram.value_at_quantile(part).min(histogram.max())))
    }

    /// The longest span.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        self.quantile(1.0)
    }
}
