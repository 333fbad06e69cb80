//! A device group: its slots, the data they share, the lock, and the leader.

use std::collections::BTreeMap;

use super::connection::Wire;
use super::lock::Transaction;
use super::log::LogEvent;
use super::queue::{QueueLimits, QueuedMessage};
use super::slot::{DeviceSlot, TooLong};
use super::storage::Change;
use crate::protocol::{DeviceGroupId, DeviceId, Dialect, ExhaustedPolicy, Sealed, ServerMessage, SharedDeviceData};

#[derive(Debug)]
pub(super) struct HostedGroup {
    pub(super) id: DeviceGroupId,
    pub(super) slots: BTreeMap<DeviceId, DeviceSlot>,
    pub(super) shared_device_data: Sealed<SharedDeviceData>,
    pub(super) lock: Option<Transaction>,
    /// The group's bytes, as they were counted last.
    pub(super) counted: usize,
    leader: Option<DeviceId>,
}

/// What a group takes besides its slots and what devices have put there.
const OVERHEAD: usize = 512;

impl HostedGroup {
    pub(super) fn new(id: DeviceGroupId) -> Self {
        Self { id, slots: BTreeMap::new(), shared_device_data: Sealed::default(), lock: None, counted: 0, leader: None }
    }

    /// The bytes that are held for the group: queues, what a lock holds back, and what devices have said of themselves.
    pub(super) fn bytes(&self) -> usize {
        let slots: usize = self.slots.values().map(DeviceSlot::bytes).sum();
        let held_back = self.lock.as_ref().map_or(0, Transaction::held_back_bytes);
        OVERHEAD + slots + held_back + self.shared_device_data.len()
    }

    /// With only the holder of the lock left, nobody will get what it has reflected.
    pub(super) fn discard_held_back_for_nobody(&mut self) {
        if self.slots.len() <= 1
            && let Some(lock) = &mut self.lock
        {
            drop(lock.take_held_back());
        }
    }

    pub(super) const fn leader(&self) -> Option<DeviceId> {
        self.leader
    }

    pub(super) fn is_connected(&self) -> bool {
        self.slots.values().any(|slot| slot.session.is_some())
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
    pub(super) fn store(
        &mut self,
        wire: &mut Wire,
        author: DeviceId,
        item: &QueuedMessage,
        limits: QueueLimits,
    ) -> Vec<DeviceId> {
        let (mut to, mut too_long) = (Vec::new(), Vec::new());
        for (device, slot) in self.slots.iter_mut().filter(|(device, _)| **device != author) {
            match slot.push(item, limits) {
                Ok(Some(number)) if wire.stores() => to.push((*device, number)),
                Ok(_) => {}
                Err(TooLong) => too_long.push(*device),
            }
        }
        if !to.is_empty() {
            let QueuedMessage { timestamp, envelope, .. } = item.clone();
            wire.store(Change::Message { group: self.id, timestamp, envelope, to });
        }
        too_long
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
