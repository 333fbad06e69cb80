//! What was reflected, newest last: a bounded ring of compact rows.

use std::collections::VecDeque;
#[cfg(test)]
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::event::ReflectedMessage;
use super::names::Names;
use super::sentence;
use crate::protocol::d2d::{Conversation, Direction, Summary};
use crate::protocol::{DeviceId, Millis, Nonce, OpenError, ReflectedHeader, ReflectedId};
use crate::text::Clean;

/// How many rows are kept unless told otherwise.
pub const DEFAULT_ROWS: usize = 100_000;

/// What was reflected, newest last.
///
/// Rows are numbered from 0 in the order of arrival; a number never changes, and names no other row once its own fell out.
#[derive(Debug)]
pub struct Feed {
    rows: VecDeque<Row>,
    capacity: usize,
    fell_out: u64,
    /// Received and not yet acknowledged, in the order of receipt.
    outstanding: VecDeque<Outstanding>,
    /// Outstanding when a connection ended: the server will send these again.
    expected_again: VecDeque<Outstanding>,
    counts: Counts,
    /// How many rows were read, for tests that show how little a frame reads.
    #[cfg(test)]
    reads: AtomicU64,
}

/// Totals since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages, each counted once however often it was delivered before it was acknowledged.
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
}

/// One reflected message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its id in our queue; not unique for ephemeral ones.
    pub id: ReflectedId,
    /// The bytes of the sealed envelope.
    pub size: u32,
    /// When the server stored it, by the server's clock.
    pub stored_at: Millis,
    /// When we got it.
    pub received_at: Millis,
    /// When its acknowledgement left.
    pub acknowledged_after: Option<Duration>,
    /// What its header says of itself.
    pub header: ReflectedHeader,
    /// The nonce of its box, if it was long enough to have one.
    pub nonce: Option<Nonce>,
    /// What it says, or why that cannot be read.
    pub content: Result<Summary, OpenError>,
    /// What is unusual about it.
    pub marks: Marks,
}

/// What is unusual about a row, besides not being readable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Nobody acknowledges it, and devices that were offline never get it.
    pub ephemeral: bool,
    /// Another message used the same nonce.
    pub repeated_nonce: bool,
    /// It was delivered again after a reconnect.
    pub redelivered: bool,
}

#[derive(Clone, Copy, Debug)]
struct Outstanding {
    id: ReflectedId,
    number: u64,
}

impl Row {
    fn new(message: &ReflectedMessage) -> Self {
        Self {
            id: message.id,
            size: message.size,
            stored_at: message.stored_at,
            received_at: message.received_at,
            acknowledged_after: None,
            header: message.header,
            nonce: message.nonce,
            content: message.content.clone(),
            marks: Marks {
                ephemeral: message.ephemeral,
                repeated_nonce: message.repeated_nonce,
                redelivered: message.redelivered,
            },
        }
    }

    /// Which way the message went, if it can be read.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        self.content.as_ref().ok().map(Summary::direction)
    }

    /// Which device reflected it, if it can be read and says so.
    #[must_use]
    pub fn author(&self) -> Option<DeviceId> {
        self.content.as_ref().ok()?.author
    }

    /// With whom, if it can be read and is with someone.
    #[must_use]
    pub fn conversation(&self) -> Option<&Conversation> {
        self.content.as_ref().ok()?.conversation.as_ref()
    }

    /// What it says, or why that cannot be read.
    #[must_use]
    pub fn sentence(&self) -> Clean {
        match &self.content {
            Ok(summary) => sentence::of(summary, &Names::none()),
            Err(error) => Clean::new(&error.to_string()),
        }
    }

    /// Whether an acknowledgement is still to leave.
    #[must_use]
    pub const fn awaits_acknowledgement(&self) -> bool {
        self.acknowledged_after.is_none() && !self.marks.ephemeral
    }
}

impl Default for Feed {
    fn default() -> Self {
        Self::with_capacity(DEFAULT_ROWS)
    }
}

