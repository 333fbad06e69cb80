//! A session over real sockets that has a hard time: where it ends up, and whether the header says why at every moment.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::fixture::{settings, symbols};
use crate::group::*;
use crate::net::{Address, Listener, ListenerOptions, TlsOptions};
use crate::protocol::challenge::ephemeral_public_key;
use crate::protocol::*;
use crate::runtime::{EventSink, drive};
use crate::session::{
    Backoff, Command, LeaderPolicy, Presence, Session, SessionConfig, SessionTiming, SlotExpectation,
};
use crate::tui::Settings;
use crate::tui::state::Ui;

/// Only a failing test waits this long.
const PATIENCE: Duration = Duration::from_secs(30);
const DIALECTS: [Dialect; 2] = [Dialect::Mk, Dialect::Dgk];

/// Applies every event, and reads the header after each.
struct Reader {
    group: Arc<Mutex<Group>>,
    ui: Ui,
    events: mpsc::UnboundedSender<Event>,
}

impl EventSink for Reader {
    fn tell(&mut self, at: Millis, event: Event) {
        let mut group = self.group.lock().unwrap();
        group.apply(at, &event);
        let area = ratatui::layout::Rect::new(0, 0, 80, 24);
        let mut buffer = ratatui::buffer::Buffer::empty(area);
        self.ui.draw(&mut buffer, area, &group, at);
        assert_says_why(group.connection(), symbols(&buffer).lines().next().unwrap());
        let _ = self.events.send(event);
    }
}

fn assert_says_why(connection: &ConnectionState, header: &str) {
    let words: Vec<String> = match connection {
        ConnectionState::Idle => vec!["not connected yet".to_owned()],
        ConnectionState::Connecting { .. } => vec!["connecting".to_owned()],
        ConnectionState::Handshaking => vec!["handshake".to_owned()],
        ConnectionState::Draining { .. } => vec!["draining".to_owned()],
        ConnectionState::Live { .. } => vec!["live".to_owned()],
        ConnectionState::Waiting { cause, next, .. } => {
            let why = match cause {
                DisconnectCause::ClosedByServer { code, .. } => format!("({code})"),
                DisconnectCause::Unreachable(_) => ": no connection".to_owned(),
                DisconnectCause::Broken(_) => ": connection lost".to_owned(),
                DisconnectCause::ServerProtocolError(_) => ": the mediator broke the protocol".to_owned(),
                DisconnectCause::ByUser => "as you asked".to_owned(),
                other => panic!("{other:?} has no place here"),
            };
            let then = match next {
                NextStep::RetryAt { .. } => ["back in", "c now"],
                NextStep::WaitForUser => ["✖", "c connect"],
                NextStep::End => ["ended", "q quit"],
            };
            then.map(str::to_owned).into_iter().chain([why]).collect()
        }
    };
    for words in words {
        assert!(header.contains(&words), "{words:?} is missing in {header:?} of {connection:?}");
    }
}

/// A session that is being read.
struct Client {
    commands: mpsc::Sender<Command>,
    events: mpsc::UnboundedReceiver<Event>,
    driven: JoinHandle<()>,
}

impl Client {
    fn start(dialect: Dialect, address: SocketAddr, expiration_policy: ExpirationPolicy) -> Self {
        let step = Duration::from_millis(20);
        let config = SessionConfig {
            keys: Arc::new(GroupKeys::derive(dialect, &GroupSecret::new(&mut [5; 32]))),
            device_id: DeviceId(1),
            device_info: DeviceInfo::default(),
            expects: SlotExpectation::Only(SlotState::New),
            expiration_policy,
            exhausted_policy: ExhaustedPolicy::Reject,
            leader_policy: LeaderPolicy::Stay,
            presence: Presence::Stay,
            identity: None,
            read_only: false,
            timing: SessionTiming { backoff: Backoff { step, cap: step }, ..SessionTiming::default() },
        };
        let session = Session::new(config, StdRng::from_entropy());
        let url = session.url(&format!("ws://{address}/"), ServerGroup::parse("01", dialect).unwrap());
        let address = Address::new(&url, &TlsOptions::default()).unwrap();
        let (commands, receiver) = mpsc::channel(8);
        let (sender, events) = mpsc::unbounded_channel();
        let ui = Ui::new(Settings { stay_leader: true, ..settings() });
        let reader = Reader { group: Arc::default(), ui, events: sender };
        Self { commands, events, driven: tokio::spawn(drive(session, address, receiver, reader)) }
    }

