//! Devices by pseudonym, and what each reflected: a metric names no device unless it is asked to.

use std::collections::HashMap;
use std::sync::Arc;

use crate::protocol::d2d::ContentKind;
use crate::protocol::{DeviceId, PseudonymKey};

/// How many devices have a seat of their own in one run. The server may list ever new ones; memory stays bounded.
const MOST_SEATS: usize = 256;

/// All contents, and one more for what cannot be read.
const CELLS: usize = ContentKind::ALL.len() + 1;

/// How much of a pseudonym is a name: enough for so few devices, and not to be taken for an id.
const NAME_LENGTH: usize = 8;

/// Messages, and the bytes of their envelopes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

/// What one device reflected, by kind.
type Row = [Cell; CELLS];

/// Who reflected how much.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    /// Shared by the copies that scrapes take.
    key: Arc<PseudonymKey>,
    numbers: HashMap<DeviceId, usize>,
    /// Each with its device's name.
    rows: Vec<(String, Row)>,
    /// Of messages that do not say who reflected them.
    unsaid: Row,
    /// Of devices that came when all seats were taken.
    others: Row,
}

impl Seats {
    pub(super) fn new(key: PseudonymKey) -> Self {
        let empty = [Cell::default(); CELLS];
        Self { key: Arc::new(key), numbers: HashMap::new(), rows: Vec::new(), unsaid: empty, others: empty }
    }

    /// Devices that are new from now on are named with this key.
    pub(super) fn take_key(&mut self, key: PseudonymKey) {
        self.key = Arc::new(key);
    }

    /// The number of a device's seat, which it keeps; [`None`] if there is none for it.
    pub(super) fn seat(&mut self, device: DeviceId) -> Option<usize> {
        if let Some(number) = self.numbers.get(&device) {
            return Some(*number);
        }
        if self.rows.len() == MOST_SEATS {
            return None;
        }
        let name = format!("{:.NAME_LENGTH$}", self.key.device(device));
        // One in some ten million groups has two of the same name; a series must be there once.
        if self.rows.iter().any(|(other, _)| *other == name) {
            return None;
        }
        let number = self.rows.len();
        self.rows.push((name, [Cell::default(); CELLS]));
        self.numbers.insert(device, number);
        Some(number)
    }

    /// The name of a device that has a seat: the same in every run and on every machine of the group.
    pub(super) fn name(&self, device: DeviceId) -> Option<&str> {
        self.rows.get(*self.numbers.get(&device)?).map(|(name, _)| name.as_str())
    }

    /// Counts a message of a kind; [`None`] is one that cannot be read.
    pub(super) fn count(&mut self, author: Option<DeviceId>, kind: Option<ContentKind>, size: u32) {
        let seat = match author {
            None => &mut self.unsaid,
            Some(author) => match self.seat(author).and_then(|number| self.rows.get_mut(number)) {
                Some((_, row)) => row,
                None => &mut self.others,
            },
        };
        if let Some(cell) = seat.get_mut(kind.map_or(CELLS - 1, |kind| kind as usize)) {
            cell.messages += 1;
            cell.bytes += u64::from(size);
        }
    }

    /// All that was counted: the device's name, or a word where it has none; the kind; how much.
    pub(super) fn counted(&self) -> impl Iterator<Item = (&str, &'static str, Cell)> {
        let named = self.rows.iter().map(|(name, row)| (name.as_str(), row));
        named.chain([("unsaid", &self.unsaid), ("other", &self.others)]).flat_map(|(device, row)| {
            let kinds = ContentKind::ALL.iter().map(|kind| kind.as_str()).chain(["undecryptable"]);
            let counted = kinds.zip(row.iter().copied()).filter(|(_, cell)| cell.messages > 0);
            counted.map(move |(kind, cell)| (device, kind, cell))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Dialect, GroupKeys, GroupSecret};

    fn seats(dialect: Dialect, secret: u8) -> Seats {
        Seats::new(PseudonymKey::of(&GroupKeys::derive(dialect, &GroupSecret::new(&mut [secret; 32]))))
    }

    #[test]
    fn a_device_has_the_same_name_in_every_run_and_another_in_another_group() {
        for dialect in [Dialect::Mk, Dialect::Dgk] {
            let name = |secret: u8, before: u64, device: u64| {
                let mut seats = seats(dialect, secret);
                (before..before + 3).map(DeviceId).for_each(|other| {
                    seats.seat(other);
                });
                seats.seat(DeviceId(device));
                seats.name(DeviceId(device)).map(str::to_owned).unwrap()
            };
            assert_eq!(name(1, 0, 9), name(1, 100, 9), "{dialect}: whoever came before");
            assert_ne!(name(1, 0, 9), name(2, 0, 9), "{dialect}");
            assert_ne!(name(1, 0, 9), name(1, 0, 10), "{dialect}");
            assert_eq!(name(1, 0, 9).len(), NAME_LENGTH);
        }
    }

    #[test]
    fn kinds_are_counted_under_their_own_names() {
        let mut seats = seats(Dialect::Dgk, 1);
        for kind in ContentKind::ALL {
            seats.count(Some(DeviceId(9)), Some(kind), 3);
        }
        seats.count(None, None, 5);
        let counted: Vec<_> = seats.counted().map(|(device, kind, cell)| (device, kind, cell.bytes)).collect();
        let name = seats.name(DeviceId(9)).unwrap();
        let mut expected: Vec<_> = ContentKind::ALL.iter().map(|kind| (name, kind.as_str(), 3)).collect();
        expected.push(("unsaid", "undecryptable", 5));
        assert_eq!(counted, expected);
    }

    #[test]
    fn ever_new_devices_take_no_more_memory() {
        let mut seats = seats(Dialect::Dgk, 1);
        for id in 0..10_000 {
            seats.count(Some(DeviceId(id)), Some(ContentKind::GroupSync), 1);
        }
        assert_eq!(seats.seat(DeviceId(3)), Some(3), "who has a seat keeps it");
        assert_eq!(seats.counted().count(), MOST_SEATS + 1);
        let others = seats.counted().find(|(device, ..)| *device == "other").map(|(_, _, cell)| cell.messages);
        assert_eq!(others, Some(10_000 - MOST_SEATS as u64));
    }
}
