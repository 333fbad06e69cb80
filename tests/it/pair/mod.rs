//! Client and server machines joined by a simulated network: delay, reordering between connections, loss of everything in
//! flight, half-open connections, a journal that takes its time. Virtual time, thousands of seeds, both dialects.

mod ends;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use d2mtop::mediator::{self, Mediator};
use d2mtop::protocol::d2d::Platform;
use d2mtop::protocol::{
    ClientUrlInfo, CloseCode, DeviceId, DeviceInfo, Dialect, ExpirationPolicy, GroupKeys, GroupSecret, MessageId,
    Millis, ServerGroup, TransactionScope,
};
use d2mtop::session::{self, Command, Confirmed, LeaderPolicy, Session};
use d2mtop::text::Clean;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::support::envelopes;
use crate::support::network::{Arrival, Packet, Scheduled};

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
    /// The mediator took its slot and what waited in it. In `mk` a device that was not told comes back to another one.
    lost_slot: bool,
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
    in_flight: BTreeMap<u64, VecDeque<MessageId>>,
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
                let config = session::SessionConfig {
                    device_info: DeviceInfo {
                        platform: Platform::Desktop,
                        label: Clean::new(&format!("device {number}")),
                        ..DeviceInfo::default()
                    },
                    expiration_policy: ExpirationPolicy::Persistent,
                    // The last one is a monitor like ourselves, the others stand for phones and desktops.
                    leader_policy: if number + 1 == DEVICES { LeaderPolicy::GiveUp } else { LeaderPolicy::Stay },
                    ..session::SessionConfig::of(Arc::clone(&keys), device)
                };
                Client {
                    session: Session::new(config, StdRng::seed_from_u64(random.r#gen())),
                    device,
                    wire: None,
                    received: BTreeSet::new(),
                    acknowledged: 0,
                    waiting_for_user: None,
                    dropped: false,
                    lost_slot: false,
                    next_message: (number as u64 + 1) << 32,
                }
            })
            .collect();
        Self {
            seed,
            dialect,
            random,
            now: Millis(1_700_000_000_000),
            mediator: Mediator::new(mediator::MediatorConfig {
                idle_timeout: None,
                ..mediator::MediatorConfig::default()
            }),
            url,
            clients,
            wires: BTreeMap::new(),
            next_wire: 0,
            order: 0,
            arrivals: BinaryHeap::new(),
            stormy: true,
            stored: BTreeMap::new(),
            in_flight: BTreeMap::new(),
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
            self.input(client, session::SessionInput::Timer);
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
            self.input(client, session::SessionInput::Command(Command::ReleaseLock));
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
                self.input(client, session::SessionInput::Command(command));
            }
            73..=84 => self.input(client, session::SessionInput::Command(Command::ReleaseLock)),
            85 => {
                // Never the first one, so that somebody is left.
                let device = DeviceId(self.random.gen_range(2..=DEVICES as u64));
                let command = Command::DropDevice(Confirmed::after_asking(device));
                self.input(0, session::SessionInput::Command(command));
            }
            86..=90 => self.input(client, session::SessionInput::Command(Command::RefreshDevices)),
            _ => {}
        }
    }

    fn reflect(&mut self, client: usize) {
        let Some(wire) = self.clients[client].wire else { return };
        let message = MessageId(self.clients[client].next_message);
        self.clients[client].next_message += 1;
        let device = self.clients[client].device;
        let envelope = Box::new(envelopes::text(self.dialect, device, message, self.now));
        let in_flight = self.in_flight.entry(wire).or_default();
        in_flight.push_back(message);
        let expected = in_flight.len();
        let before = self.order;
        self.input(client, session::SessionInput::Command(Command::Reflect { envelope, ephemeral: false }));
        if self.order == before {
            // Refused, as without a login: nothing is under way.
            let in_flight = self.in_flight.entry(wire).or_default();
            if in_flight.len() == expected {
                in_flight.pop_back();
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
                self.mediator.handle(self.now, mediator::MediatorInput::Timer);
                self.drain_server();
            } else {
                let due = |client: &Client| client.session.deadline() == Some(next);
                let client = self.clients.iter().position(due).unwrap();
                self.input(client, session::SessionInput::Timer);
            }
        }
        self.now = end;
    }
}
