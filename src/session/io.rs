//! What goes into a session, and what comes out.

use std::time::Duration;

use bytes::Bytes;

use super::command::{ChatClientId, Command};
use crate::group::{Event, ReflectedMessage};
use crate::protocol::{CloseCode, ReflectedId};
use crate::text::Clean;

/// What a session is told.
#[derive(Debug)]
pub enum SessionInput {
    /// The time asked for by [`super::Session::deadline`] has come.
    Timer,
    /// The WebSocket is open.
    LinkUp,
    /// Binary messages came, in this order.
    Frames(Vec<Bytes>),
    /// A text message came, which the protocol does not have.
    TextFrame,
    /// The answer to our ping came.
    Pong,
    /// The other side gave a sign of life without content.
    Alive,
    /// Nothing is read at the moment, so that the silence of the other side says nothing.
    NotReading,
    /// The connection ended, or could not be made.
    LinkDown(LinkEnd),
    /// The oldest `count` messages of [`SessionOutput::Reflected`] not yet reported are durable, and may be acknowledged.
    Durable {
        /// The connection that they came on; acknowledgements go to no other.
        connection: u64,
        /// How many, ephemeral ones not counted.
        count: usize,
    },
    /// Messages of this connection could not be made durable, and now others can: they have to come again.
    Redeliver {
        /// The connection that they came on.
        connection: u64,
    },
    /// All that was handed out to be sent has been written to the socket.
    Flushed,
    /// The user, or a script, wants something.
    Command(Command),
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// The server sent a close frame.
    Closed {
        /// The code of the close frame.
        code: CloseCode,
        /// The text of the close frame, often empty.
        reason: Clean,
    },
    /// No connection could be made, for this reason.
    Unreachable(Clean),
    /// There was no connection, as the server wants to be left alone for a while.
    Busy {
        /// Its answer, in words.
        why: Clean,
        /// How long it wants to be left alone.
        retry_after: Duration,
    },
    /// The connection broke, for this reason.
    Broken(Clean),
}

/// What a chat client's side has to know, in this order. It must not wait for what is told of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyOutput {
    /// From now on the connection carries the frames of this client.
    Begins(ChatClientId),
    /// A frame of the chat server for it.
    Frame(Bytes),
    /// Its connection is over, and it was not the client who ended it.
    Ends,
}

/// What a session wants done.
#[derive(Debug, PartialEq)]
pub enum SessionOutput {
    /// Open the WebSocket. What is still to come of an earlier one is of no interest any more.
    Connect,
    /// Send this binary message.
    Send(Bytes),
    /// Send a WebSocket ping.
    Ping,
    /// Close the WebSocket with this code, after all that was to be sent.
    Close(CloseCode),
    /// Make these durable, then report [`SessionInput::Durable`], then hand them on as [`Event::Reflected`].
    Reflected {
        /// The connection that they came on.
        connection: u64,
        /// The messages in the order of receipt.
        messages: Vec<ReflectedMessage>,
    },
    /// The acknowledgements of these have been written, in this order; to be handed on as [`Event::Acknowledged`].
    Acknowledged(Vec<ReflectedId>),
    /// Tell this to the chat client's side.
    Proxy(ProxyOutput),
    /// Tell that this happened.
    Event(Event),
}
