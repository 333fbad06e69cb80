//! Sizes and spans of time with their units, read and written.

use std::fmt;
use std::time::Duration;

/// Units of time in microseconds; of several names, the first is written.
pub(crate) const SPANS: [(&str, u64); 8] = [
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("min", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
    ("µs", 1),
];

/// A span, in the largest unit that needs no fraction.
pub(crate) struct Span(pub(crate) Duration);

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        let whole = SPANS.iter().find(|(_, unit)| micros > 0 && micros.is_multiple_of(u128::from(*unit)));
        let (name, unit) = whole.copied().unwrap_or(("us", 1));
        write!(formatter, "{}{name}", micros / u128::from(unit))
    }
}

pub(crate) fn size(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 6] =
        [("", 1), ("b", 1), ("k", 1_000), ("kb", 1_000), ("m", 1_000_000), ("mb", 1_000_000)];
    scaled(text, &UNITS)
}

pub(crate) fn span(text: &str) -> Option<Duration> {
    scaled(text, &SPANS).map(Duration::from_micros)
}

/// A number, perhaps with a fraction, and a unit.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim().to_lowercase();
    let split = text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (number, name) = text.split_at_checked(split)?;
    let (_, unit) = units.iter().find(|(known, _)| *known == name.trim())?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut sum = whole.parse::<u64>().ok()?.checked_mul(*unit)?;
    let mut part = *unit;
    for digit in fraction.bytes() {
        part /= 10;
        sum = sum.checked_add(part.checked_mul(u64::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?))?)?;
    }
    Some(sum)
}
