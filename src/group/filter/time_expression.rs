//! [`TimeExpression`]: a point in time, as people write it in filters, on the command line and in the dashboard.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime};

use super::FilterMoment;
use crate::protocol::Millis;
use crate::protocol::ids::span_millis;
use crate::text::units::{Span, span};

/// A clock on the wall: what it shows at a time, and at which time it shows that.
pub trait WallClock {
    /// What it shows; [`None`] beyond any calendar.
    fn shows(&self, at: Millis) -> Option<NaiveDateTime>;

    /// When it shows this: the first time, if it is set back over it; [`None`] if it is set forward over it.
    fn time_of(&self, shown: NaiveDateTime) -> Option<Millis>;
}

/// A point in time, as people write it: a span ago (`90s`, `2h`, `1d 2h`), a time of day (`14:02`), a day (`2026-11-01`), both,
/// with a blank or a `T` between them, or RFC 3339 with an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeExpression {
    /// A span before now.
    Ago(Duration),
    /// The last time that the clock showed this.
    OfDay(NaiveTime),
    /// The beginning of that day.
    Day(NaiveDate),
    /// A day and a time of the clock.
    Shown(NaiveDateTime),
    /// A time with an offset from UTC.
    Exact(Millis),
}

impl TimeExpression {
    /// Reads an expression; [`None`] if the text is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        if let Some(ago) = span(text).or_else(|| humantime::parse_duration(text).ok()) {
            return Some(Self::Ago(ago));
        }
        if let Some(time) = of_day(text) {
            return Some(Self::OfDay(time));
        }
        if let Ok(exact) = DateTime::parse_from_rfc3339(&text.to_uppercase()) {
            return u64::try_from(exact.timestamp_millis()).ok().map(|at| Self::Exact(Millis(at)));
        }
        match text.split_once(['t', 'T', ' ']) {
            Some((date, time)) => Some(Self::Shown(day(date)?.and_time(of_day(time.trim())?))),
            None => day(text).map(Self::Day),
        }
    }

    /// The point in time, by this clock; [`None`] if the clock never shows it, or it is before 1970.
    #[must_use]
    pub fn at(self, now: Millis, clock: &impl WallClock) -> Option<Millis> {
        match self {
            Self::Ago(span) => Some(Millis(now.0.saturating_sub(span_millis(span)))),
            Self::Day(day) => clock.time_of(day.and_time(NaiveTime::MIN)),
            Self::Shown(shown) => clock.time_of(shown),
            Self::Exact(at) => Some(at),
            Self::OfDay(time) => {
                let today = clock.shows(now)?.date();
                let yesterday = today.checked_sub_days(Days::new(1))?;
                let days = [today, yesterday].map(|day| clock.time_of(day.and_time(time)));
                days.into_iter().flatten().find(|at| *at <= now)
            }
        }
    }
}

fn of_day(text: &str) -> Option<NaiveTime> {
    ["%H:%M:%S%.f", "%H:%M"].into_iter().find_map(|format| NaiveTime::parse_from_str(text, format).ok())
}

impl WallClock for FilterMoment {
    fn shows(&self, at: Millis) -> Option<NaiveDateTime> {
        let at = at.offset_by(i64::from(self.zone) * 1_000);
        Some(DateTime::from_timestamp_millis(i64::try_from(at.0).ok()?)?.naive_utc())
    }

    fn time_of(&self, shown: NaiveDateTime) -> Option<Millis> {
        let millis = shown.and_utc().timestamp_millis().saturating_sub(i64::from(self.zone) * 1_000);
        u64::try_from(millis).ok().map(Millis)
    }
}

impl fmt::Display for TimeExpression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ago(span) => Span(*span).fmt(formatter),
            Self::OfDay(time) => write!(formatter, "{}", time.format("%H:%M:%S%.f")),
            Self::Day(date) => write!(formatter, "{}", date.format("%Y-%m-%d")),
            Self::Shown(time) => write!(formatter, "{}", time.format("%Y-%m-%dT%H:%M:%S%.f")),
            Self::Exact(at) => {
                let time = i64::try_from(at.0).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
                write!(formatter, "{}", time.format("%Y-%m-%dT%H:%M:%S%.fZ"))
            }
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
            let time = TimeExpression::parse(text).unwrap();
            let ago = moment.now.since(time.at(moment.now, &moment).unwrap()).as_secs_f64() / 60.0;
            assert!((ago - minutes).abs() < 0.001, "{text} was {ago} minutes ago, not {minutes}");
        }
    }
}
