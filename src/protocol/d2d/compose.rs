//! [`Composer`]: makes the envelopes that apps reflect.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::body::MessageDraft;
use super::envelope::Envelope;
use super::summary::{ContentKind, Conversation, SyncAction};
use crate::protocol::dialect::Dialect;
use crate::protocol::ids::{DeviceId, MessageId, Millis};
use crate::protocol::proto::d2d::envelope::Content as Today;
use crate::protocol::proto::d2d_seed::envelope::Content as Seed;
use crate::protocol::proto::{common, d2d, d2d_seed, d2d_sync};
use crate::protocol::sealed::Nonce;

/// The device-to-device version that we write.
const PROTOCOL_VERSION: d2d::ProtocolVersion = d2d::ProtocolVersion::V03;

/// Makes envelopes of one device in one dialect. What the dialect cannot carry is [`None`], so that no envelope exists
/// that would have to be sealed as something else than it is.
#[derive(Clone, Copy, Debug)]
pub struct Composer {
    dialect: Dialect,
    author: DeviceId,
    padding: u8,
}

impl Composer {
    /// A composer for the envelopes of `author`, without padding.
    #[must_use]
    pub const fn new(dialect: Dialect, author: DeviceId) -> Self {
        Self { dialect, author, padding: 0 }
    }

    /// The same with so many bytes of padding, each of which repeats their number. Real clients draw it at random for
    /// each envelope, so that its size says little.
    #[must_use]
    pub const fn padded(self, padding: u8) -> Self {
        Self { padding, ..self }
    }

    /// A message from a contact; for groups the draft's body says which. The seed has no place for the nonce of the
    /// message.
    #[must_use]
    pub fn incoming(&self, sender: &str, draft: MessageDraft, nonce: Nonce) -> Envelope {
        let MessageDraft { id, created_at, message_type, body } = draft;
        match self.dialect {
            Dialect::Mk => self.seed(Seed::IncomingMessage(d2d_seed::IncomingMessage {
                sender_identity: sender.to_owned(),
                sender_nickname: String::new(),
                message_id: id.0,
                created_at: created_at.0,
                r#type: message_type.0.into(),
                body,
            })),
            Dialect::Dgk => self.today(Today::IncomingMessage(d2d::IncomingMessage {
                sender_identity: sender.to_owned(),
                message_id: id.0,
                created_at: created_at.0,
                r#type: message_type.0.into(),
                body,
                nonce: Bytes::copy_from_slice(&nonce.0),
            })),
        }
    }

    /// A message of ours, with one nonce for each receiver. The seed has no place for the nonces; and no distribution
    /// lists, for which this is [`None`] there.
    #[must_use]
    pub fn outgoing(&self, to: &Conversation, draft: MessageDraft, nonces: &[Nonce]) -> Option<Envelope> {
        let MessageDraft { id, created_at, message_type, body } = draft;
        Some(match self.dialect {
            Dialect::Mk => self.seed(Seed::OutgoingMessage(d2d_seed::OutgoingMessage {
                receiver: Some(receiver(to)?),
                message_id: id.0,
                created_at: created_at.0,
                r#type: message_type.0.into(),
                body,
            })),
            Dialect::Dgk => self.today(Today::OutgoingMessage(d2d::OutgoingMessage {
                conversation: Some(conversation_id(to)),
                message_id: id.0,
                created_at: created_at.0,
                r#type: message_type.0.into(),
                body,
                thread_message_id: None,
                nonces: nonces.iter().map(|nonce| Bytes::copy_from_slice(&nonce.0)).collect(),
            })),
        })
    }

    /// Messages of ours that reached the chat server. Not in the seed.
    #[must_use]
    pub fn sent(&self, messages: &[(Conversation, MessageId)]) -> Option<Envelope> {
        use d2d::outgoing_message_update as update;
        let updates = messages.iter().map(|(conversation, id)| update::Update {
            conversation: Some(conversation_id(conversation)),
            message_id: id.0,
            update: Some(update::update::Update::Sent(update::Sent {})),
        });
        self.only_today(Today::OutgoingMessageUpdate(d2d::OutgoingMessageUpdate { updates: updates.collect() }))
    }

    /// Messages from others that were read at that time. Not in the seed.
    #[must_use]
    pub fn read(&self, messages: &[(Conversation, MessageId)], at: Millis) -> Option<Envelope> {
        use d2d::incoming_message_update as update;
        let updates = messages.iter().map(|(conversation, id)| update::Update {
            conversation: Some(conversation_id(conversation)),
            message_id: id.0,
            update: Some(update::update::Update::Read(update::Read { at: at.0 })),
        });
        self.only_today(Today::IncomingMessageUpdate(d2d::IncomingMessageUpdate { updates: updates.collect() }))
    }

