//! How much all groups and connections together may take, and from whom it is taken back.

use std::collections::BTreeMap;

use super::Mediator;
use super::allowed::AllowedGroups;
use super::connection_id::ConnectionId;
use super::group::HostedGroup;
use super::log::{Closing, SlotRemoval};
use super::storage::Change;
use super::time::MediatorTime;
use super::timers::Timer;
use crate::protocol::{CloseCode, DeviceGroupId, DeviceId, Millis};

/// Why the devices of a group are not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupRefusal {
    /// The mediator is about to end.
    ShuttingDown,
    /// The group is not one of those that are served.
    NotAllowed,
    /// Another mediator serves the group, or will.
    Elsewhere,
    /// As many clients are logged in as may be.
    TooManyConnections,
    /// There are as many groups as there may be.
    TooManyGroups,
    /// What would be acknowledged cannot be stored, as on a full disk.
    NotStoring,
}

impl GroupRefusal {
    /// The reason, for whoever is refused.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::ShuttingDown => "the mediator is about to end",
            Self::NotAllowed => "this mediator does not serve the group",
            Self::Elsewhere => "another mediator serves the group",
            Self::TooManyConnections => "as many clients are logged in as may be",
            Self::TooManyGroups => "there are as many groups as there may be",
            Self::NotStoring => "the mediator can store nothing for now",
        }
    }

    /// Whether it is worth while to try again.
    #[must_use]
    pub const fn may_pass(self) -> bool {
        !matches!(self, Self::NotAllowed)
    }

    pub(super) const fn closing(self) -> Closing {
        let code = if self.may_pass() { CloseCode::TRY_AGAIN_LATER } else { CloseCode::POLICY_VIOLATION };
        Closing::new(code, self.words())
    }
}

/// What takes the most bytes of a group.
enum Largest {
    Slot(DeviceId),
    /// What of a stored queue is in memory, which goes with the connection.
    Window(ConnectionId),
    Connection(ConnectionId),
    /// What is reflected under a lock, which goes with its holder's connection.
    HeldBack(ConnectionId),
}

impl Mediator {
    /// Whether the devices of a group may log in, as far as can be told before they have.
    ///
    /// # Errors
    /// Why not.
    pub fn admits(&self, group: &DeviceGroupId) -> Result<(), GroupRefusal> {
        if self.shut_down {
            return Err(GroupRefusal::ShuttingDown);
        }
        self.serves(group)?;
        // Of a group with a connected device, it may be that one that comes back; the login will tell.
        if !self.groups.get(group).is_some_and(HostedGroup::is_connected) {
            self.has_room_for_a_connection()?;
        }
        if self.groups.len() >= self.config.max_groups && !self.groups.contains_key(group) {
            return Err(GroupRefusal::TooManyGroups);
        }
        Ok(())
    }

    fn serves(&self, group: &DeviceGroupId) -> Result<(), GroupRefusal> {
        if !self.allowed.contains(group) {
            return Err(GroupRefusal::NotAllowed);
        }
        if !self.config.prefixes.contains(group) || self.moved.contains(group) || self.moving.contains(group) {
            return Err(GroupRefusal::Elsewhere);
        }
        Ok(())
    }

    pub(super) const fn has_room_for_a_connection(&self) -> Result<(), GroupRefusal> {
        if self.logged_in < self.config.max_connections { Ok(()) } else { Err(GroupRefusal::TooManyConnections) }
    }

    /// Serves these groups from now on, as far as the configuration has them. The devices of others are closed; what is
    /// stored for them stays until it is forgotten.
    pub fn restrict(&mut self, now: impl Into<MediatorTime>, allowed: AllowedGroups) {
        let now = self.keep_time(now.into());
        self.allowed = allowed;
        for id in self.wire.ids() {
            let refused = self.wire.get(id).and_then(|connection| self.serves(&connection.group).err());
            if let Some(refusal) = refused {
                self.close(now, id, refusal.closing());
            }
        }
    }

