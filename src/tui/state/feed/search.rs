//! What is looked for in the feed, and going from hit to hit.

use crate::group::filter::{Filter, FilterMoment};
use crate::group::{FeedRow, Group};
use crate::text::Clean;
use crate::tui::input::actions::SearchDirection;
use crate::tui::state::feed::filtered_rows::{FilteredRows, rank};
use crate::tui::state::feed::journal_rows::JournalRows;
use crate::tui::state::feed::row_key::RowKey;
use crate::tui::state::feed::{FeedState, error_words};

/// What is looked for.
#[derive(Debug)]
pub struct FeedSearch {
    pub words: String,
    /// Those of the words that must occur in a row, in lower case.
    pub required: Vec<String>,
    /// What fits the filter and the words.
    pub hits: FilteredRows,
    /// How many of the rows that are shown out of the journal fit, too.
    pub hits_in_journal: usize,
    /// From where the next hit is looked for, as long as it is not found.
    pub seeking: Option<(RowKey, SearchDirection)>,
}

/// How a step through the hits ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeekOutcome {
    Found,
    /// Not all rows are looked through yet.
    NotYet,
    Nowhere(SearchDirection),
}

/// What a look for the next hit found.
pub enum NextHit {
    Found(RowKey),
    NotYet,
    Nowhere,
}

impl FeedState {
    pub fn search_words(&self) -> &str {
        self.search.as_ref().map_or("", |search| &search.words)
    }

    pub const fn is_searching(&self) -> bool {
        self.search.is_some()
    }

    /// Looks for what fits; for nothing any more, if there are no words.
    ///
    /// # Errors
    /// If the words are no filter.
    pub fn set_search(&mut self, words: &str, group: &Group, moment: FilterMoment) -> Result<(), Clean> {
        let words = words.trim();
        // What is typed alone must be right alone: both together could be right by accident.
        let alone = Filter::parse(&self.saved.expand(words)?).map_err(|error| error_words(&error))?;
        let hits = if alone.is_empty() {
            None
        } else {
            self.read(format!("{} {words}", self.filter_words()).trim(), group, moment)?
        };
        let required = alone.required_words().map(str::to_owned).collect();
        self.search =
            hits.map(|hits| FeedSearch { words: words.to_owned(), required, hits, hits_in_journal: 0, seeking: None });
        self.count_hits_in_journal(group);
        Ok(())
    }

    pub fn count_hits_in_journal(&mut self, group: &Group) {
        let Self { search, older, .. } = self;
        if let Some(search) = search {
            search.hits_in_journal = older.count(|row| search.hits.fits(row, group));
        }
    }

    /// What a row is a hit of: the words that must occur in it, if it is one.
    pub fn hit(&self, row: &FeedRow, group: &Group) -> Option<&[String]> {
        let search = self.search.as_ref().filter(|search| search.hits.fits(row, group))?;
        Some(&search.required)
    }

    /// Goes to the next hit, the selected row included if `or_here`.
    pub fn seek(&mut self, way: SearchDirection, or_here: bool, group: &Group) -> SeekOutcome {
        let Some(at) = self.selected(group) else { return SeekOutcome::Nowhere(way) };
        let Some(search) = &mut self.search else { return SeekOutcome::Nowhere(way) };
        if or_here && search.fits(at, &self.older, group) {
            self.go_to(at, group);
            return SeekOutcome::Found;
        }
        search.seeking = Some((at, way));
        self.go_on_seeking(group)
    }

    pub fn go_on_seeking(&mut self, group: &Group) -> SeekOutcome {
        let Some(search) = &mut self.search else { return SeekOutcome::Found };
        let Some((from, way)) = search.seeking else { return SeekOutcome::Found };
        let sought = search.next(from, way, &self.older, group);
        match sought {
            NextHit::NotYet => SeekOutcome::NotYet,
            NextHit::Found(spot) => {
                search.seeking = None;
                self.go_to(spot, group);
                SeekOutcome::Found
            }
            NextHit::Nowhere => {
                search.seeking = None;
                SeekOutcome::Nowhere(way)
            }
        }
    }
}

impl FeedSearch {
    /// How many hits there are so far.
    pub fn count(&self) -> usize {
        self.hits.matches().len() + self.hits_in_journal
    }

    pub fn fits(&self, spot: RowKey, older: &JournalRows, group: &Group) -> bool {
        match spot {
            RowKey::Memory(number) => group.feed().get(number).is_some_and(|row| self.hits.fits(&row, group)),
            RowKey::Journal(number) => older.row(number).is_some_and(|row| self.hits.fits(row, group)),
        }
    }

    /// Rows are looked through from the newest on: what is found on the way to older ones stays the next hit, what is
    /// found on the way to newer ones may not be.
    pub fn next(&self, from: RowKey, way: SearchDirection, older: &JournalRows, group: &Group) -> NextHit {
        let matches = self.hits.matches();
        let in_memory = match (from, way) {
            (RowKey::Memory(number), SearchDirection::Older) => {
                rank(matches, number).checked_sub(1).and_then(|at| matches.get(at))
            }
            (RowKey::Memory(number), SearchDirection::Newer) => matches.get(rank(matches, number + 1)),
            (RowKey::Journal(_), SearchDirection::Older) => None,
            (RowKey::Journal(_), SearchDirection::Newer) => matches.get(0),
        };
        let in_journal = || older.next(from, way, |row| self.hits.fits(row, group)).map(RowKey::Journal);
        let in_memory = || in_memory.map(RowKey::Memory);
        match way {
            SearchDirection::Older => match in_memory() {
                Some(found) => NextHit::Found(found),
                None if !self.hits.is_complete(group) && matches!(from, RowKey::Memory(_)) => NextHit::NotYet,
                None => in_journal().map_or(NextHit::Nowhere, NextHit::Found),
            },
            SearchDirection::Newer => match in_journal() {
                Some(found) => NextHit::Found(found),
                None if !self.hits.is_complete(group) => NextHit::NotYet,
                None => in_memory().map_or(NextHit::Nowhere, NextHit::Found),
            },
        }
    }
}
