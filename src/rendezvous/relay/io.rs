//! The bounds of a relay, and what comes out of it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::protocol::CloseCode;

/// Names a connection, for as long as it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelaySide(pub u64);

/// What a relay allows: times and sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayConfig {
    /// How many paths there may be at once.
    pub max_paths: usize,
    /// How many bytes may be on their way to one client before the other is no longer read.
    pub max_waiting: usize,
    /// How many bytes of messages there may be in all, unfinished ones included. Whoever reads the sockets counts them.
    pub max_memory: usize,
    /// How long the first client of a path waits for the second.
    pub wait: Duration,
    /// How long two clients may say nothing.
    pub idle: Duration,
    /// How long two clients may stay, whatever they say.
    pub lifetime: Duration,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            max_paths: 256,
            max_waiting: 1024 * 1024,
            // More than one message of the greatest length.
            max_memory: 128 * 1024 * 1024,
            wait: Duration::from_mins(10),
            // Minutes pass while a person compares pictures and a phone ends its sessions.
            idle: Duration::from_mins(30),
            lifetime: Duration::from_hours(2),
        }
    }
}

/// What is to be done, in this order.
#[derive(Clone, PartialEq, Eq)]
pub enum RelayOutput {
    /// Send this binary message, then report [`Relay::written`](super::Relay::written).
    Send(RelaySide, Bytes),
    /// Read nothing more of this connection for now.
    Pause(RelaySide),
    /// Read on from this side, whose reading was paused.
    Resume(RelaySide),
    /// Close the connection, with these words, after all that was to be sent.
    Close(RelaySide, CloseCode, &'static str),
    /// Tell the operator.
    Log(RelayEvent),
}

impl fmt::Debug for RelayOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(side, bytes) => write!(formatter, "Send({side:?}, {} bytes)", bytes.len()),
            Self::Pause(side) => write!(formatter, "Pause({side:?})"),
            Self::Resume(side) => write!(formatter, "Resume({side:?})"),
            Self::Close(side, code, words) => write!(formatter, "Close({side:?}, {code}, {words})"),
            Self::Log(event) => event.fmt(formatter),
        }
    }
}

/// What the operator learns. Paths are secret, and not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayEvent {
    /// The first client of a path is there.
    Waiting(RelaySide),
    /// The second one.
    Met {
        /// The side that came.
        side: RelaySide,
        /// The side that waited for it.
        with: RelaySide,
    },
    /// A client is gone, or was turned away.
    Closed {
        /// The side that left.
        side: RelaySide,
        /// The part that ended the connection.
        by: RelayEnd,
        /// The code that it sent or was sent; a broken connection has none.
        code: Option<CloseCode>,
        /// How many bytes it sent.
        bytes: u64,
        /// For how long it was there.
        lasted: Duration,
    },
}

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayEnd {
    /// The client closed it, or vanished.
    Client,
    /// The client at the other end of the path.
    Peer,
    /// The relay closed it.
    Relay,
}
