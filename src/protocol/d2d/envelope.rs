//! [`Envelope`]: what one device reflects to the others.

use bytes::Bytes;

use super::summary::Summary;
use crate::protocol::container::DecodeError;
use crate::protocol::dialect::Dialect;
use crate::protocol::keys::{GroupKeys, SealKey};
use crate::protocol::proto::d2d;
use crate::protocol::sealed::Sealable;

/// What one device reflects to the others, in today's shape whatever the dialect.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope(d2d::Envelope);

impl Envelope {
    /// What the feed tells of it.
    #[must_use]
    pub fn summary(&self) -> Summary {
        unimplemented!()
    }
}

impl Sealable for Envelope {
    fn key(keys: &GroupKeys) -> &SealKey {
        &keys.envelope
    }

    fn encode(&self, _dialect: Dialect) -> Vec<u8> {
        unimplemented!()
    }

    fn decode(_plain: Bytes, _dialect: Dialect) -> Result<Self, DecodeError> {
        unimplemented!()
    }
}