impl Feed {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            rows: VecDeque::new(),
            capacity: capacity.max(1),
            fell_out: 0,
            outstanding: VecDeque::new(),
            expected_again: VecDeque::new(),
            counts: Counts::default(),
            #[cfg(test)]
            reads: AtomicU64::new(0),
        }
    }

    /// How many rows are kept now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing was reflected yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
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
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// How many are received and not yet acknowledged.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.len() + self.expected_again.len()
    }

    /// A row by its number, if it is still kept.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&Row> {
        #[cfg(test)]
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.rows.get(self.index(number)?)
    }

    /// Up to `count` rows with their numbers, oldest first, from `number` on (or the oldest kept, if that fell out).
    pub fn rows_from(&self, number: u64, count: usize) -> impl Iterator<Item = (u64, &Row)> {
        let start = number.max(self.first());
        (start..start.saturating_add(count as u64).min(self.end()))
            .filter_map(|number| self.get(number).map(|row| (number, row)))
    }

    #[cfg(test)]
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    fn index(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.fell_out)?).ok()
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut Row> {
        let index = self.index(number)?;
        self.rows.get_mut(index)
    }

    pub(super) fn receive(&mut self, message: &ReflectedMessage) {
        self.counts.redelivered += u64::from(message.redelivered);
        if message.redelivered && !message.ephemeral && self.receive_again(message) {
            return;
        }
        self.push(message);
    }

    /// The message is the same as before the reconnect: its row is marked, and awaits acknowledgement anew.
    fn receive_again(&mut self, message: &ReflectedMessage) -> bool {
        let queues = [&mut self.expected_again, &mut self.outstanding];
        let Some(known) = queues.into_iter().find_map(|queue| take(queue, message.id)) else { return false };
        self.outstanding.push_back(known);
        let newly_repeated = self.get_mut(known.number).is_some_and(|row| {
            row.received_at = message.received_at;
            row.marks.redelivered = true;
            let newly = message.repeated_nonce && !row.marks.repeated_nonce;
            row.marks.repeated_nonce |= message.repeated_nonce;
            newly
        });
        self.counts.replays += u64::from(newly_repeated);
        true
    }

    fn push(&mut self, message: &ReflectedMessage) {
        let number = self.end();
        self.rows.push_back(Row::new(message));
        self.counts.received += 1;
        self.counts.ephemeral += u64::from(message.ephemeral);
        self.counts.undecryptable += u64::from(message.content.is_err());
        self.counts.replays += u64::from(message.repeated_nonce);
        if !message.ephemeral {
            push_bounded(&mut self.outstanding, self.capacity, Outstanding { id: message.id, number });
        }
        while self.rows.len() > self.capacity {
            self.rows.pop_front();
            self.fell_out += 1;
        }
    }

    /// Marks a message as acknowledged so long after it was received; false if it is not outstanding.
    pub(super) fn acknowledge(&mut self, id: ReflectedId, waited: Duration) -> bool {
        let Some(known) = take(&mut self.outstanding, id) else { return false };
        self.counts.acknowledged += 1;
        if let Some(row) = self.get_mut(known.number) {
            row.acknowledged_after = Some(waited);
        }
        true
    }

    /// What is outstanding will be delivered again.
    pub(super) fn disconnected(&mut self) {
        for outstanding in self.outstanding.drain(..) {
            push_bounded(&mut self.expected_again, self.capacity, outstanding);
        }
    }
}

fn push_bounded(queue: &mut VecDeque<Outstanding>, capacity: usize, outstanding: Outstanding) {
    if queue.len() >= capacity {
        queue.pop_front();
    }
    queue.push_back(outstanding);
}

/// Acknowledgements and redeliveries come in the order of receipt, so the search ends at the front.
fn take(queue: &mut VecDeque<Outstanding>, id: ReflectedId) -> Option<Outstanding> {
    if queue.front()?.id == id {
        return queue.pop_front();
    }
    let index = queue.iter().position(|outstanding| outstanding.id == id)?;
    queue.remove(index)
}
