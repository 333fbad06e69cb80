//! Which rows wait for their acknowledgement, and which will come again.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use rusqlite::{Connection, params};

use crate::protocol::{Millis, ReflectedId};

/// How many acknowledged rows may come again: their acknowledgements may have been lost with the connection. An
/// acknowledgement is 18 bytes on the wire, so that this is what half a megabyte of socket buffers holds.
pub(super) const MOST_RECENT: usize = 32_768;

/// How many rows may be awaited to come again; beyond that they are taken for new ones.
pub(super) const MOST_EXPECTED: usize = 100_000;

/// A message that the server may deliver again, as it is not known to have our acknowledgement: no replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Expected {
    /// Its id in our queue.
    pub id: ReflectedId,
    /// Of its nonce. The id alone does not do: another slot counts from the beginning.
    pub fingerprint: u64,
}

/// A row that was acknowledged together with its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Acknowledgement {
    pub(super) first_row: u64,
    pub(super) last_row: u64,
    pub(super) at: Millis,
    pub(super) waited: Duration,
}

/// A row, as long as it may come again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivered {
    pub(super) row: u64,
    /// [`None`] if it has no nonce, and so is not recognised.
    pub(super) key: Option<Expected>,
    /// The first acknowledgement is the one that is kept.
    pub(super) acknowledged: bool,
}

#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// In the order of receipt.
    outstanding: VecDeque<Delivered>,
    /// Acknowledged on this connection, newest last, with their rows; only those that would be recognised.
    recent: VecDeque<(Expected, u64)>,
    /// Delivered on an earlier connection.
    again: HashMap<Expected, Delivered>,
    /// Not yet written.
    pub(super) unwritten: Vec<Acknowledgement>,
}

impl Waiting {
    /// The row that this is delivered again of.
    pub(super) fn known(&self, key: Expected) -> Option<Delivered> {
        // Mostly none is awaited, and nothing need be hashed.
        if self.again.is_empty() { None } else { self.again.get(&key).copied() }
    }

    /// Notes what is durable now, and to be acknowledged.
    pub(super) fn push(&mut self, delivered: Delivered) {
        if let Some(key) = delivered.key.as_ref().filter(|_| !self.again.is_empty()) {
            self.again.remove(key);
        }
        self.outstanding.push_back(delivered);
    }

    pub(super) fn acknowledged(&mut self, count: usize, at: Millis, waited: Duration) {
        let count = count.min(self.outstanding.len());
        for delivered in self.outstanding.drain(..count) {
            if !delivered.acknowledged {
                note(&mut self.unwritten, delivered.row, at, waited);
            }
            self.recent.extend(delivered.key.map(|key| (key, delivered.row)));
        }
        let surplus = self.recent.len().saturating_sub(MOST_RECENT);
        self.recent.drain(..surplus);
    }

    pub(super) fn disconnected(&mut self) {
        let recent = self.recent.drain(..).map(|(key, row)| Delivered { row, key: Some(key), acknowledged: true });
        let delivered: Vec<Delivered> = recent.chain(self.outstanding.drain(..)).collect();
        self.expect(delivered);
    }

    /// These may come again.
    pub(super) fn expect(&mut self, delivered: Vec<Delivered>) {
        let room = MOST_EXPECTED.saturating_sub(delivered.len());
        if self.again.len() > room {
            // What did not come on the connection that just ended is the server's no longer.
            self.again.clear();
        }
        let surplus = delivered.len().saturating_sub(MOST_EXPECTED);
        let delivered = delivered.into_iter().skip(surplus);
        self.again.extend(delivered.filter_map(|delivered| Some((delivered.key?, delivered))));
    }

    /// All that waited has come: nothing of an earlier connection comes any more.
    pub(super) fn caught_up(&mut self) {
        self.again = HashMap::new();
    }

    /// Writes the acknowledgements that are not yet written.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let insert = "INSERT INTO acknowledged (first_row, last_row, at, waited_us) VALUES (?, ?, ?, ?)";
        let mut insert = connection.prepare_cached(insert)?;
        for range in &self.unwritten {
            let waited = i64::try_from(range.waited.as_micros()).unwrap_or(i64::MAX);
            let (first, last) = (range.first_row.cast_signed(), range.last_row.cast_signed());
            insert.execute(params![first, last, range.at.0.cast_signed(), waited])?;
        }
        Ok(())
    }

    pub(super) fn expected(&self) -> Vec<Expected> {
        self.again.keys().copied().collect()
    }
}

/// Adds a row to those that were acknowledged at the same time, if it follows them.
fn note(ranges: &mut Vec<Acknowledgement>, row: u64, at: Millis, waited: Duration) {
    match ranges.last_mut() {
        Some(range) if range.last_row + 1 == row && (range.at, range.waited) == (at, waited) => range.last_row = row,
        _ => ranges.push(Acknowledgement { first_row: row, last_row: row, at, waited }),
    }
}
