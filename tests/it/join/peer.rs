//! A relay with a phone behind it that does whatever a test wants: the machine of the path, and nothing above it.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use d2mtop::os::event_loop::event_loop;
use d2mtop::protocol::proto::d2d_join::{EdToNd, EssentialData, ed_to_nd, essential_data};
use d2mtop::protocol::{CloseCode, Millis};
use d2mtop::rendezvous::wire::{FromExisting, FromNew, JoinLink, RendezvousRole};
use d2mtop::rendezvous::{Fresh, LinkInput, LinkOutput, Output, Rendezvous};
use futures_util::{SinkExt as _, StreamExt as _};
use prost::Message as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::arguments;
use crate::support::one_shot::Started;
use crate::support::program::{KEY, Mediator, d2mtop};
use crate::support::terminal::Terminal;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const NOW: Millis = Millis(1);

/// Where a join meets it.
pub struct Place {
    listener: std::net::TcpListener,
    pub home: tempfile::TempDir,
    pub url: String,
    mediator: String,
}

impl Place {
    pub fn new(mediator: &Mediator) -> Self {
        Self::at(&mediator.url())
    }

    pub fn at(mediator: &str) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        Self { listener, home: tempfile::tempdir().unwrap(), url, mediator: mediator.to_owned() }
    }

    pub fn offer(&self) -> PathBuf {
        self.home.path().join("offer")
    }

    fn arguments<'a>(&'a self, offer: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        [arguments(&self.mediator, &self.url, offer), more.to_vec()].concat()
    }

    /// A join by a script.
    pub fn join(&self, more: &[&str]) -> Started {
        let offer = self.offer();
        let all = [&self.arguments(offer.to_str().unwrap(), &["--json"])[..], more].concat();
        Started::new(d2mtop(self.home.path(), &all))
    }

    /// A join in a terminal, as far as the code.
    pub fn join_in_terminal(&self, more: &[&str]) -> Terminal {
        let offer = self.offer();
        let all = self.arguments(offer.to_str().unwrap(), more);
        let mut terminal = Terminal::start(&all, 40, 120, &[("HOME", self.home.path().to_str().unwrap())]);
        terminal.wait_for("Enter shows the code");
        terminal.press("\r");
        terminal
    }

    /// Does this with whoever comes.
    pub fn meets<T: Send + 'static>(
        self,
        does: impl AsyncFnOnce(&mut Peer) -> T + Send + 'static,
    ) -> (JoinHandle<T>, tempfile::TempDir) {
        let Self { listener, home, .. } = self;
        let offer = home.path().join("offer");
        let met = std::thread::spawn(move || {
            event_loop().unwrap().block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                let mut peer = Peer::accept(&listener, &offer).await;
                does(&mut peer).await
            })
        });
        (met, home)
    }

    /// The same, as often as that.
    pub fn meets_all(
        self,
        times: usize,
        does: impl AsyncFn(&mut Peer) + Send + 'static,
    ) -> (JoinHandle<()>, tempfile::TempDir) {
        let Self { listener, home, .. } = self;
        let offer = home.path().join("offer");
        let met = std::thread::spawn(move || {
            event_loop().unwrap().block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                for _ in 0..times {
                    let mut peer = Peer::accept(&listener, &offer).await;
                    does(&mut peer).await;
                }
            });
        });
        (met, home)
    }
}

/// The phone, with its relay.
pub struct Peer {
    pub socket: WebSocketStream<TcpStream>,
    /// As it is shown.
    pub link: String,
    path: Rendezvous,
}

