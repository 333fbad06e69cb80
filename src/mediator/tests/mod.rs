//! The machine in virtual time, with real keys, in both dialects.

mod bounds;
mod chat;
mod flow;
mod leader;
mod lock;
mod login;
mod operator;
mod queue;
mod random;
mod slots;
mod store;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use store::Store;

use super::{
    ChatAction, ConnectionId, Fetch, HandshakeSecrets, LogEvent, Mediator, MediatorConfig, MediatorInput,
    MediatorOutput, OperationId, OperatorAnswer,
};
use crate::protocol::{
    ChallengeResponse, ClientHello, ClientMessage, ClientUrlInfo, CloseCode, DeviceEntry, DeviceId, Dialect,
    ExhaustedPolicy, ExpirationPolicy, GroupKeys, GroupSecret, Millis, Nonce, Reflect, ReflectId, Reflected, Sealed,
    ServerGroup, ServerHello, ServerMessage, SlotState,
};

/// Runs a test in each dialect; the output of a failing one says in which.
macro_rules! in_both_dialects {
    ($(fn $name:ident($world:ident) $body:block)*) => {$(
        #[test]
        fn $name() {
            for dialect in [$crate::protocol::Dialect::Mk, $crate::protocol::Dialect::Dgk] {
                for stores in [false, true] {
                    println!("in dialect {dialect}, {}", if stores { "with a store" } else { "in memory" });
                    let config = $crate::mediator::MediatorConfig { stores, ..Default::default() };
                    let mut $world = $crate::mediator::tests::World::with(dialect, config);
                    $body
                }
            }
        }
    )*};
}
pub(super) use in_both_dialects;

pub(super) const A: DeviceId = DeviceId(0xa);
pub(super) const B: DeviceId = DeviceId(0xb);
pub(super) const C: DeviceId = DeviceId(0xc);

/// What a client sees of its connection.
#[derive(Debug)]
pub(super) struct Peer {
    dialect: Dialect,
    inbox: Vec<ServerMessage>,
    closed: Option<u16>,
    reads: bool,
    paused: bool,
    handed: usize,
}

/// A server, its listener, and the clients of one group.
pub(super) struct World {
    pub(super) mediator: Mediator,
    pub(super) now: Millis,
    pub(super) dialect: Dialect,
    pub(super) logs: Vec<LogEvent>,
    /// What came of what the operator asked for.
    pub(super) operated: Vec<(OperationId, OperatorAnswer)>,
    /// What the listener was told to do on the way to the chat server.
    pub(super) chat: Vec<(ConnectionId, ChatAction)>,
    store: Store,
    /// What the store was asked for.
    fetches: Vec<Fetch>,
    keys: GroupKeys,
    peers: BTreeMap<ConnectionId, Peer>,
    opened: u64,
}

/// How a device logs in.
#[derive(Clone, Copy)]
pub(super) struct Login {
    pub(super) device: DeviceId,
    pub(super) version: u32,
    pub(super) expect: SlotState,
    pub(super) exhausted: ExhaustedPolicy,
    pub(super) expiration: ExpirationPolicy,
}

impl Login {
    pub(super) const fn new(device: DeviceId) -> Self {
        Self {
            device,
            version: 0,
            expect: SlotState::New,
            exhausted: ExhaustedPolicy::Reject,
            expiration: ExpirationPolicy::Persistent,
        }
    }

    pub(super) const fn again(device: DeviceId) -> Self {
        Self { expect: SlotState::Existing, ..Self::new(device) }
    }
}

