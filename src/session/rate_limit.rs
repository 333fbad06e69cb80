//! How much of what a broken or hostile server sends is told: the first of each minute, then only how much.

use std::time::Duration;

use crate::protocol::Millis;

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

    /// Since when, how many were told, and how many were not.
    pub(super) const fn parts(&self) -> (Option<Millis>, u32, u64) {
        (self.since, self.told, self.unsaid)
    }

    pub(super) const fn of_parts(since: Option<Millis>, told: u32, unsaid: u64) -> Self {
        Self { since, told, unsaid }
    }

    /// The wall clock was moved, by this many milliseconds.
    pub(super) fn shift(&mut self, by: i64) {
        self.since = self.since.map(|since| since.offset_by(by));
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
