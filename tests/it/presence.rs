//! What a monitor costs its group: for how long nobody leads who could, measured over a simulated network with a phone
//! that comes and goes, in both dialects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use d2mtop::mediator::{self, ConnectionId, Ephemeral, Mediator};
use d2mtop::protocol::{
    ClientMessage, ClientUrlInfo, CloseCode, DeviceId, Dialect, ExpirationPolicy, GroupKeys, GroupSecret, Millis,
    ServerGroup, ServerMessage, SlotState,
};
use d2mtop::session::{Command, Config, Expectation, Input, LeaderPolicy, LinkEnd, Output, Presence, Session};
use d2mtop::text::Clean;
use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};

const PHONE: usize = 0;
const MONITOR: usize = 1;
const SEEDS: u64 = 15;
const MOST: Duration = Duration::from_secs(2);

/// One way of a packet, at most.
const DELAY: std::ops::Range<u64> = 5..250;

enum Arrival {
    Opened { client: usize, wire: u64 },
    AtServer { wire: u64, frame: Option<Bytes> },
    AtClient { wire: u64, frame: Result<Bytes, CloseCode> },
    Pong { wire: u64 },
    Durable { client: usize, connection: u64, count: usize },
}

struct Client {
    session: Session,
    wire: Option<u64>,
}

/// What was measured.
#[derive(Debug, Default)]
struct Figures {
    promotions: u64,
    /// For how long the monitor was leader, at the server.
    longest_lead: Duration,
    /// Between two promotions of the monitor.
    shortest_between: Option<Duration>,
    /// From the phone's login during a visit to its promotion.
    longest_wait_of_phone: Duration,
    logins_of_phone_during_a_lead: u64,
    visits: u64,
}

struct World {
    dialect: Dialect,
    random: StdRng,
    now: Millis,
    mediator: Mediator,
    url: ClientUrlInfo,
    clients: Vec<Option<Client>>,
    /// Of each connection: whose it is, and when the last packet of each direction arrives.
    wires: BTreeMap<u64, (usize, Millis, Millis)>,
    next_wire: u64,
    arrivals: BTreeMap<(Millis, u64), Arrival>,
    order: u64,
    phone_slot: SlotState,
    leader: Option<u64>,
    monitor_promoted_at: Option<Millis>,
    phone_waits_since: Option<Millis>,
    figures: Figures,
}

impl World {
    fn new(dialect: Dialect, presence: Presence, seed: u64) -> Self {
        let keys = keys(dialect);
        let url = ClientUrlInfo {
            dialect,
            device_group_id: keys.device_group_id(),
            server_group: ServerGroup::parse("01", dialect).unwrap(),
        };
        let monitor = Session::new(config(dialect, MONITOR, presence, SlotState::New), StdRng::seed_from_u64(seed));
        let mut world = Self {
            dialect,
            random: StdRng::seed_from_u64(seed),
            now: Millis(1_700_000_000_000),
            mediator: Mediator::new(mediator::Config { idle_timeout: None, ..mediator::Config::default() }),
            url,
            clients: vec![None, Some(Client { session: monitor, wire: None })],
            wires: BTreeMap::new(),
            next_wire: 0,
            arrivals: BTreeMap::new(),
            order: 0,
            phone_slot: SlotState::New,
            leader: None,
            monitor_promoted_at: None,
            phone_waits_since: None,
            figures: Figures::default(),
        };
        world.input(MONITOR, Input::Timer);
        world
    }

