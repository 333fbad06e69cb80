//! A mediator and the sessions of a group, joined by queues: whoever plays decides what arrives when.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use d2mtop::group::{ReflectedMessage, to_acknowledge};
use d2mtop::mediator::{ConnectionId, HandshakeSecrets, Mediator, MediatorConfig, MediatorInput, MediatorOutput};
use d2mtop::protocol::d2d::{Composer, Conversation, MessageDraft};
use d2mtop::protocol::{
    ClientMessage, ClientUrlInfo, CloseCode, DeviceId, Dialect, Envelope, ExpirationPolicy, GroupKeys, GroupSecret,
    MessageId, Millis, Nonce, ReflectedHeader, ReflectedId, Sealed, ServerGroup, ServerMessage,
};
use d2mtop::session::{Command, LeaderPolicy, LinkEnd, Session, SessionConfig, SessionInput, SessionOutput};
use d2mtop::text::Clean;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// More outputs than any input can need.
const MANY: usize = 10_000;

pub const MEMORY: usize = 256 * 1024;

#[derive(Default)]
struct Line {
    number: u64,
    /// Its number as the session counts.
    counted: Option<u64>,
    to_server: VecDeque<Bytes>,
    to_client: VecDeque<Bytes>,
    /// Delivered on this connection and not yet acknowledged.
    delivered: VecDeque<ReflectedId>,
    /// How many of them may be.
    durable: usize,
    acknowledged: BTreeSet<ReflectedId>,
}

pub struct Client {
    pub session: Session,
    device: DeviceId,
    line: Option<Line>,
    /// Handed out and not yet durable: on which connection, and how many.
    undurable: VecDeque<(u64, usize)>,
    /// What the user asked for, so that it may be sent.
    pub asked_lock: bool,
}

pub struct Network {
    dialect: Dialect,
    pub now: Millis,
    pub mediator: Mediator,
    url: ClientUrlInfo,
    pub clients: Vec<Client>,
    connections: u64,
    messages: u64,
    leaders: BTreeSet<u64>,
    holder: Option<u64>,
}

fn keys(dialect: Dialect) -> Arc<GroupKeys> {
    Arc::new(GroupKeys::derive(dialect, &GroupSecret::new(&mut [11; 32])))
}

impl Network {
    pub fn new(dialect: Dialect, clients: usize) -> Self {
        let keys = keys(dialect);
        let url = ClientUrlInfo {
            dialect,
            device_group_id: keys.device_group_id(),
            server_group: ServerGroup::parse("01", dialect).unwrap(),
        };
        let client = |number: usize| {
            let device = DeviceId(number as u64 + 1);
            let policy = if number == 0 { LeaderPolicy::GiveUp } else { LeaderPolicy::Stay };
            let config = SessionConfig {
                expiration_policy: ExpirationPolicy::Persistent,
                leader_policy: policy,
                ..SessionConfig::of(Arc::clone(&keys), device)
            };
            let session = Session::new(config, StdRng::seed_from_u64(number as u64));
            Client { session, device, line: None, undurable: VecDeque::new(), asked_lock: false }
        };
        let config = MediatorConfig {
            max_slots: 4,
            queue_bytes: 8 * 1024,
            queue_limit: 16,
            max_memory: MEMORY,
            ..MediatorConfig::default()
        };
        let mut network = Self {
            dialect,
            now: Millis(1_700_000_000_000),
            mediator: Mediator::new(config),
            url,
            clients: (0..clients).map(client).collect(),
            connections: 0,
            messages: 0,
            leaders: BTreeSet::new(),
            holder: None,
        };
        for client in 0..clients {
            network.input(client, SessionInput::Timer);
        }
        network
    }

    pub fn input(&mut self, client: usize, input: SessionInput) {
        self.clients[client].session.handle(self.now, input);
        let mut count = 0;
        loop {
            let mut has_sent = false;
            while let Some(output) = self.clients[client].session.poll() {
                count += 1;
                assert!(count < MANY, "one input has no end of outputs: {output:?}");
                has_sent |= matches!(output, SessionOutput::Send(_));
                self.act(client, output);
            }
            if !has_sent {
                return;
            }
            self.clients[client].session.handle(self.now, SessionInput::Flushed);
        }
    }

