//! Where the session stands.

use super::disconnect::{DisconnectCause, NextStep};
use crate::protocol::Millis;

/// Where the session stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// Nothing was tried yet.
    #[default]
    Idle,
    /// A connection is being made.
    Connecting {
        /// Counts from 1 since the last good login.
        attempt: u32,
    },
    /// The login is under way.
    Handshaking,
    /// Logged in; the messages that waited are coming in.
    Draining {
        /// When the login succeeded.
        since: Millis,
        /// How many queued messages have come since the login.
        received: u32,
        /// How many waited at login, if the server told.
        of: Option<u32>,
    },
    /// Logged in, and nothing waits.
    Live {
        /// Since the queue ran dry.
        since: Millis,
    },
    /// There is no connection.
    Waiting {
        /// When the connection ended, by our clock.
        since: Millis,
        /// The cause of its end.
        cause: DisconnectCause,
        /// Whether and when the session connects again.
        next: NextStep,
    },
}

impl ConnectionState {
    /// Whether there is a login, so that what is shown is kept up to date.
    #[must_use]
    pub const fn is_logged_in(&self) -> bool {
        matches!(self, Self::Draining { .. } | Self::Live { .. })
    }

    /// Whether the queue ran dry in this connection.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self, Self::Live { .. })
    }

    /// The wall clock was moved, by this many milliseconds.
    pub(super) fn shift(&mut self, by: i64) {
        let shift = |time: &mut Millis| *time = time.offset_by(by);
        match self {
            Self::Idle | Self::Connecting { .. } | Self::Handshaking => {}
            Self::Draining { since, .. } | Self::Live { since } => shift(since),
            Self::Waiting { since, next, .. } => {
                shift(since);
                if let NextStep::RetryAt { at, .. } = next {
                    shift(at);
                }
            }
        }
    }

    pub(super) fn received(&mut self, messages: u32) {
        if let Self::Draining { received, .. } = self {
            *received = received.saturating_add(messages);
        }
    }

    pub(super) fn dry(&mut self, at: Millis) {
        if matches!(self, Self::Draining { .. }) {
            *self = Self::Live { since: at };
        }
    }
}