    /// The phone comes, stays for a while, and goes, for so many hours.
    fn live(&mut self, hours: u64) {
        let end = self.now.after(Duration::from_secs(hours * 3_600));
        while self.now < end {
            // Now and then exactly while the monitor leads.
            let pause = self.random.gen_range(5_000..1_500_000);
            self.advance(self.now.after(Duration::from_millis(pause)));
            if self.random.gen_bool(0.5) {
                let deadline = self.now.after(Duration::from_secs(1_000));
                while self.leader.is_none() && self.now < deadline {
                    self.advance(self.now.after(Duration::from_millis(20)));
                }
            }
            let config = config(self.dialect, PHONE, Presence::Stay, self.phone_slot);
            self.phone_slot = SlotState::Existing;
            let session = Session::new(config, StdRng::seed_from_u64(self.random.r#gen()));
            self.clients[PHONE] = Some(Client { session, wire: None });
            self.input(PHONE, Input::Timer);
            let stay = self.random.gen_range(3_000..1_500_000);
            self.advance(self.now.after(Duration::from_millis(stay)));
            self.input(PHONE, Input::Command(Command::Leave));
            self.clients[PHONE] = None;
            self.phone_waits_since = None;
        }
    }

    fn advance(&mut self, end: Millis) {
        loop {
            let arrival = self.arrivals.keys().next().map(|(at, _)| *at);
            let client = self.clients.iter().flatten().filter_map(|client| client.session.deadline()).min();
            let next = [arrival, self.mediator.deadline(), client].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            if arrival == Some(next) {
                let (_, arrival) = self.arrivals.pop_first().unwrap();
                self.arrive(arrival);
            } else if self.mediator.deadline() == Some(next) {
                self.mediator.handle(self.now, mediator::Input::Timer);
                self.drain_server();
            } else {
                let due = |client: &Option<Client>| {
                    client.as_ref().is_some_and(|client| client.session.deadline() == Some(next))
                };
                let client = self.clients.iter().position(due).unwrap();
                self.input(client, Input::Timer);
            }
        }
        self.now = end;
    }

    fn schedule(&mut self, at: Millis, arrival: Arrival) {
        self.order += 1;
        self.arrivals.insert((at, self.order), arrival);
    }

    fn delay(&mut self) -> Duration {
        Duration::from_millis(self.random.gen_range(DELAY))
    }

    fn send_to_server(&mut self, wire: u64, frame: Option<Bytes>) {
        let at = self.now.after(self.delay());
        let Some((_, last, _)) = self.wires.get_mut(&wire) else { return };
        *last = at.max(*last);
        let at = *last;
        self.schedule(at, Arrival::AtServer { wire, frame });
    }

    fn send_to_client(&mut self, wire: u64, frame: Result<Bytes, CloseCode>) {
        let at = self.now.after(self.delay());
        let Some((_, _, last)) = self.wires.get_mut(&wire) else { return };
        *last = at.max(*last);
        let at = *last;
        self.schedule(at, Arrival::AtClient { wire, frame });
    }

    fn owns(&self, client: usize, wire: u64) -> bool {
        self.clients[client].as_ref().is_some_and(|client| client.wire == Some(wire))
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Opened { client, wire } => {
                if !self.owns(client, wire) {
                    return;
                }
                let mut ephemeral = Ephemeral { secret: [0; 32], challenge: [0; 32] };
                self.random.fill_bytes(&mut ephemeral.secret);
                self.random.fill_bytes(&mut ephemeral.challenge);
                self.wires.insert(wire, (client, self.now, self.now));
                self.input(client, Input::LinkUp);
                let url = self.url.clone();
                self.mediator.open(self.now, ConnectionId(wire), &url, ephemeral);
                self.drain_server();
            }
            Arrival::AtServer { wire, frame: Some(bytes) } => {
                self.mediator.handle(self.now, mediator::Input::Frame { connection: ConnectionId(wire), bytes });
                self.drain_server();
            }
            Arrival::AtServer { wire, frame: None } => {
                self.gone(wire);
                let connection = ConnectionId(wire);
                self.mediator.handle(self.now, mediator::Input::Closed { connection, code: Some(CloseCode::NORMAL) });
                self.drain_server();
            }
            Arrival::AtClient { wire, frame } => {
                let client = self.wires[&wire].0;
                if !self.owns(client, wire) {
                    return;
                }
                match frame {
                    Ok(frame) => self.input(client, Input::Frames(vec![frame])),
                    Err(code) => {
                        self.clients[client].as_mut().unwrap().wire = None;
                        let end = LinkEnd::Closed { code, reason: Clean::default() };
                        self.input(client, Input::LinkDown(end));
                    }
                }
            }
            Arrival::Pong { wire } => {
                let client = self.wires[&wire].0;
                if self.owns(client, wire) {
                    self.input(client, Input::Pong);
                }
            }
            Arrival::Durable { client, connection, count } => {
                self.input(client, Input::Durable { connection, count });
            }
        }
    }

    fn drain_server(&mut self) {
        while let Some(output) = self.mediator.poll() {
            match output {
                mediator::Output::Send { connection, bytes } => {
                    self.observe(connection.0, &bytes);
                    self.send_to_client(connection.0, Ok(bytes));
                    self.mediator.handle(self.now, mediator::Input::Written { connection, frames: 1 });
                }
                mediator::Output::Close { connection, code, .. } => {
                    self.gone(connection.0);
                    self.send_to_client(connection.0, Err(code));
                }
                _ => {}
            }
        }
    }

    fn observe(&mut self, wire: u64, bytes: &Bytes) {
        let client = self.wires[&wire].0;
        match ServerMessage::decode(bytes.clone(), self.dialect).expect("the server speaks the protocol") {
            ServerMessage::Info(_) if client == PHONE => {
                self.phone_waits_since = Some(self.now);
                self.figures.logins_of_phone_during_a_lead += u64::from(self.leader.is_some());
            }
            ServerMessage::Info(_) => self.figures.visits += 1,
            ServerMessage::RolePromotedToLeader => {
                self.leader = Some(wire);
                if client == PHONE {
                    if let Some(since) = self.phone_waits_since.take() {
                        self.figures.longest_wait_of_phone =
                            self.figures.longest_wait_of_phone.max(self.now.since(since));
                    }
                } else {
                    self.figures.promotions += 1;
                    if let Some(earlier) = self.monitor_promoted_at {
                        let between = self.now.since(earlier);
                        let shortest = self.figures.shortest_between.map_or(between, |known| known.min(between));
                        self.figures.shortest_between = Some(shortest);
                    }
                    self.monitor_promoted_at = Some(self.now);
                }
            }
            _ => {}
        }
    }

    /// The server no longer has this connection.
    fn gone(&mut self, wire: u64) {
        if self.leader == Some(wire) {
            self.leader = None;
            if self.wires[&wire].0 == MONITOR {
                let lead = self.now.since(self.monitor_promoted_at.unwrap());
                self.figures.longest_lead = self.figures.longest_lead.max(lead);
            }
        }
    }

    fn input(&mut self, client: usize, input: Input) {
        let Some(mut state) = self.clients[client].take() else { return };
        state.session.handle(self.now, input);
        loop {
            let mut sent = false;
            while let Some(output) = state.session.poll() {
                sent |= matches!(output, Output::Send(_));
                self.act(client, &mut state, output);
            }
            if !sent {
                break;
            }
            state.session.handle(self.now, Input::Flushed);
        }
        self.clients[client] = Some(state);
    }

    fn act(&mut self, client: usize, state: &mut Client, output: Output) {
        match output {
            Output::Connect => {
                self.next_wire += 1;
                let wire = self.next_wire;
                state.wire = Some(wire);
                let at = self.now.after(self.delay());
                self.schedule(at, Arrival::Opened { client, wire });
            }
            Output::Send(frame) => {
                let message = ClientMessage::decode(frame.clone(), self.dialect).unwrap();
                let observes = matches!(
                    message,
                    ClientMessage::Hello(_) | ClientMessage::GetDevicesInfo | ClientMessage::ReflectedAck(_)
                );
                assert!(observes || client != MONITOR, "a monitor sends {message:?}");
                self.send_to_server(state.wire.unwrap(), Some(frame));
            }
            Output::Ping => {
                let at = self.now.after(self.delay() + Duration::from_millis(50));
                self.schedule(at, Arrival::Pong { wire: state.wire.unwrap() });
            }
            Output::Close(_) => {
                if let Some(wire) = state.wire.take() {
                    self.send_to_server(wire, None);
                }
            }
            Output::Reflected { connection, messages } => {
                let at = self.now.after(Duration::from_millis(20));
                self.schedule(at, Arrival::Durable { client, connection, count: messages.len() });
            }
            Output::Acknowledged(_) | Output::Proxy(_) | Output::Event(_) => {}
        }
    }
}

fn keys(dialect: Dialect) -> Arc<GroupKeys> {
    Arc::new(GroupKeys::derive(dialect, &GroupSecret::new(&mut [11; 32])))
}

fn config(dialect: Dialect, number: usize, presence: Presence, expected: SlotState) -> Config {
    Config {
        expects: Expectation::Only(expected),
        expiration_policy: if number == PHONE { ExpirationPolicy::Persistent } else { ExpirationPolicy::Volatile },
        leader_policy: if number == PHONE { LeaderPolicy::Stay } else { LeaderPolicy::GiveUp },
        presence,
        ..Config::of(keys(dialect), DeviceId(number as u64 + 1))
    }
}

fn measure(dialect: Dialect, presence: Presence) {
    let mut all = Figures::default();
    for seed in 0..SEEDS {
        let mut world = World::new(dialect, presence, seed);
        world.live(12);
        let figures = world.figures;
        all.promotions += figures.promotions;
        all.visits += figures.visits;
        all.logins_of_phone_during_a_lead += figures.logins_of_phone_during_a_lead;
        all.longest_lead = all.longest_lead.max(figures.longest_lead);
        all.longest_wait_of_phone = all.longest_wait_of_phone.max(figures.longest_wait_of_phone);
        all.shortest_between = all.shortest_between.into_iter().chain(figures.shortest_between).min();
    }
    println!("{dialect}, --presence {presence}, {} hours: {all:?}", SEEDS * 12);
    assert!(all.promotions > 5 * SEEDS, "{all:?}");
    assert!(all.logins_of_phone_during_a_lead > SEEDS, "{all:?}");
    assert!(all.longest_lead < MOST, "the group is without a leader that works for too long: {all:?}");
    assert!(all.longest_wait_of_phone < MOST, "a phone waits for the role for too long: {all:?}");
    assert!(all.shortest_between.unwrap() >= Duration::from_mins(1), "promoted twice within a minute: {all:?}");
}

#[test]
fn the_group_is_never_without_a_working_leader_for_two_seconds_on_account_of_one_that_stays() {
    measure(Dialect::Dgk, Presence::Stay);
    measure(Dialect::Mk, Presence::Stay);
}

#[test]
fn the_group_is_never_without_a_working_leader_for_two_seconds_on_account_of_a_visitor() {
    for interval in [Duration::from_mins(1), Duration::from_mins(10)] {
        measure(Dialect::Dgk, Presence::Visit(interval));
        measure(Dialect::Mk, Presence::Visit(interval));
    }
}
