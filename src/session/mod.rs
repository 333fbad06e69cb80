//! The client state machine: handshake, drain, live. Pure: time, randomness and bytes come in, values go out.
//!
//! A driver feeds [`Session::handle`] with what the socket, the clock and the user bring, does what [`Session::poll`]
//! asks for, and sleeps until [`Session::deadline`]. Nothing is sent that a passive observer has no reason to send: the
//! login, acknowledgements of what is durable, requests for the device list, and pings.
//!
//! [`SessionConfig`] says who the session is, [`SessionInput`] what happened, [`SessionOutput`] what is to be done, and
//! [`Command`] what can be asked of it. Times are [`Now`]; a plain [`Millis`] will do.
//!
//! ```
//! use std::sync::Arc;
//!
//! use d2mtop::protocol::{DeviceId, Dialect, GroupKeys, GroupSecret, Millis};
//! use d2mtop::session::{Session, SessionConfig, SessionInput, SessionOutput};
//! use rand::SeedableRng as _;
//!
//! let keys = Arc::new(GroupKeys::derive(Dialect::Dgk, &GroupSecret::from_hex(&"2a".repeat(32))?));
//! // Seed it from the system, except in tests.
//! let random = rand::rngs::StdRng::seed_from_u64(1);
//! let mut session = Session::new(SessionConfig::of(keys, DeviceId(7)), random);
//!
//! session.handle(Millis(1_000), SessionInput::Timer);
//! let mut connects = false;
//! while let Some(output) = session.poll() {
//!     connects |= output == SessionOutput::Connect;
//! }
//! assert!(connects);
//! assert!(session.deadline() > Some(Millis(1_000)), "when the handshake has taken too long");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backoff;
mod carried;
mod chat;
mod command;
mod config;
mod delivery;
mod device_list;
mod disconnect;
mod envelope_reader;
mod io;
mod lock;
mod login;
mod now;
mod online;
mod presence;
mod rate_limit;
mod receipt;
mod receive;
mod request;
mod stored;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use rand::RngCore;
use rand::rngs::StdRng;

pub use backoff::Backoff;
pub use carried::{CarriedDevice, CarriedPrivate, CarriedSlot, CarriedState};
pub use command::{ChatClientId, Command, Confirmed};
pub use config::{
    DEFAULT_KEEP_ALIVE, LeaderPolicy, NotAPresence, Presence, SessionConfig, SessionTiming, SlotExpectation,
};
pub use delivery::{Deed, Delivery, DeliveryInput};
pub use io::{LinkEnd, ProxyOutput, SessionInput, SessionOutput};
pub use lock::LEASE;
pub use now::Now;

use crate::group::{DisconnectCause, Event, KnownDevices, NextStep, Refusal};
use crate::protocol::ids::span_millis;
use crate::protocol::{
    ClientMessage, ClientUrlInfo, CloseCode, DecodeError, Dialect, Millis, Nonce, NonceFingerprinter, ReflectedId,
    ServerGroup, ServerMessage,
};
use crate::text::Clean;
use chat::ChatClient;
use envelope_reader::EnvelopeReader;
use online::Online;
use rate_limit::RateLimit;
use receipt::{IdRanges, SeenNonces, Unacknowledged};
use stored::Stored;

/// By how many milliseconds a clock may be corrected without a word.
const CLOCK_SLACK: u64 = 1_000;

/// The protocol version that we speak.
const VERSION: u32 = 0;

/// One device's side of the protocol, over any number of connections.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    random: StdRng,
    outputs: VecDeque<SessionOutput>,
    phase: Phase,
    /// Counts connections, so that late news of an earlier one is told apart.
    connection: u64,
    /// Connections that failed since the last good login.
    failures: u32,
    /// Promotions in a row that ended a login.
    promotions: u32,
    /// How many of the last promotions came although another device was connected.
    promotions_in_company: u32,
    expects: SlotExpectation,
    /// Whether the server has refused the other state in the attempt before this one, so that a person has to decide.
    slot_state_refused: bool,
    /// Whether we asked to be dropped and were not told whether that was done.
    own_drop_sent: bool,
    reader: EnvelopeReader,
    /// The other devices as last listed, or as known from an earlier session; [`None`] before the first list ever.
    known: Option<KnownDevices>,
    /// Until when a user who asked for something may ask for more, and a visit goes on.
    attended_until: Millis,
    chat_client: ChatClient,
    /// When the last input came.
    last_handled: Millis,
    /// The same on the finer clock.
    precise: Duration,
    /// How far the server's clock is ahead of ours in milliseconds, if it tells the time.
    clock_offset: Option<i64>,
    /// By how many milliseconds our clock was moved since that was last told.
    clock_moved: i64,
    ignored_limit: RateLimit,
    /// Ids received on earlier connections of this slot.
    received: IdRanges,
    nonces: SeenNonces,
    /// What an earlier run received and may not have acknowledged.
    earlier: Unacknowledged,
    stored: Stored,
    /// Acknowledged, but perhaps not yet written to the socket.
    unflushed: Vec<ReflectedId>,
    /// Whether messages are handed on, and then acknowledged.
    takes_messages: bool,
}

