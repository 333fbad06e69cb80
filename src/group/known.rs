//! The other devices as they were last known, and how a new list differs from that.

use std::collections::BTreeMap;

use super::listed::ListedDevice;
use crate::protocol::{DeviceId, DeviceInfo, ExpirationPolicy};
use crate::text::Clean;

/// More devices that left are not remembered.
const MOST_LEFT: usize = 100;

/// The other devices of a group, and those that left it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownDevices {
    listed: BTreeMap<DeviceId, KnownDevice>,
    /// Who left first comes first; never one that is listed.
    left: Vec<(DeviceId, KnownDevice)>,
}

/// A device of the group, as it was seen last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownDevice {
    /// What it said of itself; [`None`] where that did not decrypt.
    pub info: Option<DeviceInfo>,
    /// How long its slot was kept, if that is known.
    pub policy: Option<ExpirationPolicy>,
    /// Whether it was dropped from here.
    pub dropped: bool,
}

impl KnownDevice {
    /// Whether it is no news when it is back: its slot had only expired, as volatile ones do.
    fn may_come_back(&self) -> bool {
        !self.dropped && self.policy == Some(ExpirationPolicy::Volatile)
    }
}

/// How a device in the list differs from what was known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceChange {
    /// It was not in the last known list, and had not just been away from a volatile slot.
    New {
        /// Whether it was known before, and was dropped or gone from a persistent slot.
        returned: bool,
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
        let known = |device: &ListedDevice| KnownDevice {
            info: device.info.clone().ok(),
            policy: device.expiration_policy,
            dropped: false,
        };
        Self { listed: others.map(|(id, device)| (*id, known(device))).collect(), left: Vec::new() }
    }

    /// Devices as they were kept: those of the last list, and those that left, who left first before the others.
    #[must_use]
    pub fn kept(
        listed: impl IntoIterator<Item = (DeviceId, KnownDevice)>,
        left: impl IntoIterator<Item = (DeviceId, KnownDevice)>,
    ) -> Self {
        Self { listed: listed.into_iter().collect(), left: left.into_iter().collect() }
    }

    /// The devices with their descriptions, by id.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (DeviceId, Option<&DeviceInfo>)> {
        self.listed.iter().map(|(id, device)| (*id, device.info.as_ref()))
    }

    /// All that is known of the devices, by id.
    pub fn listed(&self) -> impl Iterator<Item = (DeviceId, &KnownDevice)> {
        self.listed.iter().map(|(id, device)| (*id, device))
    }

    /// The devices that left, who left first before the others.
    pub fn left(&self) -> impl Iterator<Item = (DeviceId, &KnownDevice)> {
        self.left.iter().map(|(id, device)| (*id, device))
    }

    /// The devices, and those that left, by id.
    #[must_use]
    pub fn ever(&self) -> Self {
        let left = self.left.iter().cloned();
        Self { listed: left.chain(self.listed.clone()).collect(), left: Vec::new() }
    }

    /// Takes a device out, as if it had never been there.
    pub fn forget(&mut self, device: DeviceId) {
        self.listed.remove(&device);
    }

    /// A device was dropped on our own request: that is no news, but its return is.
    pub fn dropped(&mut self, device: DeviceId, info: Option<DeviceInfo>) {
        let known = self.listed.remove(&device);
        let known = known.unwrap_or(KnownDevice { info, ..KnownDevice::default() });
        self.leave(device, KnownDevice { dropped: true, ..known });
    }

    /// Takes a device back as it was known before.
    pub(super) fn set(&mut self, device: DeviceId, info: Option<DeviceInfo>) {
        self.listed.entry(device).or_default().info = info;
    }

    fn leave(&mut self, device: DeviceId, known: KnownDevice) {
        self.left.retain(|(id, _)| *id != device);
        self.left.push((device, known));
        self.left.drain(..self.left.len().saturating_sub(MOST_LEFT));
    }

    /// Takes the next list. Who is missing in it has left, and who left is still known.
    pub fn follow(&mut self, now: Self) {
        let before = std::mem::take(&mut self.listed);
        for (device, known) in before {
            if !now.listed.contains_key(&device) {
                self.leave(device, known);
            }
        }
        now.left.into_iter().for_each(|(device, known)| self.leave(device, known));
        self.left.retain(|(device, _)| !now.listed.contains_key(device));
        self.listed = now.listed;
    }

    /// How another list differs from this one, by device.
    #[must_use]
    pub fn changes_to(&self, now: &Self) -> Vec<(DeviceId, DeviceChange)> {
        let appeared = now.iter().filter_map(|(id, info)| {
            let before = self.listed.get(&id).or_else(|| self.of_left(id).filter(|left| left.may_come_back()));
            let Some(before) = before.map(|known| known.info.as_ref()) else {
                return Some((id, DeviceChange::New { returned: self.of_left(id).is_some(), now: info.cloned() }));
            };
            let change = match (before, info) {
                (Some(before), None) => DeviceChange::Undecryptable { before: before.clone() },
                (before, Some(now)) if before != Some(now) => {
                    DeviceChange::Changed { before: before.cloned(), now: now.clone() }
                }
                _ => return None,
            };
            Some((id, change))
        });
        let gone = self.iter().filter(|(id, _)| !now.listed.contains_key(id));
        appeared.chain(gone.map(|(id, before)| (id, DeviceChange::Gone { before: before.cloned() }))).collect()
    }

    fn of_left(&self, device: DeviceId) -> Option<&KnownDevice> {
        self.left.iter().find(|(id, _)| *id == device).map(|(_, known)| known)
    }
}

