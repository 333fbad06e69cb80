//! [`FeedRow`]: one reflected message, as it is shown.

use std::time::Duration;

use crate::group::ReflectedMessage;
use crate::group::names::ConversationNames;
use crate::group::sentence;
use crate::protocol::d2d::{Conversation, Direction, EnvelopeSummary};
use crate::protocol::{DeviceId, Millis, Nonce, OpenError, ReflectedHeader, ReflectedId};
use crate::text::Clean;

/// One reflected message. The feed makes it when it is asked for, and keeps less; see [`super::Feed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedRow {
    /// Its id in our queue; not unique for ephemeral ones.
    pub id: ReflectedId,
    /// The bytes of the sealed envelope.
    pub size: u32,
    /// When the server stored it, by the server's clock.
    pub stored_at: Millis,
    /// When the message was received, by our clock.
    pub received_at: Millis,
    /// How long after that its acknowledgement left, in whole microseconds.
    pub acknowledged_after: Option<Duration>,
    /// What its header says of itself.
    pub header: ReflectedHeader,
    /// The nonce of its box, if it was long enough to have one.
    pub nonce: Option<Nonce>,
    /// What it says, or why that cannot be read.
    pub content: Result<EnvelopeSummary, OpenError>,
    /// What is unusual about it.
    pub marks: RowMarks,
}

/// What is unusual about a row, besides not being readable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowMarks {
    /// Nobody acknowledges it, and devices that were offline never get it.
    pub ephemeral: bool,
    /// Another message used the same nonce.
    pub repeated_nonce: bool,
    /// It was delivered again after a reconnect.
    pub redelivered: bool,
    /// How many ids are missing between the message before and this one.
    pub gap: Option<u32>,
}

impl FeedRow {
    /// The row of a message that just came.
    #[must_use]
    pub fn new(message: &ReflectedMessage) -> Self {
        Self {
            id: message.id,
            size: message.size,
            stored_at: message.stored_at,
            received_at: message.received_at,
            acknowledged_after: None,
            header: message.header,
            nonce: message.nonce,
            content: message.content.clone(),
            marks: RowMarks::of(message),
        }
    }

    /// Which way the message went, if it can be read.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        self.content.as_ref().ok().map(EnvelopeSummary::direction)
    }

    /// Which device reflected it, if it can be read and says so.
    #[must_use]
    pub fn author(&self) -> Option<DeviceId> {
        self.content.as_ref().ok()?.author
    }

    /// With whom, if it can be read and is with someone.
    #[must_use]
    pub fn conversation(&self) -> Option<&Conversation> {
        self.content.as_ref().ok()?.conversation.as_ref()
    }

    /// What it says, or why that cannot be read.
    #[must_use]
    pub fn sentence(&self, names: &ConversationNames) -> Clean {
        match &self.content {
            Ok(summary) => sentence::of(summary, names),
            Err(error) => Clean::new(&error.to_string()),
        }
    }

    /// Whether an acknowledgement is still to leave.
    #[must_use]
    pub const fn awaits_acknowledgement(&self) -> bool {
        self.acknowledged_after.is_none() && !self.marks.ephemeral
    }
}

impl RowMarks {
    pub(super) const fn of(message: &ReflectedMessage) -> Self {
        Self {
            ephemeral: message.ephemeral,
            repeated_nonce: message.repeated_nonce,
            redelivered: message.redelivered,
            gap: None,
        }
    }
}
