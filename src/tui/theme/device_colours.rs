//! Which device has which colour: given in the order of first sight, so that a colour stays with its device.

use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;

use crate::group::Devices;
use crate::profile::seen_devices;
use crate::protocol::{DeviceId, Millis};
use crate::tui::theme::{DEVICE_COLOURS, Role};

/// Devices in the order of first sight, at most [`seen_devices::MOST`].
#[derive(Clone, Debug, Default)]
pub struct DeviceColours {
    seen: Vec<DeviceId>,
    /// The list that was looked at last.
    as_of: Option<Millis>,
    /// Where the order is kept, if it is.
    file: Option<PathBuf>,
    /// Whether the file does not have the order as it is now.
    is_unsaved: bool,
}

impl DeviceColours {
    /// The order as it was kept.
    pub fn kept_in(file: Option<PathBuf>) -> Self {
        let seen = file.as_deref().map(seen_devices::read).unwrap_or_default();
        Self { seen, as_of: None, file, is_unsaved: false }
    }

    /// Adds what is new in the list. Where there is no room left, the oldest that is no longer listed makes room: a mediator
    /// can invent devices without end. Everyone else keeps its place, and with it its colour.
    pub fn learn(&mut self, devices: &Devices) {
        if self.as_of == devices.as_of() {
            return;
        }
        self.as_of = devices.as_of();
        let known: HashSet<DeviceId> = self.seen.iter().copied().collect();
        let mut leavers: Option<VecDeque<usize>> = None;
        for new in devices.iter().map(|(id, _)| id).filter(|id| !known.contains(id)) {
            if self.seen.len() < seen_devices::MOST {
                self.seen.push(new);
            } else {
                let seen = &self.seen;
                let gone = |place: &usize| seen.get(*place).is_some_and(|id| devices.get(*id).is_none());
                let leavers = leavers.get_or_insert_with(|| (0..seen.len()).filter(gone).collect());
                let Some(place) = leavers.pop_front().and_then(|place| self.seen.get_mut(place)) else { break };
                *place = new;
            }
            self.is_unsaved = true;
        }
    }

    /// Writes the order if it has changed. Not to be called while drawing.
    pub fn keep(&mut self) {
        if let (Some(file), true) = (&self.file, std::mem::take(&mut self.is_unsaved)) {
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
