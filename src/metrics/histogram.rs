//! A histogram in plain integers: what is counted by the hundred thousand a second must cost next to nothing.

use std::time::Duration;

/// Counts durations by upper bound.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    /// In microseconds, rising.
    bounds: &'static [u64],
    /// One more than bounds: the last one counts what is above all of them.
    counts: Vec<u64>,
    sum_micros: u64,
}

/// From a tenth of a millisecond to ten seconds: what a round trip or an acknowledgement takes.
const SHORT: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

const SECOND: u64 = 1_000_000;
const HOUR: u64 = 3_600 * SECOND;

/// From ten milliseconds to two weeks: how long a message waits for a device.
const LONG: [u64; 15] = [
    10_000,
    100_000,
    SECOND,
    10 * SECOND,
    30 * SECOND,
    60 * SECOND,
    300 * SECOND,
    1_800 * SECOND,
    HOUR,
    6 * HOUR,
    12 * HOUR,
    24 * HOUR,
    72 * HOUR,
    168 * HOUR,
    336 * HOUR,
];

impl Histogram {
    pub(super) fn short() -> Self {
        Self::new(&SHORT)
    }

    pub(super) fn long() -> Self {
        Self::new(&LONG)
    }

    fn new(bounds: &'static [u64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum_micros: 0 }
    }

    /// Counts a duration so many times.
    pub(super) fn record(&mut self, duration: Duration, times: u64) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = self.bounds.partition_point(|bound| *bound < micros);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += times;
        }
        self.sum_micros = self.sum_micros.saturating_add(micros.saturating_mul(times));
    }

    /// Upper bounds in seconds, and how many are below each and above the one before.
    pub(super) fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds.iter().copied().map(seconds).chain([f64::INFINITY]);
        bounds.zip(self.counts.iter().copied()).collect()
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(super) fn sum(&self) -> f64 {
        seconds(self.sum_micros)
    }
}

fn seconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_the_bucket_whose_bound_it_does_not_exceed() {
        let mut histogram = Histogram::short();
        histogram.record(Duration::from_micros(100), 2);
        histogram.record(Duration::from_micros(101), 1);
        histogram.record(Duration::from_secs(11), 1);
        let buckets = histogram.buckets();
        assert_eq!(buckets[0], (0.000_1, 2));
        assert_eq!(buckets[1], (0.000_25, 1));
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, 1)));
        assert_eq!(histogram.count(), 4);
        assert!((histogram.sum() - 11.000_301).abs() < 1e-9, "{}", histogram.sum());
    }

    #[test]
    fn a_clock_that_is_years_off_overflows_nothing() {
        let mut histogram = Histogram::long();
        histogram.record(Duration::MAX, u64::MAX);
        histogram.record(Duration::from_secs(1), 0);
        assert_eq!(histogram.count(), u64::MAX);
    }
}
