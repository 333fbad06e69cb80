//! Times, spans, sizes and counts as people read them: coarse where it is about now, exact where it is about a fact.

use std::time::Duration;

use crate::protocol::Millis;
use crate::text::figures::{DAY, HOUR, MINUTE, SECOND, clocks_apart, coarse};
pub(crate) use crate::text::figures::{count, span};

const HELD_STEP: u64 = 10 * SECOND;

/// How long since, coarse, and nothing for the first minute: `2 min`, `3 h`, `5 d`.
#[must_use]
pub fn lasting(since: Millis, now: Millis) -> Option<String> {
    let past = millis(now.since(since));
    (past >= MINUTE).then(|| coarse(past))
}

/// For how long, in steps of ten seconds at first, and nothing for the first of them.
#[must_use]
pub fn held(since: Millis, now: Millis) -> Option<String> {
    match millis(now.since(since)) {
        past if past < HELD_STEP => None,
        past if past < MINUTE => Some(format!("{} s", past / HELD_STEP * HELD_STEP / SECOND)),
        past => Some(coarse(past)),
    }
}

/// When [`held`] says something else.
#[must_use]
pub fn held_changes_at(since: Millis, now: Millis) -> Millis {
    match millis(now.since(since)) {
        past if past < MINUTE => Millis(since.0.saturating_add((past / HELD_STEP + 1) * HELD_STEP)),
        _ => lasting_changes_at(since, now),
    }
}

/// How long ago, to the second at first.
#[must_use]
pub fn ago(at: Millis, now: Millis) -> String {
    match millis(now.since(at)) {
        past if past < SECOND => "just now".to_owned(),
        past if past < MINUTE => format!("{} s ago", past / SECOND),
        past => format!("{} ago", coarse(past)),
    }
}

/// When [`ago`] says something else.
#[must_use]
pub fn ago_changes_at(at: Millis, now: Millis) -> Millis {
    match millis(now.since(at)) {
        past if past < MINUTE => Millis(at.0.saturating_add((past / SECOND + 1) * SECOND)),
        _ => lasting_changes_at(at, now),
    }
}

/// When [`lasting`] says something else.
#[must_use]
pub fn lasting_changes_at(at: Millis, now: Millis) -> Millis {
    let past = millis(now.since(at));
    let step = match past {
        past if past < HOUR => MINUTE,
        past if past < DAY => HOUR,
        _ => DAY,
    };
    // Behind our clock, it stays nothing until a minute after.
    Millis(at.0.saturating_add((past / step + 1).saturating_mul(step)))
}

/// How long until: `4 s`, `3 min`; never less than what is left.
#[must_use]
pub fn until(at: Millis, now: Millis) -> String {
    match millis(at.since(now)) {
        left if left < 2 * MINUTE => format!("{} s", left.div_ceil(SECOND)),
        left => format!("{} min", left.div_ceil(MINUTE)),
    }
}

/// When [`until`] says something else; [`None`] once it is over.
#[must_use]
pub fn until_changes_at(at: Millis, now: Millis) -> Option<Millis> {
    let left = millis(at.since(now));
    let step = if left <= 2 * MINUTE { SECOND } else { MINUTE };
    let steps = left.div_ceil(step).checked_sub(1)?;
    // At the border, the steps become seconds one millisecond later.
    Some(Millis(at.0.saturating_sub(steps * step).max(now.0 + 1)))
}

/// How far a time is from another one: `+1.2 s`, `-3 min`, `±0`.
#[must_use]
pub fn apart(from: Millis, to: Millis) -> String {
    match (to.since(from), from.since(to)) {
        (Duration::ZERO, Duration::ZERO) => "±0".to_owned(),
        (Duration::ZERO, before) => format!("-{}", span(before)),
        (after, _) => format!("+{}", span(after)),
    }
}

