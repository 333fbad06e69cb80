//! What goes into a mediator, and what comes out.

use std::borrow::Cow;
use std::fmt;
use std::io;

use bytes::Bytes;

use super::connection_id::ConnectionId;
use super::log::LogEvent;
use super::operation_id::OperationId;
use super::operator::{OperatorAnswer, OperatorRequest};
use super::storage::{Fetch, StoredMessage};
use crate::protocol::CloseCode;

/// Fresh random bytes for one connection.
#[derive(Clone)]
pub struct HandshakeSecrets {
    /// The secret half of the key that the client boxes its answer for.
    pub secret: [u8; 32],
    /// What the client has to box.
    pub challenge: [u8; 32],
}

impl fmt::Debug for HandshakeSecrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Ephemeral([REDACTED])")
    }
}

/// Something that the listener has to tell.
#[derive(Clone, Debug)]
pub enum MediatorInput {
    /// A binary message came.
    Frame {
        /// The connection that it came on.
        connection: ConnectionId,
        /// The message: one container.
        bytes: Bytes,
    },
    /// A text message came, which the protocol does not have.
    Text {
        /// The connection that it came on.
        connection: ConnectionId,
    },
    /// A message came that the listener could not read: longer than any container, or against WebSocket's own rules.
    Unreadable {
        /// The connection that it came on.
        connection: ConnectionId,
    },
    /// A WebSocket ping came.
    Alive {
        /// The connection that it came on.
        connection: ConnectionId,
    },
    /// A WebSocket pong came.
    Pong {
        /// The connection that it came on.
        connection: ConnectionId,
    },
    /// Frames were written to the socket.
    Written {
        /// The connection that they were sent on.
        connection: ConnectionId,
        /// The number of [`MediatorOutput::Send`] written since the last report.
        frames: usize,
    },
    /// Something happened on a device's way to the chat server.
    Chat {
        /// The connection of the device.
        connection: ConnectionId,
        /// The event on its way to the chat server.
        event: ChatEvent,
    },
    /// The client closed the connection, or it broke.
    Closed {
        /// The connection that ended.
        connection: ConnectionId,
        /// The code of the client's close frame, if there was one.
        code: Option<CloseCode>,
    },
    /// A batch of changes is stored, and all before it.
    Committed {
        /// The batch's number, which rises.
        batch: u64,
    },
    /// The answer to [`MediatorOutput::Fetch`].
    Fetched {
        /// The connection that the messages are for.
        connection: ConnectionId,
        /// The messages, oldest first.
        messages: Vec<StoredMessage>,
    },
    /// Whoever runs the mediator asks for something.
    Operate {
        /// By which the answer is known.
        operation: OperationId,
        /// What is asked for.
        request: OperatorRequest,
    },
    /// The deadline is reached.
    Timer,
    /// The server ends: every connection is closed.
    Shutdown,
}

impl MediatorInput {
    /// The connection that it is about.
    pub(super) const fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::Frame { connection, .. }
            | Self::Text { connection }
            | Self::Unreadable { connection }
            | Self::Alive { connection }
            | Self::Pong { connection }
            | Self::Written { connection, .. }
            | Self::Chat { connection, .. }
            | Self::Fetched { connection, .. }
            | Self::Closed { connection, .. } => Some(*connection),
            Self::Committed { .. } | Self::Operate { .. } | Self::Timer | Self::Shutdown => None,
        }
    }
}

/// Something for the listener to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediatorOutput {
    /// Send a binary message.
    Send {
        /// The connection to send on.
        connection: ConnectionId,
        /// The message: one container.
        bytes: Bytes,
    },
    /// Close a connection, once everything sent before is written, or at once.
    Close {
        /// The connection to close.
        connection: ConnectionId,
        /// The code for the close frame.
        code: CloseCode,
        /// The text of the close frame.
        reason: Cow<'static, str>,
        /// Whether what was sent before is let go, as its client does not take it or nobody waits for it.
        discard: bool,
    },
    /// Send a WebSocket ping.
    Ping {
        /// The connection to ask for a sign of life.
        connection: ConnectionId,
    },
    /// Read nothing more from a connection for now: its client does not read what it asks for.
    Pause {
        /// The connection to stop reading.
        connection: ConnectionId,
    },
    /// Read on from a paused connection.
    Resume {
        /// The connection to read again.
        connection: ConnectionId,
    },
    /// Do something on a device's way to the chat server.
    Chat {
        /// The connection of the device.
        connection: ConnectionId,
        /// The action on its way to the chat server.
        action: ChatAction,
    },
    /// Read messages back from the store, once the last batch is with it.
    Fetch(Fetch),
    /// Tell whoever runs the mediator what came of a request, once it is stored.
    Operated {
        /// The number that the request came with.
        operation: OperationId,
        /// What came of it.
        answer: OperatorAnswer,
    },
    /// Write an event to the log.
    Log(LogEvent),
}

/// What happened on the way to the chat server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatEvent {
    /// The connection is made.
    Connected,
    /// The connection could not be made, for this reason.
    Unreachable(io::ErrorKind),
    /// Bytes came, in answer to [`ChatAction::Read`].
    Bytes(Bytes),
    /// Frames were written to the chat server.
    Written {
        /// The number of [`ChatAction::Send`] written since the last report.
        frames: usize,
    },
    /// The chat server closed the connection, or it broke.
    Closed,
}

/// What to do on the way to the chat server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatAction {
    /// Make a connection.
    Connect,
    /// Send this, once the connection is made.
    Send(Bytes),
    /// Read from the chat server once.
    Read,
    /// Close the connection, once everything sent before is written.
    Close,
}
