//! What the user reads in the feed: the rows in memory and before them those in the journal, filtered, searched, marked.
//! Only the rows in sight are read for a frame, so its cost does not depend on how many there are.

pub mod filtered_rows;
pub mod journal_rows;
pub mod rows;
pub mod scroll;

use crate::group::filter::{Filter, FilterError, Moment};
use crate::group::{Group, JournalState, Row};
use crate::protocol::Millis;
use crate::runtime::{Page, Reaction};
use crate::text::Clean;
use crate::tui::format::Zone;
use crate::tui::input::keymap::{Motion, Way};
use crate::tui::input::time_input;

use filtered_rows::{Sieve, rank};
use journal_rows::{Older, Wanted};
pub use rows::{Lines, Spot};
pub use scroll::Scroll;

/// What the user reads in the feed.
#[derive(Debug, Default)]
pub struct Reading {
    pub scroll: Scroll,
    pub filter: Option<Sieve>,
    pub search: Option<Search>,
    pub older: Older,
    pub mark: Option<Marked>,
    /// A time that is gone to once the journal has been read so far back.
    pub bound_for: Option<Millis>,
}

/// A row that others are compared with; kept, because the row itself may fall out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    pub spot: Spot,
    pub row: Row,
}

/// What is looked for.
#[derive(Debug)]
pub struct Search {
    pub words: String,
    /// Those of the words that must occur in a row, in lower case.
    pub required: Vec<String>,
    /// What fits the filter and the words.
    pub hits: Sieve,
    /// How many of the rows that are shown out of the journal fit, too.
    pub hits_in_journal: usize,
    /// From where the next hit is looked for, as long as it is not found.
    pub seeking: Option<(Spot, Way)>,
}

/// How a step through the hits ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    Found,
    /// Not all rows are looked through yet.
    NotYet,
    Nowhere(Way),
}

impl Reading {
    pub fn lines<'a>(&'a self, group: &'a Group) -> Lines<'a> {
        Lines { feed: group.feed(), matches: self.filter.as_ref().map(Sieve::matches), older: &self.older }
    }

    pub fn selected(&self, group: &Group) -> Option<Spot> {
        self.scroll.selected(self.lines(group))
    }

    /// The selected row with its place.
    pub fn selected_row(&self, group: &Group) -> Option<(Spot, Row)> {
        let spot = self.selected(group)?;
        self.lines(group).row(spot).map(|row| (spot, row))
    }

    pub fn row(&self, group: &Group, spot: Spot) -> Option<Row> {
        self.lines(group).row(spot)
    }

    pub fn filter_words(&self) -> &str {
        self.filter.as_ref().map_or("", Sieve::words)
    }

    pub fn search_words(&self) -> &str {
        self.search.as_ref().map_or("", |search| &search.words)
    }

    pub const fn is_searching(&self) -> bool {
        self.search.is_some()
    }

    /// Shows only what fits; all for an empty filter. The search goes on in what is left.
    ///
    /// # Errors
    /// If the words are no filter.
    pub fn set_filter(&mut self, words: &str, group: &Group, moment: Moment) -> Result<(), FilterError> {
        if words.trim() == self.filter_words() {
            return Ok(());
        }
        self.filter = Sieve::read(words, group, moment)?;
        self.show_older(group);
        let search = self.search.take().map(|search| search.words);
        search.map_or(Ok(()), |words| self.set_search(&words, group, moment))
    }

    pub fn show_older(&mut self, group: &Group) {
        let Self { filter, older, .. } = self;
        older.filter(|row| filter.as_ref().is_none_or(|sieve| sieve.fits(row, group)));
    }

