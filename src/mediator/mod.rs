//! The server state machine: slots, queues, lock, leader. Pure: time, randomness and bytes come in, values go out.
//!
//! [`Mediator`] serves any number of device groups, in both dialects; the dialect belongs to the connection. A listener
//! tells it what happened ([`Mediator::open`], [`Mediator::handle`]), does what it says ([`Mediator::poll`]), and comes
//! back in time ([`Mediator::deadline`]). It holds no group secret: all it opens is the answer to its challenge.
//!
//! - `login`: from the challenge to the slot; who has to leave for it
//! - `group`: slots, shared data, leader; `slot`: queue and connection of one device; `lock`: the transaction
//! - `chat`: the way from a device to the chat server, and back
//! - `connection`: what is on its way to each client, and how much of it may be; `timers`: what is due when

mod chat;
mod connection;
mod group;
mod lock;
mod log;
mod login;
mod requests;
mod slot;
#[cfg(test)]
mod tests;
mod timers;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;

pub use chat::{ChatAction, ChatEnd, ChatEvent, Traffic};
pub use connection::ConnectionId;
use connection::{Connection, Phase, Wire};
use group::Group;
pub use log::{Closing, End, LogEvent, Removal};
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

/// What whoever runs the mediator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many devices a group may have.
    pub max_slots: usize,
    /// How long a transaction may take at most.
    pub max_ttl: Duration,
    /// How long the slot of a volatile device outlives its connection.
    pub volatile_grace: Duration,
    /// How many messages may wait for a device before it loses its slot.
    pub queue_limit: usize,
    /// After what silence a connection is closed; never, if [`None`]. Any frame counts, pings and pongs included.
    pub idle_timeout: Option<Duration>,
    /// How long a client may take to log in.
    pub handshake_timeout: Duration,
    /// Whether there is a chat server to pass Proxy frames on to.
    pub chat_server: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_slots: 5,
            max_ttl: Duration::from_mins(1),
            volatile_grace: Duration::from_mins(5),
            queue_limit: 100_000,
            // Long, because one widespread client never answers a ping.
            idle_timeout: Some(Duration::from_mins(10)),
            handshake_timeout: Duration::from_secs(20),
            chat_server: false,
        }
    }
}

/// Fresh random bytes for one connection.
#[derive(Clone)]
pub struct Ephemeral {
    /// The secret half of the key that the client boxes its answer for.
    pub secret: [u8; 32],
    /// What the client has to box.
    pub challenge: [u8; 32],
}

impl fmt::Debug for Ephemeral {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Ephemeral([REDACTED])")
    }
}

/// Something that the listener has to tell.
#[derive(Clone, Debug)]
pub enum Input {
    /// A binary message came.
    Frame {
        /// From where.
        connection: ConnectionId,
        /// What.
        bytes: Bytes,
    },
    /// A text message came, which the protocol does not have.
    Text {
        /// From where.
        connection: ConnectionId,
    },
    /// A message came that the listener could not read: longer than any container, or against WebSocket's own rules.
    Unreadable {
        /// From where.
        connection: ConnectionId,
    },
    /// A WebSocket ping or pong came.
    Alive {
        /// From where.
        connection: ConnectionId,
    },
    /// Frames were written to the socket.
    Written {
        /// To which connection.
        connection: ConnectionId,
        /// How many.
        frames: usize,
    },
    /// Something happened on a device's way to the chat server.
    Chat {
        /// Of which connection.
        connection: ConnectionId,
        /// What.
        event: ChatEvent,
    },
    /// The client closed the connection, or it broke.
    Closed {
        /// Which.
        connection: ConnectionId,
        /// The code of the client's close frame, if there was one.
        code: Option<CloseCode>,
    },
    /// The deadline is reached.
    Timer,
    /// The server ends.
    Shutdown,
}

/// Something for the listener to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a binary message.
    Send {
        /// To where.
        connection: ConnectionId,
        /// What.
        bytes: Bytes,
    },
    /// Close a connection, once everything sent before is written.
    Close {
        /// Which.
        connection: ConnectionId,
        /// The close code.
        code: CloseCode,
        /// The text of the close frame.
        reason: Cow<'static, str>,
    },
    /// Read nothing more from a connection for now: its client does not read what it asks for.
    Pause {
        /// Which.
        connection: ConnectionId,
    },
    /// Read on.
    Resume {
        /// Which.
        connection: ConnectionId,
    },
    /// Do something on a device's way to the chat server.
    Chat {
        /// Of which connection.
        connection: ConnectionId,
        /// What.
        action: ChatAction,
    },
    /// Write to the log.
    Log(LogEvent),
}

/// The server: all groups, all connections.
#[derive(Debug)]
pub struct Mediator {
    config: Config,
    groups: BTreeMap<DeviceGroupId, Group>,
    wire: Wire,
    timers: Timers,
    logins: u64,
    first_reflected: u64,
    shut_down: bool,
}