impl World {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self::with(dialect, MediatorConfig::default())
    }

    pub(super) fn with(dialect: Dialect, config: MediatorConfig) -> Self {
        Self {
            mediator: Mediator::new(config),
            now: Millis(1_700_000_000_000),
            dialect,
            logs: Vec::new(),
            operated: Vec::new(),
            chat: Vec::new(),
            store: Store::default(),
            fetches: Vec::new(),
            keys: GroupKeys::derive(dialect, &GroupSecret::new(&mut [7; 32])),
            peers: BTreeMap::new(),
            opened: 0,
        }
    }

    /// Does something as the devices of another group would.
    pub(super) fn in_group<T>(&mut self, group: u8, act: impl FnOnce(&mut Self) -> T) -> T {
        let keys = GroupKeys::derive(self.dialect, &GroupSecret::new(&mut [group; 32]));
        let before = std::mem::replace(&mut self.keys, keys);
        let result = act(self);
        self.keys = before;
        result
    }

    /// A connection in the world's dialect, which has got its hello.
    pub(super) fn connect(&mut self) -> ConnectionId {
        self.connect_as(self.dialect)
    }

    /// A connection in the given dialect to the same group: the group id is but bytes to the server.
    pub(super) fn connect_as(&mut self, dialect: Dialect) -> ConnectionId {
        self.opened += 1;
        let id = ConnectionId(self.opened);
        let byte = u8::try_from(self.opened % 251).unwrap();
        let url = ClientUrlInfo {
            dialect,
            device_group_id: self.keys.device_group_id(),
            server_group: ServerGroup::parse("01", dialect).unwrap(),
        };
        let peer = Peer { dialect, inbox: Vec::new(), closed: None, reads: true, paused: false, handed: 0 };
        self.peers.insert(id, peer);
        self.mediator.open(self.now, id, &url, HandshakeSecrets { secret: [byte; 32], challenge: [byte ^ 0xff; 32] });
        self.settle();
        id
    }

    pub(super) fn hello(&mut self, connection: ConnectionId) -> ServerHello {
        match self.next(connection) {
            ServerMessage::Hello(hello) => hello,
            other => panic!("expected a hello, got {other:?}"),
        }
    }

    pub(super) fn answer(&self, hello: &ServerHello, login: Login) -> ClientHello {
        let response =
            ChallengeResponse::answer(&hello.challenge, &hello.ephemeral_key, &self.keys, &Nonce([9; 24])).unwrap();
        ClientHello {
            version: login.version,
            response,
            device_id: login.device,
            exhausted_policy: login.exhausted,
            expiration_policy: login.expiration,
            expected_slot_state: login.expect,
            device_info: Sealed::from_wire(info_of(login.device)),
        }
    }

    /// Logs in, whatever comes of it; the hello is taken out of the inbox.
    pub(super) fn try_login(&mut self, login: Login) -> ConnectionId {
        let connection = self.connect();
        let hello = self.hello(connection);
        let answer = self.answer(&hello, login);
        self.send(connection, &ClientMessage::Hello(answer));
        connection
    }

    /// Logs in and reads up to and including the queue and its end.
    pub(super) fn login(&mut self, login: Login) -> ConnectionId {
        let connection = self.try_login(login);
        let messages = self.take(connection);
        assert!(messages.contains(&ServerMessage::ReflectionQueueDry), "login of {}: {messages:?}", login.device);
        connection
    }

    pub(super) fn send(&mut self, connection: ConnectionId, message: &ClientMessage) {
        let dialect = self.peers[&connection].dialect;
        self.input(MediatorInput::Frame { connection, bytes: message.encode(dialect) });
    }

    pub(super) fn reflect(&mut self, connection: ConnectionId, id: u32, text: &str) {
        self.send(connection, &reflection(id, text, false));
    }

    pub(super) fn input(&mut self, input: MediatorInput) {
        self.mediator.handle(self.now, input);
        self.settle();
    }

    /// The client leaves with a close frame.
    pub(super) fn leave(&mut self, connection: ConnectionId) {
        self.peers.get_mut(&connection).unwrap().closed = Some(1000);
        self.input(MediatorInput::Closed { connection, code: Some(CloseCode::NORMAL) });
    }

    /// Lets time pass, as a listener does that sleeps until each deadline.
    pub(super) fn pass(&mut self, span: Duration) {
        let end = self.now.after(span);
        while let Some(at) = self.mediator.deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.input(MediatorInput::Timer);
        }
        self.now = end;
    }

    /// Whether the client's side of the socket takes what is written.
    pub(super) fn set_reads(&mut self, connection: ConnectionId, reads: bool) {
        self.peers.get_mut(&connection).unwrap().reads = reads;
        self.settle();
    }

    pub(super) fn is_paused(&self, connection: ConnectionId) -> bool {
        self.peers[&connection].paused
    }

    /// Carries out everything the machine says, and writes for those who read.
    fn settle(&mut self) {
        loop {
            let batch = self.mediator.take_batch();
            if let Some(batch) = self.store.take(batch) {
                self.mediator.handle(self.now, MediatorInput::Committed { batch });
            }
            while let Some(output) = self.mediator.poll() {
                self.carry_out(output);
            }
            if let Some(fetch) = self.fetches.pop() {
                let (connection, messages) = (fetch.connection, self.store.fetch(fetch));
                self.mediator.handle(self.now, MediatorInput::Fetched { connection, messages });
                continue;
            }
            let reader = self.peers.iter_mut().find(|(_, peer)| peer.reads && peer.handed > 0);
            let Some((connection, peer)) = reader else { break };
            let (connection, frames) = (*connection, std::mem::take(&mut peer.handed));
            self.mediator.handle(self.now, MediatorInput::Written { connection, frames });
        }
    }

    fn carry_out(&mut self, output: MediatorOutput) {
        match output {
            MediatorOutput::Send { connection, bytes } => {
                let peer = self.peers.get_mut(&connection).expect("sent to a connection that never was");
                assert_eq!(peer.closed, None, "sent to {connection} after its end");
                assert!(bytes.len() <= 65_536, "sent more than a container holds");
                let message = ServerMessage::decode(bytes, peer.dialect).expect("sent something malformed");
                peer.handed += 1;
                peer.inbox.push(message);
            }
            MediatorOutput::Close { connection, code, reason, .. } => {
                let peer = self.peers.get_mut(&connection).expect("closed a connection that never was");
                assert_eq!(peer.closed, None, "closed {connection} twice: {reason}");
                peer.closed = Some(code.0);
            }
            MediatorOutput::Ping { connection } => {
                assert_eq!(self.peers[&connection].closed, None, "a ping for {connection} after its end");
            }
            MediatorOutput::Pause { connection } => self.peers.get_mut(&connection).unwrap().paused = true,
            MediatorOutput::Resume { connection } => self.peers.get_mut(&connection).unwrap().paused = false,
            MediatorOutput::Chat { connection, action } => self.chat.push((connection, action)),
            MediatorOutput::Fetch(fetch) => self.fetches.push(fetch),
            MediatorOutput::Operated { operation, answer } => self.operated.push((operation, answer)),
            MediatorOutput::Log(event) => self.logs.push(event),
        }
    }

    /// Everything that came on a connection since the last call.
    pub(super) fn take(&mut self, connection: ConnectionId) -> Vec<ServerMessage> {
        std::mem::take(&mut self.peers.get_mut(&connection).unwrap().inbox)
    }

    fn next(&mut self, connection: ConnectionId) -> ServerMessage {
        self.peers.get_mut(&connection).unwrap().inbox.remove(0)
    }

    /// The reflected messages that came on a connection since the last call; anything else is an error.
    pub(super) fn take_reflected(&mut self, connection: ConnectionId) -> Vec<Reflected> {
        let only_reflected = |message| match message {
            ServerMessage::Reflected(reflected) => reflected,
            other => panic!("expected only reflected messages, got {other:?}"),
        };
        self.take(connection).into_iter().map(only_reflected).collect()
    }

    pub(super) fn closed(&self, connection: ConnectionId) -> Option<u16> {
        self.peers[&connection].closed
    }

    pub(super) fn devices(&mut self, connection: ConnectionId) -> BTreeMap<DeviceId, DeviceEntry> {
        self.take(connection);
        self.send(connection, &ClientMessage::GetDevicesInfo);
        match self.take(connection).as_slice() {
            [ServerMessage::DevicesInfo(devices)] => devices.clone(),
            other => panic!("expected one device list, got {other:?}"),
        }
    }
}

pub(super) fn info_of(device: DeviceId) -> Bytes {
    Bytes::from(format!("sealed info of {device}"))
}

pub(super) fn reflection(id: u32, text: &str, ephemeral: bool) -> ClientMessage {
    let envelope = Sealed::from_wire(Bytes::copy_from_slice(text.as_bytes()));
    ClientMessage::Reflect(Reflect { id: ReflectId(id), ephemeral, envelope })
}

pub(super) fn texts(reflected: &[Reflected]) -> Vec<&str> {
    reflected.iter().map(|message| std::str::from_utf8(message.envelope.as_bytes()).unwrap()).collect()
}
