//! [`Alert`]: what a rule waits for has happened.

use std::time::Duration;

use serde_json::Value;

use crate::group::{Event, HeldLock, LockScope, ReflectedMessage};
use crate::protocol::{DeviceId, Millis};
use crate::session::Now;
use crate::text::Clean;
use crate::text::figures::span;

/// Something that a rule waits for has happened.
#[derive(Clone, Debug)]
pub struct Alert {
    /// As the line of NDJSON.
    pub line: Value,
    pub words: Clean,
}

/// A alert that is due now.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) queue: usize,
    pub(super) rule: usize,
    pub(super) profile: String,
    pub(super) alert: Alert,
    /// How many more there were of the same that are not told one by one.
    pub(super) suppressed: u64,
}

/// How events become lines of NDJSON, which commands read on their standard input.
#[derive(Clone, Copy, Debug)]
pub struct Encoder {
    /// Any event but messages, as one line.
    pub event: fn(Millis, &Event) -> Value,
    pub message: fn(Millis, &ReflectedMessage) -> Value,
    /// A lock that has been held for so long; by this device, if no holder is given.
    pub lock_stuck: fn(Millis, Option<DeviceId>, LockScope, Duration) -> Value,
}

/// A lock that has been held for too long.
pub(super) fn lock_stuck(encoder: Encoder, now: Now, HeldLock { holder, scope, since }: HeldLock) -> Alert {
    let held = now.precise.saturating_sub(since);
    let who = holder.map_or_else(|| "this device".to_owned(), |holder: DeviceId| format!("device {holder}"));
    let words = format!("{who} has held the lock for {}", span(held));
    Alert { line: (encoder.lock_stuck)(now.wall, holder, scope, held), words: Clean::new(&words) }
}
