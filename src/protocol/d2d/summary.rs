//! [`Summary`]: what the feed tells of an envelope, without its bodies.

use crate::protocol::ids::{DeviceId, MessageId, Millis};
use crate::text::Clean;

/// Which content an envelope carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the content of the same name in the specification")]
pub enum Kind {
    OutgoingMessage,
    OutgoingMessageUpdate,
    IncomingMessage,
    IncomingMessageUpdate,
    UserProfileSync,
    ContactSync,
    GroupSync,
    DistributionListSync,
    SettingsSync,
    MdmParameterSync,
    /// No content that any specification names.
    Unknown,
}

/// Which way a message went, seen from the group of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From a contact.
    Incoming,
    /// To a contact or group.
    Outgoing,
    /// Between own devices only.
    Sync,
}

/// Whom a message is exchanged with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Conversation {
    /// One contact, by identity.
    Contact(Clean),
    /// A group.
    Group {
        /// The group's id under its creator, printed like a message id.
        id: MessageId,
        /// The creator's identity.
        creator: Clean,
    },
    /// A distribution list.
    DistributionList(MessageId),
}

/// What a sync message does to the thing it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each says what it is")]
pub enum SyncAction {
    Create,
    Update,
    Delete,
}

/// The type of an end-to-end message, one byte on the wire; shown by the specification's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageType(pub u8);

impl MessageType {
    /// The type's name, in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            0x01 => "text",
            0x10 => "location",
            0x17 => "file",
            0x41 => "group text",
            0x4a => "group setup",
            0x80 => "delivery receipt",
            0x90 => "typing indicator",
            _ => "unknown type",
        }
    }
}

/// What the feed tells of an envelope. Bodies are counted, never kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The device that reflected it; the seed's envelopes do not say.
    pub author: Option<DeviceId>,
    /// The device-to-device version of the author; 0 means the first.
    pub protocol_version: u32,
    /// Which content.
    pub kind: Kind,
    /// With whom, if with someone.
    pub conversation: Option<Conversation>,
    /// Of which type, for messages.
    pub message_type: Option<MessageType>,
    /// The message's id, for messages, or that of the first update.
    pub message_id: Option<MessageId>,
    /// When its author made it, for messages.
    pub created_at: Option<Millis>,
    /// What is done, for sync messages.
    pub action: Option<SyncAction>,
    /// The bytes of the body (messages) or of the synchronised value (sync).
    pub body_length: u32,
    /// How many: updates in an update, nonces in an outgoing message; 1 otherwise.
    pub count: u32,
    /// What else a reader wants to know, such as which fields changed.
    pub detail: Option<Clean>,
}
