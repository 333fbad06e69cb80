//! What an envelope says, as one sentence in the field's terms.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::names::ConversationNames;
use crate::protocol::MessageId;
use crate::protocol::d2d::{ContentKind, Conversation, Detail, EnvelopeSummary, MessageType, SyncAction};
use crate::text::Clean;

/// The sentence of an envelope. Whoever has a name is told by it.
#[must_use]
pub fn of(summary: &EnvelopeSummary, names: &ConversationNames) -> Clean {
    let mut sentence = match summary.kind {
        ContentKind::IncomingMessage => incoming(summary, names),
        ContentKind::OutgoingMessage => outgoing(summary, names),
        ContentKind::IncomingMessageUpdate => update(summary, "read", names),
        ContentKind::OutgoingMessageUpdate => update(summary, "sent", names),
        ContentKind::UserProfileSync => sync(summary, "profile", names),
        ContentKind::ContactSync => sync(summary, "contact", names),
        ContentKind::GroupSync => sync(summary, "group", names),
        ContentKind::DistributionListSync => sync(summary, "list", names),
        ContentKind::SettingsSync => sync(summary, "settings", names),
        ContentKind::MdmParameterSync => sync(summary, "MDM parameters", names),
        ContentKind::Unknown => "content of an unknown kind".to_owned(),
    };
    let details = [said_of(summary), nickname(summary, names).map(|nickname| format!("as {nickname}"))];
    for (index, detail) in details.into_iter().flatten().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(sentence, "{}{detail}", if index == 0 { ": " } else { ", " });
    }
    Clean::new(&sentence)
}

fn with<'a>(conversation: &'a Conversation, names: &'a ConversationNames) -> Cow<'a, str> {
    match conversation {
        Conversation::Contact(identity) => Cow::Borrowed(names.of(conversation).unwrap_or(identity).as_str()),
        Conversation::Group { .. } => Cow::Owned(format!("group {}", called(conversation, names))),
        Conversation::DistributionList(_) => Cow::Owned(format!("list {}", called(conversation, names))),
    }
}

/// The name alone, or what stands for it.
fn called<'a>(conversation: &'a Conversation, names: &'a ConversationNames) -> Cow<'a, str> {
    match (names.of(conversation), conversation) {
        (Some(name), _) => Cow::Borrowed(name.as_str()),
        (None, Conversation::Contact(identity)) => Cow::Borrowed(identity.as_str()),
        (None, with) if with.is_stand_in() => Cow::Owned(with.to_string()),
        (None, Conversation::Group { id, .. } | Conversation::DistributionList(id)) => Cow::Owned(short(*id)),
    }
}

/// The sender's own name, if the sender goes by none yet.
fn nickname<'a>(summary: &'a EnvelopeSummary, names: &ConversationNames) -> Option<&'a Clean> {
    let sender = summary.sender.clone().map(Conversation::Contact);
    let unnamed = sender.as_ref().or(summary.conversation.as_ref()).is_none_or(|sender| names.of(sender).is_none());
    summary.nickname.as_ref().filter(|_| summary.kind == ContentKind::IncomingMessage && unnamed)
}

/// The detail, as far as the rest of the sentence has not told it.
fn said_of(summary: &EnvelopeSummary) -> Option<String> {
    match summary.detail.as_ref()? {
        Detail::Reaction { withdrawn: false } | Detail::Type(_) | Detail::Conversations(_) => None,
        Detail::Poll { closed: true, choices, every_vote } => {
            Some(Detail::Poll { closed: false, choices: *choices, every_vote: *every_vote }.to_string())
        }
        _ if act(summary).is_some() => None,
        detail => Some(detail.to_string()),
    }
}

/// What people do with a message of such a type, if that is said better than by the name of the type.
fn act(summary: &EnvelopeSummary) -> Option<&'static str> {
    let words = |words: &'static str| Some(Detail::Words(Clean::literal(words)));
    Some(match (summary.message_type?, &summary.detail) {
        (MessageType::TYPING_INDICATOR, typing) if *typing == words("typing") => "typing",
        (MessageType::TYPING_INDICATOR, typing) if *typing == words("stopped") => "stopped typing",
        (_, Some(Detail::Reaction { withdrawn: true })) => "withdrew a reaction",
        (_, Some(Detail::Poll { closed: true, .. })) => "closed a poll",
        (MessageType::EDIT | MessageType::GROUP_EDIT, _) => "edited a message",
        (MessageType::DELETE | MessageType::GROUP_DELETE, _) => "deleted a message",
        _ => return None,
    })
}

