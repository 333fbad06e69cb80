//! Who is in the group.

use std::collections::BTreeMap;

use super::event::ListedDevice;
use super::known::{DeviceChange, Known};
use crate::protocol::{Activity, DeviceId, Millis};
use crate::text::Clean;

/// All devices of the group, as last told by the server.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    listed: BTreeMap<DeviceId, ListedDevice>,
    as_of: Option<Millis>,
    revision: u64,
    /// Those that differ from what was known, until the user has taken note; never one that is not listed.
    marks: BTreeMap<DeviceId, DeviceChange>,
}

impl Devices {
    /// The devices, by id.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (DeviceId, &ListedDevice)> {
        self.listed.iter().map(|(id, device)| (*id, device))
    }

    /// One device.
    #[must_use]
    pub fn get(&self, device: DeviceId) -> Option<&ListedDevice> {
        self.listed.get(&device)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.listed.len()
    }

    /// Whether the list is not known yet, or empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// How many are connected, as far as the server tells.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.listed.values().filter(|device| matches!(device.activity, Activity::ConnectedSince(_))).count()
    }

    /// When the server told this list.
    #[must_use]
    pub const fn as_of(&self) -> Option<Millis> {
        self.as_of
    }

    /// What to call a device: its label, or its id if it has none that can be read.
    #[must_use]
    pub fn label(&self, device: DeviceId) -> Clean {
        let label = self.get(device).and_then(|listed| listed.info.as_ref().ok()).map(|info| &info.label);
        match label {
            Some(label) if !label.is_empty() => label.clone(),
            _ => Clean::new(&device.to_string()),
        }
    }

    /// Changes whenever a device says something else of itself.
    pub(super) const fn revision(&self) -> u64 {
        self.revision
    }

    /// How a device differs from what was known, until the user has taken note of it.
    #[must_use]
    pub fn change(&self, device: DeviceId) -> Option<&DeviceChange> {
        self.marks.get(&device)
    }

    /// How many devices differ from what was known.
    #[must_use]
    pub fn alarms(&self) -> usize {
        self.marks.len()
    }

    /// How the devices differ from what was known.
    pub fn changes(&self) -> impl Iterator<Item = &DeviceChange> {
        self.marks.values()
    }

    pub(super) fn mark(&mut self, device: DeviceId, change: DeviceChange) {
        match (self.marks.remove(&device), change) {
            (_, DeviceChange::Gone { .. }) => {}
            // What nobody has taken note of yet is still new, whatever else it does.
            (Some(DeviceChange::New { .. }), change) => {
                let now = match change {
                    DeviceChange::New { now } => now,
                    DeviceChange::Changed { now, .. } => Some(now),
                    DeviceChange::Undecryptable { .. } | DeviceChange::Gone { .. } => None,
                };
                self.marks.insert(device, DeviceChange::New { now });
            }
            (Some(earlier), change) => {
                let before = earlier.before().cloned();
                let since = match (before, change) {
                    (before, DeviceChange::Changed { now, .. }) => DeviceChange::Changed { before, now },
                    (Some(before), DeviceChange::Undecryptable { .. }) => DeviceChange::Undecryptable { before },
                    (_, change) => change,
                };
                // Back to what it was known as: nothing to note any more.
                let is_back = matches!(&since, DeviceChange::Changed { before, now } if before.as_ref() == Some(now));
                if !is_back {
                    self.marks.insert(device, since);
                }
            }
            (None, change) => {
                self.marks.insert(device, change);
            }
        }
    }

    pub(super) fn acknowledge(&mut self) {
        self.marks.clear();
    }

    pub(super) fn known(&self, own: DeviceId) -> Known {
        let mut known = Known::of(&self.listed, own);
        for (device, change) in &self.marks {
            match change {
                DeviceChange::New { .. } => known.forget(*device),
                change => known.set(*device, change.before().cloned()),
            }
        }
        known
    }

    pub(super) fn replace(&mut self, at: Millis, listed: BTreeMap<DeviceId, ListedDevice>) {
        self.marks.retain(|device, _| listed.contains_key(device));
        let said = |listed: &BTreeMap<DeviceId, ListedDevice>| -> Vec<_> {
            listed.iter().map(|(id, device)| (*id, device.info.clone())).collect()
        };
        self.revision += u64::from(said(&self.listed) != said(&listed));
        self.listed = listed;
        self.as_of = Some(at);
    }

    pub(super) fn remove(&mut self, device: DeviceId) {
        self.revision += u64::from(self.listed.remove(&device).is_some());
        self.marks.remove(&device);
    }
}