    fn act(&mut self, client: usize, output: SessionOutput) {
        match output {
            SessionOutput::Connect => self.connect(client),
            SessionOutput::Send(frame) => self.sent(client, frame),
            SessionOutput::Close(_) => self.hang_up(client, None),
            SessionOutput::Reflected { connection, messages } => {
                let client = &mut self.clients[client];
                if let Some(line) = &mut client.line {
                    line.counted = Some(connection);
                    line.delivered
                        .extend(messages.iter().filter(|message| !message.ephemeral).map(|message| message.id));
                }
                client.undurable.push_back((connection, to_acknowledge(&messages)));
            }
            SessionOutput::Ping
            | SessionOutput::Acknowledged(_)
            | SessionOutput::Proxy(_)
            | SessionOutput::Event(_) => {}
        }
    }

    fn connect(&mut self, client: usize) {
        self.connections += 1;
        let number = self.connections;
        self.clients[client].line = Some(Line { number, ..Line::default() });
        self.clients[client].session.handle(self.now, SessionInput::LinkUp);
        let [.., last] = number.to_be_bytes();
        let secrets = HandshakeSecrets { secret: [last | 1; 32], challenge: [last; 32] };
        self.mediator.open(self.now, ConnectionId(number), &self.url, secrets);
        self.serve();
    }

    /// A client sends; what it may not is found here.
    fn sent(&mut self, client: usize, frame: Bytes) {
        let Client { line: Some(line), asked_lock, .. } = &mut self.clients[client] else { return };
        match ClientMessage::decode(frame.clone(), self.dialect) {
            Ok(ClientMessage::ReflectedAck(id)) => {
                assert!(line.acknowledged.insert(id), "{id:?} is acknowledged twice on one connection");
                assert_eq!(line.delivered.pop_front(), Some(id), "acknowledged in another order than delivered");
                assert!(line.durable > 0, "{id:?} is acknowledged before it is durable");
                line.durable -= 1;
            }
            Ok(ClientMessage::BeginTransaction { .. }) => assert!(*asked_lock, "nobody asked for the lock"),
            Ok(ClientMessage::SetSharedDeviceData(_)) => panic!("nobody asked to change the shared data"),
            Ok(_) | Err(_) => {}
        }
        line.to_server.push_back(frame);
    }

    /// What waits on the connection arrives at the mediator.
    pub fn deliver_to_server(&mut self, client: usize, count: usize) {
        for _ in 0..count {
            let Some(line) = &mut self.clients[client].line else { return };
            let connection = ConnectionId(line.number);
            let Some(bytes) = line.to_server.pop_front() else { return };
            self.mediator.handle(self.now, MediatorInput::Frame { connection, bytes });
            self.serve();
        }
    }

    /// What waits on the connection arrives at the client, in one read.
    pub fn deliver_to_client(&mut self, client: usize, count: usize) {
        let Some(line) = &mut self.clients[client].line else { return };
        let count = count.min(line.to_client.len());
        let frames: Vec<Bytes> = line.to_client.drain(..count).collect();
        if !frames.is_empty() {
            self.input(client, SessionInput::Frames(frames));
        }
    }

    /// A frame that the mediator did not send.
    pub fn inject(&mut self, client: usize, frame: Bytes) {
        if self.clients[client].line.is_some() {
            self.input(client, SessionInput::Frames(vec![frame]));
        }
    }

    /// A frame that the client did not send.
    pub fn inject_to_server(&mut self, client: usize, bytes: Bytes) {
        let Some(line) = &self.clients[client].line else { return };
        let connection = ConnectionId(line.number);
        self.mediator.handle(self.now, MediatorInput::Frame { connection, bytes });
        self.serve();
    }

    /// The oldest that is not durable becomes so.
    pub fn make_durable(&mut self, client: usize) {
        let Some((connection, count)) = self.clients[client].undurable.pop_front() else { return };
        let line = self.clients[client].line.as_mut();
        // What came on an earlier connection counts for no other.
        if let Some(line) = line.filter(|line| line.counted == Some(connection)) {
            line.durable += count;
        }
        self.input(client, SessionInput::Durable { connection, count });
    }

    /// The connection ends, for both.
    pub fn hang_up(&mut self, client: usize, end: Option<LinkEnd>) {
        let Some(line) = self.clients[client].line.take() else { return };
        self.gone(line.number);
        let closed = MediatorInput::Closed { connection: ConnectionId(line.number), code: None };
        self.mediator.handle(self.now, closed);
        if let Some(end) = end {
            self.input(client, SessionInput::LinkDown(end));
        }
        self.serve();
    }

    fn gone(&mut self, number: u64) {
        self.leaders.remove(&number);
        self.holder = self.holder.filter(|holder| *holder != number);
    }

