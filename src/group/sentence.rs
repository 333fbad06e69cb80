//! What an envelope says, as one sentence in the field's terms.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::protocol::MessageId;
use crate::protocol::d2d::{Conversation, Kind, MessageType, Summary, SyncAction};
use crate::text::Clean;

/// The sentence of an envelope.
#[must_use]
pub fn of(summary: &Summary) -> Clean {
    let mut sentence = match summary.kind {
        Kind::IncomingMessage => message(summary, "from"),
        Kind::OutgoingMessage => message(summary, "to"),
        Kind::IncomingMessageUpdate => update(summary, "read"),
        Kind::OutgoingMessageUpdate => update(summary, "sent"),
        Kind::UserProfileSync => sync(summary, "profile"),
        Kind::ContactSync => sync(summary, "contact"),
        Kind::GroupSync => sync(summary, "group"),
        Kind::DistributionListSync => sync(summary, "list"),
        Kind::SettingsSync => sync(summary, "settings"),
        Kind::MdmParameterSync => sync(summary, "MDM parameters"),
        Kind::Unknown => "content of an unknown kind".to_owned(),
    };
    let details = [
        summary.sender.as_ref().map(|sender| format!("from {sender}")),
        summary.detail.as_ref().map(|detail| detail.as_str().to_owned()),
        summary.nickname.as_ref().map(|nickname| format!("as {nickname}")),
    ];
    for (index, detail) in details.into_iter().flatten().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(sentence, "{}{detail}", if index == 0 { ": " } else { ", " });
    }
    Clean::new(&sentence)
}

/// With whom, in short: an identity, or the kind of thing and its id.
#[must_use]
pub fn conversation(conversation: &Conversation) -> Clean {
    Clean::new(&with(conversation))
}

fn with(conversation: &Conversation) -> Cow<'_, str> {
    match conversation {
        Conversation::Contact(identity) => Cow::Borrowed(identity.as_str()),
        Conversation::Group { id, .. } => Cow::Owned(format!("group {}", short(*id))),
        Conversation::DistributionList(id) => Cow::Owned(format!("list {}", short(*id))),
    }
}

fn message(summary: &Summary, preposition: &str) -> String {
    let name = summary.message_type.map_or("message", |message_type| type_name(message_type, summary));
    match &summary.conversation {
        Some(conversation) => format!("{name} {preposition} {}", with(conversation)),
        None => name.to_owned(),
    }
}

/// "text to group 1f3c…90", not "group text to group 1f3c…90"; but "group name to group 1f3c…90".
fn type_name(message_type: MessageType, summary: &Summary) -> &'static str {
    let name = message_type.name();
    let carries_content = matches!(message_type.0, 0x41..=0x46 | 0x52 | 0x53 | 0x81 | 0x83 | 0x93 | 0x94);
    match (name.strip_prefix("group "), &summary.conversation) {
        (Some(bare), Some(Conversation::Group { .. })) if carries_content => bare,
        _ => name,
    }
}

fn update(summary: &Summary, verb: &str) -> String {
    let messages = match summary.count {
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    };
    match &summary.conversation {
        Some(conversation) => format!("{verb} {messages}, {}", with(conversation)),
        None => format!("{verb} {messages}"),
    }
}

fn sync(summary: &Summary, what: &str) -> String {
    let verb = match summary.action {
        Some(SyncAction::Create) => "new ",
        Some(SyncAction::Delete) => "delete ",
        Some(SyncAction::Update) | None => "sync ",
    };
    match &summary.conversation {
        Some(Conversation::Contact(identity)) => format!("{verb}{what} {identity}"),
        Some(Conversation::Group { id, .. } | Conversation::DistributionList(id)) => {
            format!("{verb}{what} {}", short(*id))
        }
        // There is one profile and one set of settings: no verb needed.
        None if verb == "sync " => what.to_owned(),
        None => format!("{verb}{what}"),
    }
}

/// The ends of an id; enough to tell the groups of one person apart.
fn short(id: MessageId) -> String {
    let id = id.to_string();
    match (id.get(..4), id.get(id.len().saturating_sub(2)..)) {
        (Some(head), Some(tail)) => format!("{head}…{tail}"),
        _ => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(kind: Kind) -> Summary {
        Summary::blank(kind)
    }

    #[test]
    fn every_kind_reads_like_a_sentence() {
        let contact = Some(Conversation::Contact(Clean::literal("ECHOECHO")));
        let id = MessageId(u64::from_le_bytes([0x1f, 0x3c, 0, 0, 0, 0, 0, 0x90]));
        let group = Some(Conversation::Group { id, creator: Clean::literal("ECHOECHO") });
        let list = Some(Conversation::DistributionList(id));
        let typed = |number| Some(MessageType(number));
        let cases = [
            (
                Summary { conversation: contact.clone(), message_type: typed(0x01), ..summary(Kind::IncomingMessage) },
                "text from ECHOECHO",
            ),
            (
                Summary { conversation: group.clone(), message_type: typed(0x41), ..summary(Kind::OutgoingMessage) },
                "text to group 1f3c…90",
            ),
            (
                Summary { conversation: group.clone(), message_type: typed(0x4a), ..summary(Kind::OutgoingMessage) },
                "group setup to group 1f3c…90",
            ),
            (
                Summary { conversation: contact.clone(), message_type: typed(0x41), ..summary(Kind::IncomingMessage) },
                "group text from ECHOECHO",
            ),
            (
                Summary { conversation: list.clone(), message_type: typed(0x01), ..summary(Kind::OutgoingMessage) },
                "text to list 1f3c…90",
            ),
            (
                Summary { conversation: contact.clone(), message_type: typed(0xee), ..summary(Kind::IncomingMessage) },
                "unknown type from ECHOECHO",
            ),
            (
                Summary { conversation: contact.clone(), count: 3, ..summary(Kind::IncomingMessageUpdate) },
                "read 3 messages, ECHOECHO",
            ),
            (
                Summary { conversation: group.clone(), ..summary(Kind::OutgoingMessageUpdate) },
                "sent 1 message, group 1f3c…90",
            ),
            (
                Summary {
                    conversation: contact.clone(),
                    action: Some(SyncAction::Update),
                    detail: Some(Clean::literal("nickname")),
                    ..summary(Kind::ContactSync)
                },
                "sync contact ECHOECHO: nickname",
            ),
            (
                Summary { conversation: contact, action: Some(SyncAction::Create), ..summary(Kind::ContactSync) },
                "new contact ECHOECHO",
            ),
            (
                Summary { conversation: group, action: Some(SyncAction::Delete), ..summary(Kind::GroupSync) },
                "delete group 1f3c…90",
            ),
            (
                Summary {
                    conversation: list,
                    action: Some(SyncAction::Update),
                    detail: Some(Clean::literal("name, members")),
                    ..summary(Kind::DistributionListSync)
                },
                "sync list 1f3c…90: name, members",
            ),
            (
                Summary { detail: Some(Clean::literal("read receipts")), ..summary(Kind::SettingsSync) },
                "settings: read receipts",
            ),
            (
                Summary { detail: Some(Clean::literal("nickname")), ..summary(Kind::UserProfileSync) },
                "profile: nickname",
            ),
            (summary(Kind::MdmParameterSync), "MDM parameters"),
            (summary(Kind::Unknown), "content of an unknown kind"),
        ];
        for (summary, sentence) in cases {
            assert_eq!(of(&summary).as_str(), sentence, "the sentence of {summary:?}");
        }
    }
}
