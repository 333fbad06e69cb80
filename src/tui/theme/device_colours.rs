//! Which device has which colour: given in the order of first sight, so that a colour stays with its device.

use std::path::PathBuf;

use crate::group::Devices;
use crate::profile::seen_devices;
use crate::protocol::{DeviceId, Millis};
use crate::tui::theme::{DEVICE_COLOURS, Role};

/// Devices in the order of first sight.
#[derive(Clone, Debug, Default)]
pub struct DeviceColours {
    seen: Vec<DeviceId>,
    /// The list that was looked at last.
    as_of: Option<Millis>,
    /// Where the order is kept, if it is.
    file: Option<PathBuf>,
}

impl DeviceColours {
    /// The order as it was kept.
    pub fn kept_in(file: Option<PathBuf>) -> Self {
        let seen = file.as_deref().map(seen_devices::read).unwrap_or_default();
        Self { seen, as_of: None, file }
    }

    /// Adds what is new in the list.
    pub fn learn(&mut self, devices: &Devices) {
        if self.as_of == devices.as_of() {
            return;
        }
        self.as_of = devices.as_of();
        let before = self.seen.len();
        let new = devices.iter().map(|(id, _)| id).filter(|id| !self.seen.contains(id));
        let new: Vec<DeviceId> = new.collect();
        self.seen.extend(new);
        if let (Some(file), true) = (&self.file, self.seen.len() > before) {
            // Colours are not worth a message: without the file, the next run gives them anew.
            let _ = seen_devices::write(file, &self.seen);
        }
    }

    /// The role of a device's name.
    pub fn role(&self, device: DeviceId) -> Role {
        let index = self.seen.iter().position(|seen| *seen == device);
        let colour = index.map(|index| u8::try_from(index % DEVICE_COLOURS).unwrap_or_default());
        colour.map_or(Role::Text, Role::Device)
    }
}
