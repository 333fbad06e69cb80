//! How long to wait before connecting again: linear, jittered, capped.

use std::time::Duration;

use rand::{Rng, RngCore};
use serde::{Deserialize, Serialize};

/// Linear backoff: attempt `n` waits `n` steps, at most `cap`, give or take a fifth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// What each further attempt adds.
    pub step: Duration,
    /// The longest wait, before jitter.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { step: Duration::from_secs(2), cap: Duration::from_mins(1) }
    }
}

impl Backoff {
    /// The wait before attempt `attempt`, which counts from 1. The jitter keeps the clients of a restarted server from
    /// coming back in step.
    pub fn delay(&self, attempt: u32, random: &mut impl RngCore) -> Duration {
        let plain = self.step.saturating_mul(attempt).min(self.cap);
        plain.mul_f64(random.gen_range(0.8..=1.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    proptest! {
        #[test]
        fn delays_grow_stay_under_the_cap_and_jitter_by_a_fifth(attempt in 1_u32..10_000, seed: u64) {
            let backoff = Backoff::default();
            let mut random = StdRng::seed_from_u64(seed);
            let plain = (backoff.step * attempt).min(backoff.cap);
            let delay = backoff.delay(attempt, &mut random);
            prop_assert!(delay >= plain.mul_f64(0.8) && delay <= plain.mul_f64(1.2), "{delay:?} around {plain:?}");
        }
    }
}
