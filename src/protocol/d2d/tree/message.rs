//! Messages and what became of them, for both dialects.

use std::borrow::Cow;

use super::{Fields, TreeBranch, TreeValue, body};
use crate::protocol::d2d::detail::Detail;
use crate::protocol::d2d::message_type::MessageType;
use crate::protocol::ids::MessageId;
use crate::protocol::proto::{d2d, d2d_seed};

pub(super) fn outgoing(message: &d2d::OutgoingMessage) -> Fields {
    let mut fields = Fields::default();
    conversation(&mut fields, message.conversation.as_ref());
    head(&mut fields, message.message_id, message.created_at, message.r#type.into());
    fields.maybe("thread message id", message.thread_message_id.map(|id| TreeValue::Id(MessageId(id))));
    let nonce = |nonce: &bytes::Bytes| TreeBranch::new("nonce", TreeValue::bytes(nonce), Vec::new());
    fields.list("nonces", message.nonces.iter().map(nonce));
    content(&mut fields, message.r#type.into(), &message.body);
    fields
}

pub(super) fn incoming(message: &d2d::IncomingMessage) -> Fields {
    let mut fields = Fields::default();
    fields.put("sender identity", TreeValue::text(&message.sender_identity));
    head(&mut fields, message.message_id, message.created_at, message.r#type.into());
    fields.maybe("nonce", (!message.nonce.is_empty()).then(|| TreeValue::bytes(&message.nonce)));
    content(&mut fields, message.r#type.into(), &message.body);
    fields
}

pub(super) fn seed_outgoing(message: &d2d_seed::OutgoingMessage) -> Fields {
    use d2d_seed::message_receiver::Receiver;
    let mut fields = Fields::default();
    match message.receiver.as_ref().and_then(|receiver| receiver.receiver.as_ref()) {
        Some(Receiver::Identity(identity)) => fields.put("receiver identity", TreeValue::text(identity)),
        Some(Receiver::Group(group)) => fields.group("receiver group", Some(group)),
        None => {}
    }
    head(&mut fields, message.message_id, message.created_at, message.r#type.into());
    content(&mut fields, message.r#type.into(), &message.body);
    fields
}

pub(super) fn seed_incoming(message: &d2d_seed::IncomingMessage) -> Fields {
    let mut fields = Fields::default();
    fields.put("sender identity", TreeValue::text(&message.sender_identity));
    fields.maybe(
        "sender nickname",
        (!message.sender_nickname.is_empty()).then(|| TreeValue::private(&message.sender_nickname)),
    );
    head(&mut fields, message.message_id, message.created_at, message.r#type.into());
    content(&mut fields, message.r#type.into(), &message.body);
    fields
}

fn head(fields: &mut Fields, id: u64, created_at: u64, message_type: i64) {
    fields.put("message id", TreeValue::Id(MessageId(id)));
    fields.time("created at", Some(created_at));
    let name = u8::try_from(message_type)
        .map_or_else(|_| Cow::Owned(Detail::Type(message_type).to_string()), |byte| MessageType(byte).name());
    fields.put("type", TreeValue::text(&name));
}

fn content(fields: &mut Fields, message_type: i64, body: &[u8]) {
    fields.put("body bytes", TreeValue::Number(body.len() as u64));
    let Ok(byte) = u8::try_from(message_type) else { return };
    if let Some(branch) = fields.0.last_mut() {
        branch.children = body::read(MessageType(byte), body).0;
    }
}

pub(super) fn outgoing_update(update: &d2d::OutgoingMessageUpdate) -> Fields {
    use d2d::outgoing_message_update::update::Update;
    let mut fields = Fields::default();
    let branch = |one: &d2d::outgoing_message_update::Update| {
        let mut fields = updated(one.conversation.as_ref(), one.message_id);
        match &one.update {
            Some(Update::Sent(_)) => fields.put("sent", TreeValue::Present),
            None => {}
        }
        TreeBranch::new("update", TreeValue::Present, fields.0)
    };
    fields.list("updates", update.updates.iter().map(branch));
    fields
}

pub(super) fn incoming_update(update: &d2d::IncomingMessageUpdate) -> Fields {
    use d2d::incoming_message_update::update::Update;
    let mut fields = Fields::default();
    let branch = |one: &d2d::incoming_message_update::Update| {
        let mut fields = updated(one.conversation.as_ref(), one.message_id);
        match &one.update {
            Some(Update::Read(read)) => fields.time("read at", Some(read.at)),
            None => {}
        }
        TreeBranch::new("update", TreeValue::Present, fields.0)
    };
    fields.list("updates", update.updates.iter().map(branch));
    fields
}

fn updated(with: Option<&d2d::ConversationId>, message_id: u64) -> Fields {
    let mut fields = Fields::default();
    conversation(&mut fields, with);
    fields.put("message id", TreeValue::Id(MessageId(message_id)));
    fields
}

fn conversation(fields: &mut Fields, id: Option<&d2d::ConversationId>) {
    use d2d::conversation_id::Id;
    let mut inner = Fields::default();
    match id.and_then(|id| id.id.as_ref()) {
        Some(Id::Contact(identity)) => inner.put("contact", TreeValue::text(identity)),
        Some(Id::DistributionList(id)) => inner.put("distribution list", TreeValue::Id(MessageId(*id))),
        Some(Id::Group(group)) => inner.group("group", Some(group)),
        None => return,
    }
    fields.under("conversation", inner);
}
