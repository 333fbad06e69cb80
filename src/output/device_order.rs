//! In which order devices are listed.

use std::cmp::Reverse;

use crate::group::{Group, ListedDevice};
use crate::protocol::{DeviceActivity, DeviceId, Millis};

/// What devices are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceSort {
    /// Stays as it is, whoever comes and goes.
    #[default]
    Name,
    /// Connected ones first, then as last seen.
    Seen,
    Platform,
    Id,
}

impl DeviceSort {
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Name => Self::Seen,
            Self::Seen => Self::Platform,
            Self::Platform => Self::Id,
            Self::Id => Self::Name,
        }
    }

    /// As its column is called, if it has one.
    const fn short(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Seen => "seen",
            Self::Platform => "platform",
            Self::Id => "id",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Name => "by name",
            Self::Seen => "by when seen",
            Self::Platform => "by platform",
            Self::Id => "by id",
        }
    }
}

/// The order of the devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceOrder {
    pub by: DeviceSort,
    pub reversed: bool,
}

impl DeviceOrder {
    /// The order that [`Self::name`] gives.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let (reversed, name) = name.strip_prefix('-').map_or((false, name), |name| (true, name));
        let mut by = DeviceSort::default();
        loop {
            let order = Self { by, reversed };
            if order.name().trim_start_matches('-') == name {
                return Some(order);
            }
            by = by.next();
            if by == DeviceSort::default() {
                return None;
            }
        }
    }

    /// As the configuration writes it: `name`, or `-name` if it is reversed.
    #[must_use]
    pub fn name(self) -> String {
        format!("{}{}", if self.reversed { "-" } else { "" }, self.by.short())
    }

    /// `by name ↑`
    #[must_use]
    pub fn words(self) -> String {
        let arrow = if self.reversed { " ↑" } else { "" };
        format!("{}{arrow}", self.by.word())
    }

    /// `↓ seen`
    #[must_use]
    pub fn sign(self) -> String {
        format!("{} {}", if self.reversed { "↑" } else { "↓" }, self.by.short())
    }

    /// The devices in this order.
    #[must_use]
    pub fn of(self, group: &Group) -> Vec<DeviceId> {
        let mut devices: Vec<(DeviceId, &ListedDevice)> = group.devices().iter().collect();
        let name = |id| group.devices().label(id).as_str().to_lowercase();
        match self.by {
            DeviceSort::Seen => devices.sort_by_cached_key(|(id, device)| (seen(device), name(*id))),
            // What the keys may destroy is seldom this device, so it is the last and not the first to be selected.
            DeviceSort::Name => devices.sort_by_cached_key(|(id, _)| (group.own() == Some(*id), name(*id))),
            DeviceSort::Platform => {
                devices.sort_by_cached_key(|(id, device)| {
                    (device.info.as_ref().ok().map(|info| info.platform), name(*id))
                });
            }
            DeviceSort::Id => devices.sort_by_cached_key(|(id, _)| id.to_string()),
        }
        if self.reversed {
            devices.reverse();
        }
        devices.into_iter().map(|(id, _)| id).collect()
    }
}

/// Connected first and longest ago last.
const fn seen(device: &ListedDevice) -> (u8, Reverse<Millis>) {
    match device.activity {
        DeviceActivity::ConnectedSince(at) => (0, Reverse(at)),
        DeviceActivity::LastDisconnect(at) => (1, Reverse(at)),
        DeviceActivity::LastLogin(at) => (2, Reverse(at)),
        DeviceActivity::Unknown => (3, Reverse(Millis(0))),
    }
}