    pub fn reflect(&mut self, client: usize) {
        self.messages += 1;
        let composer = Composer::new(self.dialect, self.clients[client].device);
        let draft = MessageDraft::text(MessageId(self.messages), self.now, "hello");
        let envelope = Box::new(composer.incoming("ECHOECHO", draft, Nonce([1; 24])));
        self.input(
            client,
            SessionInput::Command(Command::Reflect { envelope, ephemeral: self.messages.is_multiple_of(5) }),
        );
    }

    pub fn pass(&mut self, span: Duration) {
        self.now = self.now.after(span);
        if self.mediator.deadline().is_some_and(|due| due <= self.now) {
            self.mediator.handle(self.now, MediatorInput::Timer);
            self.serve();
        }
        for client in 0..self.clients.len() {
            if self.clients[client].session.deadline().is_some_and(|due| due <= self.now) {
                self.input(client, SessionInput::Timer);
                let due = self.clients[client].session.deadline();
                assert!(due.is_none_or(|due| due > self.now), "a deadline stays in the past");
            }
        }
    }

    fn serve(&mut self) {
        let mut count = 0;
        while let Some(output) = self.mediator.poll() {
            count += 1;
            assert!(count < MANY, "the mediator has no end of outputs: {output:?}");
            match output {
                MediatorOutput::Send { connection, bytes } => {
                    self.mediator.handle(self.now, MediatorInput::Written { connection, frames: 1 });
                    self.observe(connection, &bytes);
                    let line = self.clients.iter_mut().filter_map(|client| client.line.as_mut());
                    if let Some(line) = line.into_iter().find(|line| line.number == connection.0) {
                        line.to_client.push_back(bytes);
                    }
                }
                MediatorOutput::Close { connection, code, .. } => self.closed(connection, code),
                _ => {}
            }
        }
    }

    fn observe(&mut self, connection: ConnectionId, bytes: &Bytes) {
        match ServerMessage::decode(bytes.clone(), self.dialect) {
            Ok(ServerMessage::RolePromotedToLeader) => {
                self.leaders.insert(connection.0);
                assert!(self.leaders.len() == 1, "two lead at a time");
            }
            Ok(ServerMessage::BeginTransactionAck) => {
                assert!(self.holder.is_none_or(|holder| holder == connection.0), "two hold the lock at a time");
                self.holder = Some(connection.0);
            }
            Ok(ServerMessage::CommitTransactionAck) => self.holder = None,
            _ => {}
        }
    }

    fn closed(&mut self, connection: ConnectionId, code: CloseCode) {
        self.gone(connection.0);
        let is_it = |client: &Client| client.line.as_ref().is_some_and(|line| line.number == connection.0);
        if let Some(client) = self.clients.iter().position(is_it) {
            self.clients[client].line = None;
            self.input(client, SessionInput::LinkDown(LinkEnd::Closed { code, reason: Clean::default() }));
        }
    }
}

/// A few rows of a feed.
pub fn messages() -> Vec<ReflectedMessage> {
    let dialect = Dialect::Dgk;
    let keys = keys(dialect);
    let at = Millis(1_700_000_000_000);
    let message = |(number, envelope): (u32, &Envelope)| {
        let sealed = Sealed::seal(envelope, &keys, Nonce([3; 24]));
        ReflectedMessage {
            id: ReflectedId(number),
            stored_at: at,
            received_at: at.after(Duration::from_secs(u64::from(number))),
            size: 100 << number,
            header: ReflectedHeader::default(),
            ephemeral: number == 2,
            redelivered: number == 1,
            repeated_nonce: false,
            nonce: sealed.nonce(),
            content: Ok(envelope.summary()),
            unknown_fields: Vec::new(),
            envelope: sealed,
        }
    };
    (0..).zip(&envelopes()).map(message).collect()
}

fn envelopes() -> [Envelope; 3] {
    let composer = Composer::new(Dialect::Dgk, DeviceId(0x0200));
    let with = Conversation::Contact(Clean::literal("ECHOECHO"));
    let at = Millis(1_700_000_000_000);
    [
        composer.incoming("ECHOECHO", MessageDraft::text(MessageId(1), at, "hello"), Nonce([1; 24])),
        composer.outgoing(&with, MessageDraft::text(MessageId(2), at, "yes"), &[Nonce([2; 24])]).unwrap(),
        composer.read(&[(with, MessageId(1))], at).unwrap(),
    ]
}