    async fn until<T>(&mut self, what: &str, mut is_it: impl FnMut(&Event) -> Option<T>) -> T {
        let found = async {
            loop {
                let event = self.events.recv().await.unwrap_or_else(|| panic!("{what}: the session ended"));
                if let Some(found) = is_it(&event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("{what} did not come"))
    }

    async fn live(&mut self) {
        self.until("live", |event| matches!(event, Event::QueueDry).then_some(())).await;
    }

    async fn end(&mut self) -> (DisconnectCause, NextStep) {
        self.until("the end of the connection", |event| match event {
            Event::Disconnected { cause, next } => Some((cause.clone(), *next)),
            _ => None,
        })
        .await
    }

    async fn leave(self) {
        self.commands.send(Command::Leave).await.unwrap();
        tokio::time::timeout(PATIENCE, self.driven).await.expect("the session ends").expect("nothing panicked");
    }
}

/// A mediator that can be stopped, on a port of its own or a given one.
async fn mediator(address: SocketAddr) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let bind = async {
        loop {
            match Listener::bind(ListenerOptions { listen: vec![address.into()], ..ListenerOptions::default() }).await {
                Ok(listener) => return listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    let listener = tokio::time::timeout(PATIENCE, bind).await.expect("the port is free again");
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(async move { listener.run(async { drop(stopped.await) }, |_| ()).await });
    (address, stop, running)
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

#[tokio::test]
async fn a_mediator_that_is_restarted_twenty_times_gets_us_back_each_time() {
    for dialect in DIALECTS {
        for policy in [ExpirationPolicy::Volatile, ExpirationPolicy::Persistent] {
            let (address, mut stop, mut running) = mediator(any_port()).await;
            let mut client = Client::start(dialect, address, policy);
            client.live().await;
            for restart in 0..20 {
                stop.send(()).unwrap();
                let (cause, next) = client.end().await;
                let closed = matches!(&cause, DisconnectCause::ClosedByServer { code, .. } if code.0 == 1001);
                assert!(closed || matches!(cause, DisconnectCause::Broken(_)), "restart {restart}: {cause:?}");
                assert!(matches!(next, NextStep::RetryAt { .. }), "restart {restart}: {next:?}");
                tokio::time::timeout(PATIENCE, running).await.expect("the mediator ends").unwrap();
                (_, stop, running) = mediator(address).await;
                // It has forgotten everything: a volatile slot may have expired, a persistent one was dropped.
                if dialect == Dialect::Dgk && policy == ExpirationPolicy::Persistent {
                    let next = client
                        .until("4115", |event| match event {
                            Event::Disconnected { cause: DisconnectCause::ClosedByServer { code, .. }, next } => {
                                (code.0 == 4115).then_some(*next)
                            }
                            _ => None,
                        })
                        .await;
                    assert_eq!(next, NextStep::WaitForUser);
                    client.commands.send(Command::Reconnect { expect: Some(SlotState::New) }).await.unwrap();
                }
                client.live().await;
            }
            client.leave().await;
        }
    }
}

/// Logs the client in, says that nothing waits, and closes with the code; without a frame for 1006.
async fn close_after_login(stream: TcpStream, dialect: Dialect, code: u16) {
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    let hello = ServerMessage::Hello(ServerHello {
        version: 0,
        ephemeral_key: ephemeral_public_key(&[7; 32]),
        challenge: Challenge([9; 32]),
    });
    socket.send(Message::Binary(hello.encode(dialect))).await.unwrap();
    socket.next().await.unwrap().unwrap();
    let info = ServerMessage::Info(ServerInfo {
        max_device_slots: 5,
        slot_state: SlotState::New,
        shared_device_data: Sealed::default(),
        current_time: None,
        reflection_queue_length: None,
    });
    for message in [info, ServerMessage::ReflectionQueueDry] {
        socket.send(Message::Binary(message.encode(dialect))).await.unwrap();
    }
    // The client's request for the list: left unread, it would reset the connection.
    socket.next().await.unwrap().unwrap();
    if code != 1006 {
        socket.close(Some(CloseFrame { code: code.into(), reason: "".into() })).await.unwrap();
        let answered = async { while socket.next().await.is_some_and(|message| message.is_ok()) {} };
        let _ = tokio::time::timeout(Duration::from_secs(2), answered).await;
    }
}

#[tokio::test]
async fn every_close_leads_where_it_should() {
    const CODES: [u16; 20] = [
        1000, 1001, 1006, 1011, 4000, 4001, 4009, 4010, 4011, 4012, 4013, 4110, 4111, 4112, 4113, 4114, 4115, 4150,
        4200, 4999,
    ];
    for dialect in DIALECTS {
        let server = TcpListener::bind(any_port()).await.unwrap();
        let mut client = Client::start(dialect, server.local_addr().unwrap(), ExpirationPolicy::Persistent);
        for code in CODES {
            let (stream, _) = tokio::time::timeout(PATIENCE, server.accept()).await.unwrap().unwrap();
            let closing = tokio::spawn(close_after_login(stream, dialect, code));
            let (cause, next) = client.end().await;
            match &cause {
                DisconnectCause::ClosedByServer { code: told, .. } => assert_eq!(told.0, code),
                DisconnectCause::Broken(_) => assert_eq!(code, 1006),
                other => panic!("{code}: {other:?}"),
            }
            closing.await.unwrap();
            if CloseCode(code).reconnect_class() == ReconnectClass::UserInteraction {
                assert_eq!(next, NextStep::WaitForUser, "{code}");
                let waited = tokio::time::timeout(Duration::from_millis(100), server.accept()).await;
                assert!(waited.is_err(), "{code}: nobody asked it to come back");
                client.commands.send(Command::Reconnect { expect: None }).await.unwrap();
            } else {
                assert!(matches!(next, NextStep::RetryAt { .. }), "{code}: {next:?}");
            }
        }
        client.leave().await;
    }
}

/// Hands bytes on in both directions until so many have passed, or none for a while; then cuts both sides.
async fn hand_on_until(mut near: TcpStream, server: SocketAddr, mut left: usize, idle: Duration) {
    let Ok(mut far) = TcpStream::connect(server).await else { return };
    let (mut there, mut back) = ([0; 512], [0; 512]);
    while left > 0 {
        let passed = tokio::select! {
            () = tokio::time::sleep(idle) => return,
            read = near.read(&mut there) => {
                let count = read.unwrap_or(0).min(left);
                if far.write_all(&there[..count]).await.is_err() { return }
                count
            }
            read = far.read(&mut back) => {
                let count = read.unwrap_or(0).min(left);
                if near.write_all(&back[..count]).await.is_err() { return }
                count
            }
        };
        if passed == 0 {
            return;
        }
        left -= passed;
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_at_any_byte_is_taken_up_again() {
    for dialect in DIALECTS {
        let mut random = StdRng::seed_from_u64(21);
        let (server, stop, running) = mediator(any_port()).await;
        let proxy = TcpListener::bind(any_port()).await.unwrap();
        let mut client = Client::start(dialect, proxy.local_addr().unwrap(), ExpirationPolicy::Persistent);
        for cut in 0..40 {
            let (near, _) = tokio::time::timeout(PATIENCE, proxy.accept()).await.unwrap().unwrap();
            // A login passes fewer bytes than the most; then it is cut while it idles.
            hand_on_until(near, server, random.gen_range(1..1_500), Duration::from_millis(100)).await;
            let (cause, next) = client.end().await;
            assert!(matches!(next, NextStep::RetryAt { .. }), "cut {cut}: {cause:?}, {next:?}");
        }
        let healed = async {
            while let Ok((near, _)) = proxy.accept().await {
                tokio::spawn(hand_on_until(near, server, usize::MAX, PATIENCE * 2));
            }
        };
        tokio::select! {
            // What was said of the earlier connections is over; only a healed one gets this far and stays.
            () = client.live() => {}
            () = healed => {}
        }
        client.leave().await;
        let _ = stop.send(());
        tokio::time::timeout(PATIENCE, running).await.expect("the mediator ends").unwrap();
    }
}
