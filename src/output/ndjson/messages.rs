//! Lines about messages, live and out of the journal.

use serde_json::{Map, Value, json};

use super::{line, span_micros};
use crate::group::ReflectedMessage;
use crate::journal::HistoryRow;
use crate::protocol::d2d::{Conversation, EnvelopeSummary, MessageType, SyncAction};
use crate::protocol::{Millis, OpenError};

/// The line of one message.
#[must_use]
pub fn reflected_line(at: Millis, message: &ReflectedMessage) -> Value {
    line(at, "reflected", reflected(message))
}

fn reflected(message: &ReflectedMessage) -> Value {
    let value = json!({
        "id": message.id,
        "stored_at": message.stored_at,
        "received_at": message.received_at,
        "size": message.size,
        "ephemeral": message.ephemeral,
        "redelivered": message.redelivered,
        "repeated_nonce": message.repeated_nonce,
        "nonce": message.nonce.map(|nonce| hex::encode(nonce.0)),
    });
    with_content(value, &message.content)
}

/// The line of a message out of the journal.
#[must_use]
pub fn recorded(recorded: &HistoryRow) -> Value {
    let row = &recorded.row;
    let fields = json!({
        "id": row.id,
        "stored_at": row.stored_at,
        "received_at": row.received_at,
        "size": row.size,
        "ephemeral": row.marks.ephemeral,
        "redelivered": row.marks.redelivered,
        "repeated_nonce": row.marks.repeated_nonce,
        "nonce": row.nonce.map(|nonce| hex::encode(nonce.0)),
        "row": recorded.number,
        "acknowledged_at": recorded.acknowledged_at,
        "waited_us": row.acknowledged_after.map(span_micros),
        "conversation_pseudonym": recorded.conversation,
        "sender_pseudonym": recorded.sender,
    });
    line(row.received_at, "reflected", with_content(fields, &row.content))
}

fn with_content(mut value: Value, content: &Result<EnvelopeSummary, OpenError>) -> Value {
    if let Value::Object(object) = &mut value {
        match content {
            Ok(summary) => object.extend(summarized(summary)),
            Err(error) => {
                object.insert("undecryptable".to_owned(), error.to_string().into());
            }
        }
    }
    value
}

fn summarized(summary: &EnvelopeSummary) -> Map<String, Value> {
    let fields = json!({
        "from": summary.author,
        "kind": summary.kind.as_str(),
        "direction": summary.direction().as_str(),
        "type": summary.message_type.map(MessageType::name),
        "conversation": summary.conversation.as_ref().map(conversation),
        "message_id": summary.message_id,
        "created_at": summary.created_at,
        "action": summary.action.map(SyncAction::as_str),
        "body_length": summary.body_length,
        "count": summary.count,
        "sender": summary.sender,
        "nickname": summary.nickname,
        "name": summary.name,
        "detail": summary.detail,
        "d2d_version": summary.protocol_version,
    });
    match fields {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn conversation(conversation: &Conversation) -> Value {
    match conversation {
        Conversation::Contact(identity) => json!({ "contact": identity }),
        Conversation::Group { id, creator } => json!({ "group": id, "creator": creator }),
        Conversation::DistributionList(id) => json!({ "distribution_list": id }),
    }
}
