//! Spans and counts as people read them, wherever they stand: on the screen, in lines, notices and alerts.

use std::time::Duration;

pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

/// An exact span with the unit that suits it: `<1 ms`, `31 ms`, `1.2 s`, `3 min`, `5 h`, `2 d`.
pub(crate) fn span(span: Duration) -> String {
    let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    match u64::try_from(span.as_millis()).unwrap_or(u64::MAX) {
        0 if micros >= 100 => format!("0.{} ms", micros / 100),
        0 => "<1 ms".to_owned(),
        ms if ms < 10 && micros % 1_000 >= 100 => format!("{ms}.{} ms", micros % 1_000 / 100),
        ms if ms < SECOND => format!("{ms} ms"),
        ms => from_seconds_on(ms),
    }
}

/// The same of so many milliseconds that are a second or more.
pub(crate) fn from_seconds_on(past: u64) -> String {
    match past {
        past if past < MINUTE => format!("{}.{} s", past / SECOND, past % SECOND / 100),
        past => coarse(past),
    }
}

/// How far clocks are apart, in milliseconds, rounded to the unit that it is shown in: no finer than it can be measured.
#[cfg(feature = "app")]
pub(crate) fn clocks_apart(offset: i64) -> String {
    let apart = offset.unsigned_abs();
    let unit = match apart {
        apart if apart < MINUTE => SECOND / 10,
        apart if apart < HOUR => MINUTE,
        apart if apart < DAY => HOUR,
        _ => DAY,
    };
    from_seconds_on(apart.saturating_add(unit / 2))
}

/// Milliseconds that are a minute or more, in the largest unit that fits.
pub(crate) fn coarse(past: u64) -> String {
    match past {
        past if past < HOUR => format!("{} min", past / MINUTE),
        past if past < DAY => format!("{} h", past / HOUR),
        past => format!("{} d", count(past / DAY)),
    }
}

/// A number with its thousands apart: `1,203`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}
