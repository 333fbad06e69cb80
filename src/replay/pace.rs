//! [`ReplaySpeed`]: how fast a recording is played.

use std::str::FromStr;
use std::time::Duration;

use crate::output::times::{NotATime, Zone};
use crate::protocol::Millis;

/// How fast a recording is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplaySpeed {
    /// So many times as fast as it was.
    Times(u32),
    /// Without a pause.
    Max,
}

/// The text names no speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a speed is 1x, 10x or another whole number of times, or max")]
pub struct NotASpeed;

impl FromStr for ReplaySpeed {
    type Err = NotASpeed;

    fn from_str(text: &str) -> Result<Self, NotASpeed> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let times = text.strip_suffix('x').and_then(|times| times.parse().ok()).filter(|times| *times > 0);
        times.map(Self::Times).ok_or(NotASpeed)
    }
}

/// Up to which time: so long after the beginning, or by the clock; a time of day is the first one after the beginning.
///
/// # Errors
/// If the text is no time.
pub fn until(text: &str, zone: Zone, begins_at: Millis) -> Result<Millis, NotATime> {
    match humantime::parse_duration(text) {
        Ok(span) => Ok(begins_at.after(span)),
        Err(_) => zone.read(text, begins_at.after(Duration::from_hours(24))),
    }
}

impl ReplaySpeed {
    /// How long to wait from one time of the recording to a later one.
    #[must_use]
    pub fn wait(self, from: Millis, to: Millis) -> Duration {
        match self {
            Self::Times(times) => to.since(from) / times.max(1),
            Self::Max => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_whole_number_of_times_or_max() {
        for (text, speed) in [
            ("1x", Some(ReplaySpeed::Times(1))),
            ("10x", Some(ReplaySpeed::Times(10))),
            ("max", Some(ReplaySpeed::Max)),
            ("0x", None),
            ("10", None),
            ("-1x", None),
            ("fast", None),
        ] {
            assert_eq!(text.parse().ok(), speed, "{text}");
        }
        let (from, to) = (Millis(1_000), Millis(11_000));
        assert_eq!(ReplaySpeed::Times(10).wait(from, to), Duration::from_secs(1));
        assert_eq!(ReplaySpeed::Max.wait(from, to), Duration::ZERO);
        assert_eq!(ReplaySpeed::Times(1).wait(to, from), Duration::ZERO, "the clock was set back");
    }

    #[test]
    fn a_time_is_one_after_the_beginning() {
        let noon = Zone::Utc.read("2026-11-01T12:00", Millis(0)).unwrap();
        let until = |text: &str| until(text, Zone::Utc, noon).ok().map(|at| (at.0 - noon.0) / 1_000);
        assert_eq!(until("10m"), Some(600));
        assert_eq!(until("12:30"), Some(1_800));
        assert_eq!(until("11:30"), Some(23 * 3_600 + 1_800), "the next morning");
        assert_eq!(until("2026-11-01T13:00"), Some(3_600));
        assert_eq!(until("soon"), None);
    }
}
