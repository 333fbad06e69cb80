//! What the dashboard's loop needs of a recording that is played; the player lives in a room above.

use std::time::Duration;

use crate::group::Event;
use crate::protocol::Millis;
use crate::text::Clean;

/// What the user wants of what is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaybackRequest {
    /// Stand still, or go on.
    Pause,
    /// One input on, and stand still.
    Step,
    /// One input back, and stand still.
    StepBack,
}

impl PlaybackRequest {
    /// What a key asks for, if it does.
    #[must_use]
    pub const fn of_key(key: char) -> Option<Self> {
        match key {
            ' ' => Some(Self::Pause),
            '}' => Some(Self::Step),
            '{' => Some(Self::StepBack),
            _ => None,
        }
    }
}

/// What comes of playing.
#[derive(Debug)]
pub enum PlayedBack {
    /// All begins anew.
    Anew,
    /// Something happened then, in the session of this tab.
    Told(usize, Millis, Event),
}

/// A recording, played.
pub trait Playback {
    /// The time of then.
    fn now(&self) -> Millis;

    /// How long until there is something to play; [`None`] if it stands still.
    fn wait(&self) -> Option<Duration>;

    /// Plays what is due, for a few milliseconds at most; what to say of it, if anything.
    fn advance(&mut self, tell: &mut dyn FnMut(PlayedBack)) -> Option<Clean>;

    /// Does what the user wants; what to say of it.
    fn ask(&mut self, request: PlaybackRequest, tell: &mut dyn FnMut(PlayedBack)) -> Clean;
}
