//! The client's WebSocket: reading and writing in batches, closing politely.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::FutureExt as _;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{Sink as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
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

/// How many bytes may wait to be written before nothing more is read: what is read makes more of them.
const MOST_UNWRITTEN: usize = 1 << 20;

/// How long a server may take nothing of what waits for it.
const TAKEN_WITHIN: Duration = Duration::from_secs(60);

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
    /// The connection is over; nothing comes after this.
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
    outgoing_bytes: usize,
    unflushed: bool,
    /// How many bytes the socket has taken.
    taken: Arc<AtomicU64>,
    /// How many it had taken when it was last looked at, and when that was.
    last_taken: (u64, Instant),
    taken_within: Duration,
    held: Option<Received>,
}

impl Link {
    pub(super) fn new(socket: WebSocketStream<Transport>, taken: Arc<AtomicU64>) -> Self {
        let (writer, reader) = socket.split();
        Self {
            writer,
            reader,
            outgoing: VecDeque::new(),
            outgoing_bytes: 0,
            unflushed: false,
            taken,
            last_taken: (0, Instant::now()),
            taken_within: TAKEN_WITHIN,
            held: None,
        }
    }

    /// Queues a binary message; [`Link::next`] sends it.
    pub fn send(&mut self, frame: Bytes) {
        self.queue(Message::Binary(frame));
    }

    /// Queues a ping; its answer comes as [`LinkEvent::Pong`].
    pub fn ping(&mut self) {
        self.queue(Message::Ping(Bytes::new()));
    }

    fn queue(&mut self, message: Message) {
        if !self.unflushed {
            self.last_taken = (self.taken.load(Ordering::Relaxed), Instant::now());
        }
        self.outgoing_bytes += cost(&message);
        self.outgoing.push_back(message);
        self.unflushed = true;
    }

