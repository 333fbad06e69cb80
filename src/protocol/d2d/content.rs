//! What the bodies of end-to-end messages are made of, where that is more than a text; read for the summary and for the
//! tree of fields alike.

use bytes::Buf as _;
use serde_json::{Map, Value as Json};

use super::message_type::MessageType;
use crate::text::Clean;

/// The bytes of an identity.
pub(super) const IDENTITY: usize = 8;
/// The bytes of a message id, group id or poll id.
pub(super) const ID: usize = 8;
/// The bytes of a blob's id.
pub(super) const BLOB_ID: usize = 16;

/// A body that is one JSON object.
pub(super) fn object(json: &[u8]) -> Option<Map<String, Json>> {
    serde_json::from_slice(json).ok()
}

/// An image, audio or video of the types that files have replaced.
pub(super) struct OldMedia<'a> {
    /// How long it plays.
    pub(super) seconds: Option<u16>,
    pub(super) blob_id: &'a [u8],
    /// The bytes of the blob.
    pub(super) size: u32,
    /// Of a video: the thumbnail's blob and its bytes.
    pub(super) thumbnail: Option<(&'a [u8], u32)>,
    /// The key of the blobs.
    pub(super) key: Option<&'a [u8]>,
    /// An image to a contact has a nonce instead: the contacts' own keys seal it.
    pub(super) nonce: Option<&'a [u8]>,
}

impl<'a> OldMedia<'a> {
    /// Reads what follows the group's header, if there is one.
    pub(super) fn read(message_type: u8, mut body: &'a [u8]) -> Option<Self> {
        let plays = matches!(message_type, 0x13 | 0x14 | 0x44 | 0x45);
        let seconds = if plays { Some(body.try_get_u16_le().ok()?) } else { None };
        let (blob_id, size) = blob(&mut body)?;
        let has_thumbnail = matches!(message_type, 0x13 | 0x44);
        let thumbnail = if has_thumbnail { Some(blob(&mut body)?) } else { None };
        let (key, nonce) = if message_type == 0x02 { (None, Some(body)) } else { (Some(body), None) };
        Some(Self { seconds, blob_id, size, thumbnail, key, nonce })
    }
}

fn blob<'a>(body: &mut &'a [u8]) -> Option<(&'a [u8], u32)> {
    let (id, rest) = body.split_at_checked(BLOB_ID)?;
    *body = rest;
    Some((id, body.try_get_u32_le().ok()?))
}

/// A poll, as its JSON describes it.
pub(super) struct Poll(Map<String, Json>);

impl Poll {
    /// Reads what follows the poll's id.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        object(json).map(Self)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.number("s") == Some(1)
    }

    /// Whether the result is told at every vote, and not only when the poll is closed.
    pub(super) fn tells_every_vote(&self) -> Option<bool> {
        match self.number("t")? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(super) fn takes_several(&self) -> Option<bool> {
        match self.number("a")? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(super) fn question(&self) -> Option<&str> {
        self.0.get("d")?.as_str()
    }

    /// The choices as they are worded.
    pub(super) fn choices(&self) -> impl ExactSizeIterator<Item = &str> {
        let choices = self.0.get("c").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        choices.iter().map(|choice| choice.get("n").and_then(Json::as_str).unwrap_or_default())
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.0.get(key)?.as_u64()
    }
}

/// What the body of a receipt or a typing indicator says, in words.
pub(super) fn words(message_type: MessageType, body: &[u8]) -> Option<Clean> {
    match message_type {
        MessageType::TYPING_INDICATOR => Some(Clean::literal(if *body.first()? == 0 { "stopped" } else { "typing" })),
        MessageType::DELIVERY_RECEIPT => receipt(body),
        MessageType::GROUP_DELIVERY_RECEIPT => receipt(body.get(IDENTITY + ID..)?),
        _ => None,
    }
}

fn receipt(body: &[u8]) -> Option<Clean> {
    let (status, ids) = body.split_first()?;
    let status = receipt_word(*status).unwrap_or("unknown status");
    Some(match ids.len() / ID {
        1 => Clean::literal(status),
        count => Clean::new(&format!("{status}, {count} messages")),
    })
}

/// What a receipt's status says.
pub(super) const fn receipt_word(status: u8) -> Option<&'static str> {
    Some(match status {
        1 => "received",
        2 => "read",
        3 => "thumbs up",
        4 => "thumbs down",
        _ => return None,
    })
}
