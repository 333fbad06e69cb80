//! How filters are written; reading what is written gives the same filter.

use std::fmt;

use super::comparison::Comparison;
use super::condition::RowCondition;
use super::token::is_bare;
use super::{Filter, Term};
use crate::text::units::Span;

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
        match &self.condition {
            RowCondition::Kind(kinds) => values(formatter, "kind", kinds.iter().map(|kinds| kinds.name.as_str())),
            RowCondition::From(names) => values(formatter, "from", names.iter().map(String::as_str)),
            RowCondition::With(names) => values(formatter, "conversation", names.iter().map(String::as_str)),
            RowCondition::Is(marks) => values(formatter, "is", marks.iter().map(|mark| mark.name())),
            RowCondition::Direction(direction) => write!(formatter, "{direction}"),
            RowCondition::Id(comparison, id) => figure(formatter, "id", *comparison, id),
            RowCondition::Size(comparison, bytes) => figure(formatter, "size", *comparison, bytes),
            RowCondition::Age(comparison, age) => figure(formatter, "waited", *comparison, &Span(*age)),
            RowCondition::AckAfter(comparison, span) => figure(formatter, "ack", *comparison, &Span(*span)),
            RowCondition::Acknowledged => formatter.write_str("ack"),
            RowCondition::Since(time) => write!(formatter, "since:{time}"),
            RowCondition::Until(time) => write!(formatter, "until:{time}"),
            RowCondition::Word(word) if is_bare(word) => formatter.write_str(word),
            RowCondition::Word(word) => write!(formatter, "\"{word}\""),
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
