//! The time as a session is told it.

use std::time::{Duration, SystemTime};

use crate::protocol::Millis;

/// What the clock on the wall says, which times of day are made of; and a finer clock that is never set and also runs while
/// the machine sleeps, which tells how much time has passed.
///
/// A wall clock that is moved moves no deadline.
///
/// Both may come of [`Millis`] alone: then what is measured is as coarse.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Unix time in milliseconds.
    pub wall: Millis,
    /// Since any moment, the same for a whole session.
    pub precise: Duration,
}

impl From<(SystemTime, Duration)> for Now {
    fn from((wall, precise): (SystemTime, Duration)) -> Self {
        Self { wall: wall.into(), precise }
    }
}

impl From<Millis> for Now {
    fn from(wall: Millis) -> Self {
        Self { wall, precise: Duration::from_millis(wall.0) }
    }
}
