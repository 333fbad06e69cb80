//! What was reflected, newest last: a bounded ring of packed rows, and the newest envelopes beside it.

mod chunks;
mod envelopes;
pub(in crate::group) mod interned;
mod outstanding;
pub(in crate::group) mod packed;
mod row;
mod sequence;

use std::collections::VecDeque;
#[cfg(test)]
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use self::chunks::Chunks;
use self::envelopes::Envelopes;
use self::outstanding::Outstanding;
use self::packed::{Packed, Tables};
pub use self::row::{FeedRow, RowMarks};
use self::sequence::Sequence;
use super::reflected::ReflectedMessage;
use crate::protocol::d2d::Envelope;
use crate::protocol::{Millis, ReflectedId, Sealed};

/// How many rows are kept unless told otherwise.
pub const DEFAULT_ROWS: usize = 100_000;

/// How many of the rows that changed last are remembered.
const MOST_CHANGED: usize = 8_192;

/// What was reflected, newest last.
///
/// Rows are numbered from 0 in the order of arrival; a number never changes, and names no other row once its own fell out.
/// Rows are kept packed; what is read is made when it is read.
#[derive(Debug)]
pub struct Feed {
    rows: Chunks<Packed>,
    tables: Tables,
    envelopes: Envelopes,
    sequence: Sequence,
    capacity: usize,
    fell_out: u64,
    /// Received and not yet acknowledged, in the order of receipt.
    outstanding: Outstanding,
    /// Outstanding when a connection ended: the server will send these again.
    expected_again: Outstanding,
    counts: FeedCounts,
    /// The numbers of the rows that changed last, for who remembers what rows said.
    changed: VecDeque<u64>,
    changes: u64,
    /// How many rows were read, for tests that show how little a frame reads.
    #[cfg(test)]
    reads: AtomicU64,
}

/// Totals since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedCounts {
    /// Messages, each counted once however often it was delivered before it was acknowledged; replays are not among them.
    pub received: u64,
    /// Messages of which the acknowledgement has left.
    pub acknowledged: u64,
    /// Messages that nobody acknowledges.
    pub ephemeral: u64,
    /// Messages that cannot be read.
    pub undecryptable: u64,
    /// Messages that use the nonce of another one.
    pub replays: u64,
    /// Deliveries of an id that was already received.
    pub redelivered: u64,
    /// Times that ids were left out.
    pub gaps: u64,
    /// Ids that were left out.
    pub missing: u64,
    /// Times that the ids began again from zero.
    pub wraps: u64,
}

impl Default for Feed {
    fn default() -> Self {
        Self::with_capacity(DEFAULT_ROWS)
    }
}

