//! A filter as it was typed, and the rows in memory that fit it.

use crate::group::filter::{Filter, FilterError, Matches};
use crate::group::{Group, Row};
use crate::protocol::Millis;
use crate::text::Clean;

/// How many rows are looked through at once, so that the newest that fit are in the next frame.
const FIRST: usize = 2_000;

/// A filter as it was typed, and the rows in memory that fit it.
#[derive(Debug)]
pub(super) struct Sieve {
    words: String,
    filter: Filter,
    matches: Matches,
}

impl Sieve {
    /// [`None`] for no words.
    pub(super) fn read(words: &str, group: &Group, now: Millis) -> Result<Option<Self>, FilterError> {
        let words = words.trim();
        if words.is_empty() {
            return Ok(None);
        }
        let filter = Filter::parse(words)?;
        let mut sieve = Self { words: words.to_owned(), filter: filter.clone(), matches: Matches::new(filter) };
        sieve.advance(group, now, FIRST);
        Ok(Some(sieve))
    }

    pub(super) fn words(&self) -> &str {
        &self.words
    }

    pub(super) fn shown(&self) -> Clean {
        Clean::new(&self.words)
    }

    pub(super) const fn matches(&self) -> &Matches {
        &self.matches
    }

    pub(super) fn fits(&self, row: &Row, group: &Group, now: Millis) -> bool {
        self.filter.matches(row, group, now)
    }

    /// Looks through so many rows more; true if there are still others.
    pub(super) fn advance(&mut self, group: &Group, now: Millis, rows: usize) -> bool {
        self.matches.advance(group, now, rows)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.matches.is_complete()
    }
}
