//! From an envelope's content to its [`EnvelopeSummary`], for both dialects.

use std::collections::BTreeSet;

use super::detail::Detail;
use super::message_type::MessageType;
use super::summary::{ContentKind, Conversation, EnvelopeSummary, NameChange, SyncAction};
use super::{body, fields};
use crate::protocol::ids::{DeviceId, MessageId, Millis};
use crate::protocol::proto::{common, d2d, d2d_seed, d2d_sync};
use crate::text::Clean;

/// What both dialects say of a message; the rest is added by each.
pub(super) struct Message<'a> {
    id: u64,
    created_at: u64,
    /// Wider than a type byte on the wire.
    pub(super) type_number: i64,
    pub(super) body: &'a [u8],
}

macro_rules! is_message {
    ($($of:ty),+) => { $(impl<'a> From<&'a $of> for Message<'a> {
        fn from(of: &'a $of) -> Self {
            Self { id: of.message_id, created_at: of.created_at, type_number: of.r#type.into(), body: &of.body }
        }
    })+ };
}
is_message!(d2d::OutgoingMessage, d2d::IncomingMessage, d2d_seed::OutgoingMessage, d2d_seed::IncomingMessage);

pub(super) fn seed(envelope: &d2d_seed::Envelope) -> EnvelopeSummary {
    use d2d_seed::envelope::Content;
    let opaque =
        |kind, body: &[u8]| EnvelopeSummary { body_length: length(body.len()), ..EnvelopeSummary::blank(kind) };
    match &envelope.content {
        Some(Content::OutgoingMessage(message)) => {
            let receiver = message.receiver.as_ref().and_then(receiver);
            outgoing(receiver, &message.into())
        }
        Some(Content::IncomingMessage(message)) => {
            let summary = incoming(&message.sender_identity, &message.into());
            let nickname = (!message.sender_nickname.is_empty()).then(|| Clean::new(&message.sender_nickname));
            EnvelopeSummary { nickname, ..summary }
        }
        Some(Content::UserProfileSync(body)) => opaque(ContentKind::UserProfileSync, body),
        Some(Content::ContactSync(body)) => opaque(ContentKind::ContactSync, body),
        Some(Content::GroupSync(body)) => opaque(ContentKind::GroupSync, body),
        Some(Content::DistributionListSync(body)) => opaque(ContentKind::DistributionListSync, body),
        Some(Content::SettingsSync(body)) => opaque(ContentKind::SettingsSync, body),
        Some(Content::MdmParameters(body)) => opaque(ContentKind::MdmParameterSync, body),
        None => EnvelopeSummary::blank(ContentKind::Unknown),
    }
}

pub(super) fn today(envelope: &d2d::Envelope) -> EnvelopeSummary {
    use d2d::envelope::Content;
    let summary = match &envelope.content {
        Some(Content::OutgoingMessage(message)) => {
            let to = message.conversation.as_ref().and_then(conversation);
            EnvelopeSummary { count: length(message.nonces.len()), ..outgoing(to, &message.into()) }
        }
        Some(Content::IncomingMessage(message)) => incoming(&message.sender_identity, &message.into()),
        Some(Content::OutgoingMessageUpdate(update)) => updates(
            ContentKind::OutgoingMessageUpdate,
            update.updates.iter().map(|of| (of.conversation.as_ref(), of.message_id, of.update.is_some())),
        ),
        Some(Content::IncomingMessageUpdate(update)) => updates(
            ContentKind::IncomingMessageUpdate,
            update.updates.iter().map(|of| (of.conversation.as_ref(), of.message_id, of.update.is_some())),
        ),
        Some(Content::UserProfileSync(sync)) => user_profile_sync(sync),
        Some(Content::ContactSync(sync)) => contact_sync(sync),
        Some(Content::GroupSync(sync)) => group_sync(sync),
        Some(Content::DistributionListSync(sync)) => distribution_list_sync(sync),
        Some(Content::SettingsSync(sync)) => settings_sync(sync),
        Some(Content::MdmParameterSync(sync)) => mdm_parameter_sync(sync),
        None => EnvelopeSummary::blank(ContentKind::Unknown),
    };
    EnvelopeSummary {
        // iOS leaves it out of most envelopes: 0 is no device, it is "not said".
        author: (envelope.device_id != 0).then_some(DeviceId(envelope.device_id)),
        protocol_version: envelope.protocol_version,
        ..summary
    }
}

fn outgoing(to: Option<Conversation>, message: &Message<'_>) -> EnvelopeSummary {
    message_summary(ContentKind::OutgoingMessage, to, message)
}

