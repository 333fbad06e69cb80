//! Times as people write them on the command line, and as they are printed.

use chrono::{DateTime, Datelike as _, Local, NaiveDate, NaiveDateTime, TimeZone as _, Utc};

use crate::group::filter::{TimeExpression, WallClock};
use crate::protocol::Millis;

/// Which clock is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// As the clock of this machine has it.
    #[default]
    Local,
    /// Universal time.
    Utc,
}

/// The text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a time is a span ago such as 2h or 7d, a time of day such as 14:02, a day such as 2026-11-01, or a day and time such as \
     2026-11-01T12:00"
)]
pub struct NotATime;

impl Zone {
    /// As an option of the command line wants it.
    #[must_use]
    pub const fn of_option(utc: bool) -> Self {
        if utc { Self::Utc } else { Self::Local }
    }

    /// Reads a time as people write it.
    ///
    /// # Errors
    /// If it is none, or this clock never shows it.
    pub fn read(self, text: &str, now: Millis) -> Result<Millis, NotATime> {
        TimeExpression::parse(text).and_then(|time| time.at(now, &self)).ok_or(NotATime)
    }

    /// `2026-11-01 12:00:05`
    #[must_use]
    pub fn day_and_second(self, at: Millis) -> String {
        self.show(at, "%F %T")
    }

    #[must_use]
    pub fn day(self, at: Millis) -> i64 {
        let Some(utc) = utc(at) else { return i64::MAX };
        i64::from(match self {
            Self::Utc => utc.num_days_from_ce(),
            Self::Local => utc.with_timezone(&Local).num_days_from_ce(),
        })
    }

    /// As `format` says, in the words of `strftime`; `?` beyond any calendar, as a hostile server can say.
    #[must_use]
    pub fn show(self, at: Millis, format: &str) -> String {
        match (utc(at), self) {
            (None, _) => "?".to_owned(),
            (Some(utc), Self::Utc) => utc.format(format).to_string(),
            (Some(utc), Self::Local) => utc.with_timezone(&Local).format(format).to_string(),
        }
    }
}

impl WallClock for Zone {
    fn shows(&self, at: Millis) -> Option<NaiveDateTime> {
        let utc = utc(at)?;
        Some(match self {
            Self::Utc => utc.naive_utc(),
            Self::Local => utc.with_timezone(&Local).naive_local(),
        })
    }

    fn time_of(&self, shown: NaiveDateTime) -> Option<Millis> {
        let millis = match self {
            Self::Utc => shown.and_utc().timestamp_millis(),
            Self::Local => Local.from_local_datetime(&shown).earliest()?.timestamp_millis(),
        };
        u64::try_from(millis).ok().map(Millis)
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
            ("2026-11-01 12:00", 12 * HOUR),
            ("23:00", HOUR),
            ("2026-11-01T23:00:00Z", HOUR),
            ("2026-11-01T23:00:00+02:00", 3 * HOUR),
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
