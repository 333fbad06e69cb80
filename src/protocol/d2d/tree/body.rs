//! The structure of message bodies.

use std::time::Duration;

use bytes::Buf as _;
use serde_json::{Map, Value as Json};

use super::{Fields, TreeBranch, TreeValue};
use crate::protocol::d2d::content::{BLOB_ID, IDENTITY, OldMedia, Poll, object, receipt_word};
use crate::protocol::d2d::detail::{CallAnswer, Detail};
use crate::protocol::d2d::message_type::{GroupHeader, MessageType};
use crate::protocol::d2d::unknown;
use crate::protocol::ids::MessageId;
use crate::protocol::proto::csp_e2e;
use crate::text::Clean;

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
        0x01 | 0x41 => fields.put("text", TreeValue::private_bytes(rest)),
        0x02 | 0x13 | 0x14 | 0x43..=0x45 => old_media(fields, &OldMedia::read(message_type.0, rest)?),
        0x10 | 0x42 => location(fields, rest),
        0x80 | 0x81 => receipt(fields, rest)?,
        0x90 => fields.put("typing", TreeValue::Flag(*rest.first()? != 0)),
        0x82 | 0x83 => reaction(fields, rest)?,
        0x91 | 0x93 => {
            let edit = unknown::decode::<csp_e2e::EditMessage>(&rest).ok()?;
            fields.put("message id", TreeValue::Id(MessageId(edit.message_id)));
            fields.put("text", TreeValue::private(&edit.text));
        }
        0x92 | 0x94 => {
            let delete = unknown::decode::<csp_e2e::DeleteMessage>(&rest).ok()?;
            fields.put("message id", TreeValue::Id(MessageId(delete.message_id)));
        }
        0x15 | 0x52 => {
            id(fields, "poll id", &mut rest)?;
            poll(fields, &Poll::read(rest)?);
        }
        0x16 | 0x53 => {
            identity(fields, "poll creator", &mut rest)?;
            id(fields, "poll id", &mut rest)?;
            fields.put("votes", TreeValue::private_bytes(rest));
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
        0x4b => fields.put("name", TreeValue::private_bytes(rest)),
        0x4f => {
            let call = unknown::decode::<csp_e2e::GroupCallStart>(&rest).ok()?;
            fields.put("protocol version", TreeValue::Number(call.protocol_version.into()));
            fields.put("key", TreeValue::secret(call.gck.len()));
            fields.put("SFU base URL", TreeValue::text(&call.sfu_base_url));
        }
        0x60..=0x65 => call(fields, &object(rest)?),
        _ if rest.is_empty() => {}
        _ => fields.put("content", TreeValue::opaque(rest.len())),
    }
    Some(())
}

fn old_media(fields: &mut Fields, media: &OldMedia<'_>) {
    let number = |number: u32| TreeValue::Number(number.into());
    fields.maybe("duration in seconds", media.seconds.map(|seconds| number(seconds.into())));
    fields.put("blob id", TreeValue::bytes(media.blob_id));
    fields.put("size", number(media.size));
    if let Some((blob_id, size)) = media.thumbnail {
        fields.put("thumbnail blob id", TreeValue::bytes(blob_id));
        fields.put("thumbnail size", number(size));
    }
    fields.maybe("key", media.key.map(|key| TreeValue::secret(key.len())));
    fields.maybe("nonce", media.nonce.map(TreeValue::bytes));
}

/// Coordinates with their accuracy on the first line, then a name and an address, as far as there are such.
fn location(fields: &mut Fields, body: &[u8]) {
    let text = String::from_utf8_lossy(body);
    let mut lines = text.splitn(3, '\n');
    let coordinates = lines.next().unwrap_or_default();
    fields.put("coordinates", TreeValue::private(coordinates));
    match (lines.next(), lines.next()) {
        (Some(name), Some(address)) => {
            fields.put("place", TreeValue::private(name));
            fields.put("address", TreeValue::private(address));
        }
        (Some(place), None) => fields.put("place", TreeValue::private(place)),
        (None, _) => {}
    }
}

fn poll(fields: &mut Fields, poll: &Poll) {
    let word = |word| TreeValue::Text(Clean::literal(word));
    fields.put("state", word(if poll.is_closed() { "closed" } else { "open" }));
    let answers = poll.takes_several().map(|several| if several { "several choices" } else { "one choice" });
    fields.maybe("answers", answers.map(word));
    let results = poll.tells_every_vote().map(|every| if every { "at every vote" } else { "at the end" });
    fields.maybe("results", results.map(word));
    fields.maybe("question", poll.question().map(TreeValue::private));
    fields
        .list("choices", poll.choices().map(|words| TreeBranch::new("choice", TreeValue::private(words), Vec::new())));
}

fn call(fields: &mut Fields, description: &Map<String, Json>) {
    let number = |key| description.get(key).and_then(Json::as_u64);
    fields.maybe("call id", number("callId").map(TreeValue::Number));
    if let Some(answer) = CallAnswer::read(description) {
        fields.put("answer", TreeValue::text(&Detail::CallAnswer(answer).to_string()));
    }
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
    let reaction = unknown::decode::<csp_e2e::Reaction>(&rest).ok()?;
    fields.put("message id", TreeValue::Id(MessageId(reaction.message_id)));
    match &reaction.action {
        Some(Action::Apply(emoji)) => fields.put("apply", TreeValue::private_bytes(emoji)),
        Some(Action::Withdraw(emoji)) => fields.put("withdraw", TreeValue::private_bytes(emoji)),
        None => {}
    }
    Some(())
}

/// A file's description; its key is a secret.
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
    fields.maybe("file name", text("n").map(TreeValue::private));
    fields.maybe("caption", text("d").map(TreeValue::private));
    let Some(metadata) = description.get("x").and_then(Json::as_object) else { return };
    fields.maybe("width", metadata.get("w").and_then(Json::as_u64).map(TreeValue::Number));
    fields.maybe("height", metadata.get("h").and_then(Json::as_u64).map(TreeValue::Number));
    fields.maybe("duration in seconds", metadata.get("d").and_then(Json::as_f64).and_then(seconds));
}

/// As the app wrote it, but no longer than people want to read.
fn seconds(seconds: f64) -> Option<TreeValue> {
    let plays = Duration::try_from_secs_f64(seconds).ok()?;
    Some(TreeValue::text(&format!("{:.1}", plays.as_secs_f64())))
}

fn rendering(number: u64) -> TreeValue {
    TreeValue::Text(Clean::literal(match number {
        0 => "file",
        1 => "media",
        2 => "sticker",
        _ => return TreeValue::UnknownWord(i64::try_from(number).unwrap_or(i64::MAX)),
    }))
}
