//! Times as people write them on the command line, and as they are printed.

use chrono::{DateTime, Datelike as _, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};

use crate::protocol::Millis;
use crate::protocol::ids::span_millis;

/// Which clock is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// As the clock of this machine has it.
    Local,
    /// Universal time.
    Utc,
}

/// The text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time is a span ago such as 2h or 7d, a day such as 2026-11-01, or a day and time such as 2026-11-01T12:00")]
pub struct NotATime;

impl Zone {
    /// Reads a span ago, a day, or a day and time.
    pub fn read(self, text: &str, now: Millis) -> Result<Millis, NotATime> {
        if let Ok(span) = humantime::parse_duration(text) {
            return Ok(Millis(now.0.saturating_sub(span_millis(span))));
        }
        if let Ok(exact) = DateTime::parse_from_rfc3339(text) {
            return millis(&exact);
        }
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(NaiveTime::MIN));
        let read = |format| NaiveDateTime::parse_from_str(text, format);
        let time = day.or_else(|_| read("%Y-%m-%dT%H:%M")).or_else(|_| read("%Y-%m-%dT%H:%M:%S"));
        let time = time.map_err(|_| NotATime)?;
        match self {
            Self::Utc => millis(&time.and_utc()),
            // Of an hour that comes twice the first, so that nothing is missed.
            Self::Local => Local.from_local_datetime(&time).earliest().ok_or(NotATime).and_then(|time| millis(&time)),
        }
    }

    /// `2026-11-01 12:00:05`
    #[must_use]
    pub fn second(self, at: Millis) -> String {
        self.show(at, "%F %T")
    }

    /// Counts days.
    #[must_use]
    pub fn day(self, at: Millis) -> i64 {
        let Some(utc) = utc(at) else { return i64::MAX };
        i64::from(match self {
            Self::Utc => utc.num_days_from_ce(),
            Self::Local => utc.with_timezone(&Local).num_days_from_ce(),
        })
    }

    fn show(self, at: Millis, format: &str) -> String {
        match (utc(at), self) {
            (None, _) => "?".to_owned(),
            (Some(utc), Self::Utc) => utc.format(format).to_string(),
            (Some(utc), Self::Local) => utc.with_timezone(&Local).format(format).to_string(),
        }
    }
}

/// `2026-11-01`, of a day as [`Zone::day`] counts.
pub fn day_name(day: i64) -> String {
    let date = i32::try_from(day).ok().and_then(NaiveDate::from_num_days_from_ce_opt);
    date.map_or_else(|| "?".to_owned(), |date| date.to_string())
}

fn utc(at: Millis) -> Option<DateTime<Utc>> {
    i64::try_from(at.0).ok().and_then(DateTime::from_timestamp_millis)
}

fn millis<T: TimeZone>(time: &DateTime<T>) -> Result<Millis, NotATime> {
    u64::try_from(time.timestamp_millis()).map(Millis).map_err(|_| NotATime)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-02 00:00:00 UTC.
    const NOW: Millis = Millis(1_793_577_600_000);

    #[test]
    fn times_are_read_as_people_write_them() {
        const HOUR: u64 = 3_600_000;
        for (text, ago) in [
            ("2h", 2 * HOUR),
            ("90m", HOUR * 3 / 2),
            ("1d", 24 * HOUR),
            ("2026-11-01", 24 * HOUR),
            ("2026-11-01T12:00", 12 * HOUR),
            ("2026-11-01T23:59:30", 30_000),
            ("2026-11-01T23:00:00Z", HOUR),
            ("2026-11-01T23:00:00+02:00", 3 * HOUR),
        ] {
            assert_eq!(Zone::Utc.read(text, NOW), Ok(Millis(NOW.0 - ago)), "{text}");
        }
        for text in ["", "yesterday", "2026-13-01", "1969-01-01", "2026-11-01 12:00", "-2h"] {
            assert_eq!(Zone::Utc.read(text, NOW), Err(NotATime), "{text:?}");
        }
        assert_eq!(Zone::Utc.second(NOW), "2026-11-02 00:00:00");
        assert_eq!(day_name(Zone::Utc.day(NOW)), "2026-11-02");
        assert_eq!(day_name(Zone::Utc.day(Millis(u64::MAX))), "?");
    }
}
