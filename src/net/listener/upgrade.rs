//! From a TCP connection to a WebSocket whose path names a device group.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::{ConnectionRefusal, Tls};
use crate::mediator::{ConnectionId, MediatorTime};
use crate::protocol::{ClientUrlInfo, MAX_CONTAINER};

const NOT_FOUND: &str = "Not found: the last segment of the path must name a device group.\n";
/// Smaller than usual: there are many connections, and most are quiet.
const BUFFER: usize = 32 * 1024;
/// Above what is buffered before writing, plus the largest message.
const MAX_WRITE_BUFFER: usize = 1024 * 1024;

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
}

/// Does the TLS handshake, if there is to be one, and the WebSocket's.
pub(super) async fn upgrade(
    stream: TcpStream,
    tls: Option<&Tls>,
) -> Result<(Socket, ClientUrlInfo), ConnectionRefusal> {
    // Small frames must not wait for each other. If the system refuses, they do.
    let _ = stream.set_nodelay(true);
    let transport: Box<dyn ByteStream> = match tls {
        None => Box::new(stream),
        Some(tls) => Box::new(tls.acceptor().accept(stream).await.map_err(|_| ConnectionRefusal::Tls)?),
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_CONTAINER))
        .max_frame_size(Some(MAX_CONTAINER))
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER);
    let mut path = PathCheck { url: None, refused: false };
    let upgraded = tokio_tungstenite::accept_hdr_async_with_config(transport, &mut path, Some(config)).await;
    match (upgraded, path) {
        (Ok(socket), PathCheck { url: Some(url), .. }) => Ok((socket, url)),
        (_, PathCheck { refused: true, .. }) => Err(ConnectionRefusal::Path),
        _ => Err(ConnectionRefusal::NotAWebSocket),
    }
}

struct PathCheck {
    url: Option<ClientUrlInfo>,
    refused: bool,
}

impl Callback for &mut PathCheck {
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        if let Ok(url) = ClientUrlInfo::from_path(request.uri().path()) {
            self.url = Some(url);
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
