//! Which device is selected: always that device, wherever the list puts it, and never another one without a key.

use crate::protocol::DeviceId;

/// The selected device, and the order in which the list was last seen.
#[derive(Debug, Default)]
pub struct DeviceSelection {
    device: Option<DeviceId>,
    seen: Vec<DeviceId>,
}

impl DeviceSelection {
    /// The list is about to be shown in this order. A device that is gone leaves its place to the next one in sight, else
    /// to the one before; as long as nothing is selected, the first one is.
    pub fn follow(&mut self, order: &[DeviceId]) {
        if order.is_empty() {
            return;
        }
        let place = self.seen.iter().position(|seen| Some(*seen) == self.device).unwrap_or(0);
        let mut heirs = self.seen.iter().skip(place).chain(self.seen.iter().take(place).rev());
        let heir = heirs.find(|device| order.contains(device)).copied();
        self.device = heir.or_else(|| order.first().copied());
        self.seen = order.to_vec();
    }

    /// The device that was selected when the list was last seen, if it is still in this one.
    pub fn of(&self, order: &[DeviceId]) -> Option<DeviceId> {
        self.device.filter(|device| order.contains(device))
    }

    /// Selects another device.
    pub const fn set(&mut self, device: Option<DeviceId>) {
        self.device = device;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_neighbour_takes_the_place_of_a_device_that_is_gone() {
        let ids = |numbers: &[u64]| numbers.iter().map(|number| DeviceId(*number)).collect::<Vec<_>>();
        for (before, selected, now, expected) in [
            (&[1, 2, 3][..], 1, &[3, 2, 1][..], Some(1)),
            (&[1, 2, 3], 2, &[1, 3], Some(3)),
            (&[1, 2, 3], 2, &[3, 1], Some(3)),
            (&[1, 2, 3, 4], 2, &[1, 4], Some(4)),
            (&[1, 2, 3], 3, &[2, 1], Some(2)),
            (&[1, 2, 3], 3, &[4, 1], Some(1)),
            (&[1, 2], 2, &[5, 6], Some(5)),
        ] {
            let mut selection = DeviceSelection::default();
            selection.follow(&ids(before));
            assert_eq!(selection.of(&ids(before)), Some(DeviceId(before[0])), "the first one at first");
            selection.set(Some(DeviceId(selected)));
            selection.follow(&ids(now));
            assert_eq!(selection.of(&ids(now)), expected.map(DeviceId), "{selected} of {before:?}, then {now:?}");
        }
    }

    #[test]
    fn a_list_that_nobody_has_seen_selects_nothing_else() {
        let mut selection = DeviceSelection::default();
        selection.follow(&[DeviceId(1), DeviceId(2)]);
        assert_eq!(selection.of(&[DeviceId(2)]), None);
        selection.follow(&[]);
        assert_eq!(selection.of(&[DeviceId(1)]), Some(DeviceId(1)), "no list is no other list");
    }
}
