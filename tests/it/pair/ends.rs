//! The two ends of the simulated network: what arrives there, and what the machines do.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use d2mtop::group::to_acknowledge;
use d2mtop::group::{DisconnectCause, Event, NextStep};
use d2mtop::mediator::{self, ConnectionId, HandshakeSecrets};
use d2mtop::protocol::{ClientMessage, CloseCode, MessageId, ServerMessage, TransactionScope};
use d2mtop::session::{self, Command, LinkEnd, SessionOutput};
use d2mtop::text::Clean;
use rand::{Rng, RngCore};

use super::{Client, DEVICES, Wire, World};
use crate::support::network::{Arrival, Packet};

impl World {
    pub(super) fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Opened { client, wire } => {
                if self.clients[client].wire != Some(wire) {
                    return;
                }
                let mut ephemeral = HandshakeSecrets { secret: [0; 32], challenge: [0; 32] };
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
                self.input(client, session::SessionInput::LinkUp);
                let url = self.url.clone();
                self.mediator.open(self.now, ConnectionId(wire), &url, ephemeral);
                self.drain_server();
            }
            Arrival::Unreachable { client, wire } => {
                if self.clients[client].wire == Some(wire) {
                    self.clients[client].wire = None;
                    self.input(client, session::SessionInput::LinkDown(LinkEnd::Unreachable(Clean::default())));
                }
            }
            Arrival::AtServer { wire, packet } => self.at_server(wire, packet),
            Arrival::AtClient { wire, packet } => self.at_client(wire, packet),
            Arrival::BrokenAtClient { wire } => {
                let client = self.wires[&wire].client;
                if self.clients[client].wire == Some(wire) {
                    self.clients[client].wire = None;
                    self.input(client, session::SessionInput::LinkDown(LinkEnd::Broken(Clean::default())));
                }
            }
            Arrival::BrokenAtServer { wire } => self.server_loses(wire, None),
            Arrival::Durable { client, connection, count } => {
                self.input(client, session::SessionInput::Durable { connection, count });
            }
        }
    }

    pub(super) fn server_loses(&mut self, wire: u64, code: Option<CloseCode>) {
        self.gone_at_server(wire);
        self.mediator.handle(self.now, mediator::MediatorInput::Closed { connection: ConnectionId(wire), code });
        self.drain_server();
    }

    pub(super) fn at_server(&mut self, id: u64, packet: Packet) {
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
                self.mediator.handle(self.now, mediator::MediatorInput::Frame { connection, bytes });
                self.drain_server();
            }
            Packet::Ping => {
                self.mediator.handle(self.now, mediator::MediatorInput::Alive { connection });
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

    pub(super) fn at_client(&mut self, id: u64, packet: Packet) {
        let Some(wire) = self.wires.get(&id).filter(|wire| !wire.cut) else { return };
        let client = wire.client;
        if self.clients[client].wire != Some(id) {
            return;
        }
        match packet {
            Packet::Frame(bytes) => self.input(client, session::SessionInput::Frames(vec![bytes])),
            Packet::Ping => {}
            Packet::Pong => self.input(client, session::SessionInput::Pong),
            Packet::Close(code) => {
                self.clients[client].wire = None;
                let end = LinkEnd::Closed { code, reason: Clean::default() };
                self.input(client, session::SessionInput::LinkDown(end));
            }
        }
    }

    pub(super) fn drain_server(&mut self) {
        while let Some(output) = self.mediator.poll() {
            match output {
                mediator::MediatorOutput::Send { connection, bytes } => {
                    self.observe_server(connection.0, &bytes);
                    self.send_to_client(connection.0, Packet::Frame(bytes));
                    self.mediator.handle(self.now, mediator::MediatorInput::Written { connection, frames: 1 });
                }
                mediator::MediatorOutput::Close { connection, code, reason, .. } => {
                    let clean = ![CloseCode::PROTOCOL_ERROR, CloseCode::UNKNOWN_MESSAGE_ACKNOWLEDGED].contains(&code);
                    assert!(clean, "seed {}: the server closed with {code}: {reason}", self.seed);
                    self.gone_at_server(connection.0);
                    self.send_to_client(connection.0, Packet::Close(code));
                }
                mediator::MediatorOutput::Log(mediator::LogEvent::SlotRemoved { device, .. }) => {
                    let lost = self.clients.iter_mut().find(|client| client.device == device).unwrap();
                    lost.lost_slot = true;
                }
                mediator::MediatorOutput::Ping { .. }
                | mediator::MediatorOutput::Pause { .. }
                | mediator::MediatorOutput::Resume { .. }
                | mediator::MediatorOutput::Chat { .. }
                | mediator::MediatorOutput::Fetch(_)
                | mediator::MediatorOutput::Operated { .. }
                | mediator::MediatorOutput::Log(_) => {}
            }
        }
    }

    /// Checks what the server sends, and keeps the books.
    pub(super) fn observe_server(&mut self, id: u64, bytes: &Bytes) {
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
                    self.in_flight.get_mut(&id).and_then(VecDeque::pop_front).expect("something was reflected");
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

    pub(super) fn store(&mut self, author: usize, message: MessageId) {
        let others = self.clients.iter().enumerate().filter(|(client, _)| *client != author);
        self.stored.insert(message, others.map(|(_, client)| client.device).collect());
        self.totals.stored += 1;
    }

    /// The server no longer has this connection.
    pub(super) fn gone_at_server(&mut self, id: u64) {
        if self.leader == Some(id) {
            self.leader = None;
        }
        if self.holder == Some(id) {
            self.holder = None;
            self.held.clear();
        }
    }

    pub(super) fn input(&mut self, client: usize, input: session::SessionInput) {
        self.clients[client].session.handle(self.now, input);
        loop {
            let mut sent = false;
            while let Some(output) = self.clients[client].session.poll() {
                sent |= matches!(output, SessionOutput::Send(_));
                self.act(client, output);
            }
            if !sent {
                break;
            }
            self.clients[client].session.handle(self.now, session::SessionInput::Flushed);
        }
        self.user_helps(client);
    }

    pub(super) fn act(&mut self, client: usize, output: SessionOutput) {
        match output {
            SessionOutput::Connect => {
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
            SessionOutput::Send(frame) => {
                if let Some(wire) = self.clients[client].wire {
                    self.send_to_server(wire, Packet::Frame(frame));
                }
            }
            SessionOutput::Ping => {
                if let Some(wire) = self.clients[client].wire {
                    self.send_to_server(wire, Packet::Ping);
                }
            }
            SessionOutput::Close(code) => {
                if let Some(wire) = self.clients[client].wire.take() {
                    self.send_to_server(wire, Packet::Close(code));
                }
            }
            SessionOutput::Reflected { connection, messages } => {
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
            SessionOutput::Acknowledged(ids) => self.clients[client].acknowledged += ids.len() as u64,
            SessionOutput::Proxy(_) => {}
            SessionOutput::Event(event) => self.on_event(client, event),
        }
    }

    pub(super) fn on_event(&mut self, client: usize, event: Event) {
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
    pub(super) fn user_helps(&mut self, client: usize) {
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
    pub(super) fn drop_may_be_unconfirmed(&self) -> bool {
        self.totals.broken > 0
    }

    pub(super) fn check_everything_arrived(&mut self) {
        let seed = self.seed;
        for client in &self.clients {
            if client.dropped || client.lost_slot {
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
        self.input(
            0,
            session::SessionInput::Command(Command::TakeLock { scope: TransactionScope::GroupSync, ttl: None }),
        );
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
