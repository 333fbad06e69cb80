//! What a series of round trips comes to.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::ndjson::{self, span_micros};
use crate::os::clock;

/// The longest round trip that is told apart from longer ones: an hour, in microseconds.
const LONGEST: u64 = 3_600_000_000;

/// Round trips in microseconds; percentiles to three digits, everything else exact.
#[derive(Debug, Default)]
pub struct RoundTrips {
    sent: u64,
    answered: u64,
    sum: u128,
    squares: u128,
    shortest: u64,
    longest: u64,
    /// Made with the first answer.
    times: Option<Histogram<u64>>,
}

impl RoundTrips {
    /// Counts a probe that was sent.
    pub const fn send(&mut self) {
        self.sent += 1;
    }

    /// How many probes were sent.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// How many of them were answered.
    #[must_use]
    pub const fn answered(&self) -> u64 {
        self.answered
    }

    /// Counts an answer, which took so long.
    pub fn answer(&mut self, elapsed: Duration) {
        let micros = span_micros(elapsed);
        self.shortest = if self.answered == 0 { micros } else { self.shortest.min(micros) };
        self.longest = self.longest.max(micros);
        self.answered += 1;
        self.sum += u128::from(micros);
        self.squares = self.squares.saturating_add(u128::from(micros).saturating_pow(2));
        if self.times.is_none() {
            self.times = Histogram::new_with_bounds(1, LONGEST, 3).ok();
        }
        if let Some(times) = &mut self.times {
            times.saturating_record(micros);
        }
    }

    fn average(&self) -> u64 {
        let average = self.sum / u128::from(self.answered.max(1));
        u64::try_from(average).unwrap_or(u64::MAX)
    }

    /// The standard deviation, which ping calls mdev.
    fn deviation(&self) -> u64 {
        let count = u128::from(self.answered.max(1));
        // Of the whole sums: the average of few short times, rounded, would be off by much.
        let variance = (self.squares.saturating_mul(count)).saturating_sub(self.sum.saturating_pow(2)) / count.pow(2);
        u64::try_from(variance.isqrt()).unwrap_or(u64::MAX)
    }

    fn quantile(&self, part: f64) -> u64 {
        let quantile = self.times.as_ref().map_or(0, |times| times.value_at_quantile(part));
        // What is rounded up must not be more than there was.
        quantile.clamp(self.shortest, self.longest)
    }

    /// As people read it.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("--- {} of {} answered", self.answered, self.sent)];
        if self.answered > 0 {
            let spread = [self.shortest, self.average(), self.longest, self.deviation()].map(millis).join("/");
            let quantiles = [0.5, 0.9, 0.99].map(|part| millis(self.quantile(part))).join("/");
            lines.push(format!("min/avg/max/mdev = {spread} ms, p50/p90/p99 = {quantiles} ms"));
        }
        lines
    }

    /// As a line of NDJSON has it; times in microseconds.
    #[must_use]
    pub fn to_json(&self, probe: &str) -> Value {
        let any = |value: u64| (self.answered > 0).then_some(value);
        let fields = json!({
            "probe": probe,
            "sent": self.sent,
            "answered": self.answered,
            "min_us": any(self.shortest),
            "avg_us": any(self.average()),
            "max_us": any(self.longest),
            "mdev_us": any(self.deviation()),
            "p50_us": any(self.quantile(0.5)),
            "p90_us": any(self.quantile(0.9)),
            "p99_us": any(self.quantile(0.99)),
        });
        ndjson::line(clock::wall().into(), "probe_summary", fields)
    }
}

/// Microseconds as milliseconds.
#[must_use]
pub fn millis(micros: u64) -> String {
    format!("{}.{:03}", micros / 1_000, micros % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_those_of_the_series() {
        let mut statistics = RoundTrips::default();
        assert_eq!(statistics.lines(), ["--- 0 of 0 answered"], "nothing is divided by nothing");
        assert!(statistics.to_json("ping").get("min_us").is_none());
        for micros in [2_000, 4_000, 4_000, 4_000, 5_000, 5_000, 7_000, 9_000] {
            statistics.send();
            statistics.answer(Duration::from_micros(micros));
        }
        statistics.send();
        assert_eq!(
            statistics.lines(),
            [
                "--- 8 of 9 answered",
                "min/avg/max/mdev = 2.000/5.000/9.000/2.000 ms, p50/p90/p99 = 4.001/9.000/9.000 ms"
            ]
        );
        let json = statistics.to_json("ping");
        assert_eq!((&json["answered"], &json["mdev_us"]), (&json!(8), &json!(2_000)));
    }

    #[test]
    fn times_without_an_end_are_no_panic() {
        let mut statistics = RoundTrips::default();
        for _ in 0..3 {
            statistics.answer(Duration::MAX);
        }
        assert_eq!(statistics.average(), u64::MAX);
        assert!(statistics.lines().len() == 2);
    }
}
