//! The reflection queue of one device: in memory, or a window of it where the rest is stored.

use std::collections::BTreeMap;
use std::ops::Range;

use super::connection::{WINDOW_BYTES, WINDOW_FRAMES};
use super::storage::{StoredMessage, queue_bytes};
use crate::protocol::{Envelope, Millis, Sealed};

/// What is remembered of a message that was sent and is stored, until it is acknowledged.
const SENT_OVERHEAD: usize = 48;

/// A reflected message, stored once and shared by all queues it is in.
#[derive(Clone, Debug)]
pub(super) struct QueuedMessage {
    pub(super) timestamp: Millis,
    pub(super) ephemeral: bool,
    pub(super) envelope: Sealed<Envelope>,
}

impl QueuedMessage {
    /// What it takes of a queue's bytes.
    pub(super) fn cost(&self) -> usize {
        queue_bytes(&self.envelope)
    }
}

/// How much may wait for one device.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueLimits {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

/// What waits for one device, by a number that rises for ever; its lower half is the id on the wire.
#[derive(Debug)]
pub(super) struct Queue {
    /// Those in memory. Without a store all of them; with one, those that are to be sent next, and ephemeral ones.
    items: BTreeMap<u64, QueuedMessage>,
    next: u64,
    ephemerals: usize,
    ephemeral_bytes: usize,
    /// What those in memory take.
    bytes: usize,
    stored: Option<StoredPart>,
}

/// What of a queue is in the store.
#[derive(Debug)]
struct StoredPart {
    messages: usize,
    bytes: usize,
    /// Sent on this connection, with what each takes of the queue's bytes.
    sent: BTreeMap<u64, usize>,
    /// Not sent, and not in memory.
    missing: Option<Range<u64>>,
    /// Whether some of them were asked for.
    fetching: bool,
}

/// What is to be sent next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextMessage {
    Here(u64),
    /// It has to be fetched first.
    Missing(u64),
}

impl NextMessage {
    pub(super) const fn number(self) -> u64 {
        match self {
            Self::Here(number) | Self::Missing(number) => number,
        }
    }
}

impl Queue {
    pub(super) const fn in_memory(first: u64) -> Self {
        Self { items: BTreeMap::new(), next: first, ephemerals: 0, ephemeral_bytes: 0, bytes: 0, stored: None }
    }

    /// One that is stored, and of which nothing is in memory.
    pub(super) fn stored_already(next: u64, messages: usize, bytes: usize) -> Self {
        let stored = StoredPart { messages, bytes, sent: BTreeMap::new(), missing: None, fetching: false };
        let mut queue = Self { stored: Some(stored), ..Self::in_memory(next) };
        queue.disconnect();
        queue
    }

    /// The number of the next message.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// How many messages wait, ephemeral ones aside.
    pub(super) fn waiting(&self) -> usize {
        self.stored.as_ref().map_or(self.items.len() - self.ephemerals, |stored| stored.messages)
    }

    /// What of it is held in memory.
    pub(super) fn held_bytes(&self) -> usize {
        self.bytes + self.stored.as_ref().map_or(0, |stored| stored.sent.len() * SENT_OVERHEAD)
    }

    /// What all of it takes, wherever it is.
    pub(super) fn bytes(&self) -> usize {
        self.stored.as_ref().map_or(self.bytes, |stored| stored.bytes + self.ephemeral_bytes)
    }

    pub(super) fn has_room_for(&self, item: &QueuedMessage, limits: QueueLimits) -> bool {
        self.waiting() + self.ephemerals < limits.messages && self.bytes() + item.cost() <= limits.bytes
    }

    /// Appends a message; its number. What its device does not get soon stays in the store only.
    pub(super) fn push(&mut self, item: QueuedMessage, is_connected: bool) -> u64 {
        let (number, cost) = (self.next, item.cost());
        self.next += 1;
        if let Some(stored) = self.stored.as_mut().filter(|_| !item.ephemeral) {
            stored.messages += 1;
            stored.bytes += cost;
            let is_next = is_connected && stored.missing.is_none();
            if !is_next || self.items.len() >= WINDOW_FRAMES || self.bytes >= WINDOW_BYTES {
                let from = stored.missing.as_ref().map_or(number, |missing| missing.start);
                stored.missing = Some(from..self.next);
                return number;
            }
        }
        if item.ephemeral {
            self.ephemerals += 1;
            self.ephemeral_bytes += cost;
        }
        self.bytes += cost;
        self.items.insert(number, item);
        number
    }

