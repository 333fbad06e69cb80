//! Batches become rows: all that wait, in one transaction.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};

use super::file::{Known, SlotRow, Store};
use crate::mediator::{Batch, Change, GroupPrefixes, queue_bytes};
use crate::protocol::{DeviceGroupId, DeviceId, ExpirationPolicy};

/// What devices have acknowledged, as runs of numbers by their first, a slot's number each.
type Acknowledged = BTreeMap<(i64, u64), u64>;

impl Store {
    /// Writes batches. When this returns they are durable.
    ///
    /// # Errors
    /// If they could not be written. Then none of them is, and they can be written again.
    pub(super) fn write(&mut self, batches: &[Batch]) -> rusqlite::Result<()> {
        let written = (|| {
            let transaction = self.connection.transaction()?;
            let mut writing = StoreTransaction {
                transaction,
                known: &mut self.known,
                acknowledged: BTreeMap::new(),
                dirty: Vec::new(),
            };
            for change in batches.iter().flat_map(|batch| &batch.changes) {
                writing.make(change)?;
            }
            writing.finish()
        })();
        if written.is_err() {
            // What is known has gone ahead of the file.
            self.reload()?;
        }
        written
    }
}

pub(super) fn write_moved(transaction: &Transaction<'_>, moved: GroupPrefixes) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM moved", [])?;
    if moved.is_empty() {
        return Ok(());
    }
    transaction.execute("INSERT INTO moved VALUES (?)", [moved.to_string()]).map(drop)
}

struct StoreTransaction<'a> {
    transaction: Transaction<'a>,
    known: &'a mut Known,
    /// Deleted at the end: nothing is acknowledged in the transaction that it is written in.
    acknowledged: Acknowledged,
    /// Whose counts have changed.
    dirty: Vec<(DeviceGroupId, DeviceId)>,
}

