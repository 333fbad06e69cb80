//! From a TCP connection to a WebSocket whose path names a device group, or a place of the relay.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::budget::{Account, Budget, Metered};
use super::{ConnectionRefusal, Tls};
use crate::mediator::{ConnectionId, MediatorTime};
use crate::protocol::{ClientUrlInfo, MAX_CONTAINER};
use crate::rendezvous::wire::{MAX_FRAME, RelayPath};

const NOT_FOUND: &str = "Not found: the last segment of the path must name a device group.\n";
/// Smaller than usual: there are many connections, and most are quiet.
const BUFFER: usize = 32 * 1024;
/// Above what is buffered before writing, plus the largest message.
const MAX_WRITE_BUFFER: usize = 1024 * 1024;
/// The segment before a place of the relay.
const RENDEZVOUS: &str = "rendezvous";
/// A frame of the greatest length, in one message.
const MAX_RELAYED: usize = MAX_FRAME + 4;

pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}
pub(super) type Socket = WebSocketStream<Box<dyn ByteStream>>;

/// A TCP connection that was just accepted.
pub(super) struct Incoming {
    pub(super) id: ConnectionId,
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) accepted: MediatorTime,
    pub(super) tls: Option<Tls>,
    /// After what time a client that vanished without a word is to be noticed.
    pub(super) dead_after: Duration,
    /// There if the relay is served.
    pub(super) budget: Option<Arc<Budget>>,
}

/// What a WebSocket was opened for.
pub(super) enum Destination {
    Mediator(ClientUrlInfo),
    Relay { path: RelayPath, account: Arc<Account> },
}

/// Does the TLS handshake, if there is to be one, and the WebSocket's.
pub(super) async fn upgrade(
    stream: TcpStream,
    tls: Option<&Tls>,
    budget: Option<Arc<Budget>>,
) -> Result<(Socket, Destination), ConnectionRefusal> {
    // Small frames must not wait for each other. If the system refuses, they do.
    let _ = stream.set_nodelay(true);
    let transport: Box<dyn ByteStream> = match tls {
        None => Box::new(stream),
        Some(tls) => Box::new(tls.acceptor().accept(stream).await.map_err(|_| ConnectionRefusal::Tls)?),
    };
    let mut path = PathCheck { serves_relay: budget.is_some(), found: None, refused: false };
    let upgraded =
        tokio_tungstenite::accept_hdr_async_with_config(transport, &mut path, Some(config(MAX_CONTAINER))).await;
    match (upgraded, path.found, budget) {
        (Ok(socket), Some(Found::Group(url)), _) => Ok((socket, Destination::Mediator(url))),
        (Ok(socket), Some(Found::Place(path)), Some(budget)) => {
            let account = Arc::new(Account::new(budget));
            // Nothing is lost: nobody may send a message before the answer, and nothing was read since.
            let metered: Box<dyn ByteStream> = Box::new(Metered::new(socket.into_inner(), Arc::clone(&account)));
            let socket = WebSocketStream::from_raw_socket(metered, Role::Server, Some(config(MAX_RELAYED))).await;
            Ok((socket, Destination::Relay { path, account }))
        }
        _ if path.refused => Err(ConnectionRefusal::Path),
        _ => Err(ConnectionRefusal::NotAWebSocket),
    }
}

fn config(max_message: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message))
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
}

enum Found {
    Group(ClientUrlInfo),
    Place(RelayPath),
}

struct PathCheck {
    serves_relay: bool,
    found: Option<Found>,
    refused: bool,
}

impl PathCheck {
    fn find(&self, path: &str) -> Option<Found> {
        if self.serves_relay
            && let Some((before, place)) = path.rsplit_once('/')
            && before.trim_end_matches('/').rsplit('/').next() == Some(RENDEZVOUS)
            && let Some(place) = RelayPath::from_segment(place)
        {
            return Some(Found::Place(place));
        }
        ClientUrlInfo::from_path(path).ok().map(Found::Group)
    }
}

impl Callback for &mut PathCheck {
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        self.found = self.find(request.uri().path());
        if self.found.is_some() {
            return Ok(response);
        }
        self.refused = true;
        let mut not_found = ErrorResponse::new(Some(NOT_FOUND.to_owned()));
        *not_found.status_mut() = StatusCode::NOT_FOUND;
        let headers = not_found.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain"));
        headers.insert(header::CONTENT_LENGTH, NOT_FOUND.len().into());
        headers.insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        Err(not_found)
    }
}
