//! How filters are written; reading what is written gives the same filter.

use std::fmt;
use std::time::Duration;

use super::parse::is_bare;
use super::test::{Comparison, Test};
use super::{Filter, Term};

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(formatter, "{space}{term}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            formatter.write_str("!")?;
        }
        match &self.test {
            Test::Kind(kinds) => values(formatter, "kind", kinds.iter().map(|kinds| kinds.name.as_str())),
            Test::From(names) => values(formatter, "from", names.iter().map(String::as_str)),
            Test::With(names) => values(formatter, "conversation", names.iter().map(String::as_str)),
            Test::Is(marks) => values(formatter, "is", marks.iter().map(|mark| mark.name())),
            Test::Direction(direction) => write!(formatter, "{direction}"),
            Test::Id(comparison, id) => figure(formatter, "id", *comparison, id),
            Test::Size(comparison, bytes) => figure(formatter, "size", *comparison, bytes),
            Test::Age(comparison, age) => figure(formatter, "waited", *comparison, &Span(*age)),
            Test::AckAfter(comparison, span) => figure(formatter, "ack", *comparison, &Span(*span)),
            Test::Acknowledged => formatter.write_str("ack"),
            Test::Since(time) => write!(formatter, "since:{time}"),
            Test::Until(time) => write!(formatter, "until:{time}"),
            Test::Word(word) if is_bare(word) => formatter.write_str(word),
            Test::Word(word) => write!(formatter, "\"{word}\""),
        }
    }
}

fn values<'a>(formatter: &mut fmt::Formatter<'_>, key: &str, values: impl Iterator<Item = &'a str>) -> fmt::Result {
    for (index, value) in values.enumerate() {
        let before = if index == 0 { key } else { "" };
        let sign = if index == 0 { ":" } else { "," };
        write!(formatter, "{before}{sign}{}", quoted(value))?;
    }
    Ok(())
}

/// A value, in quotes if it would otherwise end too early.
pub(super) fn quoted(value: &str) -> String {
    let plain = |character: char| !character.is_whitespace() && character != ',';
    if !value.is_empty() && value.chars().all(plain) { value.to_owned() } else { format!("\"{value}\"") }
}

fn figure(
    formatter: &mut fmt::Formatter<'_>,
    key: &str,
    comparison: Comparison,
    figure: &dyn fmt::Display,
) -> fmt::Result {
    write!(formatter, "{key}{}{figure}", comparison.sign())
}

/// Units of time in microseconds; of several names, the first is written.
pub(super) const SPANS: [(&str, u64); 8] = [
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
pub(super) struct Span(pub(super) Duration);

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        let whole = SPANS.iter().find(|(_, unit)| micros > 0 && micros.is_multiple_of(u128::from(*unit)));
        let (name, unit) = whole.copied().unwrap_or(("us", 1));
        write!(formatter, "{}{name}", micros / u128::from(unit))
    }
}