    /// How many messages wait to be written.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.outgoing.len()
    }

    /// Whether so many bytes wait to be written that [`Link::next`] reads no more.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.outgoing_bytes >= MOST_UNWRITTEN
    }

    /// Waits for something to happen: messages come, or everything queued has been written ([`None`]). May be dropped at
    /// any point without losing anything. Who cannot take more messages says so with `may_read`: then it only writes. It
    /// does so, too, as long as a server that takes little has much to take; one that takes nothing for a minute is left.
    pub async fn next(&mut self, may_read: bool) -> Option<LinkEvent> {
        let may_read = may_read && !self.is_full();
        let Self { writer, reader, outgoing, outgoing_bytes, unflushed, taken, last_taken, taken_within, held } = self;
        let is_writing = *unflushed;
        let write = async {
            if *unflushed {
                // A broken socket is reported by the reader, with its cause.
                if write_all(writer, outgoing, outgoing_bytes).await.is_ok() {
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
            () = takes_nothing(taken, last_taken, *taken_within), if is_writing => {
                Some(LinkEvent::End(LinkEnd::Broken(Clean::literal(TAKES_NOTHING))))
            }
        }
    }

    /// Writes what is queued and a close frame, within a second.
    ///
    /// Returns whether everything was written.
    pub async fn close(&mut self, code: CloseCode) -> bool {
        let frame = CloseFrame { code: WireCode::from(code.0), reason: "".into() };
        self.queue(Message::Close(Some(frame)));
        let write = write_all(&mut self.writer, &mut self.outgoing, &mut self.outgoing_bytes);
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
    outgoing_bytes: &mut usize,
) -> Result<(), WebSocketError> {
    std::future::poll_fn(|context| {
        while !outgoing.is_empty() {
            ready!(Pin::new(&mut *writer).poll_ready(context))?;
            let Some(message) = outgoing.pop_front() else { break };
            let bytes = cost(&message);
            match Pin::new(&mut *writer).start_send(message) {
                // Answers to pings fill the buffer: they have to leave first.
                Err(WebSocketError::WriteBufferFull(message)) => {
                    outgoing.push_front(*message);
                    ready!(Pin::new(&mut *writer).poll_flush(context))?;
                }
                sent => {
                    *outgoing_bytes = outgoing_bytes.saturating_sub(bytes);
                    sent?;
                }
            }
        }
        Poll::Ready(ready!(Pin::new(&mut *writer).poll_flush(context)))
    })
    .await
}

/// What a message that waits takes, in bytes.
fn cost(message: &Message) -> usize {
    message.len() + size_of::<Message>()
}

/// Waits until the socket has taken nothing for so long.
async fn takes_nothing(taken: &AtomicU64, last: &mut (u64, Instant), within: Duration) {
    loop {
        tokio::time::sleep_until(last.1 + within).await;
        let now = taken.load(Ordering::Relaxed);
        if now == last.0 {
            return;
        }
        *last = (now, Instant::now());
    }
}

const TAKES_NOTHING: &str =
    "the mediator took nothing of what was sent to it for a minute; ask who runs it if that lasts";

/// Counts the bytes that a connection takes.
pub(super) struct CountedStream<T> {
    inner: T,
    taken: Arc<AtomicU64>,
}

impl<T> CountedStream<T> {
    pub(super) fn new(inner: T) -> (Self, Arc<AtomicU64>) {
        let taken = Arc::new(AtomicU64::new(0));
        (Self { inner, taken: Arc::clone(&taken) }, taken)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for CountedStream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for CountedStream<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = written {
            self.taken.fetch_add(count as u64, Ordering::Relaxed);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
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
            // What the library makes of a code that must not be on the wire.
            Some(frame) if frame.code == WireCode::Protocol && frame.reason.as_str() == "Protocol violation" => {
                LinkEnd::Closed { code: CloseCode::NOT_ALLOWED, reason: Clean::default() }
            }
            Some(frame) => {
                LinkEnd::Closed { code: CloseCode(frame.code.into()), reason: Clean::new(frame.reason.as_str()) }
            }
            None => LinkEnd::Closed { code: CloseCode::NO_CODE, reason: Clean::default() },
        }),
        Some(Err(error)) => LinkEvent::End(LinkEnd::Broken(broken(&error))),
        None => LinkEvent::End(LinkEnd::Broken(Clean::literal(WENT_AWAY))),
    }
}

/// There was no close: its program or machine ended, or the network did it for it.
const WENT_AWAY: &str = "the mediator went away";

fn broken(error: &WebSocketError) -> Clean {
    let words = match error {
        WebSocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => WENT_AWAY.to_owned(),
        WebSocketError::Io(cause) => match cause.kind() {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => WENT_AWAY.to_owned(),
            _ if cause.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some() => {
                format!("the encryption of the connection failed: {cause}")
            }
            _ => format!("the connection failed: {cause}"),
        },
        WebSocketError::Protocol(cause) => format!("the mediator broke the WebSocket protocol: {cause}"),
        WebSocketError::Utf8(_) => "the mediator broke the WebSocket protocol: a text is not UTF-8".to_owned(),
        WebSocketError::Capacity(cause) => format!("the mediator sent more than a message may have: {cause}"),
        error => error.to_string(),
    };
    Clean::new(&words)
}

#[cfg(test)]
mod tests {
    use futures_util::SinkExt as _;
    use tokio::io::AsyncReadExt as _;
    use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

    use super::*;

    /// A link, and the raw bytes of its other side.
    async fn link() -> (Link, tokio::io::DuplexStream) {
        let (near, far) = tokio::io::duplex(4_096);
        let (near, taken) = CountedStream::new(near);
        let transport: Transport = Box::new(near);
        let config = WebSocketConfig::default().max_write_buffer_size(640 * 1_024);
        (Link::new(WebSocketStream::from_raw_socket(transport, Role::Client, Some(config)).await, taken), far)
    }

    #[tokio::test]
    async fn a_server_that_sends_and_takes_nothing_is_read_no_more_and_then_left() {
        let (mut link, far) = link().await;
        link.taken_within = Duration::from_millis(300);
        let flood = tokio::spawn(async move {
            let mut server = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
            let mut sent = 0_u32;
            while server.send(Message::Binary(Bytes::from_static(&[0; 100]))).await.is_ok() {
                sent += 1;
            }
            sent
        });
        let mut received = 0;
        let end = loop {
            match link.next(true).await {
                Some(LinkEvent::Frames(frames)) => {
                    received += frames.len();
                    // As one answers every message.
                    for frame in frames {
                        link.send(frame);
                    }
                }
                Some(LinkEvent::End(end)) => break end,
                _ => {}
            }
        };
        assert_eq!(end, LinkEnd::Broken(Clean::literal(TAKES_NOTHING)));
        assert!(link.is_full() && link.outgoing_bytes < MOST_UNWRITTEN + BATCH * 200, "{}", link.outgoing_bytes);
        assert!(received < 20_000, "{received}");
        drop(link);
        assert!(flood.await.unwrap() < 40_000);
    }

    #[tokio::test]
    async fn answers_to_pings_that_nobody_takes_are_bounded() {
        let (mut link, mut far) = link().await;
        // A ping with 100 bytes, from the server: unmasked.
        let ping = [&[0x89, 100][..], &[7; 100]].concat();
        let (mut take, mut give) = tokio::io::split(&mut far);
        let gives = async {
            for _ in 0..100_000 {
                tokio::io::AsyncWriteExt::write_all(&mut give, &ping).await.unwrap();
            }
        };
        tokio::select! {
            () = gives => {}
            _ = async { loop { link.next(true).await; } } => {}
        }
        let mut taken = 0;
        let mut buffer = [0; 4_096];
        let drain = async {
            loop {
                tokio::select! {
                    read = take.read(&mut buffer) => taken += read.unwrap(),
                    _ = link.next(true) => {}
                }
            }
        };
        let _ = tokio::time::timeout(Duration::from_millis(500), drain).await;
        assert!(taken < 1 << 20, "{taken} of 10 MB");
    }

    #[tokio::test]
    async fn what_breaks_the_protocol_of_websockets_is_said_of_the_mediator() {
        let huge_reason = [&[0x88, 126, 0x03, 0xe8][..], &[b'R'; 1_000]].concat();
        for (frame, words) in [
            (&huge_reason[..], "the mediator broke the WebSocket protocol: Control frame too big"),
            (&[0x88, 0x04, 0x03, 0xe8, 0xff, 0xfe], "the mediator broke the WebSocket protocol: a text is not UTF-8"),
            (&[0x81, 0x01, 0xff], "the mediator broke the WebSocket protocol: a text is not UTF-8"),
            (&[0x88, 0x01, 0x03], "the mediator broke the WebSocket protocol: "),
            (&[0x83, 0x00], "the mediator broke the WebSocket protocol: "),
            (&[0xc2, 0x00], "the mediator broke the WebSocket protocol: "),
            (&[0x82, 0x7f, 0, 0, 0, 1, 0, 0, 0, 0], "the mediator sent more than a message may have: "),
        ] {
            let (mut link, mut far) = link().await;
            tokio::io::AsyncWriteExt::write_all(&mut far, frame).await.unwrap();
            let Some(LinkEvent::End(LinkEnd::Broken(told))) = link.next(true).await else { panic!("{frame:?}") };
            assert!(told.as_str().starts_with(words), "{frame:?}: {told}");
        }
    }

    #[tokio::test]
    async fn no_code_is_shown_that_was_not_sent() {
        for (frame, expected) in [
            (&[0x88, 0x00][..], CloseCode::NO_CODE),
            (&[0x88, 0x02, 0x03, 0xf6], CloseCode::NOT_ALLOWED),
            (&[0x88, 0x02, 0x03, 0xec], CloseCode::NOT_ALLOWED),
            (&[0x88, 0x02, 0x03, 0xee], CloseCode::NOT_ALLOWED),
            (&[0x88, 0x02, 0x03, 0xea], CloseCode(1002)),
            (&[0x88, 0x02, 0x03, 0xf4], CloseCode(1012)),
            (&[0x88, 0x02, 0x0b, 0xb8], CloseCode(3000)),
        ] {
            let (mut link, mut far) = link().await;
            tokio::io::AsyncWriteExt::write_all(&mut far, frame).await.unwrap();
            let Some(LinkEvent::End(LinkEnd::Closed { code, reason })) = link.next(true).await else { panic!() };
            assert_eq!((code.0, reason.is_empty()), (expected.0, true), "{frame:?}");
        }
    }
}
