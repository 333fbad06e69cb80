//! What the user reads in the feed: the rows in memory and before them those in the journal, filtered, searched, marked.
//! Only the rows in sight are read for a frame, so its cost does not depend on how many there are.

pub mod filtered_rows;
pub mod journal_rows;
mod reading_back;
pub mod row_key;
pub mod rows;
pub mod scroll;
pub mod search;

use crate::group::filter::{FilterError, FilterMoment};
use crate::group::{FeedRow, Group, JournalState};
use crate::protocol::Millis;
use crate::runtime::Reaction;
use crate::text::Clean;
use crate::tui::input::actions::Motion;
use crate::tui::preferences::SavedFilters;
use crate::tui::state::feed::filtered_rows::FilteredRows;
use crate::tui::state::feed::journal_rows::{JournalRows, ReadGoal};
use crate::tui::state::feed::row_key::RowKey;
use crate::tui::state::feed::rows::FeedRows;
use crate::tui::state::feed::scroll::FeedScroll;
use crate::tui::state::feed::search::{FeedSearch, SeekOutcome};

/// What the user reads in the feed.
#[derive(Debug, Default)]
pub struct FeedState {
    pub scroll: FeedScroll,
    pub filter: Option<FilteredRows>,
    pub search: Option<FeedSearch>,
    pub older: JournalRows,
    pub mark: Option<MarkedRow>,
    /// A time that is gone to once the journal has been read so far back.
    pub bound_for: Option<Millis>,
    /// What may be named in a filter.
    pub saved: SavedFilters,
}

/// A row that others are compared with; kept, because the row itself may fall out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkedRow {
    pub spot: RowKey,
    pub row: FeedRow,
}

impl FeedState {
    pub fn with(saved: SavedFilters) -> Self {
        Self { saved, ..Self::default() }
    }

    /// A filter as it is typed, with what the names in it stand for.
    ///
    /// # Errors
    /// If the words are no filter; in words.
    pub fn read(&self, words: &str, group: &Group, moment: FilterMoment) -> Result<Option<FilteredRows>, Clean> {
        FilteredRows::read(words, &self.saved.expand(words)?, group, moment).map_err(|error| error_words(&error))
    }

    pub fn lines<'a>(&'a self, group: &'a Group) -> FeedRows<'a> {
        FeedRows { feed: group.feed(), matches: self.filter.as_ref().map(FilteredRows::matches), older: &self.older }
    }

    pub fn selected(&self, group: &Group) -> Option<RowKey> {
        self.scroll.selected(self.lines(group))
    }

    /// The selected row with its place.
    pub fn selected_row(&self, group: &Group) -> Option<(RowKey, FeedRow)> {
        let spot = self.selected(group)?;
        self.lines(group).row(spot).map(|row| (spot, row))
    }

    pub fn row(&self, group: &Group, spot: RowKey) -> Option<FeedRow> {
        self.lines(group).row(spot)
    }

    pub fn filter_words(&self) -> &str {
        self.filter.as_ref().map_or("", FilteredRows::words)
    }

    /// Shows only what fits; all for an empty filter. The search goes on in what is left.
    ///
    /// # Errors
    /// If the words are no filter.
    pub fn set_filter(&mut self, words: &str, group: &Group, moment: FilterMoment) -> Result<(), Clean> {
        if words.trim() == self.filter_words() {
            return Ok(());
        }
        self.filter = self.read(words, group, moment)?;
        self.show_older(group);
        let search = self.search.take().map(|search| search.words);
        search.map_or(Ok(()), |words| self.set_search(&words, group, moment))
    }

    pub fn show_older(&mut self, group: &Group) {
        let Self { filter, older, .. } = self;
        older.filter(|row| filter.as_ref().is_none_or(|sieve| sieve.fits(row, group)));
    }

    pub fn go_to(&mut self, spot: RowKey, group: &Group) {
        let mut scroll = self.scroll;
        scroll.go(self.lines(group), spot);
        self.scroll = scroll;
    }

    /// Moves; may want older rows than are in memory, and then has [`Self::why_no_more`].
    pub fn go(&mut self, motion: Motion, group: &Group) -> Reaction {
        let (before, lines, page) = (self.scroll, self.lines(group), self.scroll.page().max(1));
        let mut scroll = self.scroll;
        let mut enough = true;
        match motion {
            Motion::Up => enough = scroll.up(lines, 1),
            Motion::HalfPageUp => enough = scroll.up(lines, page.div_ceil(2)),
            Motion::PageUp => enough = scroll.up(lines, page),
            Motion::First => enough = scroll.up(lines, usize::MAX),
            Motion::Down => scroll.down(lines, 1),
            Motion::HalfPageDown => scroll.down(lines, page.div_ceil(2)),
            Motion::PageDown => scroll.down(lines, page),
            Motion::Last => scroll.follow(),
        }
        self.scroll = scroll;
        let all_is_filtered = self.filter.as_ref().is_none_or(|sieve| sieve.is_complete(group));
        if !enough && all_is_filtered {
            return self.older.read(ReadGoal::More(self.older.len()), group.feed());
        }
        if scroll == before { Reaction::Nothing } else { Reaction::Redraw }
    }

