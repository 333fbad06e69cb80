//! The page of metrics: families in the order of the manual, each with the samples of every session.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Unit;

use super::histogram::Histogram;
use super::ledger::Ledger;
use crate::session::Now;

/// Labels of one sample.
pub(super) type Labels = Vec<(&'static str, String)>;

/// A number of a sample.
pub(super) enum Number {
    Whole(u64),
    Fraction(f64),
    Histogram(Histogram),
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<bool> for Number {
    fn from(holds: bool) -> Self {
        Self::Whole(u64::from(holds))
    }
}

impl From<Duration> for Number {
    fn from(duration: Duration) -> Self {
        Self::Fraction(duration.as_secs_f64())
    }
}

impl From<&Histogram> for Number {
    fn from(histogram: &Histogram) -> Self {
        Self::Histogram(histogram.clone())
    }
}

pub(super) struct Sample {
    labels: Labels,
    number: Number,
}

/// The only sample of a session.
pub(super) fn one(number: impl Into<Number>) -> Vec<Sample> {
    vec![sample(Vec::new(), number)]
}

pub(super) fn sample(labels: Labels, number: impl Into<Number>) -> Sample {
    Sample { labels, number: number.into() }
}

/// What a session's numbers are called by.
pub(super) struct SessionCopy {
    /// The profile; empty if there is none.
    pub(super) profile: String,
    pub(super) ledger: Ledger,
}

/// Writes families.
pub(super) struct MetricsPage<'e> {
    pub(super) encoder: DescriptorEncoder<'e>,
    pub(super) sessions: Vec<SessionCopy>,
    pub(super) now: Now,
}

impl MetricsPage<'_> {
    pub(super) fn counter(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        samples: impl Fn(&Ledger, Now) -> Vec<Sample>,
    ) -> fmt::Result {
        self.of_sessions(MetricType::Counter, name, help, unit, samples)
    }

    pub(super) fn gauge(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        samples: impl Fn(&Ledger, Now) -> Vec<Sample>,
    ) -> fmt::Result {
        self.of_sessions(MetricType::Gauge, name, help, unit, samples)
    }

    pub(super) fn info(
        &mut self,
        name: &str,
        help: &str,
        samples: impl Fn(&Ledger, Now) -> Vec<Sample>,
    ) -> fmt::Result {
        self.of_sessions(MetricType::Info, name, help, None, samples)
    }

    /// Always in seconds.
    pub(super) fn histogram(
        &mut self,
        name: &str,
        help: &str,
        samples: impl Fn(&Ledger, Now) -> Vec<Sample>,
    ) -> fmt::Result {
        self.of_sessions(MetricType::Histogram, name, help, Some(&Unit::Seconds), samples)
    }

    fn of_sessions(
        &mut self,
        metric_type: MetricType,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        samples: impl Fn(&Ledger, Now) -> Vec<Sample>,
    ) -> fmt::Result {
        let mut all = Vec::new();
        for session in &self.sessions {
            all.extend(samples(&session.ledger, self.now).into_iter().map(|mut sample| {
                if !session.profile.is_empty() {
                    sample.labels.insert(0, ("profile", session.profile.clone()));
                }
                sample
            }));
        }
        self.family(metric_type, name, help, unit, &all)
    }

    /// A family that is not about a session.
    pub(super) fn family(
        &mut self,
        metric_type: MetricType,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        samples: &[Sample],
    ) -> fmt::Result {
        family(&mut self.encoder, metric_type, name, help, unit, samples)
    }
}

/// Writes one family.
pub(super) fn family(
    encoder: &mut DescriptorEncoder<'_>,
    metric_type: MetricType,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    samples: &[Sample],
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, unit, metric_type)?;
    for Sample { labels, number } in samples {
        if matches!(metric_type, MetricType::Info) {
            family.encode_info(labels)?;
            continue;
        }
        if labels.is_empty() {
            write(&mut family, metric_type, number)?;
        } else {
            write(&mut family.encode_family(labels)?, metric_type, number)?;
        }
    }
    Ok(())
}

fn write(encoder: &mut MetricEncoder<'_>, metric_type: MetricType, number: &Number) -> fmt::Result {
    match (metric_type, number) {
        (_, Number::Histogram(histogram)) => {
            let (sum, count) = (histogram.sum(), histogram.count());
            encoder.encode_histogram::<Labels>(sum, count, &histogram.buckets(), None)
        }
        (MetricType::Counter, Number::Whole(number)) => encoder.encode_counter(number, None::<&Exemplar<Labels, u64>>),
        (MetricType::Counter, Number::Fraction(number)) => {
            encoder.encode_counter(number, None::<&Exemplar<Labels, f64>>)
        }
        (_, Number::Whole(number)) => encoder.encode_gauge(number),
        (_, Number::Fraction(number)) => encoder.encode_gauge(number),
    }
}
