//! [`Lease`]: until when the lock is ours by our own clock, and what has to be done before.

use std::time::Duration;

use crate::os::clock;
use crate::protocol::Millis;

/// How often to look at the clock: a timer stands still while the machine sleeps.
const LOOK: Duration = Duration::from_secs(1);
/// How long before its end a command is told to end at most, and ended at most.
const MOST_WARNING: Duration = Duration::from_secs(5);
const MOST_SPARE: Duration = Duration::from_secs(1);

/// For how long the lock is ours, on a clock that nobody sets and that runs on in sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    ends: Duration,
    span: Duration,
}

impl Lease {
    /// A lease of this length that ends at this time of day, as it is told right after that was found.
    pub(super) fn until(expires_at: Millis, span: Duration) -> Self {
        Self { ends: clock::monotonic() + expires_at.since(clock::wall().into()), span }
    }

    /// When the command is told to end.
    fn warns_at(&self) -> Duration {
        self.ends.saturating_sub(MOST_WARNING.min(self.span / 5))
    }

    /// When it is ended: so early that it is gone before the lock is.
    fn kills_at(&self) -> Duration {
        self.ends.saturating_sub(MOST_SPARE.min(self.span / 10))
    }

    /// Whether a command has to end now.
    pub(super) fn is_ending(&self) -> bool {
        clock::monotonic() >= self.warns_at()
    }

    /// How much time a command has that is told to end.
    pub(super) fn grace(&self) -> Duration {
        self.kills_at().saturating_sub(clock::monotonic())
    }

    /// Waits until a command has to end.
    pub(super) async fn ending(&self) {
        while !self.is_ending() {
            tokio::time::sleep(self.warns_at().saturating_sub(clock::monotonic()).min(LOOK)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_early_enough_and_gone_before_the_end() {
        for (seconds, warning, spare) in [(1, 200, 100), (10, 2_000, 1_000), (25, 5_000, 1_000), (3_600, 5_000, 1_000)]
        {
            let lease = Lease { ends: Duration::from_secs(100_000), span: Duration::from_secs(seconds) };
            assert_eq!(lease.ends.saturating_sub(lease.warns_at()), Duration::from_millis(warning), "{seconds} s");
            assert_eq!(lease.ends.saturating_sub(lease.kills_at()), Duration::from_millis(spare), "{seconds} s");
        }
        // Long over.
        let lease = Lease { ends: Duration::ZERO, span: Duration::from_secs(10) };
        assert!(lease.is_ending());
        assert_eq!(lease.grace(), Duration::ZERO);
    }
}