/// For a group the body says which; then the sender is not the conversation.
fn incoming(sender: &str, message: &Message<'_>) -> EnvelopeSummary {
    let group =
        u8::try_from(message.type_number).ok().and_then(|byte| body::group(MessageType(byte), message.body, sender));
    let sender_of = group.is_some().then(|| Clean::new(sender));
    let with = group.or_else(|| contact(sender));
    EnvelopeSummary { sender: sender_of, ..message_summary(ContentKind::IncomingMessage, with, message) }
}

fn message_summary(kind: ContentKind, conversation: Option<Conversation>, message: &Message<'_>) -> EnvelopeSummary {
    let message_type = u8::try_from(message.type_number).ok().map(MessageType);
    let detail = message_type.map_or(Some(Detail::Type(message.type_number)), |message_type| {
        Detail::of_body(message_type, kind == ContentKind::OutgoingMessage, message.body)
    });
    let name = match (&conversation, message_type) {
        (Some(Conversation::Group { .. }), Some(MessageType::GROUP_NAME)) => body::group_name(message.body),
        _ => None,
    };
    EnvelopeSummary {
        conversation,
        name: name.map(NameChange::Whole),
        message_type,
        message_id: Some(MessageId(message.id)),
        created_at: (message.created_at != 0).then_some(Millis(message.created_at)),
        body_length: length(message.body.len()),
        detail,
        ..EnvelopeSummary::blank(kind)
    }
}

/// What became of messages: each with its conversation, its id, and whether it is said what became of it.
fn updates<'a>(
    kind: ContentKind,
    updates: impl ExactSizeIterator<Item = (Option<&'a d2d::ConversationId>, u64, bool)>,
) -> EnvelopeSummary {
    let count = updates.len();
    let (mut first, mut conversations, mut is_said) = (None, BTreeSet::new(), false);
    for (with, id, says) in updates {
        let with = with.and_then(conversation);
        is_said |= says;
        first.get_or_insert_with(|| (with.clone(), MessageId(id)));
        conversations.insert(with);
    }
    let detail = match conversations.len() {
        // What `probe --reflect` sends, so that it changes nothing.
        0 => Some(Detail::Words(Clean::literal("an empty update: it changes nothing"))),
        _ if !is_said => Some(Detail::Words(Clean::literal("it does not say what became of them"))),
        1 => None,
        many => Some(Detail::Conversations(length(many))),
    };
    let (conversation, message_id) = first.map_or((None, None), |(with, id)| (with, Some(id)));
    EnvelopeSummary { conversation, message_id, count: length(count), detail, ..EnvelopeSummary::blank(kind) }
}

fn user_profile_sync(sync: &d2d::UserProfileSync) -> EnvelopeSummary {
    use d2d::user_profile_sync::Action;
    match &sync.action {
        Some(Action::Update(update)) => {
            let value = update.user_profile.as_ref();
            synced(ContentKind::UserProfileSync, SyncAction::Update, value, value.and_then(fields::user_profile))
        }
        None => EnvelopeSummary::blank(ContentKind::UserProfileSync),
    }
}

fn contact_sync(sync: &d2d::ContactSync) -> EnvelopeSummary {
    use d2d::contact_sync::Action;
    let (action, value) = match &sync.action {
        Some(Action::Create(create)) => (SyncAction::Create, create.contact.as_ref()),
        Some(Action::Update(update)) => (SyncAction::Update, update.contact.as_ref()),
        None => return EnvelopeSummary::blank(ContentKind::ContactSync),
    };
    EnvelopeSummary {
        conversation: value.and_then(|value: &d2d_sync::Contact| contact(&value.identity)),
        nickname: value.and_then(|value| value.nickname.as_deref()).map(Clean::new),
        name: value.and_then(|value| contact_name(action, value)),
        // Of a new contact nearly every field is set; naming them all tells nothing.
        ..synced(ContentKind::ContactSync, action, value, value.filter(|_| is_update(action)).and_then(fields::contact))
    }
}

/// As the user calls the contact. iOS tells only the part that changed; of a new contact all parts are told.
fn contact_name(action: SyncAction, contact: &d2d_sync::Contact) -> Option<NameChange> {
    let [first, last] = [&contact.first_name, &contact.last_name].map(|name| name.as_deref().map(Clean::new));
    if first.is_none() && last.is_none() {
        return None;
    }
    let told = |part: Option<Clean>| if is_update(action) { part } else { Some(part.unwrap_or_default()) };
    Some(NameChange::Parts { first: told(first), last: told(last) })
}