    /// Whether logins are taken.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        !self.shut_down
    }

    /// Whether a connection has become that of a device.
    #[must_use]
    pub fn is_logged_in(&self, connection: ConnectionId) -> bool {
        self.wire.get(connection).is_some_and(|connection| connection.device().is_some())
    }

    /// The bytes that are held for all groups and connections.
    #[must_use]
    pub const fn held_bytes(&self) -> usize {
        self.counted + self.wire.held_bytes()
    }

    /// Counts a group anew, after something may have changed in it.
    pub(super) fn count(&mut self, id: DeviceGroupId) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        let bytes = group.bytes();
        self.counted = self.counted - group.counted + bytes;
        group.counted = bytes;
    }

    pub(super) fn remove_group(&mut self, id: DeviceGroupId) {
        self.timers.cancel(Timer::Group(id));
        self.timers.cancel(Timer::Lock(id));
        if let Some(group) = self.groups.remove(&id) {
            self.counted -= group.counted;
            self.wire.store(Change::GroupRemoved { group: id });
        }
    }

    /// Nobody of the group has logged in for long: all its slots end, and what it shared.
    pub(super) fn forget(&mut self, now: Millis, id: DeviceGroupId) {
        let Some(group) = self.groups.get(&id) else { return };
        if group.is_connected() {
            return;
        }
        for device in group.slots.keys().copied().collect::<Vec<_>>() {
            self.remove_slot(now, id, device, SlotRemoval::Forgotten);
        }
    }

    /// Takes from the group that holds most until all hold no more than they may.
    pub(super) fn keep_within_memory(&mut self, now: Millis) {
        while self.held_bytes() > self.config.max_memory {
            let Some((id, largest)) = self.largest() else { return };
            match largest {
                Largest::Slot(device) => self.remove_slot(now, id, device, SlotRemoval::MemoryLimit),
                Largest::Connection(connection) => self.close(now, connection, Closing::of_unread()),
                Largest::Window(connection) => {
                    let reason = "the mediator has no memory left for what it sends";
                    self.close(now, connection, Closing::new(CloseCode::TRY_AGAIN_LATER, reason));
                }
                Largest::HeldBack(connection) => {
                    let reason = "the mediator has no memory left for what the lock holds back";
                    self.close(now, connection, Closing::new(CloseCode::TRY_AGAIN_LATER, reason));
                }
            }
            self.count(id);
        }
    }

    /// The group that holds most, and what of it; [`None`] if there is nothing that could be given back.
    fn largest(&self) -> Option<(DeviceGroupId, Largest)> {
        let mut held: BTreeMap<DeviceGroupId, usize> =
            self.groups.iter().map(|(id, group)| (*id, group.counted)).collect();
        for (group, bytes) in self.wire.held_by_group() {
            *held.entry(group).or_default() += bytes;
        }
        let (id, _) = held.into_iter().max_by_key(|(_, bytes)| *bytes)?;
        let connection = self.wire.held_for(id).max_by_key(|(_, bytes)| *bytes);
        let connection = connection.map(|(connection, bytes)| (bytes, Largest::Connection(connection)));
        let group = self.groups.get(&id);
        let slots = group.into_iter().flat_map(|group| &group.slots);
        let slot = slots.filter_map(|(device, slot)| {
            let largest = if self.config.stores { Largest::Window(slot.connection()?) } else { Largest::Slot(*device) };
            Some((slot.bytes(), largest))
        });
        let lock = group.and_then(|group| {
            let lock = group.lock.as_ref()?;
            let holder = group.slots.get(&lock.holder)?.connection()?;
            Some((lock.held_back_bytes(), Largest::HeldBack(holder)))
        });
        let largest = slot.chain(connection).chain(lock).max_by_key(|(bytes, _)| *bytes);
        largest.filter(|(bytes, _)| *bytes > 0).map(|(_, largest)| (id, largest))
    }
}
