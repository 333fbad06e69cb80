//! Hours of the day when nobody is to be disturbed.

use std::str::FromStr;

use chrono::NaiveTime;

use crate::group::filter::WallClock;
use crate::protocol::Millis;

/// A time of the day when nobody is to be disturbed; it may go over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    from: NaiveTime,
    to: NaiveTime,
}

/// The text is no such time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--quiet-hours takes two different times of the day, such as 22:00-07:00")]
pub struct QuietHoursError;

impl FromStr for QuietHours {
    type Err = QuietHoursError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").map_err(|_| QuietHoursError);
        let (from, to) = text.split_once('-').ok_or(QuietHoursError)?;
        let (from, to) = (time(from)?, time(to)?);
        if from == to { Err(QuietHoursError) } else { Ok(Self { from, to }) }
    }
}

impl QuietHours {
    /// Whether it is such a time, as this clock shows it.
    #[must_use]
    pub fn cover(self, at: Millis, clock: &impl WallClock) -> bool {
        let Some(time) = clock.shows(at).map(|shown| shown.time()) else { return false };
        if self.from < self.to { (self.from..self.to).contains(&time) } else { time >= self.from || time < self.to }
    }
}

/// How somebody at the terminal is told of what alerts know.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttentionOptions {
    /// Whether the bell rings.
    pub bell: bool,
    /// Whether the terminal is asked to notify.
    pub notify: bool,
    /// When neither is done.
    pub quiet_hours: Option<QuietHours>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::filter::FilterMoment;

    fn covers(hours: &str, minutes: u64) -> bool {
        hours.parse::<QuietHours>().unwrap().cover(Millis(minutes * 60_000), &FilterMoment { now: Millis(0), zone: 0 })
    }

    #[test]
    fn quiet_hours_go_over_midnight() {
        assert!(covers("22:00-07:00", 22 * 60) && covers("22:00-07:00", 30) && covers("22:00-07:00", 7 * 60 - 1));
        assert!(!covers("22:00-07:00", 7 * 60) && !covers("22:00-07:00", 22 * 60 - 1));
        assert!(covers("12:00-13:30", 13 * 60) && !covers("12:00-13:30", 14 * 60) && !covers("12:00-13:30", 60));
    }

    #[test]
    fn what_is_no_time_of_the_day_is_refused() {
        for text in ["", "22:00", "22-7", "25:00-07:00", "07:00-07:00", "22:00-07:00-08:00"] {
            assert_eq!(text.parse::<QuietHours>(), Err(QuietHoursError), "{text}");
        }
    }
}
