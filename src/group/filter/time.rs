//! [`Time`]: a point in time, as people name it.

use std::fmt;
use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::FilterMoment;
use super::units::{Span, span};
use crate::protocol::Millis;

const DAY: u64 = 24 * 60 * 60 * 1_000;

/// A point in time, as people name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    /// A span before now.
    Ago(Duration),
    /// The last time that the clock showed this.
    OfDay(NaiveTime),
    /// The beginning of that day.
    Day(NaiveDate),
    /// A second of a day.
    Exact(NaiveDateTime),
}

impl Time {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let of_day = |text: &str| {
            NaiveTime::parse_from_str(text, "%H:%M:%S").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M")).ok()
        };
        let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        if let Some((date, time)) = text.split_once(['t', 'T', ' ']) {
            return Some(Self::Exact(day(date)?.and_time(of_day(time)?)));
        }
        span(text).map(Self::Ago).or_else(|| of_day(text).map(Self::OfDay)).or_else(|| day(text).map(Self::Day))
    }

    pub(super) fn at(self, moment: FilterMoment) -> Millis {
        let zone = i64::from(moment.zone).saturating_mul(1_000);
        let local = |time: NaiveDateTime| {
            let millis = time.and_utc().timestamp_millis().saturating_sub(zone);
            Millis(u64::try_from(millis).unwrap_or(0))
        };
        match self {
            Self::Ago(span) => Millis(moment.now.0.saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))),
            Self::Day(date) => local(date.and_time(NaiveTime::MIN)),
            Self::Exact(time) => local(time),
            Self::OfDay(time) => {
                let now = moment.now.offset_by(zone);
                let today = now.0 - now.0 % DAY;
                let since_midnight = time.signed_duration_since(NaiveTime::MIN).num_milliseconds();
                let at = Millis(today).offset_by(since_midnight);
                let at = if at > now { Millis(at.0.saturating_sub(DAY)) } else { at };
                at.offset_by(zone.saturating_neg())
            }
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ago(span) => Span(*span).fmt(formatter),
            Self::OfDay(time) => write!(formatter, "{}", time.format("%H:%M:%S")),
            Self::Day(date) => write!(formatter, "{}", date.format("%Y-%m-%d")),
            Self::Exact(time) => write!(formatter, "{}", time.format("%Y-%m-%dT%H:%M:%S")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_users() {
        // 2026-11-22 12:30:00 UTC; the user's clock shows 14:30.
        let moment = FilterMoment { now: Millis(1_795_350_600_000), zone: 7_200 };
        let minutes_ago = [
            ("90s", 1.5),
            ("14:30", 0.0),
            ("14:00", 30.0),
            ("14:29:30", 0.5),
            ("14:31", 24.0 * 60.0 - 1.0),
            ("2026-11-22", 14.5 * 60.0),
            ("2026-11-22T13:30", 60.0),
        ];
        for (text, minutes) in minutes_ago {
            let time = Time::parse(text).unwrap();
            let ago = moment.now.since(time.at(moment)).as_secs_f64() / 60.0;
            assert!((ago - minutes).abs() < 0.001, "{text} was {ago} minutes ago, not {minutes}");
        }
    }
}
