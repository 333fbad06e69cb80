//! Envelopes for tests that join client and server.

use d2mtop::protocol::d2d::{Composer, Draft};
use d2mtop::protocol::{DeviceId, Dialect, Envelope, MessageId, Millis, Nonce};

/// A text from a contact.
pub fn text(dialect: Dialect, author: DeviceId, id: MessageId, created_at: Millis) -> Envelope {
    Composer::new(dialect, author).incoming("ECHOECHO", Draft::text(id, created_at, "hello"), Nonce([1; 24]))
}
