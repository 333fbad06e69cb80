//! Devices by number, and what each reflected: a metric names no device unless it is asked to.

use std::collections::HashMap;

use crate::protocol::DeviceId;
use crate::protocol::d2d::Kind;

/// How many devices have a number of their own in one run. The server may list ever new ones; memory stays bounded.
const MOST_SEATS: usize = 256;

/// All contents, and one more for what cannot be read.
const CELLS: usize = Kind::ALL.len() + 1;

/// Messages, and the bytes of their envelopes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

/// Who reflected how much.
#[derive(Clone, Debug, Default)]
pub(super) struct Seats {
    numbers: HashMap<DeviceId, usize>,
    cells: Vec<[Cell; CELLS]>,
    /// Of messages that do not say who reflected them.
    unsaid: [Cell; CELLS],
    /// Of devices that came when all numbers were given.
    others: [Cell; CELLS],
}

impl Seats {
    /// The number of a device, which it keeps; [`None`] if there are too many.
    pub(super) fn number(&mut self, device: DeviceId) -> Option<usize> {
        if let Some(number) = self.numbers.get(&device) {
            return Some(*number);
        }
        if self.cells.len() == MOST_SEATS {
            return None;
        }
        self.cells.push([Cell::default(); CELLS]);
        self.numbers.insert(device, self.cells.len());
        Some(self.cells.len())
    }

    /// The number that a device has already.
    pub(super) fn known(&self, device: DeviceId) -> Option<usize> {
        self.numbers.get(&device).copied()
    }

    /// Counts a message of a kind; [`None`] is one that cannot be read.
    pub(super) fn count(&mut self, author: Option<DeviceId>, kind: Option<Kind>, size: u32) {
        let seat = match author {
            None => &mut self.unsaid,
            Some(author) => match self.number(author).and_then(|number| self.cells.get_mut(number - 1)) {
                Some(cells) => cells,
                None => &mut self.others,
            },
        };
        if let Some(cell) = seat.get_mut(kind.map_or(CELLS - 1, |kind| kind as usize)) {
            cell.messages += 1;
            cell.bytes += u64::from(size);
        }
    }

    /// All that was counted: the device's number, or a word where it has none; the kind; how much.
    pub(super) fn counted(&self) -> impl Iterator<Item = (String, &'static str, Cell)> {
        let numbered = self.cells.iter().enumerate().map(|(index, cells)| ((index + 1).to_string(), cells));
        let nameless = [("unsaid".to_owned(), &self.unsaid), ("other".to_owned(), &self.others)];
        numbered.chain(nameless).flat_map(|(device, cells)| {
            let kinds = Kind::ALL.iter().map(|kind| kind.as_str()).chain(["undecryptable"]);
            let counted = kinds.zip(cells.iter().copied()).filter(|(_, cell)| cell.messages > 0);
            counted.map(|(kind, cell)| (device.clone(), kind, cell)).collect::<Vec<_>>()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_counted_under_their_own_names() {
        let mut seats = Seats::default();
        for kind in Kind::ALL {
            seats.count(Some(DeviceId(9)), Some(kind), 3);
        }
        seats.count(None, None, 5);
        let counted: Vec<_> = seats.counted().map(|(device, kind, cell)| (device, kind, cell.bytes)).collect();
        let mut expected: Vec<_> = Kind::ALL.iter().map(|kind| ("1".to_owned(), kind.as_str(), 3)).collect();
        expected.push(("unsaid".to_owned(), "undecryptable", 5));
        assert_eq!(counted, expected);
    }

    #[test]
    fn ever_new_devices_take_no_more_memory() {
        let mut seats = Seats::default();
        for id in 0..10_000 {
            seats.count(Some(DeviceId(id)), Some(Kind::GroupSync), 1);
        }
        assert_eq!(seats.number(DeviceId(3)), Some(4), "who has a number keeps it");
        assert_eq!(seats.counted().count(), MOST_SEATS + 1);
        let others = seats.counted().find(|(device, ..)| device == "other").map(|(_, _, cell)| cell.messages);
        assert_eq!(others, Some(10_000 - MOST_SEATS as u64));
    }
}
