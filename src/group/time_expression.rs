//! [`TimeExpression`]: a point in time as people type it, wherever d2mtop reads one.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeZone, Utc};

use super::units::{Span, span};
use crate::protocol::Millis;
use crate::protocol::ids::span_millis;

/// A point in time as people type it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeExpression {
    /// A span before now: `90s`, `2h`, `1d 2h`, `1.5h`.
    Ago(Duration),
    /// The last time that the clock showed this: `14:05`, `14:05:30`.
    OfDay(NaiveTime),
    /// The beginning of that day: `2026-11-01`.
    Day(NaiveDate),
    /// That time of a day: `2026-11-01T12:00`, `2026-11-01 12:00`.
    DayAndTime(NaiveDateTime),
    /// The same with its distance from UTC: `2026-11-01T12:00:00+02:00`.
    Exact(DateTime<Utc>),
}

impl TimeExpression {
    /// [`None`] if the text is no time.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(span) = humantime::parse_duration(text).ok().or_else(|| span(text)) {
            return Some(Self::Ago(span));
        }
        if let Ok(exact) = DateTime::parse_from_rfc3339(text) {
            return Some(Self::Exact(exact.to_utc()));
        }
        match text.split_once(['t', 'T', ' ']) {
            Some((date, time)) => Some(Self::DayAndTime(day(date)?.and_time(time_of_day(time.trim())?))),
            None => time_of_day(text).map(Self::OfDay).or_else(|| day(text).map(Self::Day)),
        }
    }

    /// When that is by a clock of the zone; [`None`] if that clock never shows it, or the time is before 1970. Where clocks
    /// are set back, a time comes twice: the first counts.
    pub(crate) fn at(self, now: Millis, zone: &impl TimeZone) -> Option<Millis> {
        let by_clock = |time: NaiveDateTime| zone.from_local_datetime(&time).earliest().and_then(|time| millis(&time));
        match self {
            Self::Ago(span) => Some(Millis(now.0.saturating_sub(span_millis(span)))),
            Self::OfDay(time) => {
                let utc = DateTime::<Utc>::from_timestamp_millis(i64::try_from(now.0).ok()?)?.naive_utc();
                let today = utc.checked_add_offset(zone.offset_from_utc_datetime(&utc).fix())?.date();
                let yesterday = today.checked_sub_days(Days::new(1))?;
                let candidates = [today, yesterday].map(|day| by_clock(day.and_time(time)));
                candidates.into_iter().flatten().find(|at| *at <= now)
            }
            Self::Day(day) => by_clock(day.and_time(NaiveTime::MIN)),
            Self::DayAndTime(time) => by_clock(time),
            Self::Exact(time) => millis(&time),
        }
    }
}

fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

fn time_of_day(text: &str) -> Option<NaiveTime> {
    ["%H:%M:%S%.f", "%H:%M"].into_iter().find_map(|format| NaiveTime::parse_from_str(text, format).ok())
}

fn millis<Z: TimeZone>(time: &DateTime<Z>) -> Option<Millis> {
    u64::try_from(time.timestamp_millis()).ok().map(Millis)
}

impl fmt::Display for TimeExpression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ago(span) => Span(*span).fmt(formatter),
            Self::OfDay(time) => write!(formatter, "{}", time.format("%H:%M:%S%.f")),
            Self::Day(date) => write!(formatter, "{}", date.format("%Y-%m-%d")),
            Self::DayAndTime(time) => write!(formatter, "{}", time.format("%Y-%m-%dT%H:%M:%S%.f")),
            Self::Exact(time) => write!(formatter, "{}", time.format("%Y-%m-%dT%H:%M:%S%.fZ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::*;

    #[test]
    fn times_are_the_users() {
        // 2026-11-22 12:30:00 UTC; the user's clock shows 14:30.
        let (now, zone) = (Millis(1_795_350_600_000), FixedOffset::east_opt(7_200).unwrap());
        let minutes_ago = [
            ("90s", 1.5),
            ("14:30", 0.0),
            ("14:00", 30.0),
            ("14:29:30", 0.5),
            ("14:31", 24.0 * 60.0 - 1.0),
            ("2026-11-22", 14.5 * 60.0),
            ("2026-11-22T13:30", 60.0),
            ("1h 30m", 90.0),
            ("1.5h", 90.0),
            ("2026-11-22 13:30:30", 59.5),
            ("2026-11-22T12:00:00Z", 30.0),
            ("2026-11-22t13:00:00+01:00", 30.0),
        ];
        for (text, minutes) in minutes_ago {
            let time = TimeExpression::parse(text).unwrap();
            let ago = now.since(time.at(now, &zone).unwrap()).as_secs_f64() / 60.0;
            assert!((ago - minutes).abs() < 0.001, "{text} was {ago} minutes ago, not {minutes}");
            let written = time.to_string();
            assert_eq!(TimeExpression::parse(&written), Some(time), "{text} is written {written}");
        }
    }

    #[test]
    fn what_is_no_time_or_before_all_times_is_none() {
        for text in ["", "noon", "25:00", "2026-13-01", "2026-11-01 noon", "-2h", "2026-11-22T"] {
            assert_eq!(TimeExpression::parse(text), None, "{text:?}");
        }
        for text in ["1969-01-01", "1969-12-31T23:59:59Z"] {
            assert_eq!(TimeExpression::parse(text).unwrap().at(Millis(1), &Utc), None, "{text}");
        }
        assert_eq!(TimeExpression::parse("14:05").unwrap().at(Millis(u64::MAX), &Utc), None);
    }
}
