//! The connection to the relay, as the machines see it.

use bytes::Bytes;

use crate::protocol::CloseCode;
use crate::text::Clean;

/// How the connection to the relay ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayLinkEnd {
    /// With a close frame, of the relay or of the other device.
    Closed {
        /// The code of the close frame.
        code: CloseCode,
        /// The text of the close frame, often empty.
        reason: Clean,
    },
    /// There never was a connection, for this reason.
    Unreachable(Clean),
    /// It broke, in this way.
    Broken(Clean),
}

/// What happens on the connection.
#[derive(Debug)]
pub enum LinkInput {
    /// It is open: frames may be sent.
    Up,
    /// A binary message came.
    Bytes(Bytes),
    /// A text message came, which the protocol does not have.
    Text,
    /// A sign of life without content, such as the answer to a ping.
    Alive,
    /// It ended, or could not be made.
    Down(RelayLinkEnd),
}

/// What is to be done on the connection, in this order.
#[derive(Clone, PartialEq, Eq)]
pub enum LinkOutput {
    /// Send exactly this as one binary message: phones put nothing together and take nothing apart.
    Send(Bytes),
    /// Send a WebSocket ping.
    Ping,
    /// Close with this code, after all that was to be sent.
    Close(CloseCode),
}

impl std::fmt::Debug for LinkOutput {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Send(frame) => write!(formatter, "Send({} bytes)", frame.len()),
            Self::Ping => formatter.write_str("Ping"),
            Self::Close(code) => write!(formatter, "Close({code})"),
        }
    }
}
