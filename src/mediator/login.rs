//! The login: from the answer to the challenge to a slot of the group, and who has to leave for it.

use super::bounds::GroupRefusal;
use super::connection::{ConnectionPhase, own};
use super::connection_id::ConnectionId;
use super::group::HostedGroup;
use super::io::HandshakeSecrets;
use super::log::{Closing, LogEvent, SlotRemoval};
use super::queue::Queue;
use super::slot::DeviceSlot;
use super::storage::Change;
use super::timers::Timer;
use super::{Mediator, VERSION};
use crate::protocol::{
    Challenge, ClientHello, CloseCode, DeviceGroupId, DeviceId, MAX_CONTAINER, Millis, Sealed, ServerInfo,
    ServerMessage, SlotState,
};

/// What a device list needs of an entry besides the device info, with room to spare.
const ENTRY_OVERHEAD: usize = 64;

impl Mediator {
    pub(super) fn log_in(
        &mut self,
        now: Millis,
        id: ConnectionId,
        ephemeral: &HandshakeSecrets,
        hello: &ClientHello,
    ) -> Result<(), Closing> {
        let Some(connection) = self.wire.get(id) else { return Ok(()) };
        let (group_id, dialect) = (connection.group, connection.dialect);
        if hello.version > VERSION {
            return Err(Closing::new(CloseCode::UNSUPPORTED_VERSION, "no protocol version in common"));
        }
        if !hello.response.proves(&Challenge(ephemeral.challenge), &ephemeral.secret, &group_id) {
            return Err(Closing::protocol_error("wrong answer to the challenge"));
        }
        if hello.device_info.len() > self.largest_device_info() {
            return Err(Closing::protocol_error("the device info is too large for the device list"));
        }
        let known = self.groups.get(&group_id).is_some_and(|group| group.slots.contains_key(&hello.device_id));
        let state = if known { SlotState::Existing } else { SlotState::New };
        if dialect.checks_slot_state() && hello.expected_slot_state != state {
            return Err(Closing::new(
                CloseCode::SLOT_STATE_MISMATCH,
                match state {
                    SlotState::New => "the device is not known",
                    SlotState::Existing => "the device is known already",
                },
            ));
        }
        if state == SlotState::Existing {
            self.replace_connection(now, group_id, hello.device_id);
        }
        let admitted = self.admits(&group_id).and_then(|()| self.has_room_for_a_connection());
        admitted.map_err(GroupRefusal::closing)?;
        if state == SlotState::New {
            self.make_room(now, group_id, hello)?;
        }
        self.register(now, id, group_id, hello, state);
        Ok(())
    }

    /// Everybody's device info has to fit into one list.
    fn largest_device_info(&self) -> usize {
        (MAX_CONTAINER / self.config.max_slots.max(1)).saturating_sub(ENTRY_OVERHEAD)
    }

    /// Makes sure that the group has a free slot.
    fn make_room(&mut self, now: Millis, id: DeviceGroupId, hello: &ClientHello) -> Result<(), Closing> {
        loop {
            let group = self.groups.get(&id);
            if group.map_or(0, |group| group.slots.len()) < self.config.max_slots {
                return Ok(());
            }
            let Some(victim) = group.and_then(|group| group.least_recent(hello.exhausted_policy)) else {
                return Err(Closing::of(CloseCode::DEVICE_LIMIT_REACHED));
            };
            // The newcomer takes its place, so that the group and what it shares stay even if it was the only one.
            self.take_slot(now, id, victim, SlotRemoval::LeastRecent);
        }
    }

    /// Of two connections of one device the older one has to go.
    fn replace_connection(&mut self, now: Millis, id: DeviceGroupId, device: DeviceId) {
        let slot = self.groups.get(&id).and_then(|group| group.slots.get(&device));
        if let Some(older) = slot.and_then(DeviceSlot::connection) {
            self.close(now, older, Closing::new(CloseCode::DUPLICATE_CONNECTION, "the device connected again"));
        }
    }

    fn register(
        &mut self,
        now: Millis,
        id: ConnectionId,
        group_id: DeviceGroupId,
        hello: &ClientHello,
        state: SlotState,
    ) {
        let (device, wall) = (hello.device_id, self.wall);
        if let Some(connection) = self.wire.get_mut(id) {
            connection.phase = ConnectionPhase::LoggedIn(device);
        }
        self.timers.cancel(Timer::Slot(group_id, device));
        self.watch(now, id);
        self.logins += 1;
        self.logged_in += 1;
        let group = self.groups.entry(group_id).or_insert_with(|| HostedGroup::new(group_id));
        self.timers.cancel(Timer::Group(group_id));
        let shared_device_data = group.shared_device_data.clone();
        let first = self.first_reflected;
        let queue = || if self.config.stores { Queue::stored_already(first, 0, 0) } else { Queue::in_memory(first) };
        let slot = group.slots.entry(device).or_insert_with(|| DeviceSlot::new(wall, queue()));
        slot.device_info = Sealed::from_wire(own(hello.device_info.as_bytes()));
        slot.policy = hello.expiration_policy;
        slot.connect(wall, id, self.logins);
        let waiting = slot.queue.waiting();
        self.wire.store(Change::LoggedIn {
            group: group_id,
            device,
            device_info: slot.device_info.clone(),
            policy: slot.policy,
            at: wall,
            next: slot.queue.next(),
        });
        self.wire.send(
            id,
            &ServerMessage::Info(ServerInfo {
                max_device_slots: u32::try_from(self.config.max_slots).unwrap_or(u32::MAX),
                slot_state: state,
                shared_device_data,
                current_time: Some(wall),
                reflection_queue_length: Some(u32::try_from(waiting).unwrap_or(u32::MAX)),
            }),
        );
        self.wire.log(LogEvent::LoggedIn { connection: id, group: group_id, device, slot: state, waiting });
        group.pump_device(&mut self.wire, device);
        self.open_chat(id);
    }
}
