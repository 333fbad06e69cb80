//! How much of what a broken or hostile server sends is told: the first of each minute, then only how much.

use std::time::Duration;

use crate::protocol::Millis;
use crate::protocol::ids::span_millis;

/// How many are told in a minute.
const TOLD: u32 = 20;
const MINUTE: Duration = Duration::from_secs(60);

/// What was told lately, and what was not.
#[derive(Debug, Default)]
pub(super) struct RateLimit {
    since: Option<Millis>,
    told: u32,
    unsaid: u64,
}

impl RateLimit {
    /// Whether another one may be told; if so, how many were not told since the last one.
    pub(super) fn admit(&mut self, now: Millis) -> Option<u64> {
        if self.since.is_none_or(|since| now.since(since) >= MINUTE) {
            (self.since, self.told) = (Some(now), 0);
        }
        if self.told == TOLD {
            self.unsaid += 1;
            return None;
        }
        self.told += 1;
        Some(std::mem::take(&mut self.unsaid))
    }

    pub(super) fn set_back(&mut self, by: Duration) {
        self.since = self.since.map(|since| Millis(since.0.saturating_sub(span_millis(by))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_as_a_number() {
        let mut limit = RateLimit::default();
        let told = (0..1_000).filter(|_| limit.admit(Millis(5)).is_some()).count();
        assert_eq!(told, 20);
        assert_eq!(limit.admit(Millis(60_005)), Some(980));
        assert_eq!(limit.admit(Millis(60_006)), Some(0));
    }
}
