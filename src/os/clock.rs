//! The one place where the system's clocks are read.

use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};

/// Runs on while the machine sleeps; [`std::time::Instant`] and the timers of tokio stand still there.
#[cfg(any(target_os = "linux", target_os = "android"))]
const THROUGH_SLEEP: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const THROUGH_SLEEP: ClockId = ClockId::Monotonic;

/// The wall clock, which people and the network set.
#[must_use]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// The same moment by both clocks.
#[must_use]
pub fn both() -> (SystemTime, Duration) {
    (wall(), monotonic())
}

/// A clock that is never set, and runs on while the machine sleeps or this process is stopped.
#[must_use]
pub fn monotonic() -> Duration {
    let now = clock_gettime(THROUGH_SLEEP);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or(0))
}
