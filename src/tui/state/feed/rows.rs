//! The rows that the feed shows, as one sequence: those out of the journal, then those in memory, both filtered.

use crate::group::filter::Matches;
use crate::group::{Feed, Row};
use crate::tui::state::feed::filtered_rows::rank;
use crate::tui::state::feed::journal_rows::JournalRows;
use crate::tui::state::feed::row_key::RowKey;

/// All rows that are shown, oldest first. Nothing here depends on how many there are but for a binary search.
#[derive(Clone, Copy)]
pub struct FeedRows<'a> {
    pub feed: &'a Feed,
    /// Those in memory that fit the filter, if there is one.
    pub matches: Option<&'a Matches>,
    pub older: &'a JournalRows,
}

impl<'a> FeedRows<'a> {
    pub fn len(self) -> usize {
        self.older.len() + self.in_memory()
    }

    /// How many of them are in memory.
    fn in_memory(self) -> usize {
        self.matches.map_or_else(|| self.feed.len(), Matches::len)
    }

    /// How many come before this row.
    pub fn rank(self, spot: RowKey) -> usize {
        match spot {
            RowKey::Journal(number) => self.older.rank(number),
            RowKey::Memory(number) => self.older.len() + self.rank_in_memory(number),
        }
    }

    fn rank_in_memory(self, number: u64) -> usize {
        match self.matches {
            None => {
                let rank = number.min(self.feed.end()).saturating_sub(self.feed.first());
                usize::try_from(rank).unwrap_or(usize::MAX)
            }
            Some(matches) => rank(matches, number),
        }
    }

    /// The row after so many others.
    pub fn nth(self, index: usize) -> Option<RowKey> {
        match index.checked_sub(self.older.len()) {
            None => self.older.number(index).map(RowKey::Journal),
            Some(index) => match self.matches {
                None => {
                    let number = self.feed.first() + index as u64;
                    (number < self.feed.end()).then_some(RowKey::Memory(number))
                }
                Some(matches) => matches.get(index).map(RowKey::Memory),
            },
        }
    }

    /// This row if it is shown, else the one after it, else the last.
    pub fn nearest(self, spot: RowKey) -> Option<RowKey> {
        self.nth(self.rank(spot).min(self.len().checked_sub(1)?))
    }

    /// Up to `count` rows after so many others.
    pub fn from(self, index: usize, count: usize) -> impl Iterator<Item = (RowKey, Row)> + 'a {
        (index..index.saturating_add(count))
            .map_while(move |index| self.nth(index))
            .filter_map(move |spot| self.row(spot).map(|row| (spot, row)))
    }

    pub fn row(self, spot: RowKey) -> Option<Row> {
        match spot {
            RowKey::Journal(number) => self.older.row(number).cloned(),
            RowKey::Memory(number) => self.feed.get(number),
        }
    }

    /// How many came into memory since its end was there.
    pub fn since(self, end: u64) -> u64 {
        self.in_memory().saturating_sub(self.rank_in_memory(end)) as u64
    }
}
