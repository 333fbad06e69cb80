//! The server state machine: slots, queues, lock, leader. Pure: time, randomness and bytes come in, values go out.
//!
//! [`Mediator`] serves any number of device groups, in both dialects; the dialect belongs to the connection. A listener
//! tells it what happened ([`Mediator::open`], [`Mediator::handle`]), does what it says ([`Mediator::poll`]), and comes
//! back in time ([`Mediator::deadline`]). It holds no group secret: all it opens is the answer to its challenge.
//!
//! [`MediatorConfig`] says what whoever runs it decides, [`MediatorInput`] what happened, [`MediatorOutput`] what is to be
//! done, and [`LogEvent`] what belongs in the log. Times are [`MediatorTime`]; a plain [`Millis`] will do.
//!
//! ```
//! use d2mtop::mediator::{ConnectionId, HandshakeSecrets, Mediator, MediatorConfig, MediatorOutput};
//! use d2mtop::protocol::{ClientUrlInfo, DeviceGroupId, Dialect, Millis, ServerGroup};
//!
//! let url = ClientUrlInfo {
//!     dialect: Dialect::Dgk,
//!     device_group_id: DeviceGroupId([1; 32]),
//!     server_group: ServerGroup::parse("01", Dialect::Dgk)?,
//! };
//! // Both must be fresh and random for each connection; these are neither.
//! let secrets = HandshakeSecrets { secret: [2; 32], challenge: [3; 32] };
//! let mut mediator = Mediator::new(MediatorConfig::default());
//! mediator.open(Millis(1_000), ConnectionId(1), &url, secrets);
//!
//! let outputs: Vec<_> = std::iter::from_fn(|| mediator.poll()).collect();
//! assert!(outputs.iter().any(|output| matches!(output, MediatorOutput::Send { .. })), "the challenge");
//! assert!(mediator.deadline().is_some(), "when the login has taken too long");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - `login`: from the challenge to the slot; who has to leave for it
//! - `group`: slots, shared data, leader; `slot`: queue and connection of one device; `lock`, `transaction`: the lock
//! - `chat`, `chat_link`: the way from a device to the chat server, and back
//! - `connection`: what is on its way to each client, and how much of it may be; `timers`: what is due when

mod allowed;
mod bounds;
mod chat;
mod chat_link;
mod config;
mod connection;
mod connection_id;
mod figures;
mod group;
mod io;
mod lock;
mod log;
mod login;
mod operation_id;
mod operations;
mod operator;
mod outbox;
mod prefixes;
mod queue;
mod requests;
mod restore;
mod silence;
mod slot;
mod status;
mod storage;
#[cfg(test)]
mod tests;
mod time;
mod timers;
mod transaction;

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;

pub use allowed::{AllowedGroups, NotAGroupId};
pub use bounds::GroupRefusal;
pub use config::MediatorConfig;
use connection::{ClientConnection, ConnectionPhase, Wire};
pub use connection_id::ConnectionId;
pub use figures::MediatorFigures;
use group::HostedGroup;
pub use io::{ChatAction, ChatEvent, HandshakeSecrets, MediatorInput, MediatorOutput};
pub use log::{ChatEnd, ChatTraffic, Closing, ConnectionEnd, LogEvent, SlotRemoval};
pub use operation_id::OperationId;
pub use operator::{OperatorAnswer, OperatorRefusal, OperatorRequest};
pub use prefixes::{GroupPrefixes, NotPrefixes};
pub use status::{DeviceStatus, GroupStatus, LockStatus, MediatorStatus, pseudonym};
pub use storage::{
    Batch, Change, Fetch, StoreReply, StoreRequest, StoredGroup, StoredMessage, StoredSlot, StoredState, Transfer,
    TransferDirection, queue_bytes,
};
pub use time::MediatorTime;
use timers::{Timer, Timers};

use crate::protocol::challenge::ephemeral_public_key;
use crate::protocol::{
    Challenge, ClientMessage, ClientUrlInfo, CloseCode, DeviceGroupId, DeviceId, ExpirationPolicy, Millis, ServerHello,
    ServerMessage,
};

/// The highest protocol version that we speak.
const VERSION: u32 = 0;
/// The number of the first message of a slot.
const FIRST_REFLECTED: u64 = 1;

/// The server: all groups, all connections.
#[derive(Debug)]
pub struct Mediator {
    config: MediatorConfig,
    allowed: AllowedGroups,
    /// Groups that another mediator has now.
    moved: GroupPrefixes,
    /// Groups that are on their way to another one, or from there.
    moving: GroupPrefixes,
    groups: BTreeMap<DeviceGroupId, HostedGroup>,
    /// The bytes of all groups, as they were counted last.
    counted: usize,
    /// How many connections have become a device's.
    logged_in: usize,
    wire: Wire,
    timers: Timers,
    logins: u64,
    first_reflected: u64,
    shut_down: bool,
    /// The time of day, for what others are told.
    wall: Millis,
}

