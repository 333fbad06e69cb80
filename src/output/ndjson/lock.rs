//! Lines and fields about the lock.

use std::time::Duration;

use serde_json::{Value, json};

use super::line;
use crate::group::{LockEvent, LockScope};
use crate::protocol::ids::span_millis;
use crate::protocol::{DeviceId, Millis};

/// The line about a lock that is held for too long; without a holder it is this device.
#[must_use]
pub fn lock_stuck(at: Millis, holder: Option<DeviceId>, scope: LockScope, held: Duration) -> Value {
    let scope = scope.map(|scope| scope.to_string());
    line(at, "lock_stuck", json!({ "holder": holder, "scope": scope, "held_ms": span_millis(held) }))
}

pub(super) fn lock(event: &LockEvent) -> (&'static str, Value) {
    let words = |scope: &LockScope| scope.map(|scope| scope.to_string());
    match event {
        LockEvent::Requested(scope) => ("lock_requested", json!({ "scope": words(scope) })),
        LockEvent::HeldBy { holder, scope } => ("lock_held", json!({ "holder": holder, "scope": words(scope) })),
        LockEvent::Acquired { scope, expires_at } => {
            ("lock_acquired", json!({ "scope": words(scope), "expires_at": expires_at }))
        }
        LockEvent::Released(scope) => ("lock_released", json!({ "scope": words(scope) })),
        LockEvent::Abandoned => ("lock_abandoned", json!({})),
        LockEvent::Lost(scope) => ("lock_lost", json!({ "scope": words(scope) })),
        LockEvent::Ended { holder, scope } => ("lock_ended", json!({ "holder": holder, "scope": words(scope) })),
    }
}
