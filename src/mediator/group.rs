//! A device group: its slots, the data they share, the lock, and the leader.

use std::collections::BTreeMap;

use super::connection::Wire;
use super::lock::Transaction;
use super::log::LogEvent;
use super::slot::{DeviceSlot, QueuedMessage};
use crate::protocol::{DeviceGroupId, DeviceId, Dialect, ExhaustedPolicy, Sealed, ServerMessage, SharedDeviceData};

#[derive(Debug)]
pub(super) struct HostedGroup {
    pub(super) id: DeviceGroupId,
    pub(super) slots: BTreeMap<DeviceId, DeviceSlot>,
    pub(super) shared_device_data: Sealed<SharedDeviceData>,
    pub(super) lock: Option<Transaction>,
    leader: Option<DeviceId>,
}

impl HostedGroup {
    pub(super) fn new(id: DeviceGroupId) -> Self {
        Self { id, slots: BTreeMap::new(), shared_device_data: Sealed::default(), lock: None, leader: None }
    }

    /// Whose slot a new device may take; disconnected devices come first, then the least recently used.
    pub(super) fn least_recent(&self, policy: ExhaustedPolicy) -> Option<DeviceId> {
        if policy == ExhaustedPolicy::Reject {
            return None;
        }
        let used = |slot: &DeviceSlot| match slot.session {
            Some(_) => (true, slot.last_login),
            None => (false, slot.last_disconnect.unwrap_or(slot.last_login)),
        };
        self.slots.iter().min_by_key(|(_, slot)| used(slot)).map(|(device, _)| *device)
    }

    /// Puts a message into the queues of all devices but its author's; returns whose queue is too long now.
    pub(super) fn store(&mut self, author: DeviceId, item: &QueuedMessage, limit: usize) -> Vec<DeviceId> {
        let others = self.slots.iter_mut().filter(|(device, _)| **device != author);
        others.filter_map(|(device, slot)| slot.push(item, limit).err().map(|_| *device)).collect()
    }

    /// Sends whatever can be sent to all devices.
    pub(super) fn pump(&mut self, wire: &mut Wire) {
        for slot in self.slots.values_mut() {
            slot.pump(wire);
        }
        self.elect(wire);
    }

    /// Sends whatever can be sent to one device.
    pub(super) fn pump_device(&mut self, wire: &mut Wire, device: DeviceId) {
        if let Some(slot) = self.slots.get_mut(&device) {
            slot.pump(wire);
        }
        self.elect(wire);
    }

    /// A device has no connection any more: hands its role on.
    pub(super) fn left(&mut self, wire: &mut Wire, device: DeviceId) {
        if self.leader == Some(device) {
            self.leader = None;
        }
        self.elect(wire);
    }

    /// If there is no leader: the first connected device whose queue has run empty.
    fn elect(&mut self, wire: &mut Wire) {
        if self.leader.is_some() {
            return;
        }
        let dry = self.slots.iter().filter_map(|(device, slot)| Some((device, slot.session.as_ref()?)));
        let first = dry.filter(|(_, session)| session.dry).min_by_key(|(_, session)| session.order);
        let Some((device, connection)) = first.map(|(device, session)| (*device, session.connection)) else { return };
        self.leader = Some(device);
        wire.send(connection, &ServerMessage::RolePromotedToLeader);
        wire.log(LogEvent::Promoted { group: self.id, device });
    }

    pub(super) fn devices_info(&self, dialect: Dialect) -> ServerMessage {
        ServerMessage::DevicesInfo(self.slots.iter().map(|(device, slot)| (*device, slot.entry(dialect))).collect())
    }
}
