//! [`Filter`]: which rows to show, in a small language: `kind:text from:desktop size>1k !ack`.
//!
//! ```text
//! text ─parse─> Filter ─matches─> one Row                   (what a journal holds)
//!                      ─Matches─> the numbers of all rows   (what the feed holds; a slice of them at a time)
//! ```
//!
//! All terms must hold. [`complete::complete`] says what may stand at the cursor.

mod comparison;
pub mod complete;
mod condition;
mod error;
mod key;
mod kinds;
mod matches;
mod memo;
mod parse;
mod show;
mod subject;
#[cfg(test)]
mod tests;
mod time_expression;
mod token;

pub use self::complete::{FilterCompletions, complete, may_become_key};
use self::condition::RowCondition;
pub use self::error::FilterError;
pub use self::matches::{FilterHit, FilterMatches, FilterProgress, ROWS_AT_ONCE};
pub use self::time_expression::{TimeExpression, WallClock};
use super::{ConversationNames, Devices, FeedRow, Group};
use crate::protocol::{DeviceId, Millis};

/// Which rows to show. The default shows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    negated: bool,
    condition: RowCondition,
}

/// The time at which a filter is asked, for those that name times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilterMoment {
    /// The time by our clock.
    pub now: Millis,
    /// How many seconds the user's clock is ahead of UTC.
    pub zone: i32,
}

/// What a filter needs besides the row: names, devices, and the time.
#[derive(Clone, Copy, Debug)]
pub struct FilterContext<'a> {
    /// Who is in the group.
    pub devices: &'a Devices,
    /// What contacts, groups and lists are called.
    pub names: &'a ConversationNames,
    /// This device, once logged in.
    pub own: Option<DeviceId>,
    /// How far the server's clock is ahead of ours, in milliseconds.
    pub clock_offset: i64,
    /// When the filter is asked.
    pub moment: FilterMoment,
}

impl<'a> FilterContext<'a> {
    /// As a group knows it.
    #[must_use]
    pub fn of(group: &'a Group, moment: FilterMoment) -> Self {
        Self {
            devices: group.devices(),
            names: group.names(),
            own: group.own(),
            clock_offset: group.clock_offset,
            moment,
        }
    }
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// If a key or a value is not one; see [`FilterError`].
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse::parse(text)
    }

    /// Whether nothing of the text is still being typed: [`Self::parse`] takes that as it may be meant.
    ///
    /// # Errors
    /// If a quote is open, or a sign stands before nothing.
    pub fn finished(text: &str) -> Result<(), FilterError> {
        parse::finished(text)
    }

    /// Rows in which all these words occur, as they are: what a search looks for.
    #[must_use]
    pub fn words(text: &str) -> Self {
        Self {
            terms: text
                .split_whitespace()
                .map(|word| Term { negated: false, condition: RowCondition::word(word) })
                .collect(),
        }
    }

    /// The words that must occur in a row, in lower case.
    pub fn required_words(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter(|term| !term.negated).filter_map(|term| match &term.condition {
            RowCondition::Word(word) => Some(word.as_str()),
            _ => None,
        })
    }

    /// Whether it shows everything.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a row is to be shown.
    #[must_use]
    pub fn matches(&self, row: &FeedRow, context: &FilterContext<'_>) -> bool {
        self.terms.iter().all(|term| term.condition.holds(row, context) != term.negated)
    }

    /// Whether what it says of a row may change while the row is kept.
    fn is_volatile(&self) -> bool {
        self.terms.iter().any(|term| term.condition.is_volatile())
    }

    /// Whether what it says of a row depends on what devices and conversations are called.
    fn names_somebody(&self) -> bool {
        self.terms.iter().any(|term| term.condition.names_somebody())
    }
}