impl StoreTransaction<'_> {
    fn make(&mut self, change: &Change) -> rusqlite::Result<()> {
        match change {
            Change::LoggedIn { group, device, device_info, policy, at, next } => {
                let is_volatile = *policy == ExpirationPolicy::Volatile;
                let group_number = self.group(*group)?;
                let sql = "INSERT INTO slot (device_group, device, device_info, volatile, last_login, next, messages, \
                           bytes) VALUES (?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT DO UPDATE SET device_info = \
                           excluded.device_info, volatile = excluded.volatile, last_login = excluded.last_login \
                           RETURNING number";
                let mut statement = self.transaction.prepare_cached(sql)?;
                let (device_number, at) = (device.0.cast_signed(), at.0.cast_signed());
                let info = device_info.as_bytes().as_ref();
                let values = params![group_number, device_number, info, is_volatile, at, next.cast_signed()];
                let number = statement.query_row(values, |row| row.get(0))?;
                let new = SlotRow { number, next: *next, messages: 0, bytes: 0, is_dirty: false };
                self.known.slots.entry((*group, *device)).or_insert(new);
                Ok(())
            }
            Change::LoggedOut { group, device, at } => {
                let Some(slot) = self.known.slots.get(&(*group, *device)) else { return Ok(()) };
                let sql = "UPDATE slot SET last_disconnect = ? WHERE number = ?";
                self.transaction.prepare_cached(sql)?.execute(params![at.0.cast_signed(), slot.number]).map(drop)
            }
            Change::SlotRemoved { group, device } => {
                let Some(slot) = self.known.slots.remove(&(*group, *device)) else { return Ok(()) };
                self.acknowledged.retain(|(number, _), _| *number != slot.number);
                self.execute("DELETE FROM message WHERE slot = ?", slot.number)?;
                self.execute("DELETE FROM slot WHERE number = ?", slot.number)
            }
            Change::GroupRemoved { group } => match self.known.groups.remove(group) {
                Some(number) => self.execute("DELETE FROM device_group WHERE number = ?", number),
                None => Ok(()),
            },
            Change::SharedDeviceData { group, data } => {
                let number = self.group(*group)?;
                let sql = "UPDATE device_group SET shared_device_data = ? WHERE number = ?";
                self.transaction.prepare_cached(sql)?.execute(params![data.as_bytes().as_ref(), number]).map(drop)
            }
            Change::Message { group, timestamp, envelope, to } => {
                let sql = "INSERT INTO message (slot, number, timestamp, envelope) VALUES (?, ?, ?, ?)";
                let mut statement = self.transaction.prepare_cached(sql)?;
                for (device, number) in to {
                    let Some(slot) = self.known.slots.get_mut(&(*group, *device)) else { continue };
                    let (at, envelope_bytes) = (timestamp.0.cast_signed(), envelope.as_bytes().as_ref());
                    statement.execute(params![slot.number, number.cast_signed(), at, envelope_bytes])?;
                    slot.next = number + 1;
                    slot.messages += 1;
                    slot.bytes += queue_bytes(envelope);
                    if !std::mem::replace(&mut slot.is_dirty, true) {
                        self.dirty.push((*group, *device));
                    }
                }
                Ok(())
            }
            Change::Acknowledged { group, device, first, last, bytes } => {
                self.acknowledge(*group, *device, (*first, *last), *bytes);
                Ok(())
            }
            Change::Moved(prefixes) => write_moved(&self.transaction, *prefixes),
        }
    }

    fn acknowledge(&mut self, group: DeviceGroupId, device: DeviceId, (first, last): (u64, u64), bytes: usize) {
        let Some(slot) = self.known.slots.get_mut(&(group, device)) else { return };
        let count = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
        slot.messages = slot.messages.saturating_sub(count);
        slot.bytes = slot.bytes.saturating_sub(bytes);
        if !std::mem::replace(&mut slot.is_dirty, true) {
            self.dirty.push((group, device));
        }
        // Mostly the run goes on that came before.
        let before = self.acknowledged.range_mut((slot.number, 0)..(slot.number, first)).next_back();
        match before {
            Some((_, end)) if *end + 1 == first => *end = last,
            _ => drop(self.acknowledged.insert((slot.number, first), last)),
        }
    }

    /// The number of a group, which is made if it is not there.
    fn group(&mut self, id: DeviceGroupId) -> rusqlite::Result<i64> {
        if let Some(number) = self.known.groups.get(&id) {
            return Ok(*number);
        }
        let sql = "INSERT INTO device_group (id, shared_device_data) VALUES (?, x'') RETURNING number";
        let number = self.transaction.prepare_cached(sql)?.query_row([id.0], |row| row.get(0))?;
        self.known.groups.insert(id, number);
        Ok(number)
    }

    fn execute(&self, sql: &str, number: i64) -> rusqlite::Result<()> {
        self.transaction.prepare_cached(sql)?.execute([number]).map(drop)
    }

    fn finish(mut self) -> rusqlite::Result<()> {
        let mut delete =
            self.transaction.prepare_cached("DELETE FROM message WHERE slot = ? AND number BETWEEN ? AND ?")?;
        for ((slot, first), last) in std::mem::take(&mut self.acknowledged) {
            delete.execute(params![slot, first.cast_signed(), last.cast_signed()])?;
        }
        drop(delete);
        let sql = "UPDATE slot SET next = ?, messages = ?, bytes = ? WHERE number = ?";
        let mut update = self.transaction.prepare_cached(sql)?;
        for of in self.dirty {
            // One that was removed again has no counts.
            let Some(slot) = self.known.slots.get_mut(&of).filter(|slot| slot.is_dirty) else { continue };
            slot.is_dirty = false;
            let [messages, bytes] = [slot.messages, slot.bytes].map(|size| i64::try_from(size).unwrap_or(i64::MAX));
            update.execute(params![slot.next.cast_signed(), messages, bytes, slot.number])?;
        }
        drop(update);
        self.transaction.commit()
    }
}
