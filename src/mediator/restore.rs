//! What a store gives back, and what it is given.

use super::connection_id::ConnectionId;
use super::group::HostedGroup;
use super::slot::DeviceSlot;
use super::storage::{Batch, Change, StoredGroup, StoredMessage, StoredState};
use super::time::MediatorTime;
use super::timers::Timer;
use super::{Mediator, MediatorConfig};
use crate::protocol::{ExpirationPolicy, Millis};

impl Mediator {
    /// Takes in what an earlier run has stored: before anything else, and only with [`MediatorConfig::stores`].
    ///
    /// Nobody is connected or leads, and no lock is held. The grace of volatile slots begins anew; the time after which a
    /// group is forgotten goes on from when it was last used.
    ///
    /// [`MediatorConfig::stores`]: super::MediatorConfig::stores
    pub fn restore(&mut self, now: impl Into<MediatorTime>, stored: StoredState) {
        let now = self.keep_time(now.into());
        self.moved = stored.moved;
        self.take_in(now, stored.groups);
    }

    pub(super) fn take_in(&mut self, now: Millis, stored: Vec<StoredGroup>) {
        for StoredGroup { id, shared_device_data, slots } in stored {
            let used = slots.values().map(|slot| slot.last_disconnect.unwrap_or_default().max(slot.last_login)).max();
            let unused = used.map_or(std::time::Duration::ZERO, |used| self.wall.since(used));
            self.timers.set(Timer::Group(id), now.after(self.config.forget_after.saturating_sub(unused)));
            let mut group = HostedGroup::new(id);
            group.shared_device_data = shared_device_data;
            for (device, slot) in slots {
                if slot.policy == ExpirationPolicy::Volatile {
                    self.timers.set(Timer::Slot(id, device), now.after(self.config.volatile_grace));
                }
                group.slots.insert(device, DeviceSlot::restored(self.wall, slot));
            }
            self.groups.insert(id, group);
            self.count(id);
        }
    }

    /// Other settings from now on; what the listener and the store are for stays.
    pub const fn configure(&mut self, config: MediatorConfig) {
        let MediatorConfig { chat_server, stores, .. } = self.config;
        self.config = MediatorConfig { chat_server, stores, ..config };
    }

    /// What has changed since the last call, to be stored in one piece. To be called before [`Self::poll`], which tells
    /// nobody of it before [`MediatorInput::Committed`](super::MediatorInput::Committed) comes.
    pub fn take_batch(&mut self) -> Option<Batch> {
        self.wire.outbox().take_batch()
    }

    /// The store takes nothing more, at the end: closes go out, and what rests on what is not stored is never told.
    pub fn give_up_storing(&mut self) {
        self.wire.outbox().give_up();
    }

    pub(super) fn fetched(&mut self, id: ConnectionId, messages: Vec<StoredMessage>) {
        let Some(connection) = self.wire.get(id) else { return };
        let (Some(device), Some(group)) = (connection.device(), self.groups.get_mut(&connection.group)) else { return };
        if let Some(slot) = group.slots.get_mut(&device) {
            slot.fetched(id, messages);
        }
        group.pump_device(&mut self.wire, device);
    }

    /// At the end: when everybody left who is still here.
    pub(super) fn store_departures(&mut self) {
        let groups = self.groups.values();
        let connected = groups.flat_map(|group| group.slots.iter().map(|(device, slot)| (group.id, *device, slot)));
        for (group, device, _) in connected.filter(|(_, _, slot)| slot.session.is_some()) {
            self.wire.store(Change::LoggedOut { group, device, at: self.wall });
        }
    }
}
