//! [`Envelope`]: what one device reflects to the others.

use std::fmt;

use bytes::Bytes;
use prost::Message as _;

use super::message_type::MessageType;
use super::summarize::Message;
use super::summary::EnvelopeSummary;
use super::tree::TreeBranch;
use super::{body, summarize, tree, unknown};
use crate::protocol::container::DecodeError;
use crate::protocol::dialect::Dialect;
use crate::protocol::ids::Millis;
use crate::protocol::keys::{GroupKeys, SealKey};
use crate::protocol::proto::{d2d, d2d_seed};
use crate::protocol::sealed::Sealable;
use crate::text::Clean;

/// What one device reflects to the others. It is of one dialect: the two number their contents differently, and most
/// contents exist in one of them only. A [`Composer`](super::Composer) makes envelopes; decoding yields them.
#[derive(Clone)]
pub struct Envelope {
    shape: EnvelopeShape,
    /// What it was read from; empty if it was made here. Bodies alias it, so it costs no memory of its own.
    read_from: Bytes,
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope").field("shape", &self.shape).finish_non_exhaustive()
    }
}

/// What cannot be understood makes no difference.
impl PartialEq for Envelope {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape
    }
}

#[derive(Clone, Debug, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "within one group all are of the same variant; a box would cost each of them"
)]
enum EnvelopeShape {
    Seed(d2d_seed::Envelope),
    Today(d2d::Envelope),
}

impl Envelope {
    pub(super) const fn seed(envelope: d2d_seed::Envelope) -> Self {
        Self { shape: EnvelopeShape::Seed(envelope), read_from: Bytes::new() }
    }

    pub(super) const fn today(envelope: d2d::Envelope) -> Self {
        Self { shape: EnvelopeShape::Today(envelope), read_from: Bytes::new() }
    }

    /// Whether the dialect can carry it. Ask before sealing: in the other dialect all that is left of an envelope is
    /// its padding, a well-formed message that says nothing.
    #[must_use]
    pub const fn representable_in(&self, dialect: Dialect) -> bool {
        matches!(
            (&self.shape, dialect),
            (EnvelopeShape::Seed(_), Dialect::Mk) | (EnvelopeShape::Today(_), Dialect::Dgk)
        )
    }

    /// The same, made at that time: when a message was written, or messages were read.
    #[must_use]
    pub fn made_at(mut self, now: Millis) -> Self {
        use d2d::incoming_message_update::update::Update;
        match &mut self.shape {
            EnvelopeShape::Seed(envelope) => match &mut envelope.content {
                Some(d2d_seed::envelope::Content::OutgoingMessage(message)) => message.created_at = now.0,
                Some(d2d_seed::envelope::Content::IncomingMessage(message)) => message.created_at = now.0,
                _ => {}
            },
            EnvelopeShape::Today(envelope) => match &mut envelope.content {
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
        match &self.shape {
            EnvelopeShape::Seed(envelope) => envelope.encoded_len(),
            EnvelopeShape::Today(envelope) => envelope.encoded_len(),
        }
    }

    /// What the feed tells of it. A content that no specification names is [`ContentKind::Unknown`](super::ContentKind::Unknown).
    #[must_use]
    pub fn summary(&self) -> EnvelopeSummary {
        match &self.shape {
            EnvelopeShape::Seed(envelope) => summarize::seed(envelope),
            EnvelopeShape::Today(envelope) => summarize::today(envelope),
        }
    }

    /// Every decoded field of it.
    #[must_use]
    pub fn tree(&self) -> Vec<TreeBranch> {
        match &self.shape {
            EnvelopeShape::Seed(envelope) => tree::seed(envelope, self.unknown_fields()),
            EnvelopeShape::Today(envelope) => tree::today(envelope, self.unknown_fields()),
        }
    }

    /// The fields of it that the schema does not have, also those in the body of its message: the numbers of each and of
    /// those that it stands in, from the outside, with dots between them, such as `4.1.99`.
    #[must_use]
    pub fn unknown_fields(&self) -> Vec<Clean> {
        let (mut found, inside) = match &self.shape {
            EnvelopeShape::Seed(envelope) => {
                use d2d_seed::envelope::Content;
                let inside = match &envelope.content {
                    Some(Content::OutgoingMessage(of)) => Some(([2, 5], Message::from(of))),
                    Some(Content::IncomingMessage(of)) => Some(([3, 6], Message::from(of))),
                    _ => None,
                };
                (unknown::paths::<d2d_seed::Envelope>(&self.read_from), inside)
            }
            EnvelopeShape::Today(envelope) => {
                use d2d::envelope::Content;
                let inside = match &envelope.content {
                    Some(Content::OutgoingMessage(of)) => Some(([2, 5], Message::from(of))),
                    Some(Content::IncomingMessage(of)) => Some(([4, 6], Message::from(of))),
                    _ => None,
                };
                (unknown::paths::<d2d::Envelope>(&self.read_from), inside)
            }
        };
        if let Some((around, message)) = inside
            && let Ok(message_type) = u8::try_from(message.type_number).map(MessageType)
        {
            let paths = body::unknown_fields(message_type, message.body).into_iter();
            found.extend(paths.map(|path| [&around, path.as_slice()].concat()));
        }
        let path = |numbers: Vec<u32>| Clean::new(&numbers.iter().map(u32::to_string).collect::<Vec<_>>().join("."));
        found.into_iter().map(path).collect()
    }
}

impl Sealable for Envelope {
    fn key(keys: &GroupKeys) -> &SealKey {
        &keys.envelope
    }

    fn encode(&self, dialect: Dialect) -> Vec<u8> {
        match (&self.shape, dialect) {
            (EnvelopeShape::Seed(envelope), Dialect::Mk) => envelope.encode_to_vec(),
            (EnvelopeShape::Today(envelope), Dialect::Dgk) => envelope.encode_to_vec(),
            // Padding has the same number in both.
            (EnvelopeShape::Today(d2d::Envelope { padding, .. }), Dialect::Mk)
            | (EnvelopeShape::Seed(d2d_seed::Envelope { padding, .. }), Dialect::Dgk) => {
                d2d_seed::Envelope { padding: padding.clone(), content: None }.encode_to_vec()
            }
        }
    }

    fn decode(plain: Bytes, dialect: Dialect) -> Result<Self, DecodeError> {
        let malformed = |_| DecodeError::Malformed("envelope");
        let shape = match dialect {
            Dialect::Mk => EnvelopeShape::Seed(unknown::decode(&plain).map_err(malformed)?),
            Dialect::Dgk => EnvelopeShape::Today(unknown::decode(&plain).map_err(malformed)?),
        };
        Ok(Self { shape, read_from: plain })
    }
}
