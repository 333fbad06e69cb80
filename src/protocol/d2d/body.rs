//! Bodies of end-to-end messages, as far as a dashboard needs them: which group, which receipt, typing or not. Also
//! the other way: [`MessageDraft`] makes the bodies that apps send most.

use std::collections::BTreeSet;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::Message as _;

use super::content::{ID, IDENTITY};
use super::message_type::{GroupHeader, MessageType};
use super::summary::Conversation;
use super::unknown::{self, FieldPath};
use crate::protocol::ids::{MessageId, Millis};
use crate::protocol::proto::csp_e2e;
use crate::text::Clean;

/// What a delivery receipt says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptStatus {
    /// The message arrived at the receiver's device.
    Received,
    /// The receiver read the message.
    Read,
}

/// An end-to-end message to be reflected: its type, body and what stands beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageDraft {
    /// Random, unique for its sender.
    pub id: MessageId,
    /// When its author made it.
    pub created_at: Millis,
    /// The message type of the body.
    pub message_type: MessageType,
    /// The body without its padding.
    pub body: Bytes,
}

impl MessageDraft {
    const fn new(id: MessageId, created_at: Millis, message_type: MessageType, body: Bytes) -> Self {
        Self { id, created_at, message_type, body }
    }

    /// A text message.
    #[must_use]
    pub fn text(id: MessageId, created_at: Millis, text: &str) -> Self {
        Self::new(id, created_at, MessageType::TEXT, Bytes::copy_from_slice(text.as_bytes()))
    }

    /// A file: the JSON that describes it.
    #[must_use]
    pub fn file(id: MessageId, created_at: Millis, json: &str) -> Self {
        Self::new(id, created_at, MessageType::FILE, Bytes::copy_from_slice(json.as_bytes()))
    }

    /// Whether its author is typing.
    #[must_use]
    pub fn typing(id: MessageId, created_at: Millis, typing: bool) -> Self {
        Self::new(id, created_at, MessageType::TYPING_INDICATOR, Bytes::copy_from_slice(&[u8::from(typing)]))
    }

    /// A receipt for messages.
    #[must_use]
    pub fn delivery_receipt(id: MessageId, created_at: Millis, status: ReceiptStatus, messages: &[MessageId]) -> Self {
        let mut body = BytesMut::with_capacity(1 + messages.len() * ID);
        body.put_u8(match status {
            ReceiptStatus::Received => 1,
            ReceiptStatus::Read => 2,
        });
        for message in messages {
            body.put_u64_le(message.0);
        }
        Self::new(id, created_at, MessageType::DELIVERY_RECEIPT, body.freeze())
    }

    /// An emoji put to a message.
    #[must_use]
    pub fn reaction(id: MessageId, created_at: Millis, message: MessageId, emoji: &str) -> Self {
        let action = Some(csp_e2e::reaction::Action::Apply(Bytes::copy_from_slice(emoji.as_bytes())));
        let body = csp_e2e::Reaction { message_id: message.0, action }.encode_to_vec();
        Self::new(id, created_at, MessageType::REACTION, body.into())
    }

    /// The same message to a group. [`None`] if there is no such message for groups, or the creator is no identity of
    /// eight bytes.
    #[must_use]
    pub fn in_group(self, group: MessageId, creator: &str) -> Option<Self> {
        let message_type = match self.message_type {
            MessageType::TEXT => MessageType::GROUP_TEXT,
            MessageType::FILE => MessageType::GROUP_FILE,
            MessageType::DELIVERY_RECEIPT => MessageType::GROUP_DELIVERY_RECEIPT,
            MessageType::REACTION => MessageType::GROUP_REACTION,
            _ => return None,
        };
        if creator.len() != IDENTITY {
            return None;
        }
        let mut body = BytesMut::with_capacity(IDENTITY + ID + self.body.len());
        body.put_slice(creator.as_bytes());
        body.put_u64_le(group.0);
        body.put_slice(&self.body);
        Some(Self { message_type, body: body.freeze(), ..self })
    }
}

/// The group that a body names. `sender` is the creator where the body leaves that out, unless the user is it: then the
/// creator is left empty, since envelopes do not tell the user's identity.
pub(super) fn group(message_type: MessageType, mut body: &[u8], sender: &str) -> Option<Conversation> {
    let creator = match message_type.group_header()? {
        GroupHeader::CreatorAndId => {
            let (creator, rest) = body.split_first_chunk::<IDENTITY>()?;
            body = rest;
            Clean::from_bytes(creator)
        }
        // A member asks the creator, which is the user.
        GroupHeader::IdOnly if message_type == MessageType::GROUP_SYNC_REQUEST => Clean::default(),
        GroupHeader::IdOnly => Clean::new(sender),
    };
    let id = MessageId(body.try_get_u64_le().ok()?);
    Some(Conversation::Group { id, creator })
}

/// The fields of a body that the schema does not have, if the body is such that has fields.
pub(super) fn unknown_fields(message_type: MessageType, body: &[u8]) -> BTreeSet<FieldPath> {
    let Some(body) = message_type.after_header(body) else { return BTreeSet::new() };
    match message_type.0 {
        0x4f => unknown::paths::<csp_e2e::GroupCallStart>(body),
        0x82 | 0x83 => unknown::paths::<csp_e2e::Reaction>(body),
        0x91 | 0x93 => unknown::paths::<csp_e2e::EditMessage>(body),
        0x92 | 0x94 => unknown::paths::<csp_e2e::DeleteMessage>(body),
        _ => BTreeSet::new(),
    }
}

/// The name in the body of a message of type [`MessageType::GROUP_NAME`].
pub(super) fn group_name(body: &[u8]) -> Option<Clean> {
    Some(Clean::from_bytes(body.get(ID..)?))
}
