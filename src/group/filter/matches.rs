//! [`FilterMatches`]: the rows of the feed that a filter shows, found a slice at a time.

use std::collections::VecDeque;

use super::condition::RowCondition;
use super::memo::Memo;
use super::subject::Kept;
use super::{Filter, FilterContext, FilterMoment};
use crate::group::{Feed, Group};

/// How many rows to look at between two frames.
pub const ROWS_AT_ONCE: usize = 8_192;

/// The rows of the feed that a filter shows, by their numbers.
///
/// [`FilterMatches::advance`] looks at rows from the newest back to the oldest, so that the first page is there at once; rows
/// that come meanwhile are added, those that fall out are removed.
#[derive(Debug)]
pub struct FilterMatches {
    asked: FilterRun,
    shown: Pass,
    /// Names have changed since: looks at everything again, and takes the place of `shown` when it is done.
    renewed: Option<Pass>,
    names: (u64, u64),
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterProgress {
    /// How many of the rows that are kept were looked at.
    pub searched: u64,
    /// How many are kept.
    pub of: u64,
}

/// What a search has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterHit {
    /// The row of this number matches.
    At(u64),
    /// Nothing so far: go on from this row.
    Continue(u64),
    /// No row in that direction matches.
    Nowhere,
}

impl FilterProgress {
    /// Whether there is nothing more to look at.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        self.searched >= self.of
    }
}

/// What is asked of rows, and what is known of the answers.
#[derive(Debug)]
struct FilterRun {
    filter: Filter,
    moment: FilterMoment,
    memos: Vec<Memo>,
}

/// One way through the feed: the rows from `low` up to `high` were looked at.
#[derive(Debug, Default)]
struct Pass {
    found: VecDeque<u64>,
    low: u64,
    high: u64,
    changes: u64,
    begun: bool,
}

impl FilterMatches {
    /// What this filter shows, asked at this moment.
    #[must_use]
    pub fn new(filter: Filter, moment: FilterMoment) -> Self {
        Self { asked: FilterRun::new(filter, moment), shown: Pass::default(), renewed: None, names: (0, 0) }
    }

    /// The filter that these matches are of.
    #[must_use]
    pub const fn filter(&self) -> &Filter {
        &self.asked.filter
    }

    /// Looks at up to so many rows that were not looked at yet.
    pub fn advance(&mut self, group: &Group, budget: usize) -> FilterProgress {
        self.notice_names(group);
        let budget = self.shown.advance(&mut self.asked, group, budget);
        if let Some(renewed) = &mut self.renewed {
            renewed.advance(&mut self.asked, group, budget);
            if renewed.progress(group.feed()).is_complete() {
                self.shown = self.renewed.take().unwrap_or_default();
            }
        }
        self.progress(group)
    }

    /// How far it has come.
    #[must_use]
    pub fn progress(&self, group: &Group) -> FilterProgress {
        self.shown.progress(group.feed())
    }

    /// Whether another [`FilterMatches::advance`] has something to do.
    #[must_use]
    pub fn is_behind(&self, group: &Group) -> bool {
        self.renewed.is_some() || !self.progress(group).is_complete()
    }

    fn notice_names(&mut self, group: &Group) {
        let names = revisions(group);
        if names == self.names {
            return;
        }
        let is_first = !self.shown.begun;
        self.names = names;
        self.asked.forget();
        if self.asked.filter.names_somebody() && !is_first && self.renewed.is_none() {
            self.renewed = Some(Pass::default());
        }
    }

    /// How many rows were found so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shown.found.len()
    }

    /// Whether none was found so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shown.found.is_empty()
    }

    /// The number of a row by its place among those found, the oldest first.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<u64> {
        self.shown.found.get(place).copied()
    }

    /// The place of a row among those found; if it is not, where it would be.
    ///
    /// # Errors
    /// If the row was not found; carries the place of the next newer one.
    pub fn place(&self, number: u64) -> Result<usize, usize> {
        self.shown.found.binary_search(&number)
    }

    /// The numbers of up to `count` rows found, the oldest first, from a place on.
    pub fn numbers_from(&self, place: usize, count: usize) -> impl Iterator<Item = u64> {
        let end = place.saturating_add(count).min(self.len());
        self.shown.found.range(place.min(end)..end).copied()
    }

    /// Whether the filter shows this row, whatever was looked at so far.
    pub fn shows(&mut self, group: &Group, number: u64) -> bool {
        self.notice_names(group);
        let context = FilterContext::of(group, self.asked.moment);
        self.asked.shows(group.feed(), number, &context)
    }

    /// The next row after `from` (or before it) that the filter shows, among those that `among` has found, if given.
    /// Looks at up to `budget` rows.
    pub fn find_next(
        &mut self,
        group: &Group,
        from: u64,
        backwards: bool,
        among: Option<&Self>,
        budget: usize,
    ) -> FilterHit {
        self.notice_names(group);
        let context = FilterContext::of(group, self.asked.moment);
        let feed = group.feed();
        let mut at = from;
        for _ in 0..budget.max(1) {
            match step(feed, at, backwards, among) {
                Some(next) => at = next,
                None => return FilterHit::Nowhere,
            }
            if self.asked.shows(feed, at, &context) {
                return FilterHit::At(at);
            }
        }
        FilterHit::Continue(at)
    }
}