#[derive(Debug)]
enum Phase {
    /// No input came yet.
    Idle,
    /// The WebSocket is being opened.
    Connecting { deadline: Millis },
    /// The WebSocket is open, the login under way; `greeted` once the server's hello was answered.
    Handshaking { deadline: Millis, greeted: bool },
    /// The login succeeded.
    Online(Box<Online>),
    /// Not connected; until then, or until the user asks.
    Waiting { until: Option<Millis> },
    /// The session is over.
    Ended,
}

impl Session {
    /// A session that connects at its first [`SessionInput::Timer`]. `random` must be seeded from the system, except in tests.
    #[must_use]
    pub fn new(config: SessionConfig, random: StdRng) -> Self {
        let expects = config.expects;
        let reader = EnvelopeReader { own_identity: config.identity.clone(), ..EnvelopeReader::default() };
        Self {
            reader,
            config,
            random,
            outputs: VecDeque::new(),
            phase: Phase::Idle,
            connection: 0,
            failures: 0,
            promotions: 0,
            promotions_in_company: 0,
            last_handled: Millis(0),
            precise: Duration::ZERO,
            clock_offset: None,
            clock_moved: 0,
            ignored_limit: RateLimit::default(),
            expects,
            slot_state_refused: false,
            own_drop_sent: false,
            known: None,
            attended_until: Millis(0),
            chat_client: ChatClient::Absent,
            received: IdRanges::default(),
            nonces: SeenNonces::default(),
            earlier: Unacknowledged::default(),
            stored: Stored::default(),
            unflushed: Vec::new(),
            takes_messages: true,
        }
    }

    /// With the other devices as known from an earlier session, so that what has changed meanwhile is told. Without, the
    /// first list is what is known.
    #[must_use]
    pub fn knowing(mut self, known: Option<KnownDevices>) -> Self {
        self.known = known;
        self
    }

    /// Looks for fields of envelopes that the schema does not have, for who tells of them.
    #[must_use]
    pub const fn finding_unknown_fields(mut self) -> Self {
        self.reader.finds_unknown_fields = true;
        self
    }

    /// With what the journal has: fingerprints of all nonces ever seen, so that a replay is known as one, and the
    /// messages that an earlier run may not have acknowledged, so that they are not taken for replays.
    #[must_use]
    pub fn continuing(
        mut self,
        fingerprinter: NonceFingerprinter,
        nonces: Vec<u64>,
        unacknowledged: impl IntoIterator<Item = (ReflectedId, u64)>,
    ) -> Self {
        self.nonces = SeenNonces::ever(fingerprinter, nonces);
        self.earlier = Unacknowledged::new(unacknowledged);
        self
    }

    /// For somebody who only comes for something else: messages are neither handed on nor acknowledged, and come again to
    /// whoever keeps them.
    #[must_use]
    pub const fn taking_no_messages(mut self) -> Self {
        self.takes_messages = false;
        self
    }

    /// The other devices as they are known by now; [`None`] before the first list ever.
    #[must_use]
    pub const fn known(&self) -> Option<&KnownDevices> {
        self.known.as_ref()
    }

    /// Who this session is.
    #[must_use]
    pub const fn config(&self) -> &SessionConfig {
        &self.config
    }

    /// The WebSocket URL, from the mediator's base URL and the server group.
    #[must_use]
    pub fn url(&self, base: &str, server_group: ServerGroup) -> String {
        let keys = &self.config.keys;
        let info = ClientUrlInfo { dialect: keys.dialect(), device_group_id: keys.device_group_id(), server_group };
        info.url(base)
    }

