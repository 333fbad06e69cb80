//! The time of a running session.

use std::time::Duration;

use crate::os::clock;
use crate::protocol::Millis;
use crate::session::Now;

#[must_use]
pub fn now() -> Millis {
    clock::wall().into()
}

/// The time as a session wants it: now, and by a clock that is never set.
#[must_use]
pub fn precise() -> Now {
    clock::both().into()
}

/// Sleeps until a time; for ever if there is none.
pub async fn sleep_until(deadline: Option<Millis>) {
    match deadline {
        Some(deadline) => tokio::time::sleep(deadline.since(now())).await,
        None => std::future::pending().await,
    }
}

/// A span that is always long enough to be worth waiting for.
pub(super) const fn frame(per_second: u64) -> Duration {
    Duration::from_millis(1_000 / per_second)
}