impl Mediator {
    /// A server with no groups and no connections.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            groups: BTreeMap::new(),
            wire: Wire::default(),
            timers: Timers::default(),
            logins: 0,
            first_reflected: FIRST_REFLECTED,
            shut_down: false,
        }
    }

    /// A client connected with a good URL; it gets its challenge.
    pub fn open(&mut self, now: Millis, connection: ConnectionId, url: &ClientUrlInfo, ephemeral: Ephemeral) {
        if self.shut_down {
            self.wire.refuse(connection, Closing::of(CloseCode::GOING_AWAY));
            return;
        }
        let hello = ServerHello {
            version: VERSION,
            ephemeral_key: ephemeral_public_key(&ephemeral.secret),
            challenge: Challenge(ephemeral.challenge),
        };
        self.wire.insert(connection, Connection::new(now, url.device_group_id, url.dialect, ephemeral));
        self.wire.log(LogEvent::Opened { connection, group: url.device_group_id, dialect: url.dialect });
        self.wire.send(connection, &ServerMessage::Hello(hello));
        self.timers.set(Timer::Connection(connection), now.after(self.config.handshake_timeout));
    }

    /// Takes what happened. Whatever follows from it comes out of [`Self::poll`].
    pub fn handle(&mut self, now: Millis, input: Input) {
        // What is due comes first: a commit behind its deadline is too late even if the timer fires later.
        while let Some(timer) = self.timers.take_due(now) {
            self.fire(now, timer);
        }
        match input {
            Input::Frame { connection, bytes } => self.frame(now, connection, bytes),
            Input::Text { connection } => {
                self.close(now, connection, Closing::protocol_error("text messages are not part of the protocol"));
            }
            Input::Unreadable { connection } => {
                self.close(
                    now,
                    connection,
                    Closing::protocol_error("longer than 65,536 bytes, or no WebSocket message"),
                );
            }
            Input::Alive { connection } => self.heard(now, connection),
            Input::Written { connection, frames } => self.written(connection, frames),
            Input::Chat { connection, event } => self.on_chat(now, connection, event),
            Input::Closed { connection, code } => self.end(now, connection, End::Theirs(code)),
            Input::Timer => {}
            Input::Shutdown => self.shut_down(now),
        }
        while let Some(connection) = self.wire.take_overwhelmed() {
            self.close(now, connection, Closing::new(CloseCode::IDLE, "the client does not read what is sent to it"));
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.wire.poll()
    }

    /// When to come back with [`Input::Timer`], if nothing happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        self.timers.next()
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
            (Ok(ClientMessage::Hello(hello)), Phase::Challenged(ephemeral)) => {
                let ephemeral = ephemeral.clone();
                self.log_in(now, id, &ephemeral, &hello)
            }
            (Ok(_), Phase::Challenged(_)) => Err(Closing::protocol_error("the login must come first")),
            (Ok(ClientMessage::Hello(_)), Phase::LoggedIn(_)) => Err(Closing::protocol_error("already logged in")),
            (Ok(message), Phase::LoggedIn(device)) => {
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
                if let Some((holder, closing)) = self.groups.get(&group).and_then(Group::expired_holder) {
                    self.close(now, holder, closing);
                }
            }
            Timer::Slot(group, device) => self.remove_slot(now, group, device, Removal::Expired),
        }
    }

    /// A connection's timer fired: too late to log in, or perhaps silent for too long.
    fn silent(&mut self, now: Millis, id: ConnectionId) {
        let Some(connection) = self.wire.get(id) else { return };
        if connection.device().is_none() {
            self.close(now, id, Closing::new(CloseCode::IDLE, "no login in time"));
        } else if let Some(timeout) = self.config.idle_timeout {
            let at = connection.last_heard.after(timeout);
            if at > now {
                self.timers.set(Timer::Connection(id), at);
            } else {
                self.close(now, id, Closing::new(CloseCode::IDLE, "nothing heard for too long"));
            }
        }
    }

    fn shut_down(&mut self, now: Millis) {
        self.shut_down = true;
        // The groups go first, so that nobody hears of others' leaving, or becomes leader on the way out.
        self.groups.clear();
        self.timers = Timers::default();
        for id in self.wire.ids() {
            let closing = Closing::of(CloseCode::GOING_AWAY);
            self.wire.remove(now, id, End::Ours(closing));
        }
    }

    fn close(&mut self, now: Millis, id: ConnectionId, closing: Closing) {
        self.end(now, id, End::Ours(closing));
    }

    /// A connection is over: its device leaves the lock, the leader's role, and perhaps its slot.
    fn end(&mut self, now: Millis, id: ConnectionId, end: End) {
        let Some(connection) = self.wire.remove(now, id, end) else { return };
        self.timers.cancel(Timer::Connection(id));
        let Some(device) = connection.device() else { return };
        let Some(group) = self.groups.get_mut(&connection.group) else { return };
        if let Some(slot) = group.slots.get_mut(&device) {
            slot.disconnect(now);
            if slot.policy == ExpirationPolicy::Volatile {
                self.timers.set(Timer::Slot(group.id, device), now.after(self.config.volatile_grace));
            }
        }
        if group.abort(&mut self.wire, device) {
            self.timers.cancel(Timer::Lock(group.id));
        }
        group.left(&mut self.wire, device);
    }

    /// Takes a device's slot and queue away, and closes its connection, if there is one.
    fn remove_slot(&mut self, now: Millis, id: DeviceGroupId, device: DeviceId, cause: Removal) {
        let Some(slot) = self.groups.get(&id).and_then(|group| group.slots.get(&device)) else { return };
        self.wire.log(LogEvent::SlotRemoved { group: id, device, cause });
        if let Some(connection) = slot.connection() {
            self.close(now, connection, cause.closing());
        }
        self.timers.cancel(Timer::Slot(id, device));
        let Some(group) = self.groups.get_mut(&id) else { return };
        group.slots.remove(&device);
        if group.slots.is_empty() {
            self.groups.remove(&id);
        }
    }
}

impl Removal {
    const fn closing(self) -> Closing {
        match self {
            Self::DroppedBy(_) => Closing::new(CloseCode::DROPPED_BY_DEVICE, "dropped by a device of the group"),
            Self::LeastRecent => Closing::new(CloseCode::DROPPED_BY_DEVICE, "a new device needed the slot"),
            Self::QueueLimit => Closing::new(CloseCode::REFLECTION_QUEUE_LIMIT, "too many messages were waiting"),
            Self::Expired => Closing::new(CloseCode::IDLE, "the slot expired"),
        }
    }
}
