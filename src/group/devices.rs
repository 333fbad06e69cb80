//! Who is in the group.

use std::collections::BTreeMap;

use super::event::ListedDevice;
use crate::protocol::{Activity, DeviceId, Millis};
use crate::text::Clean;

/// All devices of the group, as last told by the server.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    listed: BTreeMap<DeviceId, ListedDevice>,
    as_of: Option<Millis>,
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

    pub(super) fn replace(&mut self, at: Millis, listed: BTreeMap<DeviceId, ListedDevice>) {
        self.listed = listed;
        self.as_of = Some(at);
    }

    pub(super) fn remove(&mut self, device: DeviceId) {
        self.listed.remove(&device);
    }
}
