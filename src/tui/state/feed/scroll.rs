//! What part of the feed is in sight.

use crate::tui::state::feed::row_key::RowKey;
use crate::tui::state::feed::rows::FeedRows;

/// What part of the feed is in sight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedScroll {
    /// Where it stands still; [`None`] follows the newest row.
    paused: Option<Paused>,
    /// How many rows were in sight last.
    rows: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Paused {
    /// The selected row.
    at: RowKey,
    /// The first row in sight.
    top: RowKey,
    /// One more than the newest row when it was paused.
    seen: u64,
    /// Whether the row that was selected has left memory, and the oldest that is left took its place.
    has_slid: bool,
}

impl FeedScroll {
    /// Remembers how many rows are in sight.
    pub fn show(&mut self, rows: u16) {
        self.rows = usize::from(rows);
    }

    pub const fn page(self) -> usize {
        self.rows
    }

    pub const fn is_paused(self) -> bool {
        self.paused.is_some()
    }

    /// Whether the oldest row is selected because the one that was has left memory.
    pub fn has_slid(self) -> bool {
        self.paused.is_some_and(|paused| paused.has_slid)
    }

    /// Selects the oldest row if the selected one has left memory; true the first time since one was selected.
    pub fn keep_in_memory(&mut self, lines: FeedRows<'_>) -> bool {
        let Some(paused) = &mut self.paused else { return false };
        let has_left = matches!(paused.at, RowKey::Memory(number) if number < lines.feed.first());
        let Some(oldest) = lines.nearest(paused.at).filter(|_| has_left) else { return false };
        paused.at = oldest;
        !std::mem::replace(&mut paused.has_slid, true)
    }

    /// The selected row; the newest while following.
    pub fn selected(self, lines: FeedRows<'_>) -> Option<RowKey> {
        match self.paused {
            Some(paused) => lines.nearest(paused.at),
            None => lines.nth(lines.len().checked_sub(1)?),
        }
    }

    /// How many rows come before those in sight.
    pub fn top(self, lines: FeedRows<'_>) -> usize {
        let tail = lines.len().saturating_sub(self.rows);
        self.paused.map_or(tail, |paused| lines.rank(paused.top).min(tail))
    }

    /// How many rows came since it was paused.
    pub fn unseen(self, lines: FeedRows<'_>) -> u64 {
        self.paused.map_or(0, |paused| lines.since(paused.seen))
    }

    pub const fn follow(&mut self) {
        self.paused = None;
    }

    pub fn pause(&mut self, lines: FeedRows<'_>) {
        if let (None, Some(at)) = (self.paused, self.selected(lines)) {
            self.go(lines, at);
        }
    }

    /// Selects a row, moving what is in sight as little as possible.
    pub fn go(&mut self, lines: FeedRows<'_>, at: RowKey) {
        let (index, top) = (lines.rank(at), self.top(lines));
        let top = top.min(index).max((index + 1).saturating_sub(self.rows.max(1)));
        let seen = self.paused.map_or(lines.feed.end(), |paused| paused.seen);
        self.paused = lines.nth(top).map(|top| Paused { at, top, seen, has_slid: false });
    }

    /// False if there are not so many rows above.
    pub fn up(&mut self, lines: FeedRows<'_>, by: usize) -> bool {
        let Some(index) = self.selected(lines).map(|at| lines.rank(at)) else { return false };
        if let Some(at) = lines.nth(index.saturating_sub(by)) {
            self.go(lines, at);
        }
        by <= index
    }

    /// Going beyond the newest row follows again.
    pub fn down(&mut self, lines: FeedRows<'_>, by: usize) {
        if self.paused.is_none() {
            return;
        }
        let wanted = self.selected(lines).map(|at| lines.rank(at).saturating_add(by));
        match wanted.and_then(|index| lines.nth(index)) {
            Some(at) => self.go(lines, at),
            None => self.paused = None,
        }
    }
}