    /// Whether the session is over.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// Takes an input; [`Session::poll`] tells what follows from it.
    pub fn handle(&mut self, now: impl Into<Now>, input: SessionInput) {
        let Now { wall: now, precise } = now.into();
        let passed = self.keep_time(now, precise);
        if passed >= self.config.timing.lock_silence && self.lock().is_some_and(|lock| lock.is_ours()) {
            // We were stopped, or the machine slept: what waits in the socket by now says nothing of the time between.
            self.outputs.push_back(SessionOutput::Close(CloseCode::GOING_AWAY));
            self.retry(now, DisconnectCause::NoAnswer);
        }
        match input {
            SessionInput::Timer => {}
            SessionInput::LinkUp => self.on_link_up(),
            SessionInput::Frames(frames) => self.on_frames(now, frames),
            SessionInput::TextFrame => {
                self.heard(now);
                self.ignored("a text message, which the protocol does not have");
            }
            SessionInput::Pong => self.on_pong(now),
            SessionInput::Alive => self.heard(now),
            SessionInput::NotReading => self.excuse(now),
            SessionInput::LinkDown(end) => self.on_link_down(now, end),
            SessionInput::Durable { connection, count } => self.on_durable(now, connection, count),
            SessionInput::Redeliver { connection } => self.on_redeliver(now, connection),
            SessionInput::Flushed => self.on_flushed(),
            SessionInput::Command(command) => self.on_command(now, command),
        }
        self.on_time(now);
    }

    /// What is to be done next, if anything.
    pub fn poll(&mut self) -> Option<SessionOutput> {
        self.outputs.pop_front()
    }