impl Mediator {
    /// A server with no groups and no connections.
    #[must_use]
    pub fn new(config: MediatorConfig) -> Self {
        Self {
            config,
            allowed: AllowedGroups::ANY,
            moved: GroupPrefixes::NONE,
            moving: GroupPrefixes::NONE,
            groups: BTreeMap::new(),
            counted: 0,
            logged_in: 0,
            wire: Wire::new(config.stores),
            timers: Timers::default(),
            logins: 0,
            first_reflected: FIRST_REFLECTED,
            shut_down: false,
            wall: Millis(0),
        }
    }

    /// A client connected with a good URL; it gets its challenge.
    pub fn open(
        &mut self,
        now: impl Into<MediatorTime>,
        connection: ConnectionId,
        url: &ClientUrlInfo,
        ephemeral: HandshakeSecrets,
    ) {
        let now = self.keep_time(now.into());
        if self.shut_down {
            self.wire.refuse(connection, Closing::of(CloseCode::GOING_AWAY));
            return;
        }
        let hello = ServerHello {
            version: VERSION,
            ephemeral_key: ephemeral_public_key(&ephemeral.secret),
            challenge: Challenge(ephemeral.challenge),
        };
        self.wire.insert(connection, ClientConnection::new(now, url.device_group_id, url.dialect, ephemeral));
        self.wire.log(LogEvent::Opened { connection, group: url.device_group_id, dialect: url.dialect });
        self.wire.send(connection, &ServerMessage::Hello(hello));
        self.timers.set(Timer::Connection(connection), now.after(self.config.handshake_timeout));
    }

    /// Takes what happened. Whatever follows from it comes out of [`Self::poll`].
    pub fn handle(&mut self, now: impl Into<MediatorTime>, input: MediatorInput) {
        let now = self.keep_time(now.into());
        // What is due comes first: a commit behind its deadline is too late even if the timer fires later.
        while let Some(timer) = self.timers.take_due(now) {
            self.fire(now, timer);
        }
        let connection = input.connection();
        let group = connection.and_then(|id| self.wire.get(id)).map(|connection| connection.group);
        match input {
            MediatorInput::Frame { connection, bytes } => self.frame(now, connection, bytes),
            MediatorInput::Text { connection } => {
                self.close(now, connection, Closing::protocol_error("text messages are not part of the protocol"));
            }
            MediatorInput::Unreadable { connection } => {
                self.close(
                    now,
                    connection,
                    Closing::protocol_error("longer than 65,536 bytes, or no WebSocket message"),
                );
            }
            MediatorInput::Alive { connection } => self.heard(now, connection),
            MediatorInput::Pong { connection } => self.answered(now, connection),
            MediatorInput::Written { connection, frames } => self.written(connection, frames),
            MediatorInput::Chat { connection, event } => self.on_chat(now, connection, event),
            MediatorInput::Closed { connection, code } => self.end(now, connection, ConnectionEnd::Theirs(code)),
            MediatorInput::Committed { batch } => self.wire.outbox().committed(batch),
            MediatorInput::Fetched { connection, messages } => self.fetched(connection, messages),
            MediatorInput::Operate { operation, request } => self.operate(now, operation, request),
            MediatorInput::Timer => {}
            MediatorInput::Shutdown => self.shut_down(now),
        }
        while let Some(connection) = self.wire.take_overwhelmed() {
            self.close(now, connection, Closing::of_unread());
        }
        if let Some(group) = group {
            self.count(group);
        }
        self.keep_within_memory(now);
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<MediatorOutput> {
        self.wire.outbox().poll()
    }

    /// When to come back with [`MediatorInput::Timer`], if nothing happens before: on the steady clock.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        self.timers.next()
    }

    /// Takes in the time of day; what has passed is counted by the other clock only.
    const fn keep_time(&mut self, now: MediatorTime) -> Millis {
        self.wall = now.wall;
        self.wire.now = now.steady;
        now.steady
    }

    fn frame(&mut self, now: Millis, id: ConnectionId, bytes: Bytes) {
        self.heard(now, id);
        let Some(connection) = self.wire.get(id) else { return };
        let (group, dialect) = (connection.group, connection.dialect);
        let handled = match (ClientMessage::decode(bytes, dialect), &connection.phase) {
            (Err(error), _) => Err(Closing { code: CloseCode::PROTOCOL_ERROR, reason: Cow::Owned(error.to_string()) }),
            (Ok(ClientMessage::Proxy(frame)), _) => {
                self.proxy(now, id, frame);
                Ok(())
            }
            (Ok(ClientMessage::Hello(hello)), ConnectionPhase::Challenged(ephemeral)) => {
                let ephemeral = ephemeral.clone();
                self.log_in(now, id, &ephemeral, &hello)
            }
            (Ok(_), ConnectionPhase::Challenged(_)) => Err(Closing::protocol_error("the login must come first")),
            (Ok(ClientMessage::Hello(_)), ConnectionPhase::LoggedIn(_)) => {
                Err(Closing::protocol_error("already logged in"))
            }
            (Ok(message), ConnectionPhase::LoggedIn(device)) => {
                let asker = requests::Asker { connection: id, dialect, group, device: *device };
                self.request(now, asker, message)
            }
        };
        if let Err(closing) = handled {
            self.close(now, id, closing);
        }
    }

