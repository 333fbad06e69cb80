//! The client's WebSocket: reading and writing in batches, closing politely.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::FutureExt as _;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{Sink as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error as WebSocketError;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as WireCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};

use crate::protocol::CloseCode;
use crate::session::{LinkEnd, SessionInput};
use crate::text::Clean;

/// The most messages that one batch takes from the socket.
const BATCH: usize = 256;
/// The bytes after which it takes no further one; the messages of a relay may have many.
const BATCH_BYTES: usize = 4 << 20;

/// What a WebSocket can run on.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}
/// The bytes of a connection, whatever carries them.
pub type Transport = Box<dyn ByteStream>;

/// What a link brings.
#[derive(Debug)]
pub enum LinkEvent {
    /// Binary messages, in order.
    Frames(Vec<Bytes>),
    /// A text message.
    TextFrame,
    /// The answer to our ping.
    Pong,
    /// The other side's ping, which is answered by itself.
    Alive,
    /// The end.
    End(LinkEnd),
}

impl From<LinkEvent> for SessionInput {
    /// What a session is told of it.
    fn from(event: LinkEvent) -> Self {
        match event {
            LinkEvent::Frames(frames) => Self::Frames(frames),
            LinkEvent::TextFrame => Self::TextFrame,
            LinkEvent::Pong => Self::Pong,
            LinkEvent::Alive => Self::Alive,
            LinkEvent::End(end) => Self::LinkDown(end),
        }
    }
}

/// An open WebSocket. Reading and writing go on at the same time, so that a server that does not read cannot keep us from
/// reading.
pub struct Link {
    writer: SplitSink<WebSocketStream<Transport>, Message>,
    reader: SplitStream<WebSocketStream<Transport>>,
    outgoing: VecDeque<Message>,
    unflushed: bool,
    held: Option<Received>,
}

impl Link {
    pub(super) fn new(socket: WebSocketStream<Transport>) -> Self {
        let (writer, reader) = socket.split();
        Self { writer, reader, outgoing: VecDeque::new(), unflushed: false, held: None }
    }

    /// Queues a binary message; [`Link::next`] sends it.
    pub fn send(&mut self, frame: Bytes) {
        self.queue(Message::Binary(frame));
    }

    /// Queues a ping.
    pub fn ping(&mut self) {
        self.queue(Message::Ping(Bytes::new()));
    }

    fn queue(&mut self, message: Message) {
        self.outgoing.push_back(message);
        self.unflushed = true;
    }

    /// How many messages wait to be written.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.outgoing.len()
    }

    /// Waits for something to happen: messages come, or everything queued has been written ([`None`]). May be dropped at
    /// any point without losing anything. Who cannot take more messages says so with `may_read`: then it only writes.
    pub async fn next(&mut self, may_read: bool) -> Option<LinkEvent> {
        let Self { writer, reader, outgoing, unflushed, held } = self;
        let write = async {
            if *unflushed {
                // A broken socket is reported by the reader, with its cause.
                if write_all(writer, outgoing).await.is_ok() {
                    *unflushed = false;
                    return;
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            // Writing first: what a batch brought is acknowledged before the next is read.
            biased;
            () = write => None,
            event = read_batch(reader, held), if may_read => Some(event),
        }
    }

    /// Writes what is queued and a close frame, within a second.
    ///
    /// Returns whether everything was written.
    pub async fn close(&mut self, code: CloseCode) -> bool {
        let frame = CloseFrame { code: WireCode::from(code.0), reason: "".into() };
        self.queue(Message::Close(Some(frame)));
        let write = write_all(&mut self.writer, &mut self.outgoing);
        tokio::time::timeout(Duration::from_secs(1), write).await.is_ok_and(|written| written.is_ok())
    }

    /// Reads on until the other side has answered our close frame, for a second at most: closing a socket with unread
    /// bytes in it would take the close frame back.
    pub async fn linger(mut self) {
        let ended = async { while self.reader.next().await.is_some_and(|message| message.is_ok()) {} };
        let _ = tokio::time::timeout(Duration::from_secs(1), ended).await;
    }
}

/// Writes and flushes; a message leaves the queue only when the socket has taken it.
async fn write_all(
    writer: &mut SplitSink<WebSocketStream<Transport>, Message>,
    outgoing: &mut VecDeque<Message>,
) -> Result<(), WebSocketError> {
    std::future::poll_fn(|context| {
        while !outgoing.is_empty() {
            ready!(Pin::new(&mut *writer).poll_ready(context))?;
            if let Some(message) = outgoing.pop_front() {
                Pin::new(&mut *writer).start_send(message)?;
            }
        }
        Poll::Ready(ready!(Pin::new(&mut *writer).poll_flush(context)))
    })
    .await
}

type Received = Option<Result<Message, WebSocketError>>;

/// Waits for one message, then takes what else is there, up to a batch. What ends a batch is kept for the next call.
async fn read_batch(reader: &mut SplitStream<WebSocketStream<Transport>>, held: &mut Option<Received>) -> LinkEvent {
    let first = match held.take() {
        Some(message) => message,
        None => reader.next().await,
    };
    let mut frames = match first {
        Some(Ok(Message::Binary(frame))) => vec![frame],
        other => return single(other),
    };
    let mut bytes = frames.iter().map(Bytes::len).sum::<usize>();
    while frames.len() < BATCH && bytes < BATCH_BYTES {
        match reader.next().now_or_never() {
            Some(Some(Ok(Message::Binary(frame)))) => {
                bytes += frame.len();
                frames.push(frame);
            }
            None => break,
            other => {
                *held = other;
                break;
            }
        }
    }
    LinkEvent::Frames(frames)
}

fn single(message: Received) -> LinkEvent {
    match message {
        Some(Ok(Message::Binary(frame))) => LinkEvent::Frames(vec![frame]),
        Some(Ok(Message::Text(_))) => LinkEvent::TextFrame,
        Some(Ok(Message::Pong(_))) => LinkEvent::Pong,
        Some(Ok(Message::Ping(_) | Message::Frame(_))) => LinkEvent::Alive,
        Some(Ok(Message::Close(frame))) => LinkEvent::End(match frame {
            Some(frame) => {
                LinkEnd::Closed { code: CloseCode(frame.code.into()), reason: Clean::new(frame.reason.as_str()) }
            }
            None => LinkEnd::Closed { code: CloseCode(1005), reason: Clean::default() },
        }),
        Some(Err(error)) => LinkEvent::End(LinkEnd::Broken(broken(&error))),
        None => LinkEvent::End(LinkEnd::Broken(Clean::literal(WENT_AWAY))),
    }
}

/// There was no close: its program or machine ended, or the network did it for it.
const WENT_AWAY: &str = "the server went away";

fn broken(error: &WebSocketError) -> Clean {
    let went_away = match error {
        WebSocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => true,
        WebSocketError::Io(cause) => {
            matches!(cause.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof)
        }
        _ => false,
    };
    if went_away { Clean::literal(WENT_AWAY) } else { Clean::new(&error.to_string()) }
}
