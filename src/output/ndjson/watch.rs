//! Lines that `watch` prints of its own.

use serde_json::{Value, json};

use super::line;
use crate::protocol::Millis;
use crate::text::Clean;

/// The line about what was left out because the reader was slow: how many messages, acknowledgements, and other events.
#[must_use]
pub fn left_out(at: Millis, messages: usize, acknowledged: usize, events: usize) -> Value {
    line(at, "left_out", json!({ "messages": messages, "acknowledged": acknowledged, "events": events }))
}

/// The line about settings that were read anew.
#[must_use]
pub fn reloaded(at: Millis, changed: bool) -> Value {
    line(at, "reloaded", json!({ "changed": changed }))
}

/// The line about settings that cannot be read anew, and stay as they were.
#[must_use]
pub fn reload_failed(at: Millis, why: &str) -> Value {
    line(at, "reload_failed", json!({ "words": Clean::new(why) }))
}
