//! What was received: ids, so that nothing is acknowledged twice, and nonces, so that a replay is noticed.

use std::collections::{HashSet, VecDeque};

use crate::protocol::{Nonce, ReflectedId};

/// A set of ids as ranges. Ids rise, so that weeks of messages take one range; a server that skips ids costs one range
/// a gap, of which the oldest go first.
#[derive(Clone, Debug, Default)]
pub(super) struct IdRanges(VecDeque<(u32, u32)>);

const MOST_RANGES: usize = 4_096;

impl IdRanges {
    pub(super) fn contains(&self, id: ReflectedId) -> bool {
        // The newest range is the likely one.
        self.0.iter().rev().any(|(first, last)| (*first..=*last).contains(&id.0))
    }

    pub(super) fn insert(&mut self, id: ReflectedId) {
        if let Some((_, last)) = self.0.back_mut()
            && last.checked_add(1) == Some(id.0)
        {
            *last = id.0;
            return;
        }
        if self.contains(id) {
            return;
        }
        if self.0.len() == MOST_RANGES {
            self.0.pop_front();
        }
        self.0.push_back((id.0, id.0));
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
        let excess = self.0.len().saturating_sub(MOST_RANGES);
        self.0.drain(..excess);
    }
}

/// The nonces of the messages received last.
#[derive(Clone, Debug, Default)]
pub(super) struct RecentNonces {
    known: HashSet<u128>,
    order: VecDeque<u128>,
}

const MOST_NONCES: usize = 100_000;

impl RecentNonces {
    /// Remembers a nonce; true if it was known already.
    pub(super) fn repeats(&mut self, nonce: Nonce) -> bool {
        // Sixteen of the 24 random bytes tell nonces apart well enough.
        let Some(bytes) = nonce.0.first_chunk() else { return false };
        let key = u128::from_le_bytes(*bytes);
        if !self.known.insert(key) {
            return true;
        }
        self.order.push_back(key);
        if self.order.len() > MOST_NONCES
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rising_ids_take_one_range_and_wrap() {
        let mut ranges = IdRanges::default();
        for id in (u32::MAX - 2..=u32::MAX).chain(0..3) {
            assert!(!ranges.contains(ReflectedId(id)), "{id} was not yet received");
            ranges.insert(ReflectedId(id));
            assert!(ranges.contains(ReflectedId(id)), "{id} was received");
        }
        assert_eq!(ranges.0.len(), 2);
    }

    #[test]
    fn gaps_cost_bounded_memory() {
        let mut ranges = IdRanges::default();
        for id in 0..20_000 {
            ranges.insert(ReflectedId(id * 2));
        }
        assert_eq!(ranges.0.len(), MOST_RANGES);
        assert!(ranges.contains(ReflectedId(39_998)) && !ranges.contains(ReflectedId(39_997)));
    }

    #[test]
    fn a_repeated_nonce_is_noticed_within_the_window() {
        let mut nonces = RecentNonces::default();
        let nonce = |number: u32| {
            let mut bytes = [0; 24];
            bytes[..4].copy_from_slice(&number.to_le_bytes());
            Nonce(bytes)
        };
        assert!(!nonces.repeats(nonce(0)));
        assert!(nonces.repeats(nonce(0)));
        for number in 1..=100_000 {
            assert!(!nonces.repeats(nonce(number)), "nonce {number} is new");
        }
        assert_eq!(nonces.order.len(), MOST_NONCES);
        assert!(!nonces.repeats(nonce(0)), "the oldest is forgotten");
    }
}
