//! Times as people write them on the command line, and as they are printed.

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta, Timelike as _, Utc};
use jiff::tz::AmbiguousOffset;

use crate::group::filter::{TimeExpression, WallClock};
use crate::os::time_zone;
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

    /// `14:02`
    #[must_use]
    pub fn minute(self, at: Millis) -> String {
        self.show(at, "%H:%M")
    }

    /// `14:02`, or `27 Nov 14:02` if that is not today.
    #[must_use]
    pub fn minute_or_day(self, at: Millis, now: Millis) -> String {
        if self.day(at) == self.day(now) { self.minute(at) } else { self.show(at, "%-d %b %H:%M") }
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

    /// `20261127-140211`
    #[must_use]
    pub fn file_name(self, at: Millis) -> String {
        self.show(at, "%Y%m%d-%H%M%S")
    }

    /// `2026-11-27 14:02:11.204`
    #[must_use]
    pub fn exact(self, at: Millis) -> String {
        self.show(at, "%F %H:%M:%S%.3f")
    }

    #[must_use]
    pub fn day(self, at: Millis) -> i64 {
        self.at(at).map_or(i64::MAX, |at| i64::from(at.num_days_from_ce()))
    }

    /// As `format` says, in the words of `strftime`; `?` beyond any calendar, as a hostile server can say.
    #[must_use]
    pub fn show(self, at: Millis, format: &str) -> String {
        self.at(at).map_or_else(|| "?".to_owned(), |at| at.format(format).to_string())
    }

    /// How many seconds its clock is ahead of universal time.
    #[must_use]
    pub fn ahead_of_utc(self, at: Millis) -> i32 {
        let at = i64::try_from(at.0).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        match (self, at) {
            (Self::Local, Some(at)) => time_zone::local().to_offset(at).seconds(),
            (Self::Utc, _) | (_, None) => 0,
        }
    }

    fn at(self, at: Millis) -> Option<DateTime<FixedOffset>> {
        Some(utc(at)?.with_timezone(&FixedOffset::east_opt(self.ahead_of_utc(at))?))
    }
}

impl WallClock for Zone {
    fn shows(&self, at: Millis) -> Option<NaiveDateTime> {
        Some(self.at(at)?.naive_local())
    }

    /// Of a time that the clock shows twice, the first; none that it leaves out.
    fn time_of(&self, shown: NaiveDateTime) -> Option<Millis> {
        let ahead = match self {
            Self::Utc => 0,
            Self::Local => match time_zone::local().to_ambiguous_timestamp(civil(shown)?).offset() {
                AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
                    offset.seconds()
                }
                AmbiguousOffset::Gap { .. } => return None,
            },
        };
        let utc = shown.checked_sub_signed(TimeDelta::seconds(i64::from(ahead)))?;
        u64::try_from(utc.and_utc().timestamp_millis()).ok().map(Millis)
    }
}

/// Parts of a second say nothing of the zone.
fn civil(shown: NaiveDateTime) -> Option<jiff::civil::DateTime> {
    let part = |part: u32| i8::try_from(part).ok();
    let (year, month, day) = (i16::try_from(shown.year()).ok()?, part(shown.month())?, part(shown.day())?);
    jiff::civil::DateTime::new(year, month, day, part(shown.hour())?, part(shown.minute())?, part(shown.second())?, 0)
        .ok()
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

    #[test]
    fn times_beyond_the_calendar_are_not_shown() {
        assert_eq!(Zone::Utc.exact(Millis(u64::MAX)), "?");
        assert_eq!(Zone::Utc.hundredth(Millis(1_795_788_131_204)), "14:02:11.20");
    }
}
