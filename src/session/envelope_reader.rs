//! [`EnvelopeReader`]: opens envelopes, and says of them what takes more than one envelope to know.

use crate::protocol::d2d::{ContentKind, Conversation, Envelope, EnvelopeSummary, MessageType};
use crate::protocol::{GroupKeys, OpenError, Sealed};
use crate::text::Clean;

/// Opens envelopes.
#[derive(Debug, Default)]
pub(super) struct EnvelopeReader {
    /// The identity that the devices share, once it is known. No envelope says it of itself.
    pub(super) own_identity: Option<Clean>,
    /// Whether somebody tells of fields that the schema does not have.
    pub(super) finds_unknown_fields: bool,
}

impl EnvelopeReader {
    /// What an envelope says, and the fields of it that the schema does not have.
    pub(super) fn read(
        &mut self,
        sealed: &Sealed<Envelope>,
        keys: &GroupKeys,
    ) -> (Result<EnvelopeSummary, OpenError>, Vec<Clean>) {
        let opened = sealed.open(keys);
        let unknown_fields = match &opened {
            Ok(envelope) if self.finds_unknown_fields => envelope.unknown_fields(),
            _ => Vec::new(),
        };
        (opened.map(|envelope| self.complete(envelope.summary())), unknown_fields)
    }

    /// Learns from a message, and says in it who created the group if the user did.
    fn complete(&mut self, mut summary: EnvelopeSummary) -> EnvelopeSummary {
        let Some(Conversation::Group { creator, .. }) = &mut summary.conversation else { return summary };
        match (summary.kind, summary.message_type) {
            // Only the creator of a group sends these.
            (
                ContentKind::OutgoingMessage,
                Some(
                    MessageType::GROUP_SETUP
                    | MessageType::GROUP_NAME
                    | MessageType::SET_GROUP_PICTURE
                    | MessageType::DELETE_GROUP_PICTURE,
                ),
            ) if !creator.is_empty() && self.own_identity.as_ref() != Some(creator) => {
                self.own_identity = Some(creator.clone());
            }
            // A member sends it to the creator, and does not name it.
            (ContentKind::IncomingMessage, Some(MessageType::GROUP_SYNC_REQUEST)) if creator.is_empty() => {
                *creator = self.own_identity.clone().unwrap_or_default();
            }
            _ => {}
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::protocol::d2d::{Composer, MessageDraft};
    use crate::protocol::{DeviceId, Dialect, MessageId, Millis, Nonce};

    const ID: MessageId = MessageId(7);

    fn draft(message_type: MessageType) -> MessageDraft {
        let body = Bytes::copy_from_slice(&ID.0.to_le_bytes());
        MessageDraft { id: ID, created_at: Millis(1), message_type, body }
    }

    fn group(creator: &'static str) -> Conversation {
        Conversation::Group { id: ID, creator: Clean::literal(creator) }
    }

    #[test]
    fn who_asks_for_a_groups_sync_asks_its_creator_the_user() {
        for dialect in [Dialect::Mk, Dialect::Dgk] {
            let composer = Composer::new(dialect, DeviceId(5));
            let asked =
                || composer.incoming("MEMBER01", draft(MessageType::GROUP_SYNC_REQUEST), Nonce([1; 24])).summary();
            let mut known = EnvelopeReader { own_identity: Some(Clean::literal("PROFILE1")), ..Default::default() };
            assert_eq!(known.complete(asked()).conversation, Some(group("PROFILE1")), "{dialect}");

            let mut own = EnvelopeReader::default();
            let unknown = own.complete(asked());
            assert_eq!((unknown.conversation, unknown.sender), (Some(group("")), Some(Clean::literal("MEMBER01"))));
            // What anyone may send to a group, and what others send, teaches nothing.
            let sent = |message_type| {
                let to = group("CREATOR1");
                composer.outgoing(&to, draft(message_type), &[]).unwrap().summary()
            };
            own.complete(sent(MessageType::GROUP_TEXT));
            own.complete(composer.incoming("CREATOR2", draft(MessageType::GROUP_NAME), Nonce([1; 24])).summary());
            assert_eq!(own.complete(asked()).conversation, Some(group("")), "{dialect}");
            own.complete(sent(MessageType::GROUP_NAME));
            assert_eq!(own.complete(asked()).conversation, Some(group("CREATOR1")), "{dialect}");
        }
    }
}
