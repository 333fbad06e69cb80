//! What a listener has to tell whoever runs it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::door::{ClientAddress, ListenAt};
use crate::mediator::{ConnectionId, GroupRefusal, LogEvent};
use crate::rendezvous::RelayEvent;

/// What whoever runs a listener may want to write down.
#[derive(Debug)]
pub enum LogLine {
    /// Connections are accepted from now on.
    Listening {
        /// The place, with the port that the system gave.
        at: ListenAt,
        /// The port, if it has one.
        port: Option<u16>,
        /// Whether with TLS.
        encrypted: bool,
        /// The chat server that Proxy frames are passed on to.
        chat_server: Option<Arc<str>>,
        /// Whether the relay is served, too.
        rendezvous: bool,
    },
    /// A connection did not become a WebSocket of ours.
    Refused {
        /// By its number, which no other connection gets.
        connection: ConnectionId,
        /// Where the client connects from.
        peer: ClientAddress,
        /// The reason that is logged.
        refusal: ConnectionRefusal,
    },
    /// A connection could not be accepted; it is tried again.
    AcceptFailed {
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// The system gave no random bytes, so that a connection was dropped.
    NoRandomness {
        /// By its number, which no other connection gets.
        connection: ConnectionId,
    },
    /// What an earlier run has stored was taken in.
    Restored {
        /// The number of groups.
        groups: usize,
        /// The number of slots.
        devices: usize,
        /// The number of messages that wait.
        messages: usize,
    },
    /// Nothing can be stored now. It is tried again; until then nothing is acknowledged, and nobody let in.
    StoreStalled {
        /// The reason, and what to do.
        words: String,
    },
    /// It can be stored again; nothing was lost.
    StoreRecovered,
    /// Nothing can be stored or read any more: the mediator ends.
    StoreFailed {
        /// The reason, and what to do.
        words: String,
    },
    /// What clients sent was handled, and what follows from it is told. For figures, not for the log.
    Answered {
        /// How many messages they sent.
        messages: usize,
        /// From taking the first of them on.
        took: Duration,
    },
    /// Changes are stored. For figures, not for the log.
    Committed {
        /// From handing them to the store on.
        took: Duration,
    },
    /// The machine tells something.
    Mediator(LogEvent),
    /// The relay tells something; a side has the number of its connection.
    Relay(RelayEvent),
    /// All connections are being closed.
    Stopping {
        /// How many there are.
        connections: usize,
    },
    /// All connections are closed.
    Stopped,
}

/// Why a connection was refused before the protocol began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionRefusal {
    /// It was not logged in, and had to go for a newcomer.
    #[error("too many connections that are not logged in")]
    TooMany,
    /// The group is not let in, or there is no place for one more client; answered with HTTP status 403 or 503.
    #[error("{}", .0.words())]
    NotAdmitted(GroupRefusal),
    /// The upgrade took too long.
    #[error("no WebSocket in time")]
    Timeout,
    /// The TLS handshake failed.
    #[error("TLS handshake failed")]
    Tls,
    /// The path names no device group, nor a place of a relay that is served; answered with HTTP status 404.
    #[error("the path names no device group")]
    Path,
    /// Not the opening of a WebSocket.
    #[error("not a WebSocket request")]
    NotAWebSocket,
}