    /// A contact that is new or changed. Not in the seed, which also has no deleting of contacts; nor has today.
    #[must_use]
    pub fn contact_sync(&self, action: SyncAction, contact: d2d_sync::Contact) -> Option<Envelope> {
        use d2d::contact_sync::{Action, Create, Update};
        let contact = Some(contact);
        let action = match action {
            SyncAction::Create => Action::Create(Create { contact }),
            SyncAction::Update => Action::Update(Update { contact }),
            SyncAction::Delete => return None,
        };
        self.only_today(Today::ContactSync(d2d::ContactSync { action: Some(action) }))
    }

    /// A group that is new, changed or gone. Not in the seed.
    #[must_use]
    pub fn group_sync(&self, action: SyncAction, group: d2d_sync::Group) -> Option<Envelope> {
        use d2d::group_sync::{Action, Create, Delete, Update};
        let action = match action {
            SyncAction::Create => Action::Create(Create { group: Some(group) }),
            SyncAction::Update => Action::Update(Update { group: Some(group), member_state_changes: BTreeMap::new() }),
            SyncAction::Delete => Action::Delete(Delete { group_identity: group.group_identity }),
        };
        self.only_today(Today::GroupSync(d2d::GroupSync { action: Some(action) }))
    }

    /// Changed settings. Not in the seed.
    #[must_use]
    pub fn settings_sync(&self, settings: d2d_sync::Settings) -> Option<Envelope> {
        use d2d::settings_sync::{Action, Update};
        let action = Some(Action::Update(Update { settings: Some(settings) }));
        self.only_today(Today::SettingsSync(d2d::SettingsSync { action }))
    }

    /// A changed profile of the user. Not in the seed.
    #[must_use]
    pub fn user_profile_sync(&self, profile: d2d_sync::UserProfile) -> Option<Envelope> {
        use d2d::user_profile_sync::{Action, Update};
        let action = Some(Action::Update(Update { user_profile: Some(profile) }));
        self.only_today(Today::UserProfileSync(d2d::UserProfileSync { action }))
    }

    /// A synchronised value of the seed, whose format is extinct: bytes that only their length is told of. [`None`]
    /// today, and for a kind that is no value.
    #[must_use]
    pub fn opaque_sync(&self, kind: ContentKind, body: Bytes) -> Option<Envelope> {
        if self.dialect != Dialect::Mk {
            return None;
        }
        let content = match kind {
            ContentKind::UserProfileSync => Seed::UserProfileSync(body),
            ContentKind::ContactSync => Seed::ContactSync(body),
            ContentKind::GroupSync => Seed::GroupSync(body),
            ContentKind::DistributionListSync => Seed::DistributionListSync(body),
            ContentKind::SettingsSync => Seed::SettingsSync(body),
            ContentKind::MdmParameterSync => Seed::MdmParameters(body),
            _ => return None,
        };
        Some(self.seed(content))
    }

    fn padding(&self) -> Bytes {
        Bytes::from(vec![self.padding; usize::from(self.padding)])
    }

    fn seed(&self, content: Seed) -> Envelope {
        Envelope::seed(d2d_seed::Envelope { padding: self.padding(), content: Some(content) })
    }

    fn today(&self, content: Today) -> Envelope {
        Envelope::today(d2d::Envelope {
            padding: self.padding(),
            protocol_version: PROTOCOL_VERSION as u32,
            device_id: self.author.0,
            content: Some(content),
        })
    }

    fn only_today(&self, content: Today) -> Option<Envelope> {
        (self.dialect == Dialect::Dgk).then(|| self.today(content))
    }
}

fn group_identity(id: MessageId, creator: &str) -> common::GroupIdentity {
    common::GroupIdentity { group_id: id.0, creator_identity: creator.to_owned() }
}

fn conversation_id(conversation: &Conversation) -> d2d::ConversationId {
    use d2d::conversation_id::Id;
    d2d::ConversationId {
        id: Some(match conversation {
            Conversation::Contact(identity) => Id::Contact(identity.as_str().to_owned()),
            Conversation::Group { id, creator } => Id::Group(group_identity(*id, creator.as_str())),
            Conversation::DistributionList(id) => Id::DistributionList(id.0),
        }),
    }
}

fn receiver(conversation: &Conversation) -> Option<d2d_seed::MessageReceiver> {
    use d2d_seed::message_receiver::Receiver;
    let receiver = match conversation {
        Conversation::Contact(identity) => Receiver::Identity(identity.as_str().to_owned()),
        Conversation::Group { id, creator } => Receiver::Group(group_identity(*id, creator.as_str())),
        Conversation::DistributionList(_) => return None,
    };
    Some(d2d_seed::MessageReceiver { receiver: Some(receiver) })
}
