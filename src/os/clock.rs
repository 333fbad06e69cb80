//! The one place where the system's clocks are read.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

/// The wall clock, which people and the network set.
#[must_use]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// A clock that is never set: the time since this process first asked.
#[must_use]
pub fn monotonic() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}
