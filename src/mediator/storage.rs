//! What a mediator has stored, where there is a store: changes that go out, and messages that come back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::connection_id::ConnectionId;
use super::operation_id::OperationId;
use super::prefixes::GroupPrefixes;
use crate::protocol::{
    DeviceGroupId, DeviceId, DeviceInfo, Envelope, ExpirationPolicy, Millis, Sealed, SharedDeviceData,
};

/// Changes that are stored together. Whatever tells of them waits for [`MediatorInput::Committed`].
///
/// [`MediatorInput::Committed`]: super::MediatorInput::Committed
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Counts batches from 1.
    pub number: u64,
    /// In the order in which they are to be made.
    pub changes: Vec<Change>,
}

/// Something to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A device logged in: its slot is there from now on, and with it its group.
    LoggedIn {
        /// The device's group.
        group: DeviceGroupId,
        /// The device that logged in.
        device: DeviceId,
        /// What it says of itself.
        device_info: Sealed<DeviceInfo>,
        /// Whether its slot is kept while it is away.
        policy: ExpirationPolicy,
        /// When it logged in.
        at: Millis,
        /// The number of the next message for it, if its slot is new.
        next: u64,
    },
    /// A device is connected no more.
    LoggedOut {
        /// The device's group.
        group: DeviceGroupId,
        /// The device that left.
        device: DeviceId,
        /// When it left, by the wall clock.
        at: Millis,
    },
    /// A device lost its slot and its queue.
    SlotRemoved {
        /// The device's group.
        group: DeviceGroupId,
        /// The device that lost its slot.
        device: DeviceId,
    },
    /// A group is gone with all its slots.
    GroupRemoved {
        /// The group that is gone.
        group: DeviceGroupId,
    },
    /// A group shares other data.
    SharedDeviceData {
        /// The group that shares it.
        group: DeviceGroupId,
        /// The data from now on.
        data: Sealed<SharedDeviceData>,
    },
    /// A message is in queues.
    Message {
        /// The group that it was reflected in.
        group: DeviceGroupId,
        /// When it was reflected.
        timestamp: Millis,
        /// The message itself.
        envelope: Sealed<Envelope>,
        /// In whose queues, and its number in each.
        to: Vec<(DeviceId, u64)>,
    },
    /// A device has acknowledged messages.
    Acknowledged {
        /// The device's group.
        group: DeviceGroupId,
        /// The device that acknowledged.
        device: DeviceId,
        /// The number of the first of them.
        first: u64,
        /// The number of the last of them; all between were acknowledged, too.
        last: u64,
        /// What they took of the queue's bytes.
        bytes: usize,
    },
    /// These groups are refused from now on, as another mediator has them, and no others.
    Moved(GroupPrefixes),
}

/// Messages that a mediator needs back from its store, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The connection that they are for.
    pub connection: ConnectionId,
    /// The group of its device.
    pub group: DeviceGroupId,
    /// The device that it waits for.
    pub device: DeviceId,
    /// The number from which on.
    pub from: u64,
    /// How many at most.
    pub messages: usize,
    /// How many bytes of envelopes at most; but one message at least.
    pub bytes: usize,
}

/// A message as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its number in the queue.
    pub number: u64,
    /// When it was reflected.
    pub timestamp: Millis,
    /// The message itself.
    pub envelope: Sealed<Envelope>,
}

/// All that was stored, without the messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredState {
    /// The groups with their slots.
    pub groups: Vec<StoredGroup>,
    /// The groups that another mediator has now.
    pub moved: GroupPrefixes,
}

/// A group as it was stored, without the messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredGroup {
    /// The group's id.
    pub id: DeviceGroupId,
    /// What its devices share.
    pub shared_device_data: Sealed<SharedDeviceData>,
    /// Its devices' slots.
    pub slots: BTreeMap<DeviceId, StoredSlot>,
}

/// A slot as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSlot {
    /// What the device says of itself.
    pub device_info: Sealed<DeviceInfo>,
    /// Whether it is kept while its device is away.
    pub policy: ExpirationPolicy,
    /// When its device last logged in.
    pub last_login: Millis,
    /// When its device last left, if it ever did.
    pub last_disconnect: Option<Millis>,
    /// The number of the next message.
    pub next: u64,
    /// How many messages are in its queue.
    pub messages: usize,
    /// What they take of the queue's bytes.
    pub bytes: usize,
}

/// What a message takes of a queue's bytes: its envelope, and what it takes besides.
#[must_use]
pub fn queue_bytes(envelope: &Sealed<Envelope>) -> usize {
    envelope.len() + super::connection::FRAME_OVERHEAD
}

/// What a store is asked for, in this order.
#[derive(Debug)]
pub enum StoreRequest {
    /// To make these changes.
    Batch(Batch),
    /// To read messages.
    Fetch(Fetch),
    /// To move groups to a file, or from there.
    Transfer(Transfer),
}

/// Groups that go to another mediator, or come from there.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// By which the reply is known.
    pub operation: OperationId,
    /// Groups that may be among them.
    pub prefixes: GroupPrefixes,
    /// The file that they are in.
    pub file: PathBuf,
    /// Whether they go or come.
    pub direction: TransferDirection,
}

/// Whether groups go or come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferDirection {
    /// They are written to a file, and stay.
    Export,
    /// They are read from a file, all or none of them.
    Import {
        /// The checksum that the file must have.
        digest: [u8; 32],
        /// The groups that other mediators still have then.
        moved: GroupPrefixes,
    },
}

/// What a store tells.
#[derive(Debug)]
pub enum StoreReply {
    /// A batch is stored, and all before it.
    Committed {
        /// The batch's number, which rises.
        batch: u64,
    },
    /// Messages that were asked for.
    Fetched {
        /// The connection that they are for.
        connection: ConnectionId,
        /// The messages, oldest first.
        messages: Vec<StoredMessage>,
    },
    /// Groups were moved to a file, or from there; or not, for the reason that these words say.
    Transferred {
        /// The number of the request.
        operation: OperationId,
        /// The groups that were moved.
        result: Result<Vec<StoredGroup>, String>,
    },
    /// Nothing can be stored now, for the reason that these words say; it is tried again until it can.
    Stalled(String),
    /// Nothing can be stored or read any more, for the reason that these words say.
    Failed(String),
}
