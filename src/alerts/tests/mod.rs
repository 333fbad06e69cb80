mod alert_queue;
mod event_matcher;
mod outcome;

use serde_json::json;

use super::{AlertQueue, Encoder};
use crate::group::{Event, JournalState};

/// A queue whose lines say what these tests look at.
fn alert_queue() -> AlertQueue {
    AlertQueue::new(Encoder {
        event: |_, event| match event {
            Event::Journal(JournalState::Failed(_)) => json!({ "event": "journal", "state": "failed" }),
            _ => json!({}),
        },
        message: |_, message| json!({ "repeated_nonce": message.repeated_nonce }),
        lock_stuck: |_, _, _, held| json!({ "event": "lock_stuck", "held_ms": crate::protocol::ids::span_millis(held) }),
    })
}