    /// When [`SessionInput::Timer`] is due, if ever.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        match &self.phase {
            Phase::Idle => Some(Millis(0)),
            Phase::Connecting { deadline } | Phase::Handshaking { deadline, .. } => Some(*deadline),
            Phase::Online(online) => Some(online.deadline(&self.config, self.attended_until())),
            Phase::Waiting { until } => *until,
            Phase::Ended => None,
        }
    }

    /// Whether this device holds the lock, or has asked for it: its lease ends by our clock, which then wants to be looked
    /// at every second.
    #[must_use]
    pub fn wants_lock(&self) -> bool {
        matches!(&self.phase, Phase::Online(online) if online.lock.is_wanted())
    }

    fn dialect(&self) -> Dialect {
        self.config.keys.dialect()
    }

    fn emit(&mut self, event: Event) {
        if let Phase::Online(online) = &mut self.phase
            && event.is_word_of_the_server(true)
        {
            online.told_at = self.last_handled;
        }
        self.outputs.push_back(SessionOutput::Event(event));
    }

    /// Tells what is skipped; of a flood of it, only how much more there was.
    fn ignored(&mut self, what: &str) {
        if let Some(unsaid) = self.ignored_limit.admit(self.last_handled) {
            let more = if unsaid == 0 { String::new() } else { format!(" (and {unsaid} times more before that)") };
            self.emit(Event::Ignored(Clean::new(&format!("{what}{more}"))));
        }
    }

    /// Takes in the time; how much has passed. What was to happen in a minute is still to happen in a minute if somebody
    /// moves the clock on the wall.
    fn keep_time(&mut self, now: Millis, precise: Duration) -> Duration {
        let passed = precise.saturating_sub(self.precise);
        // In whole milliseconds of both clocks, so that roundings do not add up.
        let expected =
            self.last_handled.0.saturating_add(span_millis(precise).saturating_sub(span_millis(self.precise)));
        let is_first = self.last_handled == Millis(0);
        self.precise = precise;
        self.last_handled = now;
        if is_first {
            return Duration::ZERO;
        }
        let moved = now.ahead_of(Millis(expected));
        if moved != 0 {
            self.shift(moved);
        }
        passed
    }

    fn shift(&mut self, by: i64) {
        let shift = |time: &mut Millis| *time = time.offset_by(by);
        shift(&mut self.attended_until);
        self.ignored_limit.shift(by);
        self.move_clock(by);
        match &mut self.phase {
            Phase::Connecting { deadline } | Phase::Handshaking { deadline, .. } => shift(deadline),
            Phase::Waiting { until } => until.iter_mut().for_each(shift),
            Phase::Online(online) => online.shift(by),
            Phase::Idle | Phase::Ended => {}
        }
    }

    /// Our clock was moved, by this many milliseconds; what is less than a second in all is not told.
    fn move_clock(&mut self, by: i64) {
        self.clock_offset = self.clock_offset.map(|offset| offset.saturating_sub(by));
        self.clock_moved = self.clock_moved.saturating_add(by);
        if self.clock_moved.unsigned_abs() > CLOCK_SLACK {
            let (by, clock_offset) = (std::mem::take(&mut self.clock_moved), self.clock_offset);
            self.emit(Event::ClockMoved { by, clock_offset });
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.emit(Event::Refused(refusal));
    }

    fn send(&mut self, message: &ClientMessage) {
        self.outputs.push_back(SessionOutput::Send(message.encode(self.config.keys.dialect())));
    }

    fn nonce(&mut self) -> Nonce {
        let mut bytes = [0; 24];
        self.random.fill_bytes(&mut bytes);
        Nonce(bytes)
    }

    fn on_time(&mut self, now: Millis) {
        match self.phase {
            Phase::Idle => self.connect(now),
            Phase::Waiting { until: Some(until) } if now >= until => self.connect(now),
            Phase::Connecting { deadline } if now >= deadline => {
                self.outputs.push_back(SessionOutput::Close(CloseCode::GOING_AWAY));
                let within = self.config.timing.handshake.as_secs();
                let why = Clean::new(&format!(
                    "no connection within {within} s; check this machine's network and firewall, and the mediator's URL"
                ));
                self.retry(now, DisconnectCause::Unreachable(why));
            }
            Phase::Handshaking { deadline, .. } if now >= deadline => {
                self.outputs.push_back(SessionOutput::Close(CloseCode::GOING_AWAY));
                self.retry(now, DisconnectCause::HandshakeTimeout);
            }
            Phase::Online(_) => self.on_online_time(now),
            _ => {}
        }
    }

    fn connect(&mut self, now: Millis) {
        self.connection += 1;
        self.unflushed.clear();
        self.phase = Phase::Connecting { deadline: now.after(self.config.timing.handshake) };
        self.emit(Event::Connecting { attempt: self.failures + 1 });
        self.outputs.push_back(SessionOutput::Connect);
    }

    fn on_flushed(&mut self) {
        if !self.unflushed.is_empty() {
            let acknowledged = std::mem::take(&mut self.unflushed);
            self.outputs.push_back(SessionOutput::Acknowledged(acknowledged));
        }
    }

    fn on_link_up(&mut self) {
        if let Phase::Connecting { deadline } = self.phase {
            self.phase = Phase::Handshaking { deadline, greeted: false };
            self.emit(Event::Handshaking);
        }
    }

    fn on_frames(&mut self, now: Millis, frames: Vec<Bytes>) {
        self.heard(now);
        let mut batch = Vec::with_capacity(frames.len());
        for frame in frames {
            match (ServerMessage::decode(frame, self.dialect()), &self.phase) {
                (_, Phase::Idle | Phase::Connecting { .. } | Phase::Waiting { .. } | Phase::Ended) => break,
                (Ok(ServerMessage::Reflected(reflected)), Phase::Online(_)) => {
                    batch.extend(self.receive(now, &reflected));
                }
                (Ok(message), _) => {
                    self.hand_on(&mut batch);
                    self.on_message(now, message);
                }
                // A newer server may say more than we know; what we do not know we can do without.
                (Err(error @ DecodeError::UnknownType(_)), _) | (Err(error), Phase::Online(_)) => {
                    self.hand_on(&mut batch);
                    if error == DecodeError::Malformed("DevicesInfo") {
                        self.on_unreadable_list();
                    }
                    self.ignored(&format!("{error}"));
                }
                (Err(error), Phase::Handshaking { .. }) => self.server_error(now, &format!("{error}")),
            }
        }
        self.hand_on(&mut batch);
    }

    fn on_command(&mut self, now: Millis, command: Command) {
        self.attended_until = now.after(self.config.timing.attended);
        match command {
            Command::BeginProxy(client) => self.begin_proxy(now, client),
            Command::Proxy(frame) => self.proxy(frame),
            Command::EndProxy => self.end_proxy(now),
            Command::AcknowledgeDevices => self.emit(Event::DevicesAcknowledged),
            Command::Reconnect { expect } => {
                if matches!(self.phase, Phase::Waiting { .. }) {
                    self.expects = expect.map_or(self.expects, SlotExpectation::Only);
                    self.connect(now);
                }
            }
            Command::Leave => self.leave(DisconnectCause::ByUser, NextStep::End),
            command => self.on_online_command(now, command),
        }
    }
}
