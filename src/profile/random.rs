//! Where randomness comes from.

use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// A random source seeded from the system.
#[must_use]
pub fn fresh_random() -> StdRng {
    StdRng::from_entropy()
}
