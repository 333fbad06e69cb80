//! [`ListedDevice`]: a device as the server lists it.

use crate::protocol::{DeviceActivity, DeviceId, DeviceInfo, ExpirationPolicy, OpenError};
use crate::text::Clean;

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

impl ListedDevice {
    /// What a device of this id calls itself, or the id.
    #[must_use]
    pub fn name(&self, id: DeviceId) -> Clean {
        let label = self.info.as_ref().ok().map(|info| info.label.clone()).filter(|label| !label.is_empty());
        label.unwrap_or_else(|| Clean::new(&id.to_string()))
    }

    /// Its name with its id, such as `Pixel 9 (3f70…)`; the id alone where there is no name.
    #[must_use]
    pub fn name_with_id(&self, id: DeviceId) -> String {
        let name = self.name(id);
        if name.as_str() == id.to_string() { name.to_string() } else { format!("{name} ({id})") }
    }
}