    /// The first number to send on a new connection.
    pub(super) fn first(&self) -> u64 {
        self.next_from(0).map_or(self.next, NextMessage::number)
    }

    /// What is to be sent next, from this number on.
    pub(super) fn next_from(&self, cursor: u64) -> Option<NextMessage> {
        let here = self.items.range(cursor..).next().map(|(number, _)| *number);
        let missing = self.stored.as_ref().and_then(|stored| Some(stored.missing.as_ref()?.start));
        match (here, missing) {
            (Some(here), Some(missing)) if here < missing => Some(NextMessage::Here(here)),
            (_, Some(missing)) => Some(NextMessage::Missing(missing)),
            (here, None) => here.map(NextMessage::Here),
        }
    }

    /// A message to be sent. What is not kept for an acknowledgement, or is stored, goes out of memory with it.
    pub(super) fn send(&mut self, number: u64) -> Option<QueuedMessage> {
        let item = self.items.get(&number)?;
        if self.stored.is_none() && !item.ephemeral {
            return Some(item.clone());
        }
        let item = self.items.remove(&number)?;
        let cost = item.cost();
        self.bytes -= cost;
        if item.ephemeral {
            self.ephemerals -= 1;
            self.ephemeral_bytes -= cost;
        } else if let Some(stored) = &mut self.stored {
            stored.sent.insert(number, cost);
        }
        Some(item)
    }

    /// Takes a message out that was sent and is acknowledged; the bytes that it took.
    pub(super) fn acknowledge(&mut self, number: u64) -> Option<usize> {
        if let Some(stored) = &mut self.stored {
            let cost = stored.sent.remove(&number)?;
            stored.messages -= 1;
            stored.bytes -= cost;
            return Some(cost);
        }
        let cost = self.items.remove(&number)?.cost();
        self.bytes -= cost;
        Some(cost)
    }

    /// Whether what is missing has to be asked for now.
    pub(super) fn begin_fetch(&mut self) -> bool {
        self.stored.as_mut().is_some_and(|stored| !std::mem::replace(&mut stored.fetching, true))
    }

    /// Some of what was missing, oldest first.
    pub(super) fn fetched(&mut self, messages: Vec<StoredMessage>) {
        let Some(stored) = &mut self.stored else { return };
        stored.fetching = false;
        let end = stored.missing.take().map(|missing| missing.end);
        stored.missing = messages.last().map(|last| last.number + 1).zip(end).map(|(from, end)| from..end);
        stored.missing.take_if(|missing| missing.is_empty());
        for StoredMessage { number, timestamp, envelope } in messages {
            let item = QueuedMessage { timestamp, ephemeral: false, envelope };
            self.bytes += item.cost();
            self.items.insert(number, item);
        }
    }

    /// Its device is gone, and with it whatever was only for a connected one. What was sent will be sent again.
    pub(super) fn disconnect(&mut self) {
        self.forget_ephemerals();
        let Some(stored) = &mut self.stored else { return };
        stored.sent.clear();
        stored.fetching = false;
        stored.missing = (stored.messages > 0).then_some(0..self.next);
        self.items.clear();
        self.bytes = 0;
    }

    pub(super) fn forget_ephemerals(&mut self) {
        self.items.retain(|_, item| !item.ephemeral);
        self.bytes -= self.ephemeral_bytes;
        self.ephemerals = 0;
        self.ephemeral_bytes = 0;
    }
}

#[cfg(test)]
impl Queue {
    pub(super) fn first_envelope(&self) -> &bytes::Bytes {
        self.items.values().next().map(|item| item.envelope.as_bytes()).expect("an empty queue")
    }
}
