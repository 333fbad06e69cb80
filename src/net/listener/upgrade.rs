//! From a TCP connection to a WebSocket whose path names a device group, or a place of the relay; whatever else is asked
//! gets an HTTP answer.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming as Body};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::answer::{self, Request as Asked, RequestedPlace};
use super::budget::{Account, Budget, Metered};
use super::door::{Accepted, ClientAddress};
use super::gate::Gate;
use super::{ConnectionRefusal, Tls};
use crate::mediator::{ConnectionId, MediatorTime};
use crate::net::link::Transport;
use crate::net::websocket::after_upgrade;
use crate::protocol::{ClientUrlInfo, MAX_CONTAINER};
use crate::rendezvous::wire::{MAX_FRAME, RelayPath};

/// Smaller than usual: there are many connections, and most are quiet.
const BUFFER: usize = 32 * 1024;
/// Above what is buffered before writing, plus the largest message.
const MAX_WRITE_BUFFER: usize = 1024 * 1024;
/// A frame of the greatest length, in one message.
const MAX_RELAYED: usize = MAX_FRAME + 4;
/// How many bytes the head of a request may have; more is answered with 431. Hyper takes no less.
const MOST_HEAD: usize = 8_192;

pub(super) type Socket = WebSocketStream<Transport>;

/// A TCP connection that was just accepted.
pub(super) struct Incoming {
    pub(super) id: ConnectionId,
    pub(super) stream: Accepted,
    pub(super) peer: ClientAddress,
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

/// Why a connection did not become a WebSocket.
pub(super) enum NotUpgraded {
    /// Something that belongs in the log.
    Refused(ConnectionRefusal),
    /// A request that was answered, or a connection that said nothing, as a health check makes it.
    Unremarkable,
}

impl From<ConnectionRefusal> for NotUpgraded {
    fn from(refusal: ConnectionRefusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What became of the one request of a connection.
type Decision = Option<Result<(RequestedPlace, OnUpgrade), NotUpgraded>>;

/// Does the TLS handshake, if there is to be one, answers one request, and hands on the WebSocket if it asked for one.
pub(super) async fn upgrade(
    stream: Transport,
    tls: Option<&Tls>,
    budget: Option<Arc<Budget>>,
    gate: &Gate,
) -> Result<(Socket, Destination), NotUpgraded> {
    let transport: Transport = match tls {
        None => stream,
        Some(tls) => Box::new(tls.acceptor().accept(stream).await.map_err(|error| tls_refusal(&error))?),
    };
    let decision: Arc<Mutex<Decision>> = Arc::default();
    let service = service_fn(|request: Request<Body>| {
        let decision = Arc::clone(&decision);
        let serves_relay = budget.is_some();
        async move {
            let (response, decided) = decide(request, serves_relay, gate).await;
            *decision.lock().unwrap_or_else(PoisonError::into_inner) = Some(decided);
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .max_buf_size(MOST_HEAD)
        .serve_connection(TokioIo::new(transport), service)
        .with_upgrades();
    let served = connection.await;
    let decided = decision.lock().unwrap_or_else(PoisonError::into_inner).take();
    match decided {
        Some(decided) => {
            let (place, upgrade) = decided?;
            let upgraded = upgrade.await.map_err(|_| ConnectionRefusal::NotAWebSocket)?;
            let parts = upgraded.downcast::<TokioIo<Transport>>().map_err(|_| ConnectionRefusal::NotAWebSocket)?;
            let (transport, early) = (parts.io.into_inner(), parts.read_buf.to_vec());
            let (transport, limit, destination) = match (place, budget) {
                (RequestedPlace::Group(url), _) => (transport, MAX_CONTAINER, Destination::Mediator(url)),
                (RequestedPlace::Relay(path), Some(budget)) => {
                    let account = Arc::new(Account::new(budget));
                    let metered: Transport = Box::new(Metered::new(transport, Arc::clone(&account)));
                    (metered, MAX_RELAYED, Destination::Relay { path, account })
                }
                (RequestedPlace::Relay(_), None) => return Err(ConnectionRefusal::Path.into()),
            };
            let socket = after_upgrade(transport, early, Role::Server, config(limit)).await;
            Ok((socket, destination))
        }
        None if served.is_err() => Err(ConnectionRefusal::NotAWebSocket.into()),
        None => Err(NotUpgraded::Unremarkable),
    }
}

/// A client that hangs up within the handshake may be a health check.
fn tls_refusal(error: &io::Error) -> NotUpgraded {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => NotUpgraded::Unremarkable,
        _ => ConnectionRefusal::Tls.into(),
    }
}

async fn decide(
    mut request: Request<Body>,
    serves_relay: bool,
    gate: &Gate,
) -> (Response<Full<Bytes>>, Result<(RequestedPlace, OnUpgrade), NotUpgraded>) {
    match answer::understand(&request, serves_relay) {
        Asked::WebSocket { place: RequestedPlace::Relay(path), accepted } => {
            (accepted, Ok((RequestedPlace::Relay(path), hyper::upgrade::on(&mut request))))
        }
        Asked::WebSocket { place: RequestedPlace::Group(url), accepted } => {
            match gate.admits(url.device_group_id).await {
                Ok(()) => (accepted, Ok((RequestedPlace::Group(url), hyper::upgrade::on(&mut request)))),
                Err(refusal) => (answer::unavailable(refusal), Err(ConnectionRefusal::NotAdmitted(refusal).into())),
            }
        }
        Asked::Ready => {
            let ready = gate.is_ready().await;
            (answer::readiness(ready), Err(NotUpgraded::Unremarkable))
        }
        Asked::Answered(response) => (response, Err(NotUpgraded::Unremarkable)),
        Asked::Refused(response, refusal) => (response, Err(refusal.into())),
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
