//! The client state machine: handshake, drain, live. Pure: time, randomness and bytes come in, values go out.
//!
//! A driver feeds [`Session::handle`] with what the socket, the clock and the user bring, does what [`Session::poll`]
//! asks for, and sleeps until [`Session::deadline`]. Nothing is sent that a passive observer has no reason to send: the
//! login, acknowledgements of what is durable, requests for the device list, and pings.

mod backoff;
mod chat;
pub mod command;
mod config;
mod io;
mod lock;
mod noise;
mod now;
mod online;
mod presence;
mod receipt;
mod stored;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use rand::RngCore;
use rand::rngs::StdRng;

pub use backoff::Backoff;
pub use command::{ChatClientId, Command, Confirmed};
pub use config::{Config, DEFAULT_KEEP_ALIVE, Expectation, LeaderPolicy, NotAPresence, Presence, Timing};
pub use io::{Input, LinkEnd, Output, Proxied};
pub use now::Now;

use crate::group::{DisconnectCause, Event, Known, Login, NextStep, Refusal};
use crate::protocol::ids::span_millis;
use crate::protocol::{
    ChallengeResponse, ClientHello, ClientMessage, ClientUrlInfo, CloseCode, DecodeError, Dialect, Millis, Nonce,
    NonceFingerprinter, ReconnectClass, ReflectedId, Sealed, ServerGroup, ServerHello, ServerInfo, ServerMessage,
    SlotState,
};
use crate::text::Clean;
use chat::ChatClient;
use noise::Noise;
use online::Online;
use receipt::{IdRanges, SeenNonces, Unacknowledged};
use stored::Stored;

/// The protocol version that we speak.
const VERSION: u32 = 0;

/// One device's side of the protocol, over any number of connections.
#[derive(Debug)]
pub struct Session {
    config: Config,
    random: StdRng,
    outputs: VecDeque<Output>,
    phase: Phase,
    /// Counts connections, so that late news of an earlier one is told apart.
    connection: u64,
    /// Connections that failed since the last good login.
    failures: u32,
    /// Promotions in a row that ended a login.
    promotions: u32,
    /// How many of the last promotions came although another device was connected.
    promotions_in_company: u32,
    expects: Expectation,
    /// Whether the server has refused the other state in the attempt before this one, so that a person has to decide.
    slot_state_refused: bool,
    /// Whether we asked to be dropped and were not told whether that was done.
    own_drop_sent: bool,
    /// The other devices as last listed, or as known from an earlier session; [`None`] before the first list ever.
    known: Option<Known>,
    /// Until when a user who asked for something may ask for more, and a visit goes on.
    attended_until: Millis,
    chat_client: ChatClient,
    /// When the last input came.
    last_handled: Millis,
    /// The same on the finer clock.
    precise: Duration,
    noise: Noise,
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
    /// Not started.
    Idle,
    /// The WebSocket is being opened.
    Connecting { deadline: Millis },
    /// The WebSocket is open, the login under way; `greeted` once the server's hello was answered.
    Handshaking { deadline: Millis, greeted: bool },
    /// Logged in.
    Online(Box<Online>),
    /// Not connected; until then, or until the user asks.
    Waiting { until: Option<Millis> },
    /// Over.
    Ended,
}

