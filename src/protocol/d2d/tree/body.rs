//! The structure of message bodies: ids, states and sizes; of what people wrote, the length.

use bytes::Buf as _;
use prost::Message as _;
use serde_json::{Map, Value as Json};

use super::{Fields, TreeBranch, TreeValue};
use crate::protocol::d2d::body::receipt_word;
use crate::protocol::d2d::message_type::{GroupHeader, MessageType};
use crate::protocol::ids::MessageId;
use crate::protocol::proto::csp_e2e;
use crate::text::Clean;

/// The bytes of an identity.
const IDENTITY: usize = 8;
/// The bytes of a blob's id.
const BLOB_ID: usize = 16;

/// The fields of a body. Of one that breaks off, those before the break.
pub(super) fn read(message_type: MessageType, body: &[u8]) -> Fields {
    let (mut fields, mut rest) = (Fields::default(), body);
    // Whatever is missing ends the reading, and what was read so far stays.
    let _ = header(&mut fields, message_type, &mut rest).and_then(|()| inside(&mut fields, message_type, rest));
    fields
}

fn header(fields: &mut Fields, message_type: MessageType, rest: &mut &[u8]) -> Option<()> {
    match message_type.group_header() {
        Some(GroupHeader::CreatorAndId) => {
            identity(fields, "group creator", rest)?;
            id(fields, "group id", rest)
        }
        Some(GroupHeader::IdOnly) => id(fields, "group id", rest),
        None => Some(()),
    }
}

fn inside(fields: &mut Fields, message_type: MessageType, mut rest: &[u8]) -> Option<()> {
    match message_type.0 {
        0x01 | 0x41 => fields.put("text", TreeValue::private(rest.len())),
        0x80 | 0x81 => receipt(fields, rest)?,
        0x90 => fields.put("typing", TreeValue::Flag(*rest.first()? != 0)),
        0x82 | 0x83 => reaction(fields, rest)?,
        0x91 | 0x93 => {
            let edit = csp_e2e::EditMessage::decode(rest).ok()?;
            fields.put("message id", TreeValue::Id(MessageId(edit.message_id)));
            fields.put("text", TreeValue::private(edit.text.len()));
        }
        0x92 | 0x94 => {
            let delete = csp_e2e::DeleteMessage::decode(rest).ok()?;
            fields.put("message id", TreeValue::Id(MessageId(delete.message_id)));
        }
        0x15 | 0x52 => {
            id(fields, "poll id", &mut rest)?;
            fields.put("poll", TreeValue::private(rest.len()));
        }
        0x16 | 0x53 => {
            identity(fields, "poll creator", &mut rest)?;
            id(fields, "poll id", &mut rest)?;
            fields.put("votes", TreeValue::private(rest.len()));
        }
        0x17 | 0x46 => file(fields, &object(rest)?),
        0x18 | 0x50 => {
            let (blob, after) = rest.split_at_checked(BLOB_ID)?;
            rest = after;
            fields.put("blob id", TreeValue::bytes(blob));
            fields.put("size", TreeValue::Number(rest.try_get_u32_le().ok()?.into()));
            fields.put("key", TreeValue::secret(rest.len()));
        }
        0x4a => {
            let member =
                |chunk: &[u8]| TreeBranch::new("identity", TreeValue::Text(Clean::from_bytes(chunk)), Vec::new());
            fields.list("members", rest.chunks_exact(IDENTITY).map(member));
        }
        0x4b => fields.put("name", TreeValue::Text(Clean::from_bytes(rest))),
        0x60..=0x65 => {
            fields.maybe("call id", object(rest)?.get("callId").and_then(Json::as_u64).map(TreeValue::Number))
        }
        _ if rest.is_empty() => {}
        _ => fields.put("content", TreeValue::private(rest.len())),
    }
    Some(())
}

fn identity(fields: &mut Fields, name: &'static str, rest: &mut &[u8]) -> Option<()> {
    let (identity, after) = rest.split_at_checked(IDENTITY)?;
    *rest = after;
    fields.put(name, TreeValue::Text(Clean::from_bytes(identity)));
    Some(())
}

fn id(fields: &mut Fields, name: &'static str, rest: &mut &[u8]) -> Option<()> {
    fields.put(name, TreeValue::Id(MessageId(rest.try_get_u64_le().ok()?)));
    Some(())
}

fn receipt(fields: &mut Fields, rest: &[u8]) -> Option<()> {
    let (status, ids) = rest.split_first()?;
    let word = receipt_word(*status)
        .map_or(TreeValue::UnknownWord((*status).into()), |word| TreeValue::Text(Clean::literal(word)));
    fields.put("status", word);
    let (ids, _) = ids.as_chunks();
    let message =
        |id: &[u8; 8]| TreeBranch::new("message id", TreeValue::Id(MessageId(u64::from_le_bytes(*id))), Vec::new());
    fields.list("messages", ids.iter().map(message));
    Some(())
}

fn reaction(fields: &mut Fields, rest: &[u8]) -> Option<()> {
    use csp_e2e::reaction::Action;
    let reaction = csp_e2e::Reaction::decode(rest).ok()?;
    fields.put("message id", TreeValue::Id(MessageId(reaction.message_id)));
    match &reaction.action {
        Some(Action::Apply(emoji)) => fields.put("apply", TreeValue::Text(Clean::from_bytes(emoji))),
        Some(Action::Withdraw(emoji)) => fields.put("withdraw", TreeValue::Text(Clean::from_bytes(emoji))),
        None => {}
    }
    Some(())
}

/// A file's description: its type and sizes, not its name, caption and key.
fn file(fields: &mut Fields, description: &Map<String, Json>) {
    let text = |key| description.get(key).and_then(Json::as_str);
    fields.maybe("media type", text("m").map(TreeValue::text));
    fields.maybe("size", description.get("s").and_then(Json::as_u64).map(TreeValue::Number));
    fields.maybe("rendering", description.get("j").and_then(Json::as_u64).map(rendering));
    fields.maybe("blob id", text("b").map(TreeValue::text));
    fields.maybe("thumbnail blob id", text("t").map(TreeValue::text));
    fields.maybe("thumbnail media type", text("p").map(TreeValue::text));
    fields.maybe("correlation id", text("c").map(TreeValue::text));
    fields.maybe("key", text("k").map(|key| TreeValue::secret(key.len())));
    fields.maybe("file name", text("n").map(|name| TreeValue::private(name.len())));
    fields.maybe("caption", text("d").map(|caption| TreeValue::private(caption.len())));
    let Some(metadata) = description.get("x").and_then(Json::as_object) else { return };
    fields.maybe("width", metadata.get("w").and_then(Json::as_u64).map(TreeValue::Number));
    fields.maybe("height", metadata.get("h").and_then(Json::as_u64).map(TreeValue::Number));
}

fn rendering(number: u64) -> TreeValue {
    TreeValue::Text(Clean::literal(match number {
        0 => "file",
        1 => "media",
        2 => "sticker",
        _ => return TreeValue::UnknownWord(i64::try_from(number).unwrap_or(i64::MAX)),
    }))
}

fn object(json: &[u8]) -> Option<Map<String, Json>> {
    serde_json::from_slice(json).ok()
}
