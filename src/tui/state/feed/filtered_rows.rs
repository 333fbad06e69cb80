//! A filter as it was typed, and the rows in memory that fit it.

use crate::group::filter::{Filter, FilterContext, FilterError, FilterMatches, FilterMoment};
use crate::group::{FeedRow, Group};
use crate::text::Clean;

/// How many rows are looked through at once, so that the newest that fit are in the next frame.
const FIRST: usize = 2_000;

/// A filter as it was typed, and the rows in memory that fit it.
#[derive(Debug)]
pub struct FilteredRows {
    words: String,
    moment: FilterMoment,
    matches: FilterMatches,
}

impl FilteredRows {
    /// [`None`] for no words. What they stand for is what is looked for.
    pub fn read(words: &str, meant: &str, group: &Group, moment: FilterMoment) -> Result<Option<Self>, FilterError> {
        let words = words.trim();
        let filter = Filter::parse(meant)?;
        if filter.is_empty() {
            return Ok(None);
        }
        let mut sieve = Self { words: words.to_owned(), moment, matches: FilterMatches::new(filter, moment) };
        sieve.matches.advance(group, FIRST);
        Ok(Some(sieve))
    }

    pub fn words(&self) -> &str {
        &self.words
    }

    pub fn shown(&self) -> Clean {
        Clean::new(&self.words)
    }

    pub const fn matches(&self) -> &FilterMatches {
        &self.matches
    }

    /// Whether a row fits that need not be in memory.
    pub fn fits(&self, row: &FeedRow, group: &Group) -> bool {
        self.matches.filter().matches(row, &FilterContext::of(group, self.moment))
    }

    /// Looks through so many rows more; true if there are still others.
    pub fn advance(&mut self, group: &Group, rows: usize) -> bool {
        if self.matches.is_behind(group) {
            self.matches.advance(group, rows);
        }
        self.matches.is_behind(group)
    }

    pub fn is_complete(&self, group: &Group) -> bool {
        self.matches.progress(group).is_complete()
    }
}

/// How many of the rows found come before this one.
pub fn rank(matches: &FilterMatches, number: u64) -> usize {
    matches.place(number).unwrap_or_else(|place| place)
}
