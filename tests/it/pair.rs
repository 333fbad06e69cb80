//! Client and server machines joined by a simulated network: delay, reordering between connections, loss of everything in
//! flight, half-open connections, a journal that takes its time. Virtual time, thousands of seeds, both dialects.

use crate::support::envelopes;
use crate::support::network;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use d2mtop::group::event::to_acknowledge;
use d2mtop::group::{DisconnectCause, Event, NextStep};
use d2mtop::mediator::{self, ConnectionId, Ephemeral, Mediator};
use d2mtop::protocol::d2d::Platform;
use d2mtop::protocol::{
    ClientMessage, ClientUrlInfo, CloseCode, DeviceId, DeviceInfo, Dialect, ExpirationPolicy, GroupKeys, GroupSecret,
    MessageId, Millis, ServerGroup, ServerMessage, TransactionScope,
};
use d2mtop::session::{self, Command, Confirmed, LeaderPolicy, LinkEnd, Output, Session};
use d2mtop::text::Clean;
use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};

use network::{Arrival, Packet, Scheduled};

const SEEDS: u64 = 1_000;
const DEVICES: usize = 4;

#[test]
fn nothing_is_lost_doubled_or_disordered_in_any_of_a_thousand_networks_today() {
    run(Dialect::Dgk);
}

#[test]
fn nothing_is_lost_doubled_or_disordered_in_any_of_a_thousand_networks_in_the_seed() {
    run(Dialect::Mk);
}

fn run(dialect: Dialect) {
    let mut total = Totals::default();
    for seed in 0..SEEDS {
        let mut world = World::new(dialect, seed);
        world.storm(Duration::from_secs(300));
        world.calm(Duration::from_secs(1_800));
        world.check_everything_arrived();
        total.add(&world.totals);
    }
    // The storms must have been storms.
    assert!(total.broken > 5 * SEEDS && total.stored > 20 * SEEDS && total.redelivered > SEEDS / 2, "{total:?}");
    assert!(total.promotions > SEEDS && total.locks > SEEDS && total.dropped > SEEDS / 20, "{total:?}");
}

#[derive(Debug, Default)]
struct Totals {
    broken: u64,
    stored: u64,
    redelivered: u64,
    promotions: u64,
    locks: u64,
    dropped: u64,
}

impl Totals {
    fn add(&mut self, other: &Self) {
        self.broken += other.broken;
        self.stored += other.stored;
        self.redelivered += other.redelivered;
        self.promotions += other.promotions;
        self.locks += other.locks;
        self.dropped += other.dropped;
    }
}

struct Wire {
    client: usize,
    /// When the last packet of each direction arrives: later ones must not overtake it.
    to_server: Millis,
    to_client: Millis,
    cut: bool,
    /// Ids delivered and not yet acknowledged, as the server sees it.
    unacknowledged: VecDeque<u32>,
    last_id: Option<u32>,
}

struct Client {
    session: Session,
    device: DeviceId,
    wire: Option<u64>,
    received: BTreeSet<MessageId>,
    acknowledged: u64,
    waiting_for_user: Option<CloseCode>,
    /// Dropped by another device: stays away.
    dropped: bool,
    next_message: u64,
}

struct World {
    seed: u64,
    dialect: Dialect,
    random: StdRng,
    now: Millis,
    mediator: Mediator,
    url: ClientUrlInfo,
    clients: Vec<Client>,
    wires: BTreeMap<u64, Wire>,
    next_wire: u64,
    order: u64,
    arrivals: BinaryHeap<Reverse<Scheduled>>,
    stormy: bool,
    /// Messages that the server said it stored, and who had a slot then.
    stored: BTreeMap<MessageId, BTreeSet<DeviceId>>,
    /// What each device reflected, in order, not yet confirmed as stored on this connection.
    under_way: BTreeMap<u64, VecDeque<MessageId>>,
    leader: Option<u64>,
    /// Whose connection holds the lock, and what was reflected under it: lost with the lock, as the protocol has it.
    holder: Option<u64>,
    held: Vec<MessageId>,
    totals: Totals,
}