impl Peer {
    async fn accept(listener: &TcpListener, offer: &Path) -> Self {
        let accepted = async {
            // Before the join it is looked whether the relay can be reached.
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                if let Ok(socket) = tokio_tungstenite::accept_async(stream).await {
                    return socket;
                }
            }
        };
        let socket = tokio::time::timeout(PATIENCE, accepted).await.expect("it comes to the relay");
        let link = async {
            loop {
                if let Ok(text) = fs::read_to_string(offer)
                    && let Ok(link) = JoinLink::parse(text.trim())
                {
                    return (link, text.trim().to_owned());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let (link, text) = tokio::time::timeout(PATIENCE, link).await.expect("it offers the link");
        let fresh = Fresh::new(&mut rand::random(), rand::random());
        Self {
            socket,
            link: text,
            path: Rendezvous::new(RendezvousRole::Responder, link.key.duplicate(), link.path_id, fresh),
        }
    }

    fn frames(&mut self) -> (Vec<Bytes>, Vec<Output>) {
        let (mut frames, mut others) = (Vec::new(), Vec::new());
        while let Some(output) = self.path.poll() {
            match output {
                Output::Link(LinkOutput::Send(frame)) => frames.push(frame),
                other => others.push(other),
            }
        }
        (frames, others)
    }

    /// The next frame that the machine has to send.
    pub fn hello(&mut self) -> Bytes {
        self.path.handle(NOW, LinkInput::Up);
        let (mut frames, _) = self.frames();
        frames.pop().expect("its hello")
    }

    /// As far as the pictures.
    pub async fn nominates(&mut self) {
        let hello = self.hello();
        self.raw(hello).await;
        let frame = self.next_frame().await.expect("it answers");
        self.path.handle(NOW, LinkInput::Bytes(frame));
        let (frames, others) = self.frames();
        assert!(others.iter().any(|output| matches!(output, Output::Nominated(_))), "{others:?}");
        for frame in frames {
            self.raw(frame).await;
        }
    }

    /// What comes next; [`None`] if that is the end.
    async fn next_frame(&mut self) -> Option<Bytes> {
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("it goes on") {
                Some(Ok(Message::Binary(frame))) => return Some(frame),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// A sealed frame with this message.
    pub fn sealed(&mut self, message: &[u8]) -> Bytes {
        self.path.send(message);
        self.frames().0.pop().expect("a frame")
    }

    pub async fn sends(&mut self, message: &[u8]) {
        let frame = self.sealed(message);
        self.raw(frame).await;
    }

    /// One WebSocket message with these bytes.
    pub async fn raw(&mut self, bytes: Bytes) {
        // Who has gone meanwhile tells that itself.
        let _ = self.socket.send(Message::Binary(bytes)).await;
    }

    pub async fn begins(&mut self) {
        self.nominates().await;
        self.sends(FromExisting::begin()).await;
    }

    /// Waits for the new device's last word, and for its end with this code.
    pub async fn is_told_registered(&mut self) {
        let frame = self.next_frame().await.expect("it says something");
        self.path.handle(NOW, LinkInput::Bytes(frame));
        let (_, others) = self.frames();
        let told = others.iter().any(|output| match output {
            Output::Message(plain) => FromNew::read(plain) == Ok(FromNew::Registered),
            _ => false,
        });
        assert!(told, "{others:?}");
        assert_eq!(self.code_at_the_end().await, Some(1_000));
    }

    /// The code with which the new device closes, if it does.
    pub async fn code_at_the_end(&mut self) -> Option<u16> {
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("it ends") {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    pub async fn closes(&mut self, code: CloseCode) {
        let _ = self.socket.close(Some(CloseFrame { code: code.0.into(), reason: "".into() })).await;
        // Until it has answered.
        while self.socket.next().await.is_some_and(|message| message.is_ok()) {}
    }
}

/// What of a phone's data must be nowhere afterwards, as it is in memory.
pub const SECRETS: [&[u8]; 5] = [
    b"CLIENT-KEY-of-thirty-two-bytes-!",
    b"CSP-COOKIE-of-16",
    b"a-nonce-of-the-chat-server-hash!",
    b"a-nonce-of-the-device-group-hash",
    b"work-password-that-nobody-keeps",
];

/// What a phone sends, with secrets that are not ours to keep.
pub fn essential() -> EssentialData {
    let [client_key, cookie, csp_nonce, d2d_nonce, password] = SECRETS;
    EssentialData {
        identity_data: Some(essential_data::IdentityData {
            identity: "MYSELF01".to_owned(),
            ck: Bytes::from_static(client_key),
            csp_device_cookie: Bytes::from_static(cookie),
            csp_server_group: "01".to_owned(),
        }),
        device_group_data: Some(essential_data::DeviceGroupData { dgk: hex::decode(KEY).unwrap().into() }),
        csp_hashed_nonces: vec![Bytes::from_static(csp_nonce); 3],
        d2d_hashed_nonces: vec![Bytes::from_static(d2d_nonce); 3],
        work_credentials: Some(d2mtop::protocol::proto::d2d_sync::ThreemaWorkCredentials {
            username: "worker".to_owned(),
            password: String::from_utf8(password.to_vec()).unwrap(),
        }),
        ..EssentialData::default()
    }
}

/// The message with this data.
pub fn message(data: EssentialData) -> Vec<u8> {
    EdToNd { content: Some(ed_to_nd::Content::EssentialData(data)) }.encode_to_vec()
}