impl FromIterator<(DeviceId, Option<DeviceInfo>)> for KnownDevices {
    fn from_iter<I: IntoIterator<Item = (DeviceId, Option<DeviceInfo>)>>(devices: I) -> Self {
        let known = |info| KnownDevice { info, ..KnownDevice::default() };
        Self::kept(devices.into_iter().map(|(id, info)| (id, known(info))), [])
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
            Self::New { now, .. } => now.as_ref(),
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
            Self::New { returned, now } => {
                let what = if *returned { "back in the group, which it had left for good" } else { "new device" };
                match now {
                    Some(now) => format!("{what}, {}", now.app()),
                    None => format!("{what}, and what it says of itself does not decrypt"),
                }
            }
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

    /// Whoever was only away from a volatile slot is not new again; who was dropped, or gone from a persistent one, is.
    #[test]
    fn who_comes_back_is_news_only_if_it_had_left_for_good() {
        let listed = |policy| {
            let device = ListedDevice {
                info: Ok(info("Phone", "1")),
                activity: crate::protocol::DeviceActivity::Unknown,
                expiration_policy: policy,
            };
            KnownDevices::of(&[(DeviceId(1), device)].into_iter().collect(), DeviceId(9))
        };
        let nobody = KnownDevices::default();
        let volatile = Some(ExpirationPolicy::Volatile);
        let sentences = |known: &KnownDevices, now: &KnownDevices| -> Vec<String> {
            known.changes_to(now).iter().map(|(_, change)| change.sentence()).collect()
        };
        for (policy, dropped, news) in [
            (volatile, false, None),
            (volatile, true, Some("back in the group, which it had left for good, Android 1")),
            (
                Some(ExpirationPolicy::Persistent),
                false,
                Some("back in the group, which it had left for good, Android 1"),
            ),
            (None, false, Some("back in the group, which it had left for good, Android 1")),
        ] {
            let mut known = listed(policy);
            if dropped {
                known.dropped(DeviceId(1), None);
                assert_eq!(sentences(&known, &nobody), Vec::<String>::new(), "we know that");
            }
            known.follow(nobody.clone());
            assert_eq!(sentences(&known, &listed(policy)), Vec::from_iter(news), "{policy:?} {dropped}");
            known.follow(listed(policy));
            assert_eq!((known.left().count(), known.listed().count()), (0, 1));
            assert_eq!(sentences(&known, &listed(policy)), Vec::<String>::new());
        }
        let mut known = listed(volatile);
        known.follow(nobody);
        let other = [(DeviceId(1), Some(info("Phone", "2")))].into_iter().collect();
        assert_eq!(sentences(&known, &other), ["version 2, was 1"]);
    }

    #[test]
    fn who_left_is_remembered_up_to_a_bound_and_the_oldest_are_forgotten() {
        let list = |ids: std::ops::Range<u64>| -> KnownDevices { ids.map(|id| (DeviceId(id), None)).collect() };
        let left = |known: &KnownDevices| known.left().map(|(id, _)| id.0).collect::<Vec<_>>();
        let mut known = KnownDevices::default();
        known.follow(list(1..4));
        assert!(left(&known).is_empty());
        known.follow(list(2..3));
        assert_eq!(left(&known), [1, 3]);
        assert_eq!(known.ever().iter().count(), 3);
        known.follow(list(3..4));
        assert_eq!(left(&known), [1, 2], "one is back, another gone");
        known.follow(list(10..210));
        known.follow(KnownDevices::default());
        assert_eq!(left(&known), (110..210).collect::<Vec<_>>());
    }
}
