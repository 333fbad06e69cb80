//! What a request asks for, and the answer: a WebSocket, or words over HTTP.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request as HttpRequest, Response as HttpResponse, StatusCode, Version};
use http_body_util::Full;
use tokio_tungstenite::tungstenite::Error as WebSocketError;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

use super::ConnectionRefusal;
use crate::mediator::GroupRefusal;
use crate::protocol::ClientUrlInfo;
use crate::rendezvous::wire::RelayPath;

type Response = HttpResponse<Full<Bytes>>;

/// The segment before a place of the relay.
const RENDEZVOUS: &str = "rendezvous";
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const NOT_FOUND: &str = "Not found: the last segment of the path must name a device group.\n";
const GREETING: &str = "This is a mediator: it speaks WebSocket, at a path whose last segment names a device group.\n";
const NO_WEBSOCKET: &str = "This path takes WebSocket connections only.\n";
const WRONG_VERSION: &str = "Only version 13 of WebSocket is spoken here.\n";
const OLD_HTTP: &str = "A WebSocket needs HTTP/1.1.\n";
const BAD_KEY: &str = "The header Sec-WebSocket-Key is missing, or not 16 bytes in base64.\n";
const ONLY_GET: &str = "Only GET and HEAD are understood.\n";
/// In what time whoever found the mediator full may try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("60");

/// What a path names.
pub(super) enum RequestedPlace {
    Group(ClientUrlInfo),
    /// A place of the relay.
    Relay(RelayPath),
}

impl RequestedPlace {
    fn find(path: &str, serves_relay: bool) -> Option<Self> {
        if serves_relay
            && let Some((before, place)) = path.rsplit_once('/')
            && before.trim_end_matches('/').rsplit('/').next() == Some(RENDEZVOUS)
            && let Some(place) = RelayPath::from_segment(place)
        {
            return Some(Self::Relay(place));
        }
        ClientUrlInfo::from_path(path).ok().map(Self::Group)
    }
}

/// What a request asks for.
pub(super) enum Request {
    /// A WebSocket, with the answer that grants it.
    WebSocket { place: RequestedPlace, accepted: Response },
    /// Whether logins are taken.
    Ready,
    /// Nothing that belongs in the log, and the answer to it.
    Answered(Response),
    /// Nothing that we have, and the answer to it.
    Refused(Response, ConnectionRefusal),
}

/// Finds out what a request asks for.
pub(super) fn understand<B>(request: &HttpRequest<B>, serves_relay: bool) -> Request {
    let path = request.uri().path();
    let wants_websocket = request.headers().contains_key(header::UPGRADE);
    let place = RequestedPlace::find(path, serves_relay);
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let answer = with(words(StatusCode::METHOD_NOT_ALLOWED, ONLY_GET), header::ALLOW, "GET, HEAD");
        return Request::Refused(answer, ConnectionRefusal::NotAWebSocket);
    }
    if !wants_websocket {
        return match (path, place) {
            ("/health", _) => Request::Answered(words(StatusCode::OK, "ok\n")),
            ("/ready", _) => Request::Ready,
            ("/", _) => Request::Answered(upgrade_required(GREETING)),
            (_, Some(_)) => Request::Refused(upgrade_required(NO_WEBSOCKET), ConnectionRefusal::NotAWebSocket),
            (_, None) => Request::Refused(words(StatusCode::NOT_FOUND, NOT_FOUND), ConnectionRefusal::Path),
        };
    }
    let Some(place) = place else {
        return Request::Refused(words(StatusCode::NOT_FOUND, NOT_FOUND), ConnectionRefusal::Path);
    };
    match create_response_with_body(request, Full::default) {
        Ok(accepted) => Request::WebSocket { place, accepted },
        Err(error) => Request::Refused(no_websocket(request.version(), &error), ConnectionRefusal::NotAWebSocket),
    }
}

fn no_websocket(version: Version, error: &WebSocketError) -> Response {
    match error {
        WebSocketError::Protocol(ProtocolError::WrongHttpVersion) if version == Version::HTTP_10 => {
            words(StatusCode::HTTP_VERSION_NOT_SUPPORTED, OLD_HTTP)
        }
        WebSocketError::Protocol(ProtocolError::MissingSecWebSocketVersionHeader) => {
            with(upgrade_required(WRONG_VERSION), header::SEC_WEBSOCKET_VERSION, "13")
        }
        WebSocketError::Protocol(ProtocolError::MissingSecWebSocketKey | ProtocolError::InvalidSecWebSocketKey) => {
            words(StatusCode::BAD_REQUEST, BAD_KEY)
        }
        _ => upgrade_required(NO_WEBSOCKET),
    }
}

/// No room for a device of this group now.
pub(super) fn unavailable(refusal: GroupRefusal) -> Response {
    if !refusal.may_pass() {
        return words(StatusCode::FORBIDDEN, refusal.words());
    }
    let mut answer = words(StatusCode::SERVICE_UNAVAILABLE, refusal.words());
    answer.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    answer
}

pub(super) fn readiness(ready: bool) -> Response {
    if ready { words(StatusCode::OK, "ready\n") } else { words(StatusCode::SERVICE_UNAVAILABLE, "not ready\n") }
}

fn upgrade_required(text: &'static str) -> Response {
    with(words(StatusCode::UPGRADE_REQUIRED, text), header::UPGRADE, "websocket")
}

fn with(mut answer: Response, name: HeaderName, value: &'static str) -> Response {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
    answer
}

fn words(status: StatusCode, text: &'static str) -> Response {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, PLAIN);
    // One request a connection: who wants to ask again gains nothing by keeping it.
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}