fn incoming(summary: &EnvelopeSummary, names: &ConversationNames) -> String {
    let Some(conversation) = &summary.conversation else { return type_name(summary).into_owned() };
    let sender = summary.sender.clone().map(Conversation::Contact);
    let mut sentence = match (act(summary), sender.as_ref().unwrap_or(conversation)) {
        (Some("typing"), sender) => format!("{} is typing", with(sender, names)),
        (Some(act), sender) => format!("{} {act}", with(sender, names)),
        (None, sender) => format!("{} from {}", type_name(summary), with(sender, names)),
    };
    if sender.is_some() {
        // Writing to a string cannot fail.
        let _ = write!(sentence, " in {}", with(conversation, names));
    }
    sentence
}

fn outgoing(summary: &EnvelopeSummary, names: &ConversationNames) -> String {
    let what = act(summary).map_or_else(|| type_name(summary), Cow::Borrowed);
    match &summary.conversation {
        Some(conversation) => format!("{what} to {}", with(conversation, names)),
        None => what.into_owned(),
    }
}

/// "text to group 1f3c…90", not "group text to group 1f3c…90"; but "group name to group 1f3c…90".
fn type_name(summary: &EnvelopeSummary) -> Cow<'static, str> {
    let Some(message_type) = summary.message_type else {
        return match &summary.detail {
            Some(number @ Detail::Type(_)) => Cow::Owned(number.to_string()),
            _ => Cow::Borrowed("message"),
        };
    };
    let carries_content = matches!(message_type.0, 0x41..=0x46 | 0x52 | 0x53 | 0x81 | 0x83);
    match (message_type.known_name().and_then(|name| name.strip_prefix("group ")), &summary.conversation) {
        (Some(bare), Some(Conversation::Group { .. })) if carries_content => Cow::Borrowed(bare),
        _ => message_type.name(),
    }
}

fn update(summary: &EnvelopeSummary, verb: &str, names: &ConversationNames) -> String {
    let messages = match summary.count {
        0 => return format!("{verb} nothing"),
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    };
    if let Some(Detail::Conversations(conversations)) = summary.detail {
        return format!("{verb} {messages} in {conversations} conversations");
    }
    let verb = if summary.detail.is_some() { "update of" } else { verb };
    match &summary.conversation {
        Some(conversation) => format!("{verb} {messages}, {}", with(conversation, names)),
        None => format!("{verb} {messages}"),
    }
}