impl Feed {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            rows: Chunks::default(),
            tables: Tables::default(),
            envelopes: Envelopes::default(),
            sequence: Sequence::default(),
            capacity: capacity.max(1),
            fell_out: 0,
            outstanding: Outstanding::default(),
            expected_again: Outstanding::default(),
            counts: FeedCounts::default(),
            changed: VecDeque::new(),
            changes: 0,
            #[cfg(test)]
            reads: AtomicU64::new(0),
        }
    }

    /// Keeps the newest sealed envelopes too, up to so many bytes.
    pub(super) fn with_envelopes(self, bytes: usize) -> Self {
        Self { envelopes: Envelopes::with_budget(bytes), ..self }
    }

    /// How many rows are kept now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing was reflected yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }

    /// How many old rows made place for new ones.
    #[must_use]
    pub const fn fell_out(&self) -> u64 {
        self.fell_out
    }

    /// The number of the oldest row that is kept.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.fell_out
    }

    /// The number that the next row will get; one more than that of the newest.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.fell_out + self.rows.len() as u64
    }

    /// Totals since the start.
    #[must_use]
    pub const fn counts(&self) -> FeedCounts {
        self.counts
    }

    /// How many are received and not yet acknowledged.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.len() + self.expected_again.len()
    }

    /// A row by its number, if it is still kept.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<FeedRow> {
        #[cfg(test)]
        self.reads.fetch_add(1, Ordering::Relaxed);
        Some(self.tables.expand(self.packed(number)?))
    }

    /// Up to `count` rows with their numbers, oldest first, from `number` on (or the oldest kept, if that fell out).
    pub fn rows_from(&self, number: u64, count: usize) -> impl Iterator<Item = (u64, FeedRow)> {
        let start = number.max(self.first());
        (start..start.saturating_add(count as u64).min(self.end()))
            .filter_map(|number| self.get(number).map(|row| (number, row)))
    }

    /// The sealed envelope of a row, if it is among the newest.
    #[must_use]
    pub fn envelope(&self, number: u64) -> Option<&Sealed<Envelope>> {
        self.envelopes.get(number)
    }

    /// The number of the first row that was received at this time or later; [`Feed::end`] if there is none. Where the
    /// clock was set back, times occur twice, and either place is right.
    #[must_use]
    pub fn number_at(&self, at: Millis) -> u64 {
        let (mut low, mut high) = (self.first(), self.end());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.packed(middle) {
                Some(row) if row.received_at() < at => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }

    pub(super) fn packed(&self, number: u64) -> Option<&Packed> {
        self.rows.get(self.index(number)?)
    }

    pub(super) const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// How many times a row changed that was already kept.
    pub(super) const fn changes(&self) -> u64 {
        self.changes
    }

    /// The numbers of the rows that changed since there were so many changes; [`None`] if they are too many to remember.
    pub(super) fn changed_since(&self, changes: u64) -> Option<impl Iterator<Item = u64>> {
        let news = usize::try_from(self.changes.checked_sub(changes)?).ok()?;
        Some(self.changed.iter().skip(self.changed.len().checked_sub(news)?).copied())
    }

    #[cfg(all(test, feature = "app"))]
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// How many entries were touched to find those that are not yet acknowledged.
    #[cfg(test)]
    pub(crate) const fn touched(&self) -> u64 {
        self.outstanding.touched + self.expected_again.touched
    }

    fn index(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.fell_out)?).ok()
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut Packed> {
        let index = self.index(number)?;
        if self.changed.len() >= MOST_CHANGED {
            self.changed.pop_front();
        }
        self.changed.push_back(number);
        self.changes += 1;
        self.rows.get_mut(index)
    }

    /// Takes in a message; true if it is a replay.
    pub(super) fn receive(&mut self, message: &ReflectedMessage) -> bool {
        self.counts.redelivered += u64::from(message.redelivered);
        if message.redelivered && !message.ephemeral && self.receive_again(message) {
            return false;
        }
        self.push(message);
        message.repeated_nonce
    }

    /// The message is the same as before the reconnect: its row is marked, and awaits acknowledgement anew.
    fn receive_again(&mut self, message: &ReflectedMessage) -> bool {
        let queues = [&mut self.expected_again, &mut self.outstanding];
        let Some(number) = queues.into_iter().find_map(|queue| queue.take(message.id)) else { return false };
        self.outstanding.push(self.capacity, message.id, number);
        if let Some(row) = self.get_mut(number) {
            row.receive_again(message.received_at);
        }
        true
    }

    /// The wall clock was moved, by this many milliseconds: how long a message waited stays as it was.
    pub(super) fn shift(&mut self, by: i64) {
        for index in 0..self.rows.len() {
            if let Some(row) = self.rows.get_mut(index) {
                row.shift(by);
            }
        }
    }

    fn push(&mut self, message: &ReflectedMessage) {
        let number = self.end();
        let gap = if message.ephemeral {
            self.sequence.pass(message.id);
            None
        } else {
            self.step(message.id)
        };
        self.rows.push(self.tables.pack(message, gap));
        self.envelopes.keep(number, &message.envelope);
        self.count(message);
        if !message.ephemeral {
            self.outstanding.push(self.capacity, message.id, number);
        }
        while self.rows.len() > self.capacity
            && let Some(oldest) = self.rows.pop_front()
        {
            self.tables.release(&oldest);
            self.fell_out += 1;
            self.envelopes.forget_before(self.fell_out);
        }
    }

    /// How many ids are missing before this one.
    fn step(&mut self, id: ReflectedId) -> Option<u32> {
        let step = self.sequence.take(id);
        self.counts.wraps += u64::from(step.wrapped);
        self.counts.gaps += u64::from(step.gap.is_some());
        self.counts.missing += u64::from(step.gap.unwrap_or(0));
        step.gap
    }

    const fn count(&mut self, message: &ReflectedMessage) {
        if message.repeated_nonce {
            self.counts.replays += 1;
            return;
        }
        self.counts.received += 1;
        self.counts.ephemeral += message.ephemeral as u64;
        self.counts.undecryptable += message.content.is_err() as u64;
    }

    /// Marks a message as acknowledged so long after it was received: its row's number, unless it is not outstanding.
    pub(super) fn acknowledge(&mut self, id: ReflectedId, waited: Duration) -> Option<u64> {
        // What left with the end of a connection is told after it.
        let number = self.outstanding.take(id).or_else(|| self.expected_again.take(id))?;
        self.counts.acknowledged += 1;
        if let Some(row) = self.get_mut(number) {
            row.acknowledge(waited);
        }
        Some(number)
    }

    /// What is outstanding will be delivered again.
    pub(super) fn disconnected(&mut self) {
        self.outstanding.move_to(&mut self.expected_again, self.capacity);
    }

    /// The slot is new: its ids begin anew, and nothing of the old one comes again.
    pub(super) fn new_slot(&mut self) {
        self.sequence = Sequence::default();
        self.outstanding.clear();
        self.expected_again.clear();
    }
}
