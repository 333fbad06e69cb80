//! A point in time as people type it: `14:02`, `2h`, `2026-11-27`, `2026-11-27 14:02`.

use chrono::{Days, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};

use crate::protocol::Millis;
use crate::text::Clean;
use crate::tui::format::Zone;

/// What can be typed, in words.
const HOW: &str = "a time as 14:02, a day as 2026-11-27, both, or how long ago as 90s, 5min, 2h, 3d";

/// The last such time that is not in the future.
///
/// # Errors
/// What can be typed, in words.
pub fn parse(words: &str, now: Millis, zone: Zone) -> Result<Millis, Clean> {
    read(words, now, zone).ok_or_else(|| Clean::new(&format!("not a time: type {HOW}")))
}

/// The last such time that is not in the future; [`None`] if the words mean none.
fn read(words: &str, now: Millis, zone: Zone) -> Option<Millis> {
    let words = words.trim();
    if let Ok(ago) = humantime::parse_duration(words) {
        let ago = u64::try_from(ago.as_millis()).unwrap_or(u64::MAX);
        return Some(Millis(now.0.saturating_sub(ago)));
    }
    if let Some(time) = time_of_day(words) {
        let today = local(now, zone)?.date();
        let yesterday = today.checked_sub_days(Days::new(1))?;
        let candidates = [today, yesterday].map(|day| at(day.and_time(time), zone));
        return candidates.into_iter().flatten().find(|at| *at <= now);
    }
    let (day, time) = words.split_once(['T', ' ']).unwrap_or((words, "00:00"));
    at(NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?.and_time(time_of_day(time.trim())?), zone)
}

fn time_of_day(words: &str) -> Option<NaiveTime> {
    ["%H:%M:%S%.f", "%H:%M"].into_iter().find_map(|format| NaiveTime::parse_from_str(words, format).ok())
}

fn local(at: Millis, zone: Zone) -> Option<NaiveDateTime> {
    let utc = chrono::DateTime::<Utc>::from_timestamp_millis(i64::try_from(at.0).ok()?)?;
    Some(match zone {
        Zone::Utc => utc.naive_utc(),
        Zone::Local => utc.with_timezone(&Local).naive_local(),
    })
}

/// Where clocks are set back, a time comes twice: the first counts.
fn at(time: NaiveDateTime, zone: Zone) -> Option<Millis> {
    let millis = match zone {
        Zone::Utc => time.and_utc().timestamp_millis(),
        Zone::Local => Local.from_local_datetime(&time).earliest()?.timestamp_millis(),
    };
    u64::try_from(millis).ok().map(Millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2026-11-27 14:02:11.204 UTC.
    const NOW: Millis = Millis(1_795_788_131_204);

    #[test]
    fn times_are_read_as_they_are_meant() {
        let cases = [
            ("14:02", Some("2026-11-27 14:02:00.000")),
            ("14:02:11", Some("2026-11-27 14:02:11.000")),
            (" 14:02:11.2 ", Some("2026-11-27 14:02:11.200")),
            ("14:03", Some("2026-11-26 14:03:00.000")),
            ("2h", Some("2026-11-27 12:02:11.204")),
            ("5min", Some("2026-11-27 13:57:11.204")),
            ("1d 2h", Some("2026-11-26 12:02:11.204")),
            ("2026-11-01", Some("2026-11-01 00:00:00.000")),
            ("2026-11-01 12:30", Some("2026-11-01 12:30:00.000")),
            ("2026-11-01T12:30:05", Some("2026-11-01 12:30:05.000")),
            ("", None),
            ("25:00", None),
            ("yesterday", None),
            ("2026-13-01", None),
            ("2026-11-01 noon", None),
        ];
        for (words, shown) in cases {
            let read = read(words, NOW, Zone::Utc).map(|at| Zone::Utc.exact(at));
            assert_eq!(read.as_deref(), shown, "{words:?}");
        }
    }

    proptest! {
        #[test]
        fn anything_can_be_typed(words in "\\PC{0,24}|[0-9:T -]{0,20}", now: u64) {
            for zone in [Zone::Utc, Zone::Local] {
                let _ = read(&words, Millis(now), zone);
            }
        }
    }
}
