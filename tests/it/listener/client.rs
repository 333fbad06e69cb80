//! A server in this process, and a client of bare WebSocket messages.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use d2mtop::mediator::MediatorConfig;
use d2mtop::net::{Listener, ListenerOptions, LogLine, Tls};
use d2mtop::protocol::{
    ChallengeResponse, ClientHello, ClientMessage, ClientUrlInfo, DeviceGroupId, DeviceId, Dialect, ExhaustedPolicy,
    ExpirationPolicy, GroupKeys, GroupSecret, Nonce, Reflect, ReflectId, Sealed, ServerGroup, ServerMessage, SlotState,
};
use futures_util::{SinkExt as _, StreamExt as _};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error as WebSocketError, Message};

/// Of the group of most tests.
const SECRET: [u8; 32] = [7; 32];
/// Long enough for a busy machine; only a failing test waits this long.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for something that must happen.
pub async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not come within {PATIENCE:?}"))
}

pub fn keys(dialect: Dialect) -> GroupKeys {
    keys_of(dialect, SECRET)
}

fn keys_of(dialect: Dialect, mut secret: [u8; 32]) -> GroupKeys {
    GroupKeys::derive(dialect, &GroupSecret::new(&mut secret))
}

pub fn segment(dialect: Dialect) -> String {
    segment_of(dialect, SECRET)
}

fn segment_of(dialect: Dialect, secret: [u8; 32]) -> String {
    let server_group = ServerGroup::parse("01", dialect).unwrap();
    ClientUrlInfo { dialect, device_group_id: group_id(dialect, secret), server_group }.path_segment()
}

pub fn group_id(dialect: Dialect, secret: [u8; 32]) -> DeviceGroupId {
    keys_of(dialect, secret).device_group_id()
}

pub const fn own_device(number: u64) -> DeviceId {
    DeviceId(number)
}

pub fn reflect(id: u32, envelope: Vec<u8>) -> ClientMessage {
    let envelope = Sealed::from_wire(Bytes::from(envelope));
    ClientMessage::Reflect(Reflect { id: ReflectId(id), ephemeral: false, envelope })
}

/// Reads until so many reflected messages have come; their ids.
pub async fn frames(client: &mut Client, count: usize) -> Vec<u32> {
    let mut ids = Vec::new();
    while ids.len() < count {
        if let ServerMessage::Reflected(reflected) = client.next().await {
            ids.push(reflected.id.0);
        }
    }
    ids
}

/// A listener that runs in a task.
pub struct Server {
    pub address: SocketAddr,
    certificates: Option<tempfile::TempDir>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Vec<LogLine>>,
}

impl Server {
    pub async fn start(config: MediatorConfig) -> Self {
        Self::start_with(|options| options.settings.config = config).await
    }

    pub async fn start_encrypted() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
        std::fs::write(&certificate, cert.pem()).unwrap();
        std::fs::write(&key, signing_key.serialize_pem()).unwrap();
        let tls = Tls::from_pem_files(&certificate, &key).unwrap();
        let mut server = Self::start_with(|options| options.settings.tls = Some(tls)).await;
        server.certificates = Some(directory);
        server
    }

    pub async fn start_with(change: impl FnOnce(&mut ListenerOptions)) -> Self {
        let mut options = ListenerOptions::default();
        change(&mut options);
        let listener = Listener::bind(options).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let mut lines = Vec::new();
            let shutdown = async { drop(stopped.await) };
            listener.run(shutdown, |line| lines.push(line)).await;
            lines
        });
        Self { address, certificates: None, stop, running }
    }

    /// Ends the server; returns what it logged.
    pub async fn stop(self) -> Vec<LogLine> {
        let _ = self.stop.send(());
        in_time("the end of the server", self.running).await.unwrap()
    }

    fn certificate(&self) -> &Path {
        self.certificates.as_ref().unwrap().path()
    }
}

pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// One connection of a device.
pub struct Client {
    pub socket: WebSocketStream<Box<dyn ByteStream>>,
    dialect: Dialect,
    secret: [u8; 32],
}

impl Client {
    pub async fn connect(server: &Server, dialect: Dialect) -> Self {
        Self::connect_to(server, &format!("/{}", segment(dialect)), dialect).await.expect("a WebSocket")
    }

    pub async fn connect_to(server: &Server, path: &str, dialect: Dialect) -> Result<Self, WebSocketError> {
        Self::connect_at(server.address, path, dialect).await
    }

    pub async fn connect_at(address: SocketAddr, path: &str, dialect: Dialect) -> Result<Self, WebSocketError> {
        let stream = TcpStream::connect(address).await?;
        Self::upgrade(Box::new(stream), &format!("ws://localhost{path}"), dialect).await
    }