impl Session {
    /// A session that connects at its first [`Input::Timer`]. `random` must be seeded from the system, except in tests.
    #[must_use]
    pub fn new(config: Config, random: StdRng) -> Self {
        let expects = config.expects;
        Self {
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
            noise: Noise::default(),
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
    pub fn knowing(mut self, known: Option<Known>) -> Self {
        self.known = known;
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

    /// Who this session is.
    #[must_use]
    pub const fn config(&self) -> &Config {
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
    pub fn handle(&mut self, now: impl Into<Now>, input: Input) {
        let Now { wall: now, precise } = now.into();
        self.precise = precise;
        if now < self.last_handled {
            // The clock was set back. What was to happen in a minute is still to happen in a minute.
            self.set_back(self.last_handled.since(now));
        }
        self.last_handled = now;
        match input {
            Input::Timer => {}
            Input::LinkUp => self.on_link_up(),
            Input::Frames(frames) => self.on_frames(now, frames),
            Input::TextFrame => {
                self.heard(now);
                self.ignored("a text message, which the protocol does not have");
            }
            Input::Pong => self.on_pong(now),
            Input::Alive => self.heard(now),
            Input::LinkDown(end) => self.on_link_down(now, end),
            Input::Durable { connection, count } => self.on_durable(now, connection, count),
            Input::ComeAgain { connection } => self.on_come_again(now, connection),
            Input::Flushed => self.on_flushed(),
            Input::Command(command) => self.on_command(now, command),
        }
        self.on_time(now);
    }

    /// What is to be done next, if anything.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Timer`] is due, if ever.
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

    fn dialect(&self) -> Dialect {
        self.config.keys.dialect()
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Tells what is skipped; of a flood of it, only how much more there was.
    fn ignored(&mut self, what: &str) {
        if let Some(unsaid) = self.noise.may_be_told(self.last_handled) {
            let more = if unsaid == 0 { String::new() } else { format!(" (and {unsaid} times more before that)") };
            self.emit(Event::Ignored(Clean::new(&format!("{what}{more}"))));
        }
    }

    fn set_back(&mut self, by: Duration) {
        let back = |time: &mut Millis| *time = Millis(time.0.saturating_sub(span_millis(by)));
        back(&mut self.attended_until);
        self.noise.set_back(by);
        match &mut self.phase {
            Phase::Connecting { deadline } | Phase::Handshaking { deadline, .. } => back(deadline),
            Phase::Waiting { until } => until.iter_mut().for_each(back),
            Phase::Online(online) => online.set_back(by),
            Phase::Idle | Phase::Ended => {}
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.emit(Event::Refused(refusal));
    }

    fn send(&mut self, message: &ClientMessage) {
        self.outputs.push_back(Output::Send(message.encode(self.config.keys.dialect())));
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
                self.outputs.push_back(Output::Close(CloseCode::GOING_AWAY));
                let within = self.config.timing.handshake.as_secs();
                let why = Clean::new(&format!(
                    "no connection within {within} s; check this machine's network and firewall, and the mediator's URL"
                ));
                self.retry(now, DisconnectCause::Unreachable(why));
            }
            Phase::Handshaking { deadline, .. } if now >= deadline => {
                self.outputs.push_back(Output::Close(CloseCode::GOING_AWAY));
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
        self.outputs.push_back(Output::Connect);
    }

    fn on_flushed(&mut self) {
        if !self.unflushed.is_empty() {
            let acknowledged = std::mem::take(&mut self.unflushed);
            self.outputs.push_back(Output::Acknowledged(acknowledged));
        }
    }

    /// What is not acknowledged is sent again on the next connection.
    fn on_come_again(&mut self, now: Millis, connection: u64) {
        if connection == self.connection && matches!(self.phase, Phase::Online(_)) {
            let next = NextStep::RetryAt { at: now, attempt: 1 };
            self.leave(DisconnectCause::JournalCaughtUp, next);
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

    fn on_message(&mut self, now: Millis, message: ServerMessage) {
        let Phase::Handshaking { deadline, greeted } = self.phase else {
            return self.on_online_message(now, message);
        };
        match message {
            ServerMessage::Hello(hello) if !greeted => {
                self.phase = Phase::Handshaking { deadline, greeted: true };
                self.greet(now, &hello);
            }
            ServerMessage::Info(info) if greeted => self.log_in(now, &info),
            // The chat server may speak at any time.
            ServerMessage::Proxy(frame) => self.on_proxy(frame),
            _ => self.server_error(now, "a message came before the login was done"),
        }
    }

    fn greet(&mut self, now: Millis, hello: &ServerHello) {
        let (response_nonce, info_nonce) = (self.nonce(), self.nonce());
        let keys = &self.config.keys;
        let answer = ChallengeResponse::answer(&hello.challenge, &hello.ephemeral_key, keys, &response_nonce);
        let Ok(response) = answer else {
            return self.server_error(now, "its ephemeral key is unusable");
        };
        let hello = ClientHello {
            version: VERSION,
            response,
            device_id: self.config.device_id,
            exhausted_policy: self.config.exhausted_policy,
            expiration_policy: self.config.expiration_policy,
            expected_slot_state: self.expects.state(),
            device_info: Sealed::seal(&self.config.device_info, keys, info_nonce),
        };
        self.send(&ClientMessage::Hello(hello));
    }

    fn log_in(&mut self, now: Millis, info: &ServerInfo) {
        if info.slot_state == SlotState::New {
            // A new slot counts its ids anew.
            self.received = IdRanges::default();
            self.earlier = Unacknowledged::default();
        }
        self.expects = Expectation::after_login(self.config.expiration_policy);
        self.slot_state_refused = false;
        self.own_drop_sent = false;
        let (shared, reused) = self.stored.shared(&info.shared_device_data);
        if reused.is_some() {
            self.ignored("shared device data that uses the nonce of other shared device data");
        }
        let shared = (!shared.is_empty()).then(|| shared.open(&self.config.keys));
        self.emit(Event::LoggedIn(Login {
            own: self.config.device_id,
            dialect: self.dialect(),
            max_device_slots: info.max_device_slots,
            slot_state: info.slot_state,
            clock_offset: info.current_time.map(|time| time.ahead_of(now)),
            reflection_queue_length: info.reflection_queue_length,
            shared_version: shared.iter().flatten().map(|data| data.version).find(|version| *version > 0),
        }));
        if let Some(shared) = shared {
            self.emit(Event::SharedDeviceData(shared));
        }
        self.phase = Phase::Online(Box::new(Online::new(now, &self.config.timing)));
        self.serve_chat_client();
        self.request_devices(now);
    }

    fn server_error(&mut self, now: Millis, what: &str) {
        self.outputs.push_back(Output::Close(CloseCode::PROTOCOL_ERROR));
        self.retry(now, DisconnectCause::ServerProtocolError(Clean::new(what)));
    }

    fn on_link_down(&mut self, now: Millis, end: LinkEnd) {
        if matches!(self.phase, Phase::Idle | Phase::Waiting { .. } | Phase::Ended) {
            return;
        }
        match end {
            LinkEnd::Unreachable(why) => self.retry(now, DisconnectCause::Unreachable(why)),
            LinkEnd::Busy { why, retry_after } => self.retry_after(now, DisconnectCause::Unreachable(why), retry_after),
            LinkEnd::Broken(how) => self.retry(now, DisconnectCause::Broken(how)),
            LinkEnd::Closed { code: CloseCode::DROPPED_BY_DEVICE | CloseCode::SLOT_STATE_MISMATCH, .. }
                if self.own_drop_sent =>
            {
                self.left_group();
            }
            LinkEnd::Closed { code, reason } => {
                let cause = DisconnectCause::ClosedByServer { code, reason, expected: self.expects.state() };
                if let (CloseCode::SLOT_STATE_MISMATCH, Expectation::First(state), false) =
                    (code, self.expects, self.slot_state_refused)
                {
                    self.expects = Expectation::First(state.other());
                    // At once: the server is there, and has said what it expects.
                    let attempt = self.failures + 1;
                    self.disconnected(cause, NextStep::RetryAt { at: now, attempt });
                    self.slot_state_refused = true;
                } else if code.reconnect_class() == ReconnectClass::UserInteraction {
                    self.disconnected(cause, NextStep::WaitForUser);
                } else {
                    self.retry(now, cause);
                }
            }
        }
    }

    /// Ends the connection and comes back after the backoff.
    fn retry(&mut self, now: Millis, cause: DisconnectCause) {
        self.retry_after(now, cause, Duration::ZERO);
    }

    /// The same, but not before so long.
    fn retry_after(&mut self, now: Millis, cause: DisconnectCause, at_least: Duration) {
        let stable_after = self.config.timing.stable_after;
        let was_stable = matches!(&self.phase, Phase::Online(online) if now.since(online.since) >= stable_after);
        if was_stable || self.has_served(&cause) {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        let backoff = self.config.timing.backoff.delay(self.failures, &mut self.random);
        let at = now.after(backoff.max(at_least));
        self.disconnected(cause, NextStep::RetryAt { at, attempt: self.failures + 1 });
    }

    fn disconnected(&mut self, cause: DisconnectCause, next: NextStep) {
        let phase = match next {
            NextStep::RetryAt { at, .. } => Phase::Waiting { until: Some(at) },
            NextStep::WaitForUser => Phase::Waiting { until: None },
            NextStep::End => Phase::Ended,
        };
        match std::mem::replace(&mut self.phase, phase) {
            Phase::Online(online) => {
                self.received.absorb(online.received.known());
                self.lose_lock(&online.lock, &cause);
                self.cut_chat_client_off();
            }
            // A close tells that the server did not register us; silence does not.
            Phase::Handshaking { greeted: true, .. }
                if self.expects == Expectation::Only(SlotState::New)
                    && !matches!(cause, DisconnectCause::ClosedByServer { .. }) =>
            {
                self.expects = Expectation::First(SlotState::New);
            }
            _ => {}
        }
        // What became of the slot meanwhile, nobody knows.
        self.slot_state_refused = false;
        self.emit(Event::Disconnected { cause, next });
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
                    self.expects = expect.map_or(self.expects, Expectation::Only);
                    self.connect(now);
                }
            }
            Command::Leave => self.leave(DisconnectCause::ByUser, NextStep::End),
            command => self.on_online_command(now, command),
        }
    }

    /// Leaves politely: commits a lock that is only held, closes, and says what comes next.
    fn leave(&mut self, cause: DisconnectCause, next: NextStep) {
        if self.is_over() {
            return;
        }
        if let (Phase::Waiting { .. }, NextStep::End) = (&self.phase, next) {
            // There is no connection that could end; why there is none was told.
            self.phase = Phase::Ended;
            return;
        }
        self.release_before_leaving();
        if !matches!(self.phase, Phase::Idle | Phase::Waiting { .. }) {
            self.outputs.push_back(Output::Close(CloseCode::NORMAL));
        }
        self.disconnected(cause, next);
    }
}

#[cfg(test)]
mod tests;
