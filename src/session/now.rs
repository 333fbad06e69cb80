//! The time as a session is told it.

use std::time::Duration;

use crate::protocol::Millis;

/// What the clock on the wall says, which deadlines and times of day are made of; and a finer clock that is never set, for
/// measuring how long things take.
///
/// Both may come of [`Millis`] alone: then what is measured is as coarse.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Unix time in milliseconds.
    pub wall: Millis,
    /// Since any moment, the same for a whole session.
    pub precise: Duration,
}

impl From<Millis> for Now {
    fn from(wall: Millis) -> Self {
        Self { wall, precise: Duration::from_millis(wall.0) }
    }
}