impl World {
    fn new(dialect: Dialect, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let keys = Arc::new(GroupKeys::derive(dialect, &GroupSecret::new(&mut [11; 32])));
        let url = ClientUrlInfo {
            dialect,
            device_group_id: keys.device_group_id(),
            server_group: ServerGroup::parse("01", dialect).unwrap(),
        };
        let clients = (0..DEVICES)
            .map(|number| {
                let device = DeviceId(number as u64 + 1);
                let config = session::Config {
                    device_info: DeviceInfo {
                        platform: Platform::Desktop,
                        label: Clean::new(&format!("device {number}")),
                        ..DeviceInfo::default()
                    },
                    expiration_policy: ExpirationPolicy::Persistent,
                    // The last one is a monitor like ourselves, the others stand for phones and desktops.
                    leader_policy: if number + 1 == DEVICES { LeaderPolicy::GiveUp } else { LeaderPolicy::Stay },
                    ..session::Config::of(Arc::clone(&keys), device)
                };
                Client {
                    session: Session::new(config, StdRng::seed_from_u64(random.r#gen())),
                    device,
                    wire: None,
                    received: BTreeSet::new(),
                    acknowledged: 0,
                    waiting_for_user: None,
                    dropped: false,
                    next_message: (number as u64 + 1) << 32,
                }
            })
            .collect();
        Self {
            seed,
            dialect,
            random,
            now: Millis(1_700_000_000_000),
            mediator: Mediator::new(mediator::Config { idle_timeout: None, ..mediator::Config::default() }),
            url,
            clients,
            wires: BTreeMap::new(),
            next_wire: 0,
            order: 0,
            arrivals: BinaryHeap::new(),
            stormy: true,
            stored: BTreeMap::new(),
            under_way: BTreeMap::new(),
            leader: None,
            holder: None,
            held: Vec::new(),
            totals: Totals::default(),
        }
    }

    /// Everything goes wrong now and then, and everybody is busy.
    fn storm(&mut self, span: Duration) {
        let end = self.now.after(span);
        for client in 0..DEVICES {
            self.input(client, session::Input::Timer);
        }
        while self.now < end {
            let next = self.now.after(Duration::from_millis(self.random.gen_range(50..3_000)));
            self.advance(next);
            self.somebody_does_something();
        }
    }

    /// The network heals, nobody does anything any more, and there is time.
    fn calm(&mut self, span: Duration) {
        self.stormy = false;
        for client in 0..DEVICES {
            self.input(client, session::Input::Command(Command::ReleaseLock));
        }
        let end = self.now.after(span);
        self.advance(end);
    }

    fn somebody_does_something(&mut self) {
        let client = self.random.gen_range(0..DEVICES);
        match self.random.gen_range(0..100) {
            0..=54 => self.reflect(client),
            55..=62 => self.cut_somebody(),
            63..=72 => {
                let command = Command::TakeLock { scope: TransactionScope::ContactSync, ttl: None };
                self.input(client, session::Input::Command(command));
            }
            73..=84 => self.input(client, session::Input::Command(Command::ReleaseLock)),
            85 => {
                // Never the first one, so that somebody is left.
                let device = DeviceId(self.random.gen_range(2..=DEVICES as u64));
                let command = Command::DropDevice(Confirmed::after_asking(device));
                self.input(0, session::Input::Command(command));
            }
            86..=90 => self.input(client, session::Input::Command(Command::RefreshDevices)),
            _ => {}
        }
    }

    fn reflect(&mut self, client: usize) {
        let Some(wire) = self.clients[client].wire else { return };
        let message = MessageId(self.clients[client].next_message);
        self.clients[client].next_message += 1;
        let device = self.clients[client].device;
        let envelope = Box::new(envelopes::text(self.dialect, device, message, self.now));
        let under_way = self.under_way.entry(wire).or_default();
        under_way.push_back(message);
        let expected = under_way.len();
        let before = self.order;
        self.input(client, session::Input::Command(Command::Reflect { envelope, ephemeral: false }));
        if self.order == before {
            // Refused, as without a login: nothing is under way.
            let under_way = self.under_way.entry(wire).or_default();
            if under_way.len() == expected {
                under_way.pop_back();
            }
        }
    }

    fn cut_somebody(&mut self) {
        let alive: Vec<u64> = self.wires.iter().filter(|(_, wire)| !wire.cut).map(|(id, _)| *id).collect();
        if alive.is_empty() {
            return;
        }
        let id = alive[self.random.gen_range(0..alive.len())];
        self.wires.get_mut(&id).unwrap().cut = true;
        self.totals.broken += 1;
        // One side notices soon; the other soon, late, or only by its own timers.
        let (soon, late) = (self.random.gen_range(0..2_000), self.random.gen_range(1_000..90_000));
        let (client, server) = if self.random.gen_bool(0.5) { (soon, late) } else { (late, soon) };
        if self.random.gen_bool(0.8) {
            self.schedule(client, Arrival::BrokenAtClient { wire: id });
        }
        self.schedule(server, Arrival::BrokenAtServer { wire: id });
    }

    fn schedule(&mut self, milliseconds: u64, arrival: Arrival) {
        let at = self.now.after(Duration::from_millis(milliseconds));
        self.schedule_at(at, arrival);
    }

    fn schedule_at(&mut self, at: Millis, arrival: Arrival) {
        self.order += 1;
        self.arrivals.push(Reverse(Scheduled { at, order: self.order, arrival }));
    }

    fn delay(&mut self) -> Duration {
        let milliseconds =
            if self.random.gen_bool(0.05) { self.random.gen_range(0..5_000) } else { self.random.gen_range(1..80) };
        Duration::from_millis(milliseconds)
    }

    fn send_to_server(&mut self, wire: u64, packet: Packet) {
        let delay = self.delay();
        let Some(state) = self.wires.get_mut(&wire) else { return };
        state.to_server = state.to_server.max(self.now.after(delay));
        let at = state.to_server;
        self.schedule_at(at, Arrival::AtServer { wire, packet });
    }

    fn send_to_client(&mut self, wire: u64, packet: Packet) {
        let delay = self.delay();
        let Some(state) = self.wires.get_mut(&wire) else { return };
        state.to_client = state.to_client.max(self.now.after(delay));
        let at = state.to_client;
        self.schedule_at(at, Arrival::AtClient { wire, packet });
    }

    /// Lets time pass until `end`: arrivals and timers in their order.
    fn advance(&mut self, end: Millis) {
        loop {
            let arrival = self.arrivals.peek().map(|Reverse(scheduled)| scheduled.at);
            let server = self.mediator.deadline();
            let client = self.clients.iter().filter_map(|client| client.session.deadline()).min();
            let Some(next) = [arrival, server, client].into_iter().flatten().min().filter(|next| *next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            if arrival == Some(next) {
                let Reverse(scheduled) = self.arrivals.pop().unwrap();
                self.arrive(scheduled.arrival);
            } else if server == Some(next) {
                self.mediator.handle(self.now, mediator::Input::Timer);
                self.drain_server();
            } else {
                let due = |client: &Client| client.session.deadline() == Some(next);
                let client = self.clients.iter().position(due).unwrap();
                self.input(client, session::Input::Timer);
            }
        }
        self.now = end;
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Opened { client, wire } => {
                if self.clients[client].wire != Some(wire) {
                    return;
                }
                let mut ephemeral = Ephemeral { secret: [0; 32], challenge: [0; 32] };
                self.random.fill_bytes(&mut ephemeral.secret);
                self.random.fill_bytes(&mut ephemeral.challenge);
                self.wires.insert(
                    wire,
                    Wire {
                        client,
                        to_server: self.now,
                        to_client: self.now,
                        cut: false,
                        unacknowledged: VecDeque::new(),
                        last_id: None,
                    },
                );
                self.input(client, session::Input::LinkUp);
                let url = self.url.clone();
                self.mediator.open(self.now, ConnectionId(wire), &url, ephemeral);
                self.drain_server();
            }
            Arrival::Unreachable { client, wire } => {
                if self.clients[client].wire == Some(wire) {
                    self.clients[client].wire = None;
                    self.input(client, session::Input::LinkDown(LinkEnd::Unreachable(Clean::default())));
                }
            }
            Arrival::AtServer { wire, packet } => self.at_server(wire, packet),
            Arrival::AtClient { wire, packet } => self.at_client(wire, packet),
            Arrival::BrokenAtClient { wire } => {
                let client = self.wires[&wire].client;
                if self.clients[client].wire == Some(wire) {
                    self.clients[client].wire = None;
                    self.input(client, session::Input::LinkDown(LinkEnd::Broken(Clean::default())));
                }
            }
            Arrival::BrokenAtServer { wire } => self.server_loses(wire, None),
            Arrival::Durable { client, connection, count } => {
                self.input(client, session::Input::Durable { connection, count });
            }
        }
    }

    fn server_loses(&mut self, wire: u64, code: Option<CloseCode>) {
        self.gone_at_server(wire);
        self.mediator.handle(self.now, mediator::Input::Closed { connection: ConnectionId(wire), code });
        self.drain_server();
    }

    fn at_server(&mut self, id: u64, packet: Packet) {
        let Some(wire) = self.wires.get_mut(&id).filter(|wire| !wire.cut) else { return };
        let connection = ConnectionId(id);
        match packet {
            Packet::Frame(bytes) => {
                if let Ok(ClientMessage::ReflectedAck(acknowledged)) =
                    ClientMessage::decode(bytes.clone(), self.dialect)
                {
                    let expected = wire.unacknowledged.pop_front();
                    assert_eq!(
                        expected,
                        Some(acknowledged.0),
                        "seed {}: acknowledged out of order or twice on one connection",
                        self.seed
                    );
                }
                self.mediator.handle(self.now, mediator::Input::Frame { connection, bytes });
                self.drain_server();
            }
            Packet::Ping => {
                self.mediator.handle(self.now, mediator::Input::Alive { connection });
                self.send_to_client(id, Packet::Pong);
            }
            Packet::Pong => {}
            Packet::Close(code) => {
                self.server_loses(id, Some(code));
                if let Some(wire) = self.wires.get_mut(&id) {
                    wire.cut = true;
                }
            }
        }
    }

    fn at_client(&mut self, id: u64, packet: Packet) {
        let Some(wire) = self.wires.get(&id).filter(|wire| !wire.cut) else { return };
        let client = wire.client;
        if self.clients[client].wire != Some(id) {
            return;
        }
        match packet {
            Packet::Frame(bytes) => self.input(client, session::Input::Frames(vec![bytes])),
            Packet::Ping => {}
            Packet::Pong => self.input(client, session::Input::Pong),
            Packet::Close(code) => {
                self.clients[client].wire = None;
                let end = LinkEnd::Closed { code, reason: Clean::default() };
                self.input(client, session::Input::LinkDown(end));
            }
        }
    }

    fn drain_server(&mut self) {
        while let Some(output) = self.mediator.poll() {
            match output {
                mediator::Output::Send { connection, bytes } => {
                    self.observe_server(connection.0, &bytes);
                    self.send_to_client(connection.0, Packet::Frame(bytes));
                    self.mediator.handle(self.now, mediator::Input::Written { connection, frames: 1 });
                }
                mediator::Output::Close { connection, code, reason } => {
                    let clean = ![CloseCode::PROTOCOL_ERROR, CloseCode::UNKNOWN_MESSAGE_ACKNOWLEDGED].contains(&code);
                    assert!(clean, "seed {}: the server closed with {code}: {reason}", self.seed);
                    self.gone_at_server(connection.0);
                    self.send_to_client(connection.0, Packet::Close(code));
                }
                mediator::Output::Pause { .. }
                | mediator::Output::Resume { .. }
                | mediator::Output::Chat { .. }
                | mediator::Output::Log(_) => {}
            }
        }
    }

    /// Checks what the server sends, and keeps the books.
    fn observe_server(&mut self, id: u64, bytes: &Bytes) {
        let message = ServerMessage::decode(bytes.clone(), self.dialect).expect("the server speaks the protocol");
        let Some(wire) = self.wires.get_mut(&id) else { return };
        match message {
            ServerMessage::Reflected(reflected) => {
                let rises = wire.last_id.is_none_or(|last| reflected.id.0 > last);
                assert!(rises, "seed {}: ids must rise on a connection", self.seed);
                wire.last_id = Some(reflected.id.0);
                wire.unacknowledged.push_back(reflected.id.0);
            }
            ServerMessage::RolePromotedToLeader => {
                assert_eq!(self.leader, None, "seed {}: two leaders at a time", self.seed);
                self.leader = Some(id);
                self.totals.promotions += 1;
            }
            ServerMessage::ReflectAck { .. } => {
                let message =
                    self.under_way.get_mut(&id).and_then(VecDeque::pop_front).expect("something was reflected");
                if self.holder == Some(id) {
                    self.held.push(message);
                } else {
                    let author = wire.client;
                    self.store(author, message);
                }
            }
            ServerMessage::BeginTransactionAck => {
                assert_eq!(self.holder, None, "seed {}: two holders at a time", self.seed);
                self.holder = Some(id);
            }
            ServerMessage::CommitTransactionAck => {
                let client = wire.client;
                self.holder = None;
                for message in std::mem::take(&mut self.held) {
                    self.store(client, message);
                }
            }
            _ => {}
        }
    }

    fn store(&mut self, author: usize, message: MessageId) {
        let others = self.clients.iter().enumerate().filter(|(client, _)| *client != author);
        self.stored.insert(message, others.map(|(_, client)| client.device).collect());
        self.totals.stored += 1;
    }

    /// The server no longer has this connection.
    fn gone_at_server(&mut self, id: u64) {
        if self.leader == Some(id) {
            self.leader = None;
        }
        if self.holder == Some(id) {
            self.holder = None;
            self.held.clear();
        }
    }

    fn input(&mut self, client: usize, input: session::Input) {
        self.clients[client].session.handle(self.now, input);
        loop {
            let mut sent = false;
            while let Some(output) = self.clients[client].session.poll() {
                sent |= matches!(output, Output::Send(_));
                self.act(client, output);
            }
            if !sent {
                break;
            }
            self.clients[client].session.handle(self.now, session::Input::Flushed);
        }
        self.user_helps(client);
    }

    fn act(&mut self, client: usize, output: Output) {
        match output {
            Output::Connect => {
                self.next_wire += 1;
                let wire = self.next_wire;
                self.clients[client].wire = Some(wire);
                let reachable = !self.stormy || self.random.gen_bool(0.85);
                let delay = self.delay();
                let at = self.now.after(delay);
                let arrival =
                    if reachable { Arrival::Opened { client, wire } } else { Arrival::Unreachable { client, wire } };
                self.schedule_at(at, arrival);
            }
            Output::Send(frame) => {
                if let Some(wire) = self.clients[client].wire {
                    self.send_to_server(wire, Packet::Frame(frame));
                }
            }
            Output::Ping => {
                if let Some(wire) = self.clients[client].wire {
                    self.send_to_server(wire, Packet::Ping);
                }
            }
            Output::Close(code) => {
                if let Some(wire) = self.clients[client].wire.take() {
                    self.send_to_server(wire, Packet::Close(code));
                }
            }
            Output::Reflected { connection, messages } => {
                let count = to_acknowledge(&messages);
                self.totals.redelivered += messages.iter().filter(|message| message.redelivered).count() as u64;
                for message in &messages {
                    let summary = message.content.as_ref().expect("everything decrypts");
                    let new = self.clients[client].received.insert(summary.message_id.expect("a text has an id"));
                    assert!(
                        new || message.redelivered,
                        "seed {}: {:?} came twice and was not marked",
                        self.seed,
                        summary.message_id
                    );
                    assert!(!message.repeated_nonce, "seed {}: no message is a replay", self.seed);
                }
                // The journal takes its time.
                let milliseconds = self.random.gen_range(0..40);
                self.schedule(milliseconds, Arrival::Durable { client, connection, count });
            }
            Output::Acknowledged(ids) => self.clients[client].acknowledged += ids.len() as u64,
            Output::Proxy(_) => {}
            Output::Event(event) => self.on_event(client, event),
        }
    }

    fn on_event(&mut self, client: usize, event: Event) {
        match event {
            Event::Lock(d2mtop::group::LockEvent::Acquired { .. }) => self.totals.locks += 1,
            Event::DeviceDropped(device) => {
                self.totals.dropped += 1;
                let dropped = self.clients.iter_mut().find(|client| client.device == device).unwrap();
                dropped.dropped = true;
            }
            Event::Ignored(what) => panic!("seed {}: client {client} did not understand {what}", self.seed),
            Event::Disconnected {
                cause: DisconnectCause::ClosedByServer { code, .. },
                next: NextStep::WaitForUser,
            } => self.clients[client].waiting_for_user = Some(code),
            _ => {}
        }
    }

    /// The user of a device that waits brings it back, unless it was dropped.
    fn user_helps(&mut self, client: usize) {
        let Some(code) = self.clients[client].waiting_for_user.take() else { return };
        match code {
            CloseCode::DROPPED_BY_DEVICE => self.clients[client].dropped = true,
            // Dropped while it was away.
            CloseCode::SLOT_STATE_MISMATCH => {
                assert!(
                    self.clients[client].dropped || self.totals.dropped > 0 || self.drop_may_be_unconfirmed(),
                    "seed {}: only a drop leads to a mismatch",
                    self.seed
                );
                self.clients[client].dropped = true;
            }
            CloseCode::DUPLICATE_CONNECTION => panic!("seed {}: a session has one connection at a time", self.seed),
            code => panic!("seed {}: unexpected close {code}", self.seed),
        }
    }

    /// A drop whose confirmation was lost happened all the same.
    fn drop_may_be_unconfirmed(&self) -> bool {
        self.totals.broken > 0
    }

    fn check_everything_arrived(&mut self) {
        let seed = self.seed;
        for client in &self.clients {
            if client.dropped {
                continue;
            }
            for (message, receivers) in &self.stored {
                assert!(
                    !receivers.contains(&client.device)
                        || client.received.contains(message)
                        || !had_slot(client, *message),
                    "seed {seed}: device {} never got {message}",
                    client.device
                );
            }
        }
        // Whatever was delivered on a connection that still stands has been acknowledged.
        for (id, wire) in &self.wires {
            let stands = !wire.cut && self.clients[wire.client].wire == Some(*id);
            assert!(!stands || wire.unacknowledged.is_empty(), "seed {seed}: connection {id} owes acknowledgements");
        }
        let connected = self.clients.iter().take(DEVICES - 1).filter(|client| !client.dropped);
        assert!(connected.clone().all(|client| client.wire.is_some()), "seed {seed}: everybody comes back");
        assert!(connected.count() == 0 || self.leader.is_some(), "seed {seed}: somebody leads");
        // In the end the lock is free: whoever asks gets it.
        let before = self.totals.locks;
        self.input(0, session::Input::Command(Command::TakeLock { scope: TransactionScope::GroupSync, ttl: None }));
        let end = self.now.after(Duration::from_secs(120));
        self.advance(end);
        assert!(self.clients[0].dropped || self.totals.locks > before, "seed {seed}: the lock is stuck");
    }
}

/// A device gets what was stored after its first login; before, it had no slot.
fn had_slot(client: &Client, message: MessageId) -> bool {
    // Messages of one author rise, so one received earlier means that the slot was there.
    let author = message.0 >> 32;
    client.received.iter().any(|received| received.0 >> 32 == author && received.0 < message.0)
}
