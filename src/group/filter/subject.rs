//! [`Subject`]: what a filter asks of a row, packed or not.

use std::time::Duration;

use crate::group::feed::packed::{Packed, Tables};
use crate::group::names::ConversationNames;
use crate::group::{FeedRow, RowMarks};
use crate::protocol::d2d::{ContentKind, Conversation, MessageType};
use crate::protocol::{DeviceId, Millis, ReflectedId};
use crate::text::Clean;

pub(super) trait Subject {
    fn id(&self) -> ReflectedId;
    fn size(&self) -> u32;
    fn stored_at(&self) -> Millis;
    fn received_at(&self) -> Millis;
    fn acknowledged_after(&self) -> Option<Duration>;
    fn marks(&self) -> RowMarks;
    /// Nothing if it cannot be read.
    fn kind(&self) -> Option<ContentKind>;
    fn message_type(&self) -> Option<MessageType>;
    fn author(&self) -> Option<DeviceId>;
    fn conversation(&self) -> Option<&Conversation>;
    fn sentence(&self, names: &ConversationNames) -> Clean;
}

impl Subject for FeedRow {
    fn id(&self) -> ReflectedId {
        self.id
    }

    fn size(&self) -> u32 {
        self.size
    }

    fn stored_at(&self) -> Millis {
        self.stored_at
    }

    fn received_at(&self) -> Millis {
        self.received_at
    }

    fn acknowledged_after(&self) -> Option<Duration> {
        self.acknowledged_after
    }

    fn marks(&self) -> RowMarks {
        self.marks
    }

    fn kind(&self) -> Option<ContentKind> {
        self.content.as_ref().ok().map(|summary| summary.kind)
    }

    fn message_type(&self) -> Option<MessageType> {
        self.content.as_ref().ok()?.message_type
    }

    fn author(&self) -> Option<DeviceId> {
        self.author()
    }

    fn conversation(&self) -> Option<&Conversation> {
        self.conversation()
    }

    fn sentence(&self, names: &ConversationNames) -> Clean {
        self.sentence(names)
    }
}

/// A packed row and what its symbols name.
#[derive(Clone, Copy)]
pub(super) struct Kept<'a> {
    pub(super) packed: &'a Packed,
    pub(super) tables: &'a Tables,
}

impl Subject for Kept<'_> {
    fn id(&self) -> ReflectedId {
        self.packed.id
    }

    fn size(&self) -> u32 {
        self.packed.size
    }

    fn stored_at(&self) -> Millis {
        self.packed.stored_at()
    }

    fn received_at(&self) -> Millis {
        self.packed.received_at()
    }

    fn acknowledged_after(&self) -> Option<Duration> {
        self.packed.acknowledged_after()
    }

    fn marks(&self) -> RowMarks {
        self.packed.marks()
    }

    fn kind(&self) -> Option<ContentKind> {
        self.packed.kind()
    }

    fn message_type(&self) -> Option<MessageType> {
        self.packed.message_type()
    }

    fn author(&self) -> Option<DeviceId> {
        self.tables.author(self.packed)
    }

    fn conversation(&self) -> Option<&Conversation> {
        self.tables.parties.get(self.packed.party)?.conversation.as_ref()
    }

    fn sentence(&self, names: &ConversationNames) -> Clean {
        self.tables.expand(self.packed).sentence(names)
    }
}
