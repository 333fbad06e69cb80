//! Going back in time, from memory on into the journal.

use crate::group::Group;
use crate::protocol::Millis;
use crate::runtime::{OlderRows, Reaction};
use crate::tui::state::feed::FeedState;
use crate::tui::state::feed::journal_rows::ReadGoal;
use crate::tui::state::feed::row_key::RowKey;

impl FeedState {
    /// Goes to the first row that was received at that time or later.
    pub fn go_to_time(&mut self, at: Millis, group: &Group) -> Reaction {
        let feed = group.feed();
        let number = feed.number_at(at);
        let before_memory = number <= feed.first();
        if let Some(older) = self.older.at(at).filter(|_| before_memory) {
            self.go_to(RowKey::Journal(older), group);
            return Reaction::Redraw;
        }
        if let Some(spot) = self.lines(group).nearest(RowKey::Memory(number)) {
            self.go_to(spot, group);
        }
        if before_memory && self.older.end().is_none() {
            self.bound_for = Some(at);
            return self.older.read(ReadGoal::Until(at), feed);
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
        let is_in_journal = matches!(self.selected(group), Some(RowKey::Journal(_)));
        self.forget_older();
        if let (true, Some(first)) = (is_in_journal, self.lines(group).nth(0)) {
            self.go_to(first, group);
        }
        self.scroll.is_paused() && top <= older
    }

    pub fn take_older(&mut self, page: OlderRows, group: &Group) -> Reaction {
        let first = self.lines(group).nth(0);
        let was_at_first = self.selected(group) == first;
        let Self { filter, older, .. } = self;
        let reaction = older.take(page, group.feed(), |row| filter.as_ref().is_none_or(|sieve| sieve.fits(row, group)));
        if let (Some(at), false) = (self.bound_for, self.older.is_reading()) {
            self.bound_for = None;
            let spot = self.older.at(at).map(RowKey::Journal).or_else(|| self.lines(group).nth(0));
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
}
