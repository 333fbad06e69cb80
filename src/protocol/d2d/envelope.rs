//! [`Envelope`]: what one device reflects to the others.

use bytes::Bytes;
use prost::Message as _;

use super::summarize;
use super::summary::Summary;
use crate::protocol::container::DecodeError;
use crate::protocol::dialect::Dialect;
use crate::protocol::ids::Millis;
use crate::protocol::keys::{GroupKeys, SealKey};
use crate::protocol::proto::{d2d, d2d_seed};
use crate::protocol::sealed::Sealable;

/// What one device reflects to the others. It is of one dialect: the two number their contents differently, and most
/// contents exist in one of them only. A [`Composer`](super::Composer) makes envelopes; decoding yields them.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope(Shape);

#[derive(Clone, Debug, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "within one group all are of the same variant; a box would cost each of them"
)]
enum Shape {
    Seed(d2d_seed::Envelope),
    Today(d2d::Envelope),
}

impl Envelope {
    pub(super) const fn seed(envelope: d2d_seed::Envelope) -> Self {
        Self(Shape::Seed(envelope))
    }

    pub(super) const fn today(envelope: d2d::Envelope) -> Self {
        Self(Shape::Today(envelope))
    }

    /// Whether the dialect can carry it. Ask before sealing: in the other dialect all that is left of an envelope is
    /// its padding, a well-formed message that says nothing.
    #[must_use]
    pub const fn representable_in(&self, dialect: Dialect) -> bool {
        matches!((&self.0, dialect), (Shape::Seed(_), Dialect::Mk) | (Shape::Today(_), Dialect::Dgk))
    }

    /// The same, made at that time: when a message was written, or messages were read.
    #[must_use]
    pub fn made_at(mut self, now: Millis) -> Self {
        use d2d::incoming_message_update::update::Update;
        match &mut self.0 {
            Shape::Seed(envelope) => match &mut envelope.content {
                Some(d2d_seed::envelope::Content::OutgoingMessage(message)) => message.created_at = now.0,
                Some(d2d_seed::envelope::Content::IncomingMessage(message)) => message.created_at = now.0,
                _ => {}
            },
            Shape::Today(envelope) => match &mut envelope.content {
                Some(d2d::envelope::Content::OutgoingMessage(message)) => message.created_at = now.0,
                Some(d2d::envelope::Content::IncomingMessage(message)) => message.created_at = now.0,
                Some(d2d::envelope::Content::IncomingMessageUpdate(content)) => {
                    for update in &mut content.updates {
                        if let Some(Update::Read(read)) = &mut update.update {
                            read.at = now.0;
                        }
                    }
                }
                _ => {}
            },
        }
        self
    }

    /// How many bytes it takes before sealing; see [`MAX_ENVELOPE_PLAIN`](crate::protocol::MAX_ENVELOPE_PLAIN).
    #[must_use]
    pub fn plain_len(&self) -> usize {
        match &self.0 {
            Shape::Seed(envelope) => envelope.encoded_len(),
            Shape::Today(envelope) => envelope.encoded_len(),
        }
    }

    /// What the feed tells of it. A content that no specification names is [`Kind::Unknown`](super::Kind::Unknown).
    #[must_use]
    pub fn summary(&self) -> Summary {
        match &self.0 {
            Shape::Seed(envelope) => summarize::seed(envelope),
            Shape::Today(envelope) => summarize::today(envelope),
        }
    }
}

impl Sealable for Envelope {
    fn key(keys: &GroupKeys) -> &SealKey {
        &keys.envelope
    }

    fn encode(&self, dialect: Dialect) -> Vec<u8> {
        match (&self.0, dialect) {
            (Shape::Seed(envelope), Dialect::Mk) => envelope.encode_to_vec(),
            (Shape::Today(envelope), Dialect::Dgk) => envelope.encode_to_vec(),
            // Padding has the same number in both.
            (Shape::Today(d2d::Envelope { padding, .. }), Dialect::Mk)
            | (Shape::Seed(d2d_seed::Envelope { padding, .. }), Dialect::Dgk) => {
                d2d_seed::Envelope { padding: padding.clone(), content: None }.encode_to_vec()
            }
        }
    }

    fn decode(plain: Bytes, dialect: Dialect) -> Result<Self, DecodeError> {
        let malformed = |_| DecodeError::Malformed("envelope");
        Ok(match dialect {
            Dialect::Mk => Self::seed(d2d_seed::Envelope::decode(plain).map_err(malformed)?),
            Dialect::Dgk => Self::today(d2d::Envelope::decode(plain).map_err(malformed)?),
        })
    }
}
