//! [`ListedDevice`]: a device as the server lists it.

use crate::protocol::{DeviceActivity, DeviceInfo, ExpirationPolicy, OpenError};

/// A device as it stands in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDevice {
    /// What it says of itself, or why that cannot be read.
    pub info: Result<DeviceInfo, OpenError>,
    /// When it was there.
    pub activity: DeviceActivity,
    /// How long its slot is kept, if the value is known.
    pub expiration_policy: Option<ExpirationPolicy>,
}
