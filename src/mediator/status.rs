//! What there is of each group at the moment: for whoever runs the mediator.

use std::time::Duration;

use super::Mediator;
use super::connection_id::ConnectionId;
use super::prefixes::GroupPrefixes;
use super::timers::Timer;
use crate::protocol::{DeviceGroupId, DeviceId, ExpirationPolicy, Millis};

/// All groups, and which may be here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediatorStatus {
    /// Whether logins are taken.
    pub ready: bool,
    /// The groups that are served.
    pub prefixes: GroupPrefixes,
    /// Those that were moved to another mediator.
    pub moved: GroupPrefixes,
    /// The groups that have a slot.
    pub groups: Vec<GroupStatus>,
}

/// A group with its devices, its leader and its lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupStatus {
    /// The group's id.
    pub id: DeviceGroupId,
    /// The device that leads, if one does.
    pub leader: Option<DeviceId>,
    /// The lock, if a device holds it.
    pub lock: Option<LockStatus>,
    /// The group's slots.
    pub devices: Vec<DeviceStatus>,
}

/// A lock that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockStatus {
    /// The device that holds it.
    pub holder: DeviceId,
    /// How long it may hold it still.
    pub left: Duration,
    /// How many messages it has reflected under it.
    pub messages: usize,
    /// The bytes of these messages, as queues count them.
    pub bytes: usize,
}

/// A slot, its connection, and what waits for its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceStatus {
    /// The device that has it.
    pub device: DeviceId,
    /// The device's connection, if it is there.
    pub connection: Option<ConnectionId>,
    /// Whether the slot is kept while the device is away.
    pub policy: ExpirationPolicy,
    /// When it last logged in.
    pub last_login: Millis,
    /// When it last left, if it ever did.
    pub last_disconnect: Option<Millis>,
    /// How many messages wait for it.
    pub messages: usize,
    /// What they take of the queue's bytes.
    pub bytes: usize,
}

/// The first eight digits of a group's id: enough to tell groups apart in a log.
#[must_use]
pub fn pseudonym(group: &DeviceGroupId) -> String {
    let [first, second, third, fourth, ..] = group.0;
    hex::encode([first, second, third, fourth])
}

impl Mediator {
    /// All groups. Looks at every slot, so not for every message.
    #[must_use]
    pub fn status(&self) -> MediatorStatus {
        let slots = |(device, slot): (&DeviceId, &super::slot::DeviceSlot)| DeviceStatus {
            device: *device,
            connection: slot.connection(),
            policy: slot.policy,
            last_login: slot.last_login,
            last_disconnect: slot.last_disconnect,
            messages: slot.queue.waiting(),
            bytes: slot.queue.bytes(),
        };
        let status = |group: &super::group::HostedGroup| GroupStatus {
            id: group.id,
            leader: group.leader(),
            lock: group.lock.as_ref().map(|lock| LockStatus {
                holder: lock.holder,
                left: self.timers.at(Timer::Lock(group.id)).map_or(Duration::ZERO, |at| at.since(self.wire.now)),
                messages: lock.held_back(),
                bytes: lock.held_back_bytes(),
            }),
            devices: group.slots.iter().map(slots).collect(),
        };
        MediatorStatus {
            ready: !self.shut_down,
            prefixes: self.config.prefixes,
            moved: self.moved,
            groups: self.groups.values().map(status).collect(),
        }
    }
}
