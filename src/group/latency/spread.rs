//! [`LatencySpread`]: a distribution of spans in bounded memory, since the start and over the last minute.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::protocol::Millis;

/// The longest span that is told apart from longer ones: thirty days, in microseconds.
const LONGEST: u64 = 30 * 24 * 60 * 60 * 1_000_000;

/// The last minute goes by slices of so many milliseconds.
const SLICE: u64 = 10_000;

const SLICES: u64 = 6;

/// A distribution of spans: percentiles in bounded memory, to two significant digits since the start and to one over the
/// last minute.
#[derive(Debug, Default)]
pub struct LatencySpread {
    /// Made with the first span, so that what is never measured takes no memory.
    histogram: Option<Histogram<u32>>,
    minute: Vec<Slice>,
    last: Option<Duration>,
    sum: Duration,
    coarse: bool,
}

/// What was measured within one slice of the last minute.
#[derive(Debug)]
struct Slice {
    number: u64,
    histogram: Histogram<u32>,
}

/// Percentiles of some spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyPercentiles {
    /// How many spans there are.
    pub count: u64,
    /// Half of them are no longer.
    pub p50: Duration,
    /// Nineteen of twenty are no longer.
    pub p95: Duration,
    /// All but one in a hundred are no longer.
    pub p99: Duration,
    /// The longest span.
    pub max: Duration,
}

impl LatencySpread {
    /// To one significant digit also since the start: for one of many.
    pub(super) fn coarse() -> Self {
        Self { coarse: true, ..Self::default() }
    }

    pub(in crate::group) fn record(&mut self, at: Millis, span: Duration) {
        self.record_many(at, span, 1);
    }

    /// The same span so many times.
    pub(super) fn record_many(&mut self, at: Millis, span: Duration, count: u32) {
        let micros = u64::try_from(span.as_micros()).unwrap_or(LONGEST);
        if self.histogram.is_none() {
            self.histogram = empty(if self.coarse { 1 } else { 2 });
        }
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record_n(micros, count);
        }
        if let Some(slice) = self.slice(at.0 / SLICE) {
            slice.histogram.saturating_record_n(micros, count);
        }
        self.last = Some(span);
        self.sum = self.sum.saturating_add(span.saturating_mul(count));
    }

    /// The slice of that number, or the newest one if the clock went back.
    fn slice(&mut self, number: u64) -> Option<&mut Slice> {
        let newest = self.minute.last().map(|slice| slice.number);
        if newest.is_none_or(|newest| newest < number) {
            let oldest = number.saturating_sub(SLICES);
            let mut slice = match self.minute.first() {
                Some(slice) if slice.number < oldest => self.minute.remove(0),
                _ => Slice { number, histogram: empty(1)? },
            };
            slice.number = number;
            slice.histogram.reset();
            self.minute.retain(|slice| slice.number >= oldest);
            self.minute.push(slice);
        }
        self.minute.last_mut()
    }

    /// How many spans were measured.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.as_ref().map_or(0, Histogram::len)
    }

    /// All spans together.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        self.sum
    }

    /// How many spans are no longer than this, as far as they are told apart.
    #[must_use]
    pub fn count_up_to(&self, span: Duration) -> u64 {
        let micros = u64::try_from(span.as_micros()).unwrap_or(LONGEST).min(LONGEST);
        self.histogram.as_ref().map_or(0, |histogram| histogram.count_between(0, micros))
    }

    /// The span that was measured last.
    #[must_use]
    pub const fn last(&self) -> Option<Duration> {
        self.last
    }

    /// The span that this part (0 to 1) of all spans does not exceed.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        self.histogram.as_ref().and_then(|histogram| quantile(histogram, part))
    }

    /// The longest span, as precise as the histogram.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        self.quantile(1.0)
    }

    /// Percentiles since the start, if anything was measured.
    #[must_use]
    pub fn percentiles(&self) -> Option<LatencyPercentiles> {
        self.histogram.as_ref().and_then(percentiles)
    }

    /// Percentiles over the last minute, ten seconds more or less, if anything was measured in it.
    #[must_use]
    pub fn last_minute(&self, now: Millis) -> Option<LatencyPercentiles> {
        let newest = now.0 / SLICE;
        let mut within = self.minute.iter().filter(|slice| newest.saturating_sub(slice.number) < SLICES);
        let mut all = within.next()?.histogram.clone();
        for slice in within {
            // All have the same bounds, so that adding cannot fail.
            let _ = all.add(&slice.histogram);
        }
        percentiles(&all)
    }
}

fn empty(digits: u8) -> Option<Histogram<u32>> {
    Histogram::new_with_bounds(1, LONGEST, digits).ok()
}

fn quantile(histogram: &Histogram<u32>, part: f64) -> Option<Duration> {
    if histogram.is_empty() {
        return None;
    }
    Some(Duration::from_micros(histogram.value_at_quantile(part).min(histogram.max())))
}

fn percentiles(histogram: &Histogram<u32>) -> Option<LatencyPercentiles> {
    Some(LatencyPercentiles {
        count: histogram.len(),
        p50: quantile(histogram, 0.5)?,
        p95: quantile(histogram, 0.95)?,
        p99: quantile(histogram, 0.99)?,
        max: quantile(histogram, 1.0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_minute_forgets_and_the_start_does_not() {
        let mut spread = LatencySpread::default();
        spread.record(Millis(1_000), Duration::from_secs(9));
        for second in 0..100 {
            spread.record(Millis(30_000 + second * 1_000), Duration::from_millis(2));
        }
        let minute = spread.last_minute(Millis(129_000)).unwrap();
        assert_eq!(minute.count, 60);
        assert!(minute.max < Duration::from_millis(3), "{minute:?}");
        assert!(minute.p50 > Duration::from_millis(1), "{minute:?}");
        assert!(spread.percentiles().unwrap().max >= Duration::from_secs(9));
        assert_eq!(spread.last_minute(Millis(500_000)), None);
        assert!(u64::try_from(spread.minute.len()).unwrap() <= SLICES + 1);
        assert_eq!((spread.count(), spread.sum()), (101, Duration::from_millis(9_200)));
        assert_eq!(spread.count_up_to(Duration::from_secs(1)), 100);
    }

    #[test]
    fn a_clock_that_goes_back_loses_no_span() {
        let mut spread = LatencySpread::coarse();
        for at in [90_000, 20_000, 5, 91_000] {
            spread.record(Millis(at), Duration::from_micros(7));
        }
        assert_eq!(spread.last_minute(Millis(91_000)).map(|minute| minute.count), Some(4));
        assert_eq!(spread.count(), 4);
    }
}