    /// Looks for what fits; for nothing any more, if there are no words.
    ///
    /// # Errors
    /// If the words are no filter.
    pub fn set_search(&mut self, words: &str, group: &Group, moment: Moment) -> Result<(), FilterError> {
        let words = words.trim();
        // What is typed alone must be right alone: both together could be right by accident.
        let alone = Filter::parse(words)?;
        let hits = if alone.is_empty() {
            None
        } else {
            Sieve::read(format!("{} {words}", self.filter_words()).trim(), group, moment)?
        };
        let required = alone.required_words().map(str::to_owned).collect();
        self.search =
            hits.map(|hits| Search { words: words.to_owned(), required, hits, hits_in_journal: 0, seeking: None });
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
    pub fn hit(&self, row: &Row, group: &Group) -> Option<&[String]> {
        let search = self.search.as_ref().filter(|search| search.hits.fits(row, group))?;
        Some(&search.required)
    }

    /// Goes to the next hit, the selected row included if `or_here`.
    pub fn seek(&mut self, way: Way, or_here: bool, group: &Group) -> Sought {
        let Some(at) = self.selected(group) else { return Sought::Nowhere(way) };
        let Some(search) = &mut self.search else { return Sought::Nowhere(way) };
        if or_here && search.fits(at, &self.older, group) {
            self.go_to(at, group);
            return Sought::Found;
        }
        search.seeking = Some((at, way));
        self.go_on_seeking(group)
    }

    pub fn go_on_seeking(&mut self, group: &Group) -> Sought {
        let Some(search) = &mut self.search else { return Sought::Found };
        let Some((from, way)) = search.seeking else { return Sought::Found };
        let sought = search.next(from, way, &self.older, group);
        match sought {
            Next::NotYet => Sought::NotYet,
            Next::Found(spot) => {
                search.seeking = None;
                self.go_to(spot, group);
                Sought::Found
            }
            Next::Nowhere => {
                search.seeking = None;
                Sought::Nowhere(way)
            }
        }
    }

    pub fn go_to(&mut self, spot: Spot, group: &Group) {
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
            return self.older.read(Wanted::More(self.older.len()), group.feed());
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

    /// Goes to the first row that was received at that time or later.
    pub fn go_to_time(&mut self, at: Millis, group: &Group) -> Reaction {
        let feed = group.feed();
        let number = feed.number_at(at);
        let before_memory = number <= feed.first();
        if let Some(older) = self.older.at(at).filter(|_| before_memory) {
            self.go_to(Spot::Journal(older), group);
            return Reaction::Redraw;
        }
        if let Some(spot) = self.lines(group).nearest(Spot::Memory(number)) {
            self.go_to(spot, group);
        }
        if before_memory && self.older.end().is_none() {
            self.bound_for = Some(at);
            return self.older.read(Wanted::Until(at), feed);
        }
        Reaction::Redraw
    }

    pub fn forget_older(&mut self) {
        self.older.forget();
        self.bound_for = None;
        if let Some(search) = &mut self.search {
            search.hits_in_journal = 0;
        }
    }

    /// Selects the oldest row if the selected one has left memory; true the first time since one was selected.
    pub fn keep_in_memory(&mut self, group: &Group) -> bool {
        let mut scroll = self.scroll;
        let has_slid = scroll.keep_in_memory(self.lines(group));
        self.scroll = scroll;
        has_slid
    }

    /// Forgets the rows of the journal if rows fell out of memory after them, once that can be seen; who still reads
    /// further back is left in peace. True if the user came by there.
    pub fn close_gap(&mut self, group: &Group) -> bool {
        let (lines, older) = (self.lines(group), self.older.len());
        let top = self.scroll.top(lines);
        let is_in_sight = top.saturating_add(self.scroll.page()) > older;
        if !is_in_sight || self.older.is_reading() || !self.older.has_gap(group.feed()) {
            return false;
        }
        let is_in_journal = matches!(self.selected(group), Some(Spot::Journal(_)));
        self.forget_older();
        if let (true, Some(first)) = (is_in_journal, self.lines(group).nth(0)) {
            self.go_to(first, group);
        }
        self.scroll.is_paused() && top <= older
    }

    pub fn take_older(&mut self, page: Page, group: &Group) -> Reaction {
        let first = self.lines(group).nth(0);
        let was_at_first = self.selected(group) == first;
        let Self { filter, older, .. } = self;
        let reaction = older.take(page, group.feed(), |row| filter.as_ref().is_none_or(|sieve| sieve.fits(row, group)));
        if let (Some(at), false) = (self.bound_for, self.older.is_reading()) {
            self.bound_for = None;
            let spot = self.older.at(at).map(Spot::Journal).or_else(|| self.lines(group).nth(0));
            if let (Some(spot), true) = (spot, self.older.len() > 0) {
                self.go_to(spot, group);
            }
        } else if let (true, Some(first)) = (was_at_first && self.scroll.is_paused(), first) {
            // One row up, as was asked for; the rest of the page waits above.
            self.go_to(first, group);
            let mut scroll = self.scroll;
            scroll.up(self.lines(group), 1);
            self.scroll = scroll;
        } else if first.is_none() {
            // There was nothing to select before.
            self.stand_still(group);
        }
        if !self.older.is_reading() {
            self.count_hits_in_journal(group);
        }
        reaction
    }

    /// Goes to a row in memory; false if it is not shown.
    pub fn go_to_row(&mut self, number: u64, group: &Group) -> bool {
        let spot = Spot::Memory(number);
        let is_shown = self.lines(group).nearest(spot) == Some(spot);
        if is_shown {
            self.go_to(spot, group);
        }
        is_shown
    }

    /// How many rows are shown and hit: what changes on the screen while it is worked on.
    pub fn progress(&self, group: &Group) -> (usize, usize, bool) {
        let hits = self.search.as_ref().map_or(0, Search::count);
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
        self.mark = if self.is_marked(spot) { None } else { Some(Marked { spot, row }) };
        true
    }

    pub fn is_marked(&self, spot: Spot) -> bool {
        self.mark.as_ref().is_some_and(|mark| mark.spot == spot)
    }

    /// The marked row.
    pub const fn marked(&self) -> Option<&Marked> {
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
    pub fn work(&mut self, group: &Group, rows: usize) -> (bool, Option<Sought>) {
        let filtering = self.filter.as_mut().is_some_and(|sieve| sieve.advance(group, rows));
        let searching = self.search.as_mut().is_some_and(|search| search.hits.advance(group, rows));
        let sought = self
            .search
            .as_ref()
            .is_some_and(|search| search.seeking.is_some())
            .then(|| self.go_on_seeking(group))
            .filter(|sought| *sought != Sought::NotYet);
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
            Some(_) if self.older.has_rows() => "no row fits the filter; Esc shows all again",
            _ if group.feed().is_empty() && has_journal && self.older.end().is_some() => {
                "nothing was reflected yet, and the journal has nothing before"
            }
            _ if group.feed().is_empty() && has_journal => {
                "nothing was reflected since the start; k looks in the journal"
            }
            _ if group.feed().is_empty() => "nothing was reflected yet",
            Some(sieve) if !sieve.is_complete(group) => "filtering…",
            _ => "no row fits the filter; Esc shows all again",
        }
    }
}

/// What a look for the next hit found.
enum Next {
    Found(Spot),
    NotYet,
    Nowhere,
}

impl Search {
    /// How many hits there are so far.
    pub fn count(&self) -> usize {
        self.hits.matches().len() + self.hits_in_journal
    }

    pub fn fits(&self, spot: Spot, older: &Older, group: &Group) -> bool {
        match spot {
            Spot::Memory(number) => group.feed().get(number).is_some_and(|row| self.hits.fits(&row, group)),
            Spot::Journal(number) => older.row(number).is_some_and(|row| self.hits.fits(row, group)),
        }
    }

    /// Rows are looked through from the newest on: what is found on the way to older ones stays the next hit, what is
    /// found on the way to newer ones may not be.
    pub fn next(&self, from: Spot, way: Way, older: &Older, group: &Group) -> Next {
        let matches = self.hits.matches();
        let in_memory = match (from, way) {
            (Spot::Memory(number), Way::Older) => rank(matches, number).checked_sub(1).and_then(|at| matches.get(at)),
            (Spot::Memory(number), Way::Newer) => matches.get(rank(matches, number + 1)),
            (Spot::Journal(_), Way::Older) => None,
            (Spot::Journal(_), Way::Newer) => matches.get(0),
        };
        let in_journal = || older.next(from, way, |row| self.hits.fits(row, group)).map(Spot::Journal);
        let in_memory = || in_memory.map(Spot::Memory);
        match way {
            Way::Older => match in_memory() {
                Some(found) => Next::Found(found),
                None if !self.hits.is_complete(group) && matches!(from, Spot::Memory(_)) => Next::NotYet,
                None => in_journal().map_or(Next::Nowhere, Next::Found),
            },
            Way::Newer => match in_journal() {
                Some(found) => Next::Found(found),
                None if !self.hits.is_complete(group) => Next::NotYet,
                None => in_memory().map_or(Next::Nowhere, Next::Found),
            },
        }
    }
}

/// A time as it was typed.
pub fn time_of(words: &str, now: Millis, zone: Zone) -> Result<Millis, Clean> {
    time_input::read(words, now, zone).ok_or_else(|| Clean::new(&format!("not a time: type {}", time_input::HOW)))
}
