//! The time as a mediator is told it.

use crate::protocol::Millis;

/// The time of day, and how much time has passed: moving the clock on the wall must move no deadline.
///
/// Both may come of [`Millis`] alone, where nobody moves that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediatorTime {
    /// Unix time in milliseconds, for timestamps.
    pub wall: Millis,
    /// Milliseconds since any moment on a clock that is never set, for deadlines.
    pub steady: Millis,
}

impl From<Millis> for MediatorTime {
    fn from(time: Millis) -> Self {
        Self { wall: time, steady: time }
    }
}
