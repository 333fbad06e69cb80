//! [`ReflectedMessage`]: what came out of our reflection queue, opened.

use crate::protocol::d2d::{Envelope, EnvelopeSummary};
use crate::protocol::{Millis, Nonce, OpenError, ReflectedHeader, ReflectedId, Sealed};
use crate::text::Clean;

/// A message out of our reflection queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReflectedMessage {
    /// Its id in our queue; not unique for ephemeral ones.
    pub id: ReflectedId,
    /// When the server stored it, by the server's clock.
    pub stored_at: Millis,
    /// When we got it, by our clock.
    pub received_at: Millis,
    /// The bytes of the sealed envelope.
    pub size: u32,
    /// What its header says of itself.
    pub header: ReflectedHeader,
    /// Whether it is ephemeral, and so never acknowledged.
    pub ephemeral: bool,
    /// Whether the same id was already received before a reconnect.
    pub redelivered: bool,
    /// Whether another message used the same nonce: a replay.
    pub repeated_nonce: bool,
    /// The nonce of its box, if it was long enough to have one.
    pub nonce: Option<Nonce>,
    /// What it says, or why that cannot be read.
    pub content: Result<EnvelopeSummary, OpenError>,
    /// The fields of it that the schema does not have, if the session looks for such; see [`Envelope::unknown_fields`].
    pub unknown_fields: Vec<Clean>,
    /// The sealed envelope itself, for who wants to read all of it; shares memory with what was read off the socket.
    pub envelope: Sealed<Envelope>,
}

/// How many of these are to be acknowledged: ephemeral ones never are.
#[must_use]
pub fn to_acknowledge(messages: &[ReflectedMessage]) -> usize {
    messages.iter().filter(|message| !message.ephemeral).count()
}
