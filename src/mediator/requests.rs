//! What a device that is logged in may ask for.

use super::Mediator;
use super::connection::own;
use super::connection_id::ConnectionId;
use super::log::{Closing, SlotRemoval};
use super::queue::QueuedMessage;
use super::storage::Change;
use super::timers::Timer;
use crate::protocol::{
    ClientMessage, CloseCode, DeviceGroupId, DeviceId, Dialect, MAX_CONTAINER, MAX_ENVELOPE_SEALED, Millis, Reflect,
    Sealed, ServerMessage, SharedDeviceData,
};

/// The most bytes of shared device data: it must fit into a `ServerInfo` with all its other fields.
const MAX_SHARED_DEVICE_DATA: usize = MAX_CONTAINER - 64;

/// The device that a request comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub(super) connection: ConnectionId,
    pub(super) dialect: Dialect,
    pub(super) group: DeviceGroupId,
    pub(super) device: DeviceId,
}

impl Mediator {
    pub(super) fn request(&mut self, now: Millis, asker: Asker, message: ClientMessage) -> Result<(), Closing> {
        match message {
            // Told apart from the rest before they come here.
            ClientMessage::Proxy(_) | ClientMessage::Hello(_) => Ok(()),
            ClientMessage::GetDevicesInfo => {
                self.list_devices(asker);
                Ok(())
            }
            ClientMessage::DropDevice(target) => {
                self.drop_device(now, asker, target);
                Ok(())
            }
            ClientMessage::SetSharedDeviceData(data) => self.set_shared_device_data(asker, &data),
            ClientMessage::BeginTransaction { scope, ttl } => {
                let until = now.after(ttl.map_or(self.config.max_ttl, |ttl| ttl.min(self.config.max_ttl)));
                let Some(group) = self.groups.get_mut(&asker.group) else { return Ok(()) };
                if group.begin(&mut self.wire, asker.device, &scope)? {
                    self.timers.set(Timer::Lock(asker.group), until);
                }
                Ok(())
            }
            ClientMessage::CommitTransaction => self.commit(now, asker),
            ClientMessage::Reflect(reflect) => self.reflect(now, asker, &reflect),
            ClientMessage::ReflectedAck(id) => {
                let slot = self.groups.get_mut(&asker.group).and_then(|group| group.slots.get_mut(&asker.device));
                let Some(slot) = slot else { return Ok(()) };
                let acknowledged = slot.acknowledge(id).map_err(|_| {
                    Closing::new(CloseCode::UNKNOWN_MESSAGE_ACKNOWLEDGED, "no such message is outstanding")
                })?;
                if let Some((number, bytes)) = acknowledged {
                    let Asker { group, device, .. } = asker;
                    self.wire.store(Change::Acknowledged { group, device, first: number, last: number, bytes });
                }
                Ok(())
            }
        }
    }

    fn list_devices(&mut self, asker: Asker) {
        if let Some(group) = self.groups.get(&asker.group) {
            self.wire.send(asker.connection, &group.devices_info(asker.dialect));
        }
    }

    /// The answer comes before anything is closed, and is the same for a device that nobody knows.
    fn drop_device(&mut self, now: Millis, asker: Asker, target: DeviceId) {
        self.wire.send(asker.connection, &ServerMessage::DropDeviceAck(target));
        self.remove_slot(now, asker.group, target, SlotRemoval::DroppedBy(asker.device));
    }

    fn set_shared_device_data(&mut self, asker: Asker, data: &Sealed<SharedDeviceData>) -> Result<(), Closing> {
        if data.len() > MAX_SHARED_DEVICE_DATA {
            return Err(Closing::protocol_error("the shared device data is too large to be handed out"));
        }
        if let Some(group) = self.groups.get_mut(&asker.group) {
            group.shared_device_data = Sealed::from_wire(own(data.as_bytes()));
            let data = group.shared_device_data.clone();
            self.wire.store(Change::SharedDeviceData { group: asker.group, data });
        }
        Ok(())
    }

    fn commit(&mut self, now: Millis, asker: Asker) -> Result<(), Closing> {
        let Some(group) = self.groups.get_mut(&asker.group) else { return Ok(()) };
        let too_long = group.commit(&mut self.wire, asker.device, self.config.queue_limits())?;
        self.timers.cancel(Timer::Lock(asker.group));
        self.remove_too_long(now, asker, too_long);
        Ok(())
    }

    fn reflect(&mut self, now: Millis, asker: Asker, reflect: &Reflect) -> Result<(), Closing> {
        if reflect.envelope.len() > MAX_ENVELOPE_SEALED {
            return Err(Closing::protocol_error("the envelope is too long to be delivered"));
        }
        let Some(group) = self.groups.get_mut(&asker.group) else { return Ok(()) };
        self.wire.tally.reflections += 1;
        let limits = self.config.queue_limits();
        let item = QueuedMessage {
            timestamp: self.wall,
            ephemeral: reflect.ephemeral,
            envelope: Sealed::from_wire(own(reflect.envelope.as_bytes())),
        };
        let passed_on = group.hold_back(asker.device, item, limits)?;
        let too_long =
            passed_on.map(|item| group.store(&mut self.wire, asker.device, &item, limits)).unwrap_or_default();
        if !reflect.ephemeral {
            self.wire.send(asker.connection, &ServerMessage::ReflectAck { id: reflect.id, timestamp: self.wall });
        }
        group.pump(&mut self.wire);
        self.remove_too_long(now, asker, too_long);
        Ok(())
    }

    fn remove_too_long(&mut self, now: Millis, asker: Asker, devices: Vec<DeviceId>) {
        for device in devices {
            self.remove_slot(now, asker.group, device, SlotRemoval::QueueLimit);
        }
    }
}
