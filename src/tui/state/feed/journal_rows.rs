//! Rows that are in the journal only, a page at a time, as far back as the user has scrolled.

use std::collections::VecDeque;

use crate::group::{Feed, FeedRow};
use crate::protocol::Millis;
use crate::runtime::{OlderRows, Reaction};
use crate::text::Clean;
use crate::tui::input::actions::SearchDirection;
use crate::tui::state::feed::row_key::RowKey;

/// How many rows are asked for at once.
const PAGE: usize = 500;

/// The most rows that are kept; who wants more than that has a command for it.
const MOST: usize = 20_000;

/// What was read out of the journal, strictly older than what is in memory.
#[derive(Debug, Default)]
pub struct JournalRows {
    /// By number, oldest first; those that do not fit the filter, too.
    rows: VecDeque<(u64, FeedRow)>,
    /// The numbers of those that are shown.
    shown: VecDeque<u64>,
    /// What is being read for.
    wanted: Option<ReadGoal>,
    /// The page that is being read. There is one at most, so that the next answer is the answer to it.
    asked: Option<PageRequest>,
    /// The oldest row in memory when the newest of these rows was asked for: what comes right after them.
    junction: u64,
    /// Why there is nothing before.
    end: Option<Clean>,
}

/// A page that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PageRequest {
    /// For what is wanted now.
    Current,
    /// For what was wanted before all was forgotten.
    Forgotten,
}

/// Until when pages are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadGoal {
    /// There are more rows to show than so many.
    More(usize),
    /// A row is as old as this.
    Until(Millis),
}

impl JournalRows {
    /// How many are shown.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// How many of those that are shown come before.
    pub fn rank(&self, number: u64) -> usize {
        self.shown.partition_point(|shown| *shown < number)
    }

    /// Whether any were read, shown or not.
    pub fn has_rows(&self) -> bool {
        !self.rows.is_empty()
    }

    /// How many of those that are shown fit.
    pub fn count(&self, fits: impl Fn(&FeedRow) -> bool) -> usize {
        self.shown.iter().filter(|number| self.row(**number).is_some_and(&fits)).count()
    }

    pub fn number(&self, index: usize) -> Option<u64> {
        self.shown.get(index).copied()
    }

    pub fn row(&self, number: u64) -> Option<&FeedRow> {
        let index = self.rows.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.rows.get(index).map(|(_, row)| row)
    }

    pub const fn is_reading(&self) -> bool {
        self.wanted.is_some()
    }

    /// Why there is nothing before, once that is known.
    pub const fn end(&self) -> Option<&Clean> {
        self.end.as_ref()
    }

    /// Starts to read, if there may be more and nothing is being read yet.
    pub fn read(&mut self, wanted: ReadGoal, feed: &Feed) -> Reaction {
        if self.end.is_some() || self.wanted.is_some() {
            return Reaction::Redraw;
        }
        self.wanted = Some(wanted);
        if self.asked.is_some() { Reaction::Redraw } else { self.ask(feed) }
    }

    fn ask(&mut self, feed: &Feed) -> Reaction {
        self.asked = Some(PageRequest::Current);
        let before = self.rows.front().map(|(number, _)| *number);
        if before.is_none() {
            self.junction = feed.first();
        }
        Reaction::Older { before, count: PAGE }
    }

    /// Keeps nothing, and takes nothing in that is still being read.
    pub fn forget(&mut self) {
        *self = Self { asked: self.asked.map(|_| PageRequest::Forgotten), ..Self::default() };
    }

    /// Whether rows are missing between these and memory, because they fell out of it since.
    pub fn has_gap(&self, feed: &Feed) -> bool {
        self.has_rows() && feed.first() > self.junction
    }

    /// Takes a page in; asks for the next one if what is wanted was not in it.
    pub fn take(&mut self, page: OlderRows, feed: &Feed, fits: impl Fn(&FeedRow) -> bool) -> Reaction {
        let asked = self.asked.take();
        if self.wanted.is_none() {
            return Reaction::Nothing;
        }
        // What was read comes right before what was the oldest row in memory then.
        let is_late = self.rows.is_empty() && feed.first() > self.junction;
        if asked == Some(PageRequest::Forgotten) || is_late && matches!(page, OlderRows::Rows { .. }) {
            return self.ask(feed);
        }
        match page {
            OlderRows::NoJournal => self.end = Some(Clean::literal("nothing older is kept (no journal)")),
            OlderRows::Failed(why) => self.end = Some(Clean::new(&format!("the journal cannot be read: {why}"))),
            OlderRows::Rows { rows, more } => {
                for (number, row) in rows.into_iter().rev() {
                    // Whatever the journal does, the order here is strict.
                    if self.rows.front().is_some_and(|(first, _)| *first <= number) {
                        continue;
                    }
                    if fits(&row) {
                        self.shown.push_front(number);
                    }
                    self.rows.push_front((number, row));
                }
                if !more {
                    self.end = Some(Clean::literal("this is the beginning of the journal"));
                } else if self.rows.len() >= MOST {
                    self.end = Some(Clean::literal("what is older is shown by: d2mtop history"));
                }
            }
        }
        let reached = match self.wanted {
            None => true,
            Some(ReadGoal::More(shown)) => self.shown.len() > shown,
            Some(ReadGoal::Until(at)) => self.rows.front().is_some_and(|(_, row)| row.received_at <= at),
        };
        if reached || self.end.is_some() {
            self.wanted = None;
            return Reaction::Redraw;
        }
        self.ask(feed)
    }

    /// Shows those rows that fit.
    pub fn filter(&mut self, fits: impl Fn(&FeedRow) -> bool) {
        self.shown = self.rows.iter().filter(|(_, row)| fits(row)).map(|(number, _)| *number).collect();
    }

    /// The next one that is shown and fits.
    pub fn next(&self, from: RowKey, way: SearchDirection, fits: impl Fn(&FeedRow) -> bool) -> Option<u64> {
        let fits = |number: &&u64| self.row(**number).is_some_and(&fits);
        match (from, way) {
            (RowKey::Memory(_), SearchDirection::Newer) => None,
            (RowKey::Memory(_), SearchDirection::Older) => self.shown.iter().rev().find(fits).copied(),
            (RowKey::Journal(number), SearchDirection::Older) => {
                self.shown.range(..self.rank(number)).rev().find(fits).copied()
            }
            (RowKey::Journal(number), SearchDirection::Newer) => {
                self.shown.range(self.rank(number + 1)..).find(fits).copied()
            }
        }
    }

    /// The first that is shown and not received before that time.
    pub fn at(&self, time: Millis) -> Option<u64> {
        let index = self.rows.partition_point(|(_, row)| row.received_at < time);
        let number = self.rows.get(index)?.0;
        self.number(self.rank(number))
    }
}