    fn heard(&mut self, now: Millis, id: ConnectionId) {
        if let Some(connection) = self.wire.get_mut(id) {
            connection.last_heard = now;
            connection.pinged = None;
        }
    }

    fn answered(&mut self, now: Millis, id: ConnectionId) {
        self.heard(now, id);
        if let Some(connection) = self.wire.get_mut(id) {
            connection.answers_pings = true;
        }
    }

    fn written(&mut self, id: ConnectionId, frames: usize) {
        self.wire.written(id, frames);
        let Some(connection) = self.wire.get(id) else { return };
        if let (Some(device), Some(group)) = (connection.device(), self.groups.get_mut(&connection.group)) {
            group.pump_device(&mut self.wire, device);
        }
    }

    fn fire(&mut self, now: Millis, timer: Timer) {
        match timer {
            Timer::Connection(id) => self.silent(now, id),
            Timer::Lock(group) => {
                if let Some((holder, closing)) = self.groups.get(&group).and_then(HostedGroup::expired_holder) {
                    self.close(now, holder, closing);
                }
            }
            Timer::Group(group) => self.forget(now, group),
            Timer::Slot(group, device) => self.remove_slot(now, group, device, SlotRemoval::Expired),
        }
    }

    fn shut_down(&mut self, now: Millis) {
        self.shut_down = true;
        self.store_departures();
        // The groups go first, so that nobody hears of others' leaving, or becomes leader on the way out.
        self.groups.clear();
        self.counted = 0;
        self.logged_in = 0;
        self.timers = Timers::default();
        for id in self.wire.ids() {
            let closing = Closing::of(CloseCode::GOING_AWAY);
            self.wire.remove(now, id, ConnectionEnd::Ours(closing));
        }
    }

    fn close(&mut self, now: Millis, id: ConnectionId, closing: Closing) {
        self.end(now, id, ConnectionEnd::Ours(closing));
    }

    /// A connection is over: its device leaves the lock, the leader's role, and perhaps its slot.
    fn end(&mut self, now: Millis, id: ConnectionId, end: ConnectionEnd) {
        let Some(connection) = self.wire.remove(now, id, end) else { return };
        self.timers.cancel(Timer::Connection(id));
        let Some(device) = connection.device() else { return };
        self.logged_in -= 1;
        let Some(group) = self.groups.get_mut(&connection.group) else { return };
        if let Some(slot) = group.slots.get_mut(&device) {
            slot.disconnect(self.wall);
            self.wire.store(Change::LoggedOut { group: group.id, device, at: self.wall });
            if slot.policy == ExpirationPolicy::Volatile {
                self.timers.set(Timer::Slot(group.id, device), now.after(self.config.volatile_grace));
            }
        }
        if group.abort(&mut self.wire, device) {
            self.timers.cancel(Timer::Lock(group.id));
        }
        group.left(&mut self.wire, device);
        let id = group.id;
        if !group.is_connected() {
            self.timers.set(Timer::Group(id), now.after(self.config.forget_after));
        }
        self.count(id);
    }

    /// Takes a device's slot away, and forgets a group that has no other.
    fn remove_slot(&mut self, now: Millis, id: DeviceGroupId, device: DeviceId, cause: SlotRemoval) {
        self.take_slot(now, id, device, cause);
        if self.groups.get(&id).is_some_and(|group| group.slots.is_empty()) {
            self.remove_group(id);
        }
    }

    /// Takes a device's slot and queue away, and closes its connection, if there is one.
    fn take_slot(&mut self, now: Millis, id: DeviceGroupId, device: DeviceId, cause: SlotRemoval) {
        let Some(slot) = self.groups.get(&id).and_then(|group| group.slots.get(&device)) else { return };
        self.wire.log(LogEvent::SlotRemoved { group: id, device, cause });
        if let Some(connection) = slot.connection() {
            self.close(now, connection, cause.closing());
        }
        self.timers.cancel(Timer::Slot(id, device));
        let Some(group) = self.groups.get_mut(&id) else { return };
        group.slots.remove(&device);
        self.wire.store(Change::SlotRemoved { group: id, device });
        group.discard_held_back_for_nobody();
        self.count(id);
    }
}
