//! The one place where the time of a running session is read.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::protocol::Millis;
use crate::protocol::ids::span_millis;
use crate::session::Now;

/// The time now.
#[must_use]
pub fn now() -> Millis {
    Millis(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, span_millis))
}

/// The time as a session wants it: now, and by a clock that is never set.
#[must_use]
pub fn precise() -> Now {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    Now { wall: now(), precise: START.elapsed() }
}

/// Sleeps until a time; for ever if there is none.
pub async fn sleep_until(deadline: Option<Millis>) {
    match deadline {
        Some(deadline) => tokio::time::sleep(deadline.since(now())).await,
        None => std::future::pending().await,
    }
}

/// Sleeps until the clock that is never set, as in [`precise`], says this; for ever if there is no time.
pub async fn sleep_until_precise(deadline: Option<Duration>) {
    match deadline {
        Some(deadline) => tokio::time::sleep(deadline.saturating_sub(precise().precise)).await,
        None => std::future::pending().await,
    }
}

/// A span that is always long enough to be worth waiting for.
pub(super) const fn frame(per_second: u64) -> Duration {
    Duration::from_millis(1_000 / per_second)
}