fn sync(summary: &EnvelopeSummary, what: &str, names: &ConversationNames) -> String {
    let verb = match summary.action {
        Some(SyncAction::Create) => "new ",
        Some(SyncAction::Delete) => "delete ",
        Some(SyncAction::Update) | None => "sync ",
    };
    match &summary.conversation {
        Some(conversation) => format!("{verb}{what} {}", called(conversation, names)),
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
    use crate::protocol::d2d::{CallAnswer, Media, NameChange};
    use std::time::Duration;

    fn summary(kind: ContentKind) -> EnvelopeSummary {
        EnvelopeSummary::blank(kind)
    }

    #[test]
    #[allow(clippy::too_many_lines, reason = "a table with a line a kind")]
    fn every_kind_reads_like_a_sentence() {
        let contact = Some(Conversation::Contact(Clean::literal("ECHOECHO")));
        let id = MessageId(u64::from_le_bytes([0x1f, 0x3c, 0, 0, 0, 0, 0, 0x90]));
        let group = Some(Conversation::Group { id, creator: Clean::literal("ECHOECHO") });
        let list = Some(Conversation::DistributionList(id));
        let typed = |number| Some(MessageType(number));
        let cases = [
            (
                EnvelopeSummary {
                    conversation: contact.clone(),
                    message_type: typed(0x01),
                    ..summary(ContentKind::IncomingMessage)
                },
                "text from ECHOECHO",
            ),
            (
                EnvelopeSummary {
                    conversation: group.clone(),
                    message_type: typed(0x41),
                    ..summary(ContentKind::OutgoingMessage)
                },
                "text to group 1f3c…90",
            ),
            (
                EnvelopeSummary {
                    conversation: group.clone(),
                    message_type: typed(0x4a),
                    ..summary(ContentKind::OutgoingMessage)
                },
                "group setup to group 1f3c…90",
            ),
            (
                EnvelopeSummary {
                    conversation: contact.clone(),
                    message_type: typed(0x41),
                    ..summary(ContentKind::IncomingMessage)
                },
                "group text from ECHOECHO",
            ),
            (
                EnvelopeSummary {
                    conversation: list.clone(),
                    message_type: typed(0x01),
                    ..summary(ContentKind::OutgoingMessage)
                },
                "text to list 1f3c…90",
            ),
            (
                EnvelopeSummary {
                    conversation: contact.clone(),
                    message_type: typed(0xee),
                    ..summary(ContentKind::IncomingMessage)
                },
                "type 238 from ECHOECHO",
            ),
            (
                EnvelopeSummary {
                    conversation: contact.clone(),
                    count: 3,
                    ..summary(ContentKind::IncomingMessageUpdate)
                },
                "read 3 messages, ECHOECHO",
            ),
            (
                EnvelopeSummary { conversation: group.clone(), ..summary(ContentKind::OutgoingMessageUpdate) },
                "sent 1 message, group 1f3c…90",
            ),
            (
                EnvelopeSummary {
                    conversation: contact.clone(),
                    action: Some(SyncAction::Update),
                    detail: Some(Detail::Words(Clean::literal("nickname"))),
                    ..summary(ContentKind::ContactSync)
                },
                "sync contact ECHOECHO: nickname",
            ),
            (
                EnvelopeSummary {
                    conversation: contact,
                    action: Some(SyncAction::Create),
                    ..summary(ContentKind::ContactSync)
                },
                "new contact ECHOECHO",
            ),
            (
                EnvelopeSummary {
                    conversation: group,
                    action: Some(SyncAction::Delete),
                    ..summary(ContentKind::GroupSync)
                },
                "delete group 1f3c…90",
            ),
            (
                EnvelopeSummary {
                    conversation: list,
                    action: Some(SyncAction::Update),
                    detail: Some(Detail::Words(Clean::literal("name, members"))),
                    ..summary(ContentKind::DistributionListSync)
                },
                "sync list 1f3c…90: name, members",
            ),
            (
                EnvelopeSummary {
                    detail: Some(Detail::Words(Clean::literal("read receipts"))),
                    ..summary(ContentKind::SettingsSync)
                },
                "settings: read receipts",
            ),
            (
                EnvelopeSummary {
                    detail: Some(Detail::Words(Clean::literal("nickname"))),
                    ..summary(ContentKind::UserProfileSync)
                },
                "profile: nickname",
            ),
            (summary(ContentKind::MdmParameterSync), "MDM parameters"),
            (summary(ContentKind::Unknown), "content of an unknown kind"),
        ];
        for (summary, sentence) in cases {
            assert_eq!(of(&summary, &ConversationNames::none()).as_str(), sentence, "the sentence of {summary:?}");
        }
    }

    #[test]
    fn acts_read_like_acts() {
        let contact = Conversation::Contact(Clean::literal("ECHOECHO"));
        let group = Conversation::Group { id: MessageId(0x77), creator: Clean::literal("CREATOR1") };
        let told = |kind, message_type, detail: Option<&'static str>, with: &Conversation| EnvelopeSummary {
            conversation: Some(with.clone()),
            sender: matches!((kind, with), (ContentKind::IncomingMessage, Conversation::Group { .. }))
                .then(|| Clean::literal("ECHOECHO")),
            message_type: Some(message_type),
            detail: detail.map(|words| Detail::Words(Clean::literal(words))),
            ..summary(kind)
        };
        let (typing, receipt) = (MessageType::TYPING_INDICATOR, MessageType::DELIVERY_RECEIPT);
        let (from, to) = (ContentKind::IncomingMessage, ContentKind::OutgoingMessage);
        let cases = [
            (told(from, typing, Some("typing"), &contact), "ECHOECHO is typing"),
            (told(from, typing, Some("stopped"), &contact), "ECHOECHO stopped typing"),
            (told(to, typing, Some("typing"), &contact), "typing to ECHOECHO"),
            (told(to, typing, None, &contact), "typing indicator to ECHOECHO"),
            (
                told(from, receipt, Some("read, 3 messages"), &contact),
                "delivery receipt from ECHOECHO: read, 3 messages",
            ),
            (
                told(from, MessageType::GROUP_DELIVERY_RECEIPT, Some("received"), &group),
                "delivery receipt from ECHOECHO in group 7700…00: received",
            ),
            (told(from, MessageType::EDIT, None, &contact), "ECHOECHO edited a message"),
            (told(to, MessageType::GROUP_DELETE, None, &group), "deleted a message to group 7700…00"),
            (told(from, MessageType::GROUP_REACTION, None, &group), "reaction from ECHOECHO in group 7700…00"),
            (told(from, MessageType(0x60), None, &contact), "call offer from ECHOECHO"),
            (told(from, MessageType(0x15), None, &contact), "poll setup from ECHOECHO"),
            (told(to, MessageType(0x42), None, &group), "location to group 7700…00"),
            (told(from, MessageType::FILE, None, &contact), "file from ECHOECHO"),
        ];
        for (summary, sentence) in cases {
            assert_eq!(of(&summary, &ConversationNames::none()).as_str(), sentence, "the sentence of {summary:?}");
        }
    }

    #[test]
    fn what_happened_is_told() {
        let contact = Conversation::Contact(Clean::literal("ECHOECHO"));
        let group = Conversation::Group { id: MessageId(0x77), creator: Clean::literal("CREATOR1") };
        let (from, to) = (ContentKind::IncomingMessage, ContentKind::OutgoingMessage);
        let told = |kind, message_type, detail: Detail, with: &Conversation| EnvelopeSummary {
            conversation: Some(with.clone()),
            sender: matches!((kind, with), (ContentKind::IncomingMessage, Conversation::Group { .. }))
                .then(|| Clean::literal("ECHOECHO")),
            message_type: Some(MessageType(message_type)),
            detail: Some(detail),
            ..summary(kind)
        };
        let poll = |closed, every_vote| Detail::Poll { closed, choices: 3, every_vote: Some(every_vote) };
        let answer = |answer| Detail::CallAnswer(answer);
        let file = Media { bytes: Some(1_640_000), duration: Some(Duration::from_millis(75_900)), dimensions: None };
        let image = Media { bytes: Some(820), dimensions: Some((640, 480)), ..Media::default() };
        let call = Detail::GroupCall { version: 1, host: Clean::literal("sfu.example.net") };
        let cases = [
            (told(from, 0x82, Detail::Reaction { withdrawn: false }, &contact), "reaction from ECHOECHO"),
            (told(from, 0x82, Detail::Reaction { withdrawn: true }, &contact), "ECHOECHO withdrew a reaction"),
            (told(to, 0x83, Detail::Reaction { withdrawn: true }, &group), "withdrew a reaction to group 7700…00"),
            (
                told(from, 0x15, poll(false, true), &contact),
                "poll setup from ECHOECHO: 3 choices, results at every vote",
            ),
            (
                told(from, 0x52, poll(true, false), &group),
                "ECHOECHO closed a poll in group 7700…00: 3 choices, results at the end",
            ),
            (told(from, 0x61, answer(CallAnswer::Accepted), &contact), "call answer from ECHOECHO: accepted"),
            (
                told(to, 0x61, answer(CallAnswer::Rejected(5)), &contact),
                "call answer to ECHOECHO: rejected, outside of working hours",
            ),
            (
                told(from, 0x4f, call, &group),
                "group call start from ECHOECHO in group 7700…00: version 1, sfu.example.net",
            ),
            (
                told(from, 0x4a, Detail::Members { count: 0, outgoing: false }, &group),
                "group setup from ECHOECHO in group 7700…00: no members: the group was disbanded, or the user removed",
            ),
            (told(from, 0x17, Detail::Media(file), &contact), "file from ECHOECHO: 1640 kB, 1:15"),
            (told(to, 0x43, Detail::Media(image), &group), "image (old) to group 7700…00: 820 B, 640x480"),
            (EnvelopeSummary { detail: None, ..told(from, 149, Detail::Type(0), &contact) }, "type 149 from ECHOECHO"),
            (
                EnvelopeSummary { message_type: None, ..told(from, 0, Detail::Type(300), &contact) },
                "type 300 from ECHOECHO",
            ),
            (
                EnvelopeSummary {
                    count: 3,
                    detail: Some(Detail::Conversations(2)),
                    conversation: Some(contact.clone()),
                    ..summary(ContentKind::IncomingMessageUpdate)
                },
                "read 3 messages in 2 conversations",
            ),
        ];
        for (summary, sentence) in cases {
            assert_eq!(of(&summary, &ConversationNames::none()).as_str(), sentence, "the sentence of {summary:?}");
        }
    }

    #[test]
    fn whoever_has_a_name_goes_by_it() {
        let contact = Conversation::Contact(Clean::literal("ECHOECHO"));
        let group = Conversation::Group { id: MessageId(0x77), creator: Clean::literal("CREATOR1") };
        let mut names = ConversationNames::default();
        for (conversation, name) in [(&contact, "Echo Nymph"), (&group, "Choir")] {
            let name = Some(NameChange::Whole(Clean::literal(name)));
            names.learn(&EnvelopeSummary {
                conversation: Some(conversation.clone()),
                name,
                ..summary(ContentKind::ContactSync)
            });
        }
        let text = EnvelopeSummary {
            conversation: Some(group),
            sender: Some(Clean::literal("ECHOECHO")),
            nickname: Some(Clean::literal("echo")),
            message_type: Some(MessageType::GROUP_TEXT),
            ..summary(ContentKind::IncomingMessage)
        };
        assert_eq!(of(&text, &names).as_str(), "text from Echo Nymph in group Choir");
        assert_eq!(of(&text, &ConversationNames::none()).as_str(), "text from ECHOECHO in group 7700…00: as echo");
        let created = EnvelopeSummary {
            conversation: Some(contact),
            action: Some(SyncAction::Create),
            ..summary(ContentKind::ContactSync)
        };
        assert_eq!(of(&created, &names).as_str(), "new contact Echo Nymph");
    }
}