/// Bytes with their unit: `212 B`, `1,204 B`, `16.4 kB`.
#[must_use]
pub fn precise_size(bytes: u32) -> String {
    match bytes {
        bytes if bytes < 10_000 => format!("{} B", count(u64::from(bytes))),
        bytes => {
            let tenths = (u64::from(bytes) + 50) / 100;
            format!("{}.{} kB", count(tenths / 10), tenths % 10)
        }
    }
}

/// How far the mediator's clock is ahead of ours, no finer than it can be measured: `+0.2 s`, `-34 min`.
#[must_use]
pub fn offset(ahead: i64) -> String {
    // What rounds to nothing is on no side.
    let sign = if ahead <= -50 { '-' } else { '+' };
    format!("{sign}{}", clocks_apart(ahead))
}

fn millis(span: Duration) -> u64 {
    crate::protocol::ids::span_millis(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn figures_carry_their_units() {
        let ms = Duration::from_millis;
        let spans = [
            (Duration::ZERO, "<1 ms"),
            (Duration::from_micros(420), "0.4 ms"),
            (Duration::from_micros(1_430), "1.4 ms"),
            (ms(2), "2 ms"),
            (ms(31), "31 ms"),
            (ms(1_234), "1.2 s"),
            (ms(61_000), "1 min"),
            (ms(3 * DAY), "3 d"),
            (Duration::MAX, "213,503,982,334 d"),
        ];
        for (given, shown) in spans {
            assert_eq!(span(given), shown);
        }
        for (bytes, shown) in [(0, "0 B"), (1_204, "1,204 B"), (16_384, "16.4 kB"), (u32::MAX, "4,294,967.3 kB")] {
            assert_eq!(precise_size(bytes), shown);
        }
        for (number, shown) in [(0, "0"), (999, "999"), (1_203, "1,203"), (1_000_000, "1,000,000")] {
            assert_eq!(count(number), shown);
        }
        for (ahead, shown) in [
            (200, "+0.2 s"),
            (-34 * 60_000, "-34 min"),
            (34 * 60_000 - 4, "+34 min"),
            (-59_960, "-1 min"),
            (-49, "+0.0 s"),
            (0, "+0.0 s"),
            (i64::MIN, "-106,751,991,167 d"),
        ] {
            assert_eq!(offset(ahead), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_on_no_side(millis in prop_oneof![-2_000_i64..2_000, any::<i64>()]) {
            let from = Millis(1 << 40);
            for shown in [offset(millis), apart(from, from.offset_by(millis))] {
                let is_nothing = !shown.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
                prop_assert!(!(is_nothing && shown.starts_with('-')), "{shown}");
            }
        }
    }

    #[test]
    fn times_are_told_apart_with_a_sign() {
        for (from, to, shown) in
            [(5, 5, "±0"), (1_000, 2_234, "+1.2 s"), (2_000, 1_000, "-1.0 s"), (0, u64::MAX, "+213,503,982,334 d")]
        {
            assert_eq!(apart(Millis(from), Millis(to)), shown);
        }
    }

    proptest! {
        #[test]
        fn relative_times_stay_until_they_change(at in 0..3 * DAY, now in 0..3 * DAY) {
            let (at, now) = (Millis(at), Millis(now));
            let next = lasting_changes_at(at, now);
            prop_assert!(next > now);
            prop_assert_eq!(lasting(at, now), lasting(at, Millis(next.0 - 1)));
            prop_assert!(at > now || lasting(at, now) != lasting(at, next));
            let next = held_changes_at(at, now);
            prop_assert!(next > now);
            prop_assert_eq!(held(at, now), held(at, Millis(next.0 - 1)));
            prop_assert!(at > now || held(at, now) != held(at, next));
            let next = ago_changes_at(at, now);
            prop_assert!(next > now);
            prop_assert_eq!(ago(at, now), ago(at, Millis(next.0 - 1)));
            prop_assert!(at > now || ago(at, now) != ago(at, next));
            if let Some(next) = until_changes_at(at, now) {
                prop_assert!(next > now);
                prop_assert_eq!(until(at, now), until(at, Millis(next.0 - 1)));
            }
        }
    }
}
