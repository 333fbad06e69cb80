//! One entry of the list of all devices.

use crate::protocol::proto::d2m;
use crate::protocol::slot::{expiration_policy, expiration_policy_number};
use crate::protocol::{DeviceActivity, DeviceInfo, Dialect, ExpirationPolicy, Millis, Sealed};

/// One device in the list of all devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceEntry {
    /// Who the device is.
    pub device_info: Sealed<DeviceInfo>,
    /// When it was there.
    pub activity: DeviceActivity,
    /// How long its slot is kept; [`None`] for a value that is not known.
    pub expiration_policy: Option<ExpirationPolicy>,
}

impl DeviceEntry {
    pub(super) fn to_proto(&self) -> d2m::devices_info::AugmentedDeviceInfo {
        let (login_at, last_disconnect_at) = match self.activity {
            DeviceActivity::ConnectedSince(at) | DeviceActivity::LastLogin(at) => (Some(at.0), None),
            DeviceActivity::LastDisconnect(at) => (None, Some(at.0)),
            DeviceActivity::Unknown => (None, None),
        };
        d2m::devices_info::AugmentedDeviceInfo {
            encrypted_device_info: self.device_info.as_bytes().clone(),
            login_at,
            device_slot_expiration_policy: expiration_policy_number(self.expiration_policy),
            last_disconnect_at,
        }
    }

    pub(super) fn from_proto(message: d2m::devices_info::AugmentedDeviceInfo, dialect: Dialect) -> Self {
        let activity = match (dialect, message.login_at, message.last_disconnect_at) {
            (Dialect::Mk, Some(at), _) => DeviceActivity::LastLogin(Millis(at)),
            (Dialect::Dgk, Some(at), _) => DeviceActivity::ConnectedSince(Millis(at)),
            (_, None, Some(at)) => DeviceActivity::LastDisconnect(Millis(at)),
            (_, None, None) => DeviceActivity::Unknown,
        };
        Self {
            device_info: Sealed::from_wire(message.encrypted_device_info),
            activity,
            expiration_policy: expiration_policy(message.device_slot_expiration_policy),
        }
    }
}
