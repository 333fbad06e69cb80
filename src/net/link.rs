//! The client's WebSocket: opening, reading and writing in batches, closing politely.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::FutureExt as _;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{Sink as _, StreamExt as _};
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as WireCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WebSocketError, http};

use crate::protocol::{CloseCode, MAX_CONTAINER};
use crate::session::LinkEnd;
use crate::text::Clean;

/// The most messages that one batch takes from the socket.
const BATCH: usize = 256;

/// Why a mediator's URL or its certificate file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not a URL.
    #[error("the mediator's URL is not a URL; it looks like wss://mediator.example/ or ws://127.0.0.1:PORT/")]
    NotAUrl,
    /// Neither `ws` nor `wss`.
    #[error("the mediator's URL must begin with wss:// (or ws:// for a mediator on this machine)")]
    UnknownScheme,
    /// Unencrypted to another machine.
    #[error("ws:// is not encrypted and works only to this machine (127.0.0.1, ::1, localhost); use wss://")]
    Unencrypted,
    /// The file of `--ca` cannot be read.
    #[error("cannot read certificates from {path}: {cause}")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: rustls_pki_types::pem::Error,
    },
    /// A certificate of `--ca` cannot be used.
    #[error("a certificate in {path} cannot be used as a trust root: {cause}")]
    TrustRoot {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: rustls::Error,
    },
    /// TLS cannot be set up at all.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Why no connection could be made.
#[derive(Debug, thiserror::Error)]
enum ConnectError {
    #[error("{host} cannot be reached: {cause}")]
    Tcp { host: String, cause: io::Error },
    #[error("TLS with {host} failed: {cause}")]
    Tls { host: String, cause: io::Error },
    #[error(
        "{host} refused the WebSocket with HTTP status {status}; is the URL that of a mediator, with the right path?"
    )]
    Refused { host: String, status: http::StatusCode },
    #[error("{host} does not speak WebSocket: {cause}")]
    Upgrade { host: String, cause: Box<WebSocketError> },
}

/// A mediator's address, checked once.
#[derive(Clone)]
pub struct Address {
    url: String,
    host: String,
    port: u16,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Address {
    /// Checks a whole WebSocket URL. `trust_roots` is a PEM file that replaces the built-in trust roots.
    ///
    /// # Errors
    /// If the URL cannot be used, or the file cannot.
    pub fn new(url: &str, trust_roots: Option<&Path>) -> Result<Self, AddressError> {
        let uri: http::Uri = url.parse().map_err(|_| AddressError::NotAUrl)?;
        let host = uri.host().ok_or(AddressError::NotAUrl)?.trim_matches(['[', ']']).to_owned();
        let encrypted = match uri.scheme_str() {
            Some("wss") => true,
            Some("ws") if is_loopback(&host) => false,
            Some("ws") => return Err(AddressError::Unencrypted),
            _ => return Err(AddressError::UnknownScheme),
        };
        let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let tls = if encrypted {
            let name = ServerName::try_from(host.clone()).map_err(|_| AddressError::NotAUrl)?;
            Some((Arc::new(tls_config(trust_roots)?), name))
        } else {
            None
        };
        Ok(Self { url: url.to_owned(), host, port, tls })
    }

    /// The host and port, for people.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Opens the WebSocket.
    ///
    /// # Errors
    /// If that fails: what to tell the session.
    pub async fn connect(&self) -> Result<Link, LinkEnd> {
        self.open().await.map_err(|error| LinkEnd::Unreachable(Clean::new(&error.to_string())))
    }

    async fn open(&self) -> Result<Link, ConnectError> {
        let host = || self.authority();
        let tcp = |cause| ConnectError::Tcp { host: host(), cause };
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(tcp)?;
        stream.set_nodelay(true).map_err(tcp)?;
        let transport: Transport = match &self.tls {
            None => Box::new(stream),
            Some((config, name)) => {
                let connected = TlsConnector::from(Arc::clone(config)).connect(name.clone(), stream).await;
                Box::new(connected.map_err(|cause| ConnectError::Tls { host: host(), cause })?)
            }
        };
        let config =
            WebSocketConfig::default().max_message_size(Some(MAX_CONTAINER)).max_frame_size(Some(MAX_CONTAINER));
        let upgraded = tokio_tungstenite::client_async_with_config(&self.url, transport, Some(config)).await;
        let (socket, _) = upgraded.map_err(|error| match error {
            WebSocketError::Http(response) => ConnectError::Refused { host: host(), status: response.status() },
            error => ConnectError::Upgrade { host: host(), cause: Box::new(error) },
        })?;
        let (writer, reader) = socket.split();
        Ok(Link { writer, reader, outgoing: VecDeque::new(), unflushed: false, held: None })
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn tls_config(trust_roots: Option<&Path>) -> Result<ClientConfig, AddressError> {
    let mut roots = RootCertStore::empty();
    match trust_roots {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let unreadable = |cause| AddressError::Certificates { path: path.to_owned(), cause };
            for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
                let unusable = |cause| AddressError::TrustRoot { path: path.to_owned(), cause };
                roots.add(certificate.map_err(unreadable)?).map_err(unusable)?;
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}
type Transport = Box<dyn ByteStream>;

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
    /// Queues a binary message; [`Link::write`] sends it.
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
    /// any point without losing anything.
    pub async fn next(&mut self) -> Option<LinkEvent> {
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
            event = read_batch(reader, held) => Some(event),
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
    while frames.len() < BATCH {
        match reader.next().now_or_never() {
            Some(Some(Ok(Message::Binary(frame)))) => frames.push(frame),
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
        Some(Err(error)) => LinkEvent::End(LinkEnd::Broken(Clean::new(&error.to_string()))),
        None => LinkEvent::End(LinkEnd::Broken(Clean::literal("the connection ended without a close"))),
    }
}
