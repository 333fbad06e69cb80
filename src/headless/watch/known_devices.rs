//! [`KnownDevicesRecorder`]: a device is known once it was printed.

use super::events::{StreamItem, TimedEvent};
use crate::group::{Event, KnownDevices};
use crate::protocol::DeviceId;
use crate::runtime::KnownDevicesStore;

pub(super) struct KnownDevicesRecorder {
    pub(super) own: DeviceId,
    pub(super) memory: Option<KnownDevicesStore>,
}

impl KnownDevicesRecorder {
    pub(super) fn take(&mut self, item: &StreamItem) {
        match item {
            // Nobody was told: the next start tells it.
            StreamItem::LeftOut(left_out) if left_out.device_changes => self.memory = None,
            StreamItem::Item(TimedEvent { event: Event::Devices(listed), .. }) => {
                if let Some(memory) = &self.memory {
                    memory.keep(KnownDevices::of(listed, self.own));
                }
            }
            _ => {}
        }
    }
}