    /// Why there is nothing above the first row, once that is known and it is selected.
    pub fn why_no_more(&self, group: &Group) -> Option<&Clean> {
        let lines = self.lines(group);
        let at_first = self.scroll.is_paused() && self.selected(group) == lines.nth(0);
        self.older.end().filter(|_| at_first)
    }

    /// Stands still, or follows again.
    pub fn pause(&mut self, group: &Group) {
        if self.scroll.is_paused() {
            self.scroll.follow();
        } else {
            self.stand_still(group);
        }
    }

    pub fn stand_still(&mut self, group: &Group) {
        let mut scroll = self.scroll;
        scroll.pause(self.lines(group));
        self.scroll = scroll;
    }

    /// Goes to a row in memory; false if it is not shown.
    pub fn go_to_row(&mut self, number: u64, group: &Group) -> bool {
        let spot = RowKey::Memory(number);
        let is_shown = self.lines(group).nearest(spot) == Some(spot);
        if is_shown {
            self.go_to(spot, group);
        }
        is_shown
    }

    /// How many rows are shown and hit: what changes on the screen while it is worked on.
    pub fn progress(&self, group: &Group) -> (usize, usize, bool) {
        let hits = self.search.as_ref().map_or(0, FeedSearch::count);
        (self.lines(group).len(), hits, self.is_complete(group))
    }

    pub fn is_complete(&self, group: &Group) -> bool {
        let search = self.search.as_ref().map(|search| &search.hits);
        [self.filter.as_ref(), search].into_iter().flatten().all(|sieve| sieve.is_complete(group))
    }

    /// Marks the selected row, or takes the mark off it.
    pub fn mark(&mut self, group: &Group) -> bool {
        self.stand_still(group);
        let Some((spot, row)) = self.selected_row(group) else { return false };
        self.mark = if self.is_marked(spot) { None } else { Some(MarkedRow { spot, row }) };
        true
    }

    pub fn is_marked(&self, spot: RowKey) -> bool {
        self.mark.as_ref().is_some_and(|mark| mark.spot == spot)
    }

    pub const fn marked(&self) -> Option<&MarkedRow> {
        self.mark.as_ref()
    }

    /// One level back: the search, the pause, the filter, the mark; false if there is none of them.
    pub fn back(&mut self, group: &Group) -> bool {
        if self.search.take().is_some() {
            return true;
        }
        if self.scroll.is_paused() {
            self.scroll.follow();
            // What was read of the journal is not kept for ever.
            self.forget_older();
            return true;
        }
        if self.filter.take().is_some() {
            self.show_older(group);
            return true;
        }
        self.mark.take().is_some()
    }

    /// Goes on with what takes longer than a frame; true if there is still more to do.
    pub fn work(&mut self, group: &Group, rows: usize) -> (bool, Option<SeekOutcome>) {
        let filtering = self.filter.as_mut().is_some_and(|sieve| sieve.advance(group, rows));
        let searching = self.search.as_mut().is_some_and(|search| search.hits.advance(group, rows));
        let sought = self
            .search
            .as_ref()
            .is_some_and(|search| search.seeking.is_some())
            .then(|| self.go_on_seeking(group))
            .filter(|sought| *sought != SeekOutcome::NotYet);
        (filtering || searching, sought)
    }

    /// Looks through what has just come, so that it is in the next frame; the rest is [`Self::work`].
    pub fn catch_up(&mut self, group: &Group) {
        const ROWS: usize = 200;
        let sieves = [self.filter.as_mut(), self.search.as_mut().map(|search| &mut search.hits)];
        for sieve in sieves.into_iter().flatten() {
            sieve.advance(group, ROWS);
        }
    }

    /// Why there is no row to show.
    pub fn why_empty(&self, group: &Group) -> &'static str {
        let has_journal = *group.journal() == JournalState::Keeps;
        match &self.filter {
            Some(_) if self.older.has_rows() => "no row fits the filter; {back} shows all again",
            _ if group.feed().is_empty() && has_journal && self.older.end().is_some() => {
                "nothing was reflected yet, and the journal has nothing before"
            }
            _ if group.feed().is_empty() && has_journal => {
                "nothing was reflected since the start; {up} looks in the journal"
            }
            _ if group.feed().is_empty() => "nothing was reflected yet",
            Some(sieve) if !sieve.is_complete(group) => "filtering…",
            _ => "no row fits the filter; {back} shows all again",
        }
    }
}

pub fn error_words(error: &FilterError) -> Clean {
    Clean::new(&error.to_string())
}
