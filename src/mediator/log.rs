//! What the mediator has to tell whoever runs it. Nothing here comes from the wire but ids and numbers.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use super::connection_id::ConnectionId;
use super::prefixes::GroupPrefixes;
use crate::protocol::{CloseCode, DeviceGroupId, DeviceId, Dialect, SlotState};

/// Something happened that belongs in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEvent {
    /// A connection was made and got its challenge.
    Opened {
        /// The new connection.
        connection: ConnectionId,
        /// The group that its URL names.
        group: DeviceGroupId,
        /// The dialect that its URL tells.
        dialect: Dialect,
    },
    /// A device logged in.
    LoggedIn {
        /// The connection that the device uses.
        connection: ConnectionId,
        /// The group that the device belongs to.
        group: DeviceGroupId,
        /// The device that logged in.
        device: DeviceId,
        /// Whether its slot is new.
        slot: SlotState,
        /// How many messages wait for it.
        waiting: usize,
    },
    /// A device became leader.
    Promoted {
        /// The group with a new leader.
        group: DeviceGroupId,
        /// The new leader.
        device: DeviceId,
    },
    /// A device took the group's lock.
    LockTaken {
        /// The group whose lock was taken.
        group: DeviceGroupId,
        /// The device that holds the lock.
        device: DeviceId,
    },
    /// The group's lock is free again.
    LockReleased {
        /// The group whose lock is free.
        group: DeviceGroupId,
        /// The device that held the lock.
        device: DeviceId,
        /// Whether by a commit; otherwise what was held back is discarded.
        committed: bool,
    },
    /// A device lost its slot and its queue.
    SlotRemoved {
        /// The group that the device belonged to.
        group: DeviceGroupId,
        /// The device that lost its slot.
        device: DeviceId,
        /// The cause of the loss.
        cause: SlotRemoval,
    },
    /// Groups are in a file for another mediator, and no longer here.
    Exported {
        /// The groups that are refused from now on.
        prefixes: GroupPrefixes,
        /// How many there were.
        groups: usize,
        /// How many slots they had.
        devices: usize,
    },
    /// Groups of another mediator are here.
    Imported {
        /// The groups that may have come.
        prefixes: GroupPrefixes,
        /// How many were in the file.
        groups: usize,
        /// How many slots they have.
        devices: usize,
    },
    /// A device has a connection to the chat server.
    ChatOpened {
        /// The device's connection.
        connection: ConnectionId,
    },
    /// A device's connection to the chat server ended, or could not be made.
    ChatClosed {
        /// The device's connection.
        connection: ConnectionId,
        /// How the way to the chat server ended.
        end: ChatEnd,
        /// What the device sent.
        to_server: ChatTraffic,
        /// What the chat server sent.
        from_server: ChatTraffic,
        /// How long it lasted.
        lasted: Duration,
    },
    /// A connection ended.
    Closed {
        /// The connection that ended.
        connection: ConnectionId,
        /// The group that its URL named.
        group: DeviceGroupId,
        /// The device, if it had logged in.
        device: Option<DeviceId>,
        /// Who ended it, and for which reason.
        end: ConnectionEnd,
        /// How many frames came for the chat server.
        proxy_frames: u64,
        /// How long the connection lasted.
        lasted: Duration,
    },
}

/// Why a device lost its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotRemoval {
    /// A device of the group dropped it.
    DroppedBy(DeviceId),
    /// A new device needed the slot, and this one was used least recently.
    LeastRecent,
    /// Too many messages waited for it.
    QueueLimit,
    /// All groups together held too much, and this one's group most.
    MemoryLimit,
    /// It was volatile, and stayed away for longer than the grace.
    Expired,
    /// Nobody of its group has logged in for too long.
    Forgotten,
    /// Whoever runs the mediator took it away.
    ByOperator,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// The mediator closed it.
    Ours(Closing),
    /// The client closed it, with this code, or broke it off.
    Theirs(Option<CloseCode>),
}

/// A close by the mediator: what the close frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The code of the close frame.
    pub code: CloseCode,
    /// Why, for whoever reads the log or the close frame.
    pub reason: Cow<'static, str>,
}

impl Closing {
    pub(super) const fn new(code: CloseCode, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }

    /// With a code that says it all.
    pub(super) const fn of(code: CloseCode) -> Self {
        Self::new(code, code.meaning())
    }

    pub(super) const fn of_unread() -> Self {
        Self::new(CloseCode::IDLE, "the client does not read what is sent to it")
    }

    pub(super) const fn protocol_error(reason: &'static str) -> Self {
        Self::new(CloseCode::PROTOCOL_ERROR, reason)
    }
}

impl SlotRemoval {
    /// The word for it in the log and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DroppedBy(_) => "dropped",
            Self::LeastRecent => "least_recent",
            Self::QueueLimit => "queue_limit",
            Self::MemoryLimit => "memory_limit",
            Self::Expired => "expired",
            Self::Forgotten => "forgotten",
            Self::ByOperator => "operator",
        }
    }

    pub(super) const fn closing(self) -> Closing {
        match self {
            Self::DroppedBy(_) => Closing::new(CloseCode::DROPPED_BY_DEVICE, "dropped by a device of the group"),
            Self::ByOperator => Closing::new(CloseCode::DROPPED_BY_DEVICE, "dropped by who runs the mediator"),
            Self::LeastRecent => Closing::new(CloseCode::DROPPED_BY_DEVICE, "a new device needed the slot"),
            Self::QueueLimit => Closing::new(CloseCode::REFLECTION_QUEUE_LIMIT, "too many messages were waiting"),
            Self::MemoryLimit => Closing::new(
                CloseCode::REFLECTION_QUEUE_LIMIT,
                "the mediator had no memory left for the messages that waited",
            ),
            Self::Expired | Self::Forgotten => Closing::new(CloseCode::IDLE, "the slot expired"),
        }
    }
}

/// How a connection to the chat server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatEnd {
    /// The device's connection ended.
    Device,
    /// The chat server closed it, or it broke.
    Server,
    /// The connection could not be made, for this reason.
    Unreachable(io::ErrorKind),
    /// What the chat server sent cannot be passed on.
    Unframed,
}

/// What went one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChatTraffic {
    /// The number of chat frames.
    pub frames: u64,
    /// The number of bytes in these frames.
    pub bytes: u64,
}

impl ChatTraffic {
    /// One more frame, of so many bytes.
    pub const fn count(&mut self, bytes: usize) {
        self.frames += 1;
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }
}