    /// As a device of the group with this secret.
    pub async fn connect_in(address: SocketAddr, dialect: Dialect, secret: [u8; 32]) -> Result<Self, WebSocketError> {
        let client = Self::connect_at(address, &format!("/{}", segment_of(dialect, secret)), dialect).await?;
        Ok(Self { secret, ..client })
    }

    pub async fn connect_encrypted(server: &Server, dialect: Dialect) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(server.certificate().join("cert.pem")).unwrap()).unwrap();
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(server.address).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from("localhost").unwrap();
        let stream = connector.connect(name, stream).await.expect("a TLS connection");
        let url = format!("wss://localhost/{}", segment(dialect));
        Self::upgrade(Box::new(stream), &url, dialect).await.expect("a WebSocket over TLS")
    }

    async fn upgrade(stream: Box<dyn ByteStream>, url: &str, dialect: Dialect) -> Result<Self, WebSocketError> {
        let upgrade = tokio_tungstenite::client_async(url, stream);
        let (socket, _) = in_time("the answer to the WebSocket request", upgrade).await?;
        Ok(Self { socket, dialect, secret: SECRET })
    }

    /// A client that has logged in as a new device and whose queue is dry.
    pub async fn logged_in(server: &Server, dialect: Dialect, device: u64) -> Self {
        let mut client = Self::connect(server, dialect).await;
        client.log_in(DeviceId(device), SlotState::New).await;
        client
    }

    /// Logs in and reads up to the end of the queue.
    pub async fn log_in(&mut self, device: DeviceId, expected: SlotState) -> Vec<ServerMessage> {
        self.send_login(device, expected).await;
        let mut messages = Vec::new();
        while messages.last() != Some(&ServerMessage::ReflectionQueueDry) {
            messages.push(self.next().await);
        }
        messages
    }

    pub async fn send_login(&mut self, device: DeviceId, expected: SlotState) {
        self.try_login(device, expected).await.expect("the hello must come first");
    }

    /// Answers the challenge, if it comes; else what came instead.
    pub async fn try_login(&mut self, device: DeviceId, expected: SlotState) -> Result<(), String> {
        let hello = match self.next_or_end().await? {
            ServerMessage::Hello(hello) => hello,
            other => return Err(format!("{other:?}")),
        };
        let nonce = Nonce([9; 24]);
        let keys = keys_of(self.dialect, self.secret);
        let response = ChallengeResponse::answer(&hello.challenge, &hello.ephemeral_key, &keys, &nonce).unwrap();
        let hello = ClientHello {
            version: 0,
            response,
            device_id: device,
            exhausted_policy: ExhaustedPolicy::Reject,
            expiration_policy: ExpirationPolicy::Persistent,
            expected_slot_state: expected,
            device_info: Sealed::from_wire(Bytes::from_static(b"sealed device info")),
        };
        let hello = Message::Binary(ClientMessage::Hello(hello).encode(self.dialect));
        in_time("room in the socket", self.socket.send(hello)).await.map_err(|error| error.to_string())
    }

    /// Sends to who may be gone; whether that went well.
    pub async fn try_send(&mut self, message: &ClientMessage) -> bool {
        let message = Message::Binary(message.encode(self.dialect));
        in_time("room in the socket", self.socket.send(message)).await.is_ok()
    }

    pub async fn send(&mut self, message: &ClientMessage) {
        self.feed(message).await;
        in_time("room in the socket", self.socket.flush()).await.unwrap();
    }

    pub async fn feed(&mut self, message: &ClientMessage) {
        let message = Message::Binary(message.encode(self.dialect));
        in_time("room in the socket", self.socket.feed(message)).await.unwrap();
    }

    /// The next protocol message.
    pub async fn next(&mut self) -> ServerMessage {
        self.next_or_end().await.unwrap_or_else(|end| panic!("expected a message, got {end}"))
    }

    /// The next protocol message, or what came instead of one.
    pub async fn next_or_end(&mut self) -> Result<ServerMessage, String> {
        loop {
            match in_time("the next message", self.socket.next()).await {
                Some(Ok(Message::Binary(bytes))) => {
                    return Ok(ServerMessage::decode(bytes, self.dialect).expect("a message of the protocol"));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => return Err(format!("{other:?}")),
            }
        }
    }

    /// Reads up to the server's close frame; its code.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match in_time("the server's close", self.socket.next()).await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("expected a close, got {other:?}"),
            }
        }
    }

    /// Leaves with a close frame, and waits until the server has taken notice.
    pub async fn leave(mut self) {
        self.socket.close(None).await.unwrap();
        while in_time("the answer to the close", self.socket.next()).await.is_some_and(|message| message.is_ok()) {}
    }
}
