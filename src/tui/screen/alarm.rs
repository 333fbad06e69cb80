//! Bell and notifications for what is not to be overlooked, unless it is the time to be quiet.

use std::str::FromStr;
use std::sync::Arc;

use chrono::NaiveTime;

use crate::alerts::Attention;
use crate::group::filter::WallClock as _;
use crate::protocol::Millis;
use crate::tui::format::Zone;
use crate::tui::screen::terminal::TerminalGuard;

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
    fn cover(self, at: Millis, zone: Zone) -> bool {
        let Some(time) = zone.shows(at).map(|shown| shown.time()) else { return false };
        if self.from < self.to { (self.from..self.to).contains(&time) } else { time >= self.from || time < self.to }
    }
}

/// How what is not to be overlooked is told.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// What is to be told.
    pub attention: Arc<Attention>,
    /// Whether the bell rings.
    pub bell: bool,
    /// Whether the terminal is asked to notify.
    pub notify: bool,
    /// When neither is done.
    pub quiet: Option<QuietHours>,
    /// Whose time of the day that is.
    pub zone: Zone,
}

impl Alarm {
    /// Tells with the next frame what has come since the last one. What comes while it is quiet is not told later: it is
    /// on the screen.
    pub(in crate::tui) fn sound(&self, terminal: &mut TerminalGuard, now: Millis) {
        let told = self.attention.take();
        if told.is_empty() || self.quiet.is_some_and(|quiet| quiet.cover(now, self.zone)) {
            return;
        }
        if self.bell {
            terminal.ring();
        }
        if self.notify {
            for words in &told {
                terminal.notify(words);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(hours: &str, minutes: u64) -> bool {
        hours.parse::<QuietHours>().unwrap().cover(Millis(minutes * 60_000), Zone::Utc)
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