fn group_sync(sync: &d2d::GroupSync) -> EnvelopeSummary {
    use d2d::group_sync::Action;
    let identity =
        |group: Option<&d2d_sync::Group>| group.and_then(|group| group.group_identity.as_ref()).map(group_of);
    let name = |group: Option<&d2d_sync::Group>| group.and_then(|group| group.name.as_deref()).map(whole_name);
    match &sync.action {
        Some(Action::Create(create)) => {
            let value = create.group.as_ref();
            let members = value.and_then(|group| group.member_identities.as_ref());
            let words = members.map(|members| format!("{} other members", members.identities.len()));
            let told = synced(ContentKind::GroupSync, SyncAction::Create, value, words);
            EnvelopeSummary { conversation: identity(value), name: name(value), ..told }
        }
        Some(Action::Update(update)) => {
            let value = update.group.as_ref();
            let words = fields::group_update(update);
            let told = synced(ContentKind::GroupSync, SyncAction::Update, value, words);
            EnvelopeSummary { conversation: identity(value), name: name(value), ..told }
        }
        Some(Action::Delete(delete)) => {
            let value = delete.group_identity.as_ref();
            EnvelopeSummary {
                conversation: value.map(group_of),
                ..synced(ContentKind::GroupSync, SyncAction::Delete, value, None)
            }
        }
        None => EnvelopeSummary::blank(ContentKind::GroupSync),
    }
}

fn distribution_list_sync(sync: &d2d::DistributionListSync) -> EnvelopeSummary {
    use d2d::distribution_list_sync::Action;
    let (action, value) = match &sync.action {
        Some(Action::Create(create)) => (SyncAction::Create, create.distribution_list.as_ref()),
        Some(Action::Update(update)) => (SyncAction::Update, update.distribution_list.as_ref()),
        Some(Action::Delete(delete)) => {
            return EnvelopeSummary {
                conversation: Some(Conversation::DistributionList(MessageId(delete.distribution_list_id))),
                action: Some(SyncAction::Delete),
                ..EnvelopeSummary::blank(ContentKind::DistributionListSync)
            };
        }
        None => return EnvelopeSummary::blank(ContentKind::DistributionListSync),
    };
    let words = value.filter(|_| is_update(action)).and_then(fields::distribution_list);
    EnvelopeSummary {
        conversation: value.map(|list| Conversation::DistributionList(MessageId(list.distribution_list_id))),
        name: value.and_then(|list| list.name.as_deref()).map(whole_name),
        ..synced(ContentKind::DistributionListSync, action, value, words)
    }
}

fn whole_name(name: &str) -> NameChange {
    NameChange::Whole(Clean::new(name))
}

fn settings_sync(sync: &d2d::SettingsSync) -> EnvelopeSummary {
    use d2d::settings_sync::Action;
    match &sync.action {
        Some(Action::Update(update)) => {
            let value = update.settings.as_ref();
            synced(ContentKind::SettingsSync, SyncAction::Update, value, value.and_then(fields::settings))
        }
        None => EnvelopeSummary::blank(ContentKind::SettingsSync),
    }
}

fn mdm_parameter_sync(sync: &d2d::MdmParameterSync) -> EnvelopeSummary {
    use d2d::mdm_parameter_sync::Action;
    match &sync.action {
        Some(Action::Update(update)) => {
            let value = update.parameters.as_ref();
            synced(ContentKind::MdmParameterSync, SyncAction::Update, value, value.and_then(fields::mdm_parameters))
        }
        None => EnvelopeSummary::blank(ContentKind::MdmParameterSync),
    }
}

fn synced<M: prost::Message>(
    kind: ContentKind,
    action: SyncAction,
    value: Option<&M>,
    words: Option<String>,
) -> EnvelopeSummary {
    EnvelopeSummary {
        action: Some(action),
        body_length: length(value.map_or(0, M::encoded_len)),
        detail: words.map(|words| Detail::Words(Clean::new(&words))),
        ..EnvelopeSummary::blank(kind)
    }
}

const fn is_update(action: SyncAction) -> bool {
    matches!(action, SyncAction::Update)
}

fn contact(identity: &str) -> Option<Conversation> {
    (!identity.is_empty()).then(|| Conversation::Contact(Clean::new(identity)))
}

fn group_of(identity: &common::GroupIdentity) -> Conversation {
    Conversation::Group { id: MessageId(identity.group_id), creator: Clean::new(&identity.creator_identity) }
}

fn conversation(id: &d2d::ConversationId) -> Option<Conversation> {
    use d2d::conversation_id::Id;
    match id.id.as_ref()? {
        Id::Contact(identity) => contact(identity),
        Id::DistributionList(id) => Some(Conversation::DistributionList(MessageId(*id))),
        Id::Group(identity) => Some(group_of(identity)),
    }
}

fn receiver(receiver: &d2d_seed::MessageReceiver) -> Option<Conversation> {
    use d2d_seed::message_receiver::Receiver;
    match receiver.receiver.as_ref()? {
        Receiver::Identity(identity) => contact(identity),
        Receiver::Group(identity) => Some(group_of(identity)),
    }
}

/// No length inside a container comes near the limit.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
