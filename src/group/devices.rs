//! Who is in the group.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::known::{DeviceChange, KnownDevices};
use super::listed::ListedDevice;
use crate::protocol::{DeviceActivity, DeviceId, DeviceInfo, Millis};
use crate::text::Clean;

/// More former devices are not remembered.
const MOST_FORMER: usize = 100;

/// All devices of the group, as last told by the server.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    listed: BTreeMap<DeviceId, ListedDevice>,
    as_of: Option<Millis>,
    revision: u64,
    /// Those that differ from what was known, until the user has taken note; never one that is not listed.
    marks: BTreeMap<DeviceId, DeviceChange>,
    /// Those that were listed before, with what they said of themselves, if that could be read; who left first comes first.
    /// Never one that is listed.
    former: VecDeque<(DeviceId, Option<DeviceInfo>)>,
    /// Those that were dropped from here, until they are listed again: as many as people have agreed to.
    dropped: BTreeSet<DeviceId>,
}

impl Devices {
    /// The devices, by id.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (DeviceId, &ListedDevice)> {
        self.listed.iter().map(|(id, device)| (*id, device))
    }

    /// The entry of a device in the last list.
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
        self.listed.values().filter(|device| matches!(device.activity, DeviceActivity::ConnectedSince(_))).count()
    }

    /// When the server told this list.
    #[must_use]
    pub const fn as_of(&self) -> Option<Millis> {
        self.as_of
    }

    /// The wall clock was moved, by this many milliseconds.
    pub(super) fn shift(&mut self, by: i64) {
        self.as_of = self.as_of.map(|at| at.offset_by(by));
    }

    /// What to call a device: its label, or its id if it has none that can be read.
    #[must_use]
    pub fn label(&self, device: DeviceId) -> Clean {
        self.known_label(device).cloned().unwrap_or_else(|| Clean::new(&device.to_string()))
    }

    /// The label of a device, or that which it had when it was last listed.
    #[must_use]
    pub fn known_label(&self, device: DeviceId) -> Option<&Clean> {
        self.info(device).map(|info| &info.label).filter(|label| !label.is_empty())
    }

    /// What a device says of itself, or said when it was last listed.
    #[must_use]
    pub fn info(&self, device: DeviceId) -> Option<&DeviceInfo> {
        match self.get(device) {
            Some(listed) => listed.info.as_ref().ok(),
            None => self.former().find(|(id, _)| *id == device).and_then(|(_, info)| info),
        }
    }

    /// Devices that were listed before and are not any more, with what they said of themselves last, if that could be read.
    pub fn former(&self) -> impl Iterator<Item = (DeviceId, Option<&DeviceInfo>)> {
        self.former.iter().map(|(id, info)| (*id, info.as_ref()))
    }

    /// Whether the device was listed before and is missing in the list, once there is one. Who was never listed may be so new
    /// that it is in the next list.
    #[must_use]
    pub fn is_gone(&self, device: DeviceId) -> bool {
        self.as_of.is_some() && self.former().any(|(id, _)| id == device)
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
            (Some(DeviceChange::New { returned, .. }), change) => {
                let now = match change {
                    DeviceChange::New { now, .. } => now,
                    DeviceChange::Changed { now, .. } => Some(now),
                    DeviceChange::Undecryptable { .. } | DeviceChange::Gone { .. } => None,
                };
                self.marks.insert(device, DeviceChange::New { returned, now });
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

    pub(super) fn known(&self, own: DeviceId) -> KnownDevices {
        let mut known = KnownDevices::of(&self.listed, own);
        for (device, change) in &self.marks {
            match change {
                DeviceChange::New { .. } => known.forget(*device),
                change => known.set(*device, change.before().cloned()),
            }
        }
        for device in &self.dropped {
            known.dropped(*device, self.info(*device).cloned());
        }
        known
    }

    pub(super) fn replace(&mut self, at: Millis, listed: BTreeMap<DeviceId, ListedDevice>) {
        self.marks.retain(|device, _| listed.contains_key(device));
        self.dropped.retain(|device| !listed.contains_key(device));
        let said = |listed: &BTreeMap<DeviceId, ListedDevice>| -> Vec<_> {
            listed.iter().map(|(id, device)| (*id, device.info.clone())).collect()
        };
        self.revision += u64::from(said(&self.listed) != said(&listed));
        let before = std::mem::replace(&mut self.listed, listed);
        self.remember(before.into_iter().map(|(id, device)| (id, device.info.ok())));
        self.as_of = Some(at);
    }

    pub(super) fn remove(&mut self, device: DeviceId) {
        if let Some(removed) = self.listed.remove(&device) {
            self.revision += 1;
            self.remember([(device, removed.info.ok())]);
            self.dropped.insert(device);
        }
        self.marks.remove(&device);
    }

    /// Remembers those that are not listed, whoever left first before the others.
    pub(super) fn remember(&mut self, devices: impl IntoIterator<Item = (DeviceId, Option<DeviceInfo>)>) {
        for (device, info) in devices {
            self.former.retain(|(id, _)| *id != device);
            self.former.push_back((device, info));
        }
        let listed = &self.listed;
        self.former.retain(|(id, _)| !listed.contains_key(id));
        self.former.drain(..self.former.len().saturating_sub(MOST_FORMER));
    }
}
