//! In which order devices are listed.

use std::cmp::Reverse;

use crate::group::{Group, ListedDevice};
use crate::protocol::{Activity, DeviceId, Millis};

/// What devices are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceSort {
    /// Connected ones first, then as last seen.
    #[default]
    State,
    Name,
    Platform,
    Id,
}

impl DeviceSort {
    pub const fn next(self) -> Self {
        match self {
            Self::State => Self::Name,
            Self::Name => Self::Platform,
            Self::Platform => Self::Id,
            Self::Id => Self::State,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::State => "by state",
            Self::Name => "by name",
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
    /// `by name ↑`
    pub fn words(self) -> String {
        let arrow = if self.reversed { " ↑" } else { "" };
        format!("{}{arrow}", self.by.word())
    }

    /// The devices in this order.
    pub fn of(self, group: &Group) -> Vec<DeviceId> {
        let mut devices: Vec<(DeviceId, &ListedDevice)> = group.devices().iter().collect();
        let name = |id| group.devices().label(id).as_str().to_lowercase();
        match self.by {
            DeviceSort::State => devices.sort_by_cached_key(|(id, device)| (seen(device), name(*id))),
            DeviceSort::Name => devices.sort_by_cached_key(|(id, _)| name(*id)),
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
        Activity::ConnectedSince(at) => (0, Reverse(at)),
        Activity::LastDisconnect(at) => (1, Reverse(at)),
        Activity::LastLogin(at) => (2, Reverse(at)),
        Activity::Unknown => (3, Reverse(Millis(0))),
    }
}
