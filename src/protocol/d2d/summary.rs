//! [`EnvelopeSummary`]: what the feed tells of an envelope, without its bodies.

use std::fmt;

use serde::{Serialize, Serializer};

use super::detail::Detail;
use super::message_type::MessageType;
use crate::protocol::ids::{DeviceId, MessageId, Millis};
use crate::text::Clean;

/// Which content an envelope carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the content of the same name in the specification")]
pub enum ContentKind {
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
    /// A contact or group member wrote it.
    Incoming,
    /// To a contact or group.
    Outgoing,
    /// Between own devices only.
    Sync,
}

/// Whom a message is exchanged with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conversation {
    /// One contact, by identity.
    Contact(Clean),
    /// A group conversation.
    Group {
        /// The group's id under its creator, printed like a message id.
        id: MessageId,
        /// The creator's identity; empty if the message does not say.
        creator: Clean,
    },
    /// A list that the user sends to; nobody else knows of it.
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

/// What a message tells of the name of its conversation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NameChange {
    /// Of a group or distribution list. Empty if it was cleared.
    Whole(Clean),
    /// Of a contact, as the user calls it. A part that is [`None`] stays as it was, an empty one was cleared.
    Parts {
        /// The first name.
        first: Option<Clean>,
        /// The last name; may be missing.
        last: Option<Clean>,
    },
}

/// What the feed tells of an envelope. Bodies are counted, never kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct EnvelopeSummary {
    /// The device that reflected it; the seed's envelopes do not say.
    pub author: Option<DeviceId>,
    /// The device-to-device version of the author; 0 means the first.
    pub protocol_version: u32,
    /// The content of the envelope.
    pub kind: ContentKind,
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
    /// Who sent it, where the conversation does not say: an incoming message of a group.
    pub sender: Option<Clean>,
    /// What the sender calls itself (the seed's messages say so), or the contact of a contact sync; empty if that was
    /// cleared.
    pub nickname: Option<Clean>,
    /// The new name of the conversation. [`None`] if the message says nothing of it.
    pub name: Option<NameChange>,
    /// What else a reader wants to know.
    pub detail: Option<Detail>,
}

impl NameChange {
    /// The new name as a whole, unless a part of it is not told.
    #[must_use]
    pub fn whole(&self) -> Option<Clean> {
        match self {
            Self::Whole(name) => Some(name.clone()),
            Self::Parts { first, last } => {
                let (first, last) = (first.as_ref()?, last.as_ref()?);
                Some(Clean::new(format!("{first} {last}").trim()))
            }
        }
    }
}

impl EnvelopeSummary {
    /// A summary of which nothing but the kind is known.
    #[must_use]
    pub const fn blank(kind: ContentKind) -> Self {
        Self {
            author: None,
            protocol_version: 0,
            kind,
            conversation: None,
            message_type: None,
            message_id: None,
            created_at: None,
            action: None,
            body_length: 0,
            count: 1,
            sender: None,
            nickname: None,
            name: None,
            detail: None,
        }
    }

    /// Which way it went.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.kind.direction()
    }
}

impl ContentKind {
    /// All contents, in the order of the specification.
    pub const ALL: [Self; 11] = [
        Self::OutgoingMessage,
        Self::OutgoingMessageUpdate,
        Self::IncomingMessage,
        Self::IncomingMessageUpdate,
        Self::UserProfileSync,
        Self::ContactSync,
        Self::GroupSync,
        Self::DistributionListSync,
        Self::SettingsSync,
        Self::MdmParameterSync,
        Self::Unknown,
    ];

    /// The name in NDJSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OutgoingMessage => "outgoing_message",
            Self::OutgoingMessageUpdate => "outgoing_message_update",
            Self::IncomingMessage => "incoming_message",
            Self::IncomingMessageUpdate => "incoming_message_update",
            Self::UserProfileSync => "user_profile_sync",
            Self::ContactSync => "contact_sync",
            Self::GroupSync => "group_sync",
            Self::DistributionListSync => "distribution_list_sync",
            Self::SettingsSync => "settings_sync",
            Self::MdmParameterSync => "mdm_parameter_sync",
            Self::Unknown => "unknown",
        }
    }

    /// Which way it goes. Updates say how a message of ours or of a contact fared, so they go its way; a content that
    /// is not known stays between the devices as far as we can tell.
    #[must_use]
    pub const fn direction(self) -> Direction {
        match self {
            Self::OutgoingMessage | Self::OutgoingMessageUpdate => Direction::Outgoing,
            Self::IncomingMessage | Self::IncomingMessageUpdate => Direction::Incoming,
            _ => Direction::Sync,
        }
    }
}

impl fmt::Display for ContentKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::OutgoingMessage | Self::IncomingMessage => "message",
            Self::OutgoingMessageUpdate => "sent",
            Self::IncomingMessageUpdate => "read",
            Self::UserProfileSync => "profile",
            Self::ContactSync => "contact",
            Self::GroupSync => "group",
            Self::DistributionListSync => "distribution list",
            Self::SettingsSync => "settings",
            Self::MdmParameterSync => "MDM parameters",
            Self::Unknown => "unknown",
        })
    }
}

impl Direction {
    /// The name in NDJSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
            Self::Sync => "sync",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Incoming => "in",
            Self::Outgoing => "out",
            Self::Sync => "sync",
        })
    }
}

impl SyncAction {
    /// The name in NDJSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for SyncAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Conversation {
    /// Whether it only stands for one of which no more than a pseudonym is kept: its identity, or that of its creator,
    /// begins with `#`, as none does.
    #[must_use]
    pub fn is_stand_in(&self) -> bool {
        let (Self::Contact(identity) | Self::Group { creator: identity, .. }) = self else { return false };
        identity.as_str().starts_with('#')
    }

    /// The name of its kind in NDJSON.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Contact(_) => "contact",
            Self::Group { .. } => "group",
            Self::DistributionList(_) => "distribution_list",
        }
    }
}

/// By its stand-in, if it is one; else a contact by identity; a group or list by the first four hex digits of its id and the last two.
impl fmt::Display for Conversation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contact(identity) => fmt::Display::fmt(identity, formatter),
            Self::Group { creator, .. } if self.is_stand_in() => fmt::Display::fmt(creator, formatter),
            Self::Group { id, .. } => formatter.pad(&shortened(*id)),
            Self::DistributionList(id) => formatter.pad(&format!("list {}", shortened(*id))),
        }
    }
}

fn shortened(id: MessageId) -> String {
    let [first, second, .., last] = id.0.to_le_bytes();
    format!("{first:02x}{second:02x}…{last:02x}")
}

macro_rules! serialize_as_str {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )*};
}

serialize_as_str!(ContentKind, Direction, SyncAction);
