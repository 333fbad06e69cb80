//! [`MessageType`]: the type byte of an end-to-end message and its name.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

/// The type of an end-to-end message, one byte on the wire; shown by the specification's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageType(pub u8);

/// Where the body of a group's message tells the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupHeader {
    /// Creator's identity, then group id: any member may send it.
    CreatorAndId,
    /// Group id only: the creator sends it.
    IdOnly,
}

impl GroupHeader {
    /// How many bytes of the body it takes.
    const fn length(self) -> usize {
        match self {
            Self::CreatorAndId => 16,
            Self::IdOnly => 8,
        }
    }
}

#[allow(missing_docs, reason = "each is the type of the same name in the specification")]
impl MessageType {
    pub const TEXT: Self = Self(0x01);
    pub const FILE: Self = Self(0x17);
    pub const GROUP_TEXT: Self = Self(0x41);
    pub const GROUP_FILE: Self = Self(0x46);
    pub const GROUP_SETUP: Self = Self(0x4a);
    pub const GROUP_NAME: Self = Self(0x4b);
    pub const SET_GROUP_PICTURE: Self = Self(0x50);
    pub const GROUP_SYNC_REQUEST: Self = Self(0x51);
    pub const DELETE_GROUP_PICTURE: Self = Self(0x54);
    pub const DELIVERY_RECEIPT: Self = Self(0x80);
    pub const GROUP_DELIVERY_RECEIPT: Self = Self(0x81);
    pub const REACTION: Self = Self(0x82);
    pub const GROUP_REACTION: Self = Self(0x83);
    pub const TYPING_INDICATOR: Self = Self(0x90);
    pub const EDIT: Self = Self(0x91);
    pub const DELETE: Self = Self(0x92);
    pub const GROUP_EDIT: Self = Self(0x93);
    pub const GROUP_DELETE: Self = Self(0x94);
}

impl MessageType {
    /// The name; of a type that the specification does not have, its number: `type 149`.
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        self.known_name().map_or_else(|| Cow::Owned(format!("type {}", self.0)), Cow::Borrowed)
    }

    /// The name, if the specification has one.
    #[must_use]
    pub const fn known_name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x00 => "invalid",
            0x01 => "text",
            0x02 => "image (old)",
            0x10 => "location",
            0x13 => "video (old)",
            0x14 => "audio (old)",
            0x15 => "poll setup",
            0x16 => "poll vote",
            0x17 => "file",
            0x18 => "set contact picture",
            0x19 => "delete contact picture",
            0x1a => "request contact picture",
            0x41 => "group text",
            0x42 => "group location",
            0x43 => "group image (old)",
            0x44 => "group video (old)",
            0x45 => "group audio (old)",
            0x46 => "group file",
            0x4a => "group setup",
            0x4b => "group name",
            0x4c => "group leave",
            0x4f => "group call start",
            0x50 => "set group picture",
            0x51 => "group sync request",
            0x52 => "group poll setup",
            0x53 => "group poll vote",
            0x54 => "delete group picture",
            0x60 => "call offer",
            0x61 => "call answer",
            0x62 => "call ICE",
            0x63 => "call hang-up",
            0x64 => "call ringing",
            // In the seed's days only.
            0x65 => "call missed",
            0x80 => "delivery receipt",
            0x81 => "group delivery receipt",
            0x82 => "reaction",
            0x83 => "group reaction",
            0x90 => "typing indicator",
            0x91 => "edit message",
            0x92 => "delete message",
            0x93 => "group edit",
            0x94 => "group delete",
            0xa0 => "forward-security envelope",
            0xfc => "empty",
            0xfd => "work sync delta",
            0xfe => "web session resume",
            _ => return None,
        })
    }

    /// Where its body tells the group, if it is a group's message.
    pub(super) const fn group_header(self) -> Option<GroupHeader> {
        match self.0 {
            0x41..=0x46 | 0x4c | 0x4f | 0x52 | 0x53 | 0x81 | 0x83 | 0x93 | 0x94 => Some(GroupHeader::CreatorAndId),
            0x4a | 0x4b | 0x50 | 0x51 | 0x54 => Some(GroupHeader::IdOnly),
            _ => None,
        }
    }

    /// What its body says after the group, if it is a group's message; else all of it. [`None`] of one that is too short.
    pub(super) fn after_header(self, body: &[u8]) -> Option<&[u8]> {
        self.group_header().map_or(Some(body), |header| body.get(header.length()..))
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.name())
    }
}

impl Serialize for MessageType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}
