//! Times as people write them on the command line, and as they are printed.

use chrono::{DateTime, Datelike as _, Local, NaiveDate, Offset as _, TimeZone as _, Utc};

use crate::group::time_expression::TimeExpression;
use crate::protocol::Millis;

/// A clock on the wall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// That of this machine.
    #[default]
    Local,
    /// UTC, as in tests and scripts.
    Utc,
}

/// The text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a time is a span ago such as 2h or 7d, a time of day such as 14:05, a day such as 2026-11-01, or a day and time such \
     as 2026-11-01T12:00"
)]
pub struct NotATime;

impl Zone {
    /// Reads a span ago, a time of day, a day, or a day and time.
    ///
    /// # Errors
    /// If the text is none, or the time is before 1970.
    pub fn read(self, text: &str, now: Millis) -> Result<Millis, NotATime> {
        let time = TimeExpression::parse(text).ok_or(NotATime)?;
        let at = match self {
            Self::Utc => time.at(now, &Utc),
            Self::Local => time.at(now, &Local),
        };
        at.ok_or(NotATime)
    }

    /// In a format of `strftime`; [`None`] beyond any calendar, as a hostile server can say.
    #[must_use]
    pub fn format(self, at: Millis, format: &str) -> Option<String> {
        let utc = utc(at)?;
        Some(match self {
            Self::Utc => utc.format(format).to_string(),
            Self::Local => utc.with_timezone(&Local).format(format).to_string(),
        })
    }

    /// `2026-11-01 12:00:05`
    #[must_use]
    pub fn day_and_second(self, at: Millis) -> String {
        self.show(at, "%F %T")
    }

    /// `14:02`
    #[must_use]
    pub fn minute(self, at: Millis) -> String {
        self.show(at, "%H:%M")
    }

    /// `14:02`, or `27 Nov 14:02` if that is not today.
    #[must_use]
    pub fn minute_or_day(self, at: Millis, now: Millis) -> String {
        let is_today = self.show(at, "%F") == self.show(now, "%F");
        if is_today { self.minute(at) } else { self.show(at, "%-d %b %H:%M") }
    }

    /// `14:02:11`
    #[must_use]
    pub fn second(self, at: Millis) -> String {
        self.show(at, "%H:%M:%S")
    }

    /// `14:02:11.20`
    #[must_use]
    pub fn hundredth(self, at: Millis) -> String {
        let mut shown = self.show(at, "%H:%M:%S%.3f");
        if shown.len() == "14:02:11.204".len() {
            shown.pop();
        }
        shown
    }

    /// `2026-11-27 14:02:11.204`
    #[must_use]
    pub fn exact(self, at: Millis) -> String {
        self.show(at, "%F %H:%M:%S%.3f")
    }

    /// How many seconds its clock is ahead of UTC.
    #[must_use]
    pub fn ahead_of_utc(self, at: Millis) -> i32 {
        match (utc(at), self) {
            (Some(utc), Self::Local) => Local.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc(),
            (_, Self::Utc) | (None, _) => 0,
        }
    }

    /// The number of the day, from the calendar's beginning.
    #[must_use]
    pub fn day(self, at: Millis) -> i64 {
        let Some(utc) = utc(at) else { return i64::MAX };
        i64::from(match self {
            Self::Utc => utc.num_days_from_ce(),
            Self::Local => utc.with_timezone(&Local).num_days_from_ce(),
        })
    }

    fn show(self, at: Millis, format: &str) -> String {
        self.format(at, format).unwrap_or_else(|| "?".to_owned())
    }
}

/// `2026-11-01`, of a day as [`Zone::day`] counts.
#[must_use]
pub fn day_name(day: i64) -> String {
    let date = i32::try_from(day).ok().and_then(NaiveDate::from_num_days_from_ce_opt);
    date.map_or_else(|| "?".to_owned(), |date| date.to_string())
}

fn utc(at: Millis) -> Option<DateTime<Utc>> {
    i64::try_from(at.0).ok().and_then(DateTime::from_timestamp_millis)
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
            ("2026-11-01 12:00", 12 * HOUR),
            ("14:05", HOUR * 10 - HOUR / 12),
        ] {
            assert_eq!(Zone::Utc.read(text, NOW), Ok(Millis(NOW.0 - ago)), "{text}");
        }
        for text in ["", "yesterday", "2026-13-01", "1969-01-01", "2026-11-01 noon", "-2h"] {
            assert_eq!(Zone::Utc.read(text, NOW), Err(NotATime), "{text:?}");
        }
        assert_eq!(Zone::Utc.day_and_second(NOW), "2026-11-02 00:00:00");
        assert_eq!(day_name(Zone::Utc.day(NOW)), "2026-11-02");
        assert_eq!(day_name(Zone::Utc.day(Millis(u64::MAX))), "?");
    }
}
