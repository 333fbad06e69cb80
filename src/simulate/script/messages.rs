//! Scenes of messages: contacts write, the user reads and answers.

use rand::Rng as _;

use super::{LATER, Script};
use crate::protocol::MessageId;
use crate::protocol::d2d::{Conversation, MessageDraft, ReceiptStatus};
use crate::simulate::world::{self, Contact};

impl Script {
    pub(super) fn chat(&mut self, contact: &Contact) {
        let typing = MessageDraft::typing(self.id(), LATER, true);
        self.incoming(contact, typing);
        let mut received = Vec::new();
        for _ in 0..self.rng.gen_range(1..3) {
            let draft = MessageDraft::text(self.id(), LATER, world::text(&mut self.rng));
            received.push(draft.id);
            self.incoming(contact, draft);
        }
        let receipt = MessageDraft::delivery_receipt(self.id(), LATER, ReceiptStatus::Received, &received);
        let line = self.outgoing_line(&contact.conversation(), receipt, 1);
        self.reflect(line);
    }

    pub(super) fn group_talk(&mut self) {
        let group = self.group();
        let sender = world::member(&group, &mut self.rng);
        let draft = if self.rng.gen_bool(0.8) {
            MessageDraft::text(self.id(), LATER, world::text(&mut self.rng))
        } else {
            MessageDraft::reaction(self.id(), LATER, self.id(), world::emoji(&mut self.rng))
        };
        if let Some(draft) = draft.in_group(group.id, group.creator) {
            self.incoming(&sender, draft);
        }
    }

    pub(super) fn write_to_group(&mut self) {
        let group = self.group();
        let draft = MessageDraft::text(self.id(), LATER, world::text(&mut self.rng)).in_group(group.id, group.creator);
        if let Some(draft) = draft {
            self.outgoing(group.conversation(), draft, group.members.len());
        }
    }

    pub(super) fn read(&mut self, conversation: &Conversation) {
        let messages: Vec<(Conversation, MessageId)> =
            (0..self.rng.gen_range(1..6)).map(|_| (conversation.clone(), self.id())).collect();
        // The seed has no such update; there the contact is told, and that is reflected.
        let line = self.padded().read(&messages, LATER).or_else(|| {
            let ids: Vec<MessageId> = messages.iter().map(|(_, id)| *id).collect();
            let receipt = MessageDraft::delivery_receipt(self.id(), LATER, ReceiptStatus::Read, &ids);
            self.outgoing_line(conversation, receipt, 1)
        });
        self.reflect(line);
    }
}
