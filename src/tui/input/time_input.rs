//! A point in time as people type it: `14:02`, `2h`, `2026-11-27`, `2026-11-27 14:02`.

use crate::output::times::Zone;
use crate::protocol::Millis;
use crate::text::Clean;

/// What can be typed, in words.
const HOW: &str = "a time as 14:02, a day as 2026-11-27, both, or how long ago as 90s, 5min, 2h, 3d";

/// The last such time that is not in the future.
///
/// # Errors
/// What can be typed, in words.
pub fn parse(words: &str, now: Millis, zone: Zone) -> Result<Millis, Clean> {
    zone.read(words, now).map_err(|_| Clean::new(&format!("not a time: type {HOW}")))
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
            let read = parse(words, NOW, Zone::Utc).ok().map(|at| Zone::Utc.exact(at));
            assert_eq!(read.as_deref(), shown, "{words:?}");
        }
    }

    proptest! {
        #[test]
        fn anything_can_be_typed(words in "\\PC{0,24}|[0-9:T -]{0,20}", now: u64) {
            for zone in [Zone::Utc, Zone::Local] {
                let _ = parse(&words, Millis(now), zone);
            }
        }
    }
}
