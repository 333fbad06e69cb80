//! The other devices as they were last known, and how a new list differs from that.

use std::collections::BTreeMap;

use super::listed::ListedDevice;
use crate::protocol::{DeviceId, DeviceInfo};
use crate::text::Clean;

/// The other devices of a group: what each said of itself, or [`None`] where that did not decrypt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownDevices(BTreeMap<DeviceId, Option<DeviceInfo>>);

/// How a device in the list differs from what was known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceChange {
    /// It was not in the last known list.
    New {
        /// What it says of itself, if that decrypts.
        now: Option<DeviceInfo>,
    },
    /// It describes itself in another way.
    Changed {
        /// As before, if that decrypted.
        before: Option<DeviceInfo>,
        /// Its description now.
        now: DeviceInfo,
    },
    /// What it says of itself no longer decrypts: its key is another, or somebody else wrote it.
    Undecryptable {
        /// Its last description that decrypted.
        before: DeviceInfo,
    },
    /// It is no longer in the list.
    Gone {
        /// As before, if that decrypted.
        before: Option<DeviceInfo>,
    },
}

impl KnownDevices {
    /// All devices of a list but our own.
    #[must_use]
    pub fn of(listed: &BTreeMap<DeviceId, ListedDevice>, own: DeviceId) -> Self {
        let others = listed.iter().filter(|(id, _)| **id != own);
        others.map(|(id, device)| (*id, device.info.clone().ok())).collect()
    }

    /// The devices with their descriptions, by id.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (DeviceId, Option<&DeviceInfo>)> {
        self.0.iter().map(|(id, info)| (*id, info.as_ref()))
    }

    /// Takes a device out, as when it was dropped on our own request.
    pub fn forget(&mut self, device: DeviceId) {
        self.0.remove(&device);
    }

    /// Takes a device back as it was known before.
    pub(super) fn set(&mut self, device: DeviceId, info: Option<DeviceInfo>) {
        self.0.insert(device, info);
    }

    /// How another list differs from this one, by device.
    #[must_use]
    pub fn changes_to(&self, now: &Self) -> Vec<(DeviceId, DeviceChange)> {
        let appeared = now.0.iter().filter_map(|(id, info)| {
            let change = match (self.0.get(id), info) {
                (None, now) => DeviceChange::New { now: now.clone() },
                (Some(Some(before)), None) => DeviceChange::Undecryptable { before: before.clone() },
                (Some(before), Some(now)) if before.as_ref() != Some(now) => {
                    DeviceChange::Changed { before: before.clone(), now: now.clone() }
                }
                (Some(_), _) => return None,
            };
            Some((*id, change))
        });
        let gone = self.0.iter().filter(|(id, _)| !now.0.contains_key(id));
        appeared.chain(gone.map(|(id, before)| (*id, DeviceChange::Gone { before: before.clone() }))).collect()
    }
}

impl FromIterator<(DeviceId, Option<DeviceInfo>)> for KnownDevices {
    fn from_iter<I: IntoIterator<Item = (DeviceId, Option<DeviceInfo>)>>(devices: I) -> Self {
        Self(devices.into_iter().collect())
    }
}

impl DeviceChange {
    /// The mark of a device in the list; empty if it is no longer there.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::New { .. } => "new",
            Self::Changed { .. } => "changed",
            Self::Undecryptable { .. } => "unreadable",
            Self::Gone { .. } => "",
        }
    }

    /// What the device called itself last, if that is known.
    #[must_use]
    pub fn label(&self) -> Option<&Clean> {
        let info = match self {
            Self::New { now } => now.as_ref(),
            Self::Changed { now, .. } => Some(now),
            Self::Undecryptable { before } => Some(before),
            Self::Gone { before } => before.as_ref(),
        };
        info.map(|info| &info.label).filter(|label| !label.is_empty())
    }

    /// What the device said of itself when it was last known, if it was known and that decrypted.
    pub(super) fn before(&self) -> Option<&DeviceInfo> {
        match self {
            Self::New { .. } => None,
            Self::Changed { before, .. } | Self::Gone { before } => before.as_ref(),
            Self::Undecryptable { before } => Some(before),
        }
    }

    /// In words, without the name of the device.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::New { now: Some(now) } => format!("new device, {}", now.app()),
            Self::New { now: None } => "new device, and what it says of itself does not decrypt".to_owned(),
            Self::Changed { before: None, .. } => "can be read again".to_owned(),
            Self::Changed { before: Some(before), now } => differences(before, now),
            Self::Undecryptable { .. } => "what it says of itself no longer decrypts".to_owned(),
            Self::Gone { .. } => "no longer in the group".to_owned(),
        }
    }
}

fn differences(before: &DeviceInfo, now: &DeviceInfo) -> String {
    let platforms = (before.platform.to_string(), now.platform.to_string());
    let fields = [
        ("name", before.label.as_str(), now.label.as_str()),
        ("platform", &platforms.0, &platforms.1),
        ("version", before.app_version.as_str(), now.app_version.as_str()),
        ("details", before.platform_details.as_str(), now.platform_details.as_str()),
    ];
    let differ = fields.into_iter().filter(|(_, before, now)| before != now);
    let words: Vec<String> = differ.map(|(name, before, now)| format!("{name} {now}, was {before}")).collect();
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::d2d::Platform;

    fn info(label: &str, version: &str) -> DeviceInfo {
        DeviceInfo {
            platform: Platform::Android,
            platform_details: Clean::default(),
            app_version: Clean::new(version),
            label: Clean::new(label),
        }
    }

    #[test]
    fn every_difference_is_found_and_said() {
        let known = |devices: &[(u64, Option<DeviceInfo>)]| -> KnownDevices {
            devices.iter().map(|(id, info)| (DeviceId(*id), info.clone())).collect()
        };
        let phone = || Some(info("Phone", "1"));
        let cases = [
            (known(&[(1, phone())]), known(&[(1, phone())]), vec![]),
            (known(&[(1, None)]), known(&[(1, None)]), vec![]),
            (known(&[]), known(&[(1, phone())]), vec!["new device, Android 1"]),
            (known(&[]), known(&[(1, None)]), vec!["new device, and what it says of itself does not decrypt"]),
            (known(&[(1, phone())]), known(&[(1, None)]), vec!["what it says of itself no longer decrypts"]),
            (known(&[(1, None)]), known(&[(1, phone())]), vec!["can be read again"]),
            (known(&[(1, phone())]), known(&[]), vec!["no longer in the group"]),
            (known(&[(1, phone())]), known(&[(1, Some(info("Phone", "2")))]), vec!["version 2, was 1"]),
            (
                known(&[(1, phone()), (3, None)]),
                known(&[(1, Some(info("Fon", "2"))), (2, phone())]),
                vec!["name Fon, was Phone; version 2, was 1", "new device, Android 1", "no longer in the group"],
            ),
        ];
        for (before, now, expected) in cases {
            let changes = before.changes_to(&now);
            let sentences: Vec<String> = changes.iter().map(|(_, change)| change.sentence()).collect();
            assert_eq!(sentences, expected, "{before:?} to {now:?}");
        }
    }
}