/// The row after this one, or before it.
fn step(feed: &Feed, at: u64, backwards: bool, among: Option<&FilterMatches>) -> Option<u64> {
    match (among, backwards) {
        (None, false) => Some(at.saturating_add(1).max(feed.first())).filter(|next| *next < feed.end()),
        (None, true) => at.min(feed.end()).checked_sub(1).filter(|next| *next >= feed.first()),
        (Some(among), false) => among.get(among.place(at).map_or_else(|place| place, |place| place + 1)),
        (Some(among), true) => among.get(among.place(at).unwrap_or_else(|place| place).checked_sub(1)?),
    }
}

fn revisions(group: &Group) -> (u64, u64) {
    (group.names().revision(), group.devices().revision())
}

impl FilterRun {
    fn new(filter: Filter, moment: FilterMoment) -> Self {
        let memos = filter.terms.iter().map(|_| Memo::default()).collect();
        Self { filter, moment, memos }
    }

    fn forget(&mut self) {
        self.memos.fill_with(Memo::default);
    }

    fn shows(&mut self, feed: &Feed, number: u64, context: &FilterContext<'_>) -> bool {
        let Some(packed) = feed.packed(number) else { return false };
        let row = Kept { packed, tables: feed.tables() };
        let mut terms = self.filter.terms.iter().zip(&mut self.memos);
        terms.all(|(term, memo)| holds(&term.condition, memo, row, context) != term.negated)
    }
}

/// As [`RowCondition::holds`], but asks only once about what rows share.
fn holds(condition: &RowCondition, memo: &mut Memo, row: Kept<'_>, context: &FilterContext<'_>) -> bool {
    let find_out = || condition.holds(&row, context);
    let Kept { packed, tables } = row;
    match condition {
        RowCondition::From(_) => memo.of_symbol(packed.author, tables.authors.stamp(packed.author), find_out),
        RowCondition::With(_) => memo.of_symbol(packed.party, tables.parties.stamp(packed.party), find_out),
        RowCondition::Word(_) => memo.of_text(row, find_out),
        _ => find_out(),
    }
}

impl Pass {
    /// What is left of the budget.
    fn advance(&mut self, asked: &mut FilterRun, group: &Group, budget: usize) -> usize {
        let (feed, context) = (group.feed(), FilterContext::of(group, asked.moment));
        if !self.begun {
            *self = Self { begun: true, low: feed.end(), high: feed.end(), changes: feed.changes(), ..Self::default() };
        }
        self.forget_before(feed.first());
        self.look_again(asked, feed, &context);
        let mut left = budget;
        while left > 0 && self.high < feed.end() {
            if asked.shows(feed, self.high, &context) {
                self.found.push_back(self.high);
            }
            self.high += 1;
            left -= 1;
        }
        while left > 0 && self.low > feed.first() {
            self.low -= 1;
            if asked.shows(feed, self.low, &context) {
                self.found.push_front(self.low);
            }
            left -= 1;
        }
        left
    }

    fn forget_before(&mut self, first: u64) {
        while self.found.front().is_some_and(|number| *number < first) {
            self.found.pop_front();
        }
        self.low = self.low.max(first);
        self.high = self.high.max(first);
    }

    /// Rows were acknowledged or came again since they were looked at.
    fn look_again(&mut self, asked: &mut FilterRun, feed: &Feed, context: &FilterContext<'_>) {
        let since = std::mem::replace(&mut self.changes, feed.changes());
        if since == self.changes || !asked.filter.is_volatile() {
            return;
        }
        let Some(changed) = feed.changed_since(since) else {
            // Too many to tell: all of them.
            *self = Self { begun: true, low: feed.end(), high: feed.end(), changes: self.changes, ..Self::default() };
            return;
        };
        for number in changed.filter(|number| (self.low..self.high).contains(number)) {
            match (self.found.binary_search(&number), asked.shows(feed, number, context)) {
                (Ok(place), false) => {
                    self.found.remove(place);
                }
                (Err(place), true) => self.found.insert(place, number),
                _ => {}
            }
        }
    }

    fn progress(&self, feed: &Feed) -> FilterProgress {
        let (low, high) = (self.low.max(feed.first()), self.high.max(feed.first()));
        FilterProgress { searched: high.saturating_sub(low), of: feed.len() as u64 }
    }
}
