//! What one session's events add up to, in plain numbers: cheap to keep, and copied whole when somebody asks.

use std::collections::BTreeMap;
use std::time::Duration;

use super::histogram::Histogram;
use super::seats::Seats;
use crate::group::LockWatch;
use crate::group::{
    DeviceChange, DisconnectCause, Event, JournalState, ListedDevice, LockEvent, LockScope, Login, NextStep, Probe,
    ReflectedMessage,
};
use crate::protocol::{CloseCode, DeviceId, Millis, PseudonymKey, TransactionScope};
use crate::session::Now;

/// How many ends are told apart; a server could send thousands of close codes.
const MOST_ENDS: usize = 64;

/// Where a session stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SessionState {
    #[default]
    Idle,
    Connecting,
    Handshaking,
    Draining,
    Live,
    Waiting,
    Over,
}

impl SessionState {
    pub(super) const ALL: [(Self, &'static str); 7] = [
        (Self::Idle, "idle"),
        (Self::Connecting, "connecting"),
        (Self::Handshaking, "handshaking"),
        (Self::Draining, "draining"),
        (Self::Live, "live"),
        (Self::Waiting, "waiting"),
        (Self::Over, "over"),
    ];
}

/// How a connection ended: the cause, and the close code where the server gave one.
pub(super) type End = (&'static str, String);

/// Whose locks, and what for.
pub(super) type LockKey = (&'static str, String);

/// Locks that were held.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LockTally {
    pub(super) count: u64,
    pub(super) held: Duration,
}

/// All that is counted of one session. Spans are by the clock that is never set: they never shrink.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    pub(super) state: SessionState,
    pub(super) attempts: u64,
    pub(super) logins: u64,
    pub(super) disconnects: BTreeMap<End, u64>,
    /// Ends after which somebody has to decide, by code; those that are tried again by themselves are not counted.
    pub(super) waits_for_user: BTreeMap<String, u64>,
    pub(super) login: Option<Login>,
    /// How far the mediator's clock is taken to be ahead of ours, in milliseconds; not at all if it does not tell the time.
    pub(super) clock_offset: i64,
    /// When that was, of this session or of the last one of the profile.
    pub(super) last_login: Option<Millis>,
    leading_since: Option<Duration>,
    led: Duration,
    pub(super) promotions: u64,
    pub(super) devices: BTreeMap<DeviceId, ListedDevice>,
    listed_at: Option<Duration>,
    /// Whether the list is of the connection that there is now.
    pub(super) list_is_current: bool,
    pub(super) seats: Seats,
    /// New, changed, undecryptable, gone.
    pub(super) device_changes: [u64; 4],
    lock: LockWatch,
    locks: BTreeMap<LockKey, LockTally>,
    pub(super) acknowledged: u64,
    pub(super) acknowledgement_latency: Histogram,
    pub(super) age: Histogram,
    pub(super) ping: Histogram,
    pub(super) devices_info: Histogram,
    pub(super) reflection: Histogram,
    pub(super) redelivered: u64,
    pub(super) replays: u64,
    pub(super) undecryptable: u64,
    pub(super) ignored: u64,
    pub(super) journal: JournalState,
    pub(super) journal_errors: u64,
}

impl Ledger {
    pub(super) fn new(key: PseudonymKey) -> Self {
        Self {
            state: SessionState::Idle,
            attempts: 0,
            logins: 0,
            disconnects: known_ends().map(|end| (end, 0)).collect(),
            waits_for_user: CloseCode::NAMED
                .iter()
                .filter(|code| code.0 >= 4_100)
                .map(|code| (code.to_string(), 0))
                .collect(),
            login: None,
            clock_offset: 0,
            last_login: None,
            leading_since: None,
            led: Duration::ZERO,
            promotions: 0,
            devices: BTreeMap::new(),
            listed_at: None,
            list_is_current: false,
            seats: Seats::new(key),
            device_changes: [0; 4],
            lock: LockWatch::default(),
            locks: BTreeMap::new(),
            acknowledged: 0,
            acknowledgement_latency: Histogram::short(),
            age: Histogram::long(),
            ping: Histogram::short(),
            devices_info: Histogram::short(),
            reflection: Histogram::short(),
            redelivered: 0,
            replays: 0,
            undecryptable: 0,
            ignored: 0,
            journal: JournalState::Off,
            journal_errors: 0,
        }
    }

    /// Another session begins: what was of the last one only is over, what was counted stays.
    pub(super) fn begin_anew(&mut self, key: PseudonymKey) {
        self.state = SessionState::Idle;
        self.login = None;
        self.leading_since = None;
        self.devices.clear();
        self.listed_at = None;
        self.list_is_current = false;
        self.seats.take_key(key);
        self.lock = LockWatch::default();
        self.journal = JournalState::Off;
    }

    pub(super) fn take(&mut self, now: Now, event: &Event) {
        let at = now.precise;
        if let Some(ended) = self.lock.take(at, event) {
            self.lock_tally(ended.holder, ended.scope).held += at.saturating_sub(ended.since);
        }
        match event {
            Event::Connecting { .. } => {
                self.state = SessionState::Connecting;
                self.attempts += 1;
            }
            Event::Handshaking => self.state = SessionState::Handshaking,
            Event::LoggedIn(login) => {
                self.state = SessionState::Draining;
                self.logins += 1;
                self.login = Some(login.clone());
                self.clock_offset = login.clock_offset.unwrap_or(0);
                self.last_login = Some(now.wall);
            }
            Event::Reflected(messages) => self.reflected(messages),
            Event::Acknowledged { ids, waited } => {
                let count = u64::try_from(ids.len()).unwrap_or(u64::MAX);
                self.acknowledged += count;
                self.acknowledgement_latency.record(*waited, count);
            }
            Event::QueueDry => self.state = SessionState::Live,
            Event::Promoted => {
                self.promotions += 1;
                self.leading_since.get_or_insert(at);
            }
            Event::RoleGivenUp { .. } => self.stops_leading(at),
            Event::Devices(devices) => self.listed(at, devices),
            Event::DeviceChanged { change, .. } => self.device_changed(change),
            Event::DeviceDropped(device) => {
                self.devices.remove(device);
            }
            Event::Lock(event) => self.lock_began(event),
            Event::ReflectionStored { round_trip } => self.reflection.record(*round_trip, 1),
            Event::RoundTrip { probe: Probe::Ping, elapsed } => self.ping.record(*elapsed, 1),
            Event::RoundTrip { probe: Probe::DevicesInfo, elapsed } => self.devices_info.record(*elapsed, 1),
            Event::Ignored(_) => self.ignored += 1,
            Event::Disconnected { cause, next } => self.disconnected(at, cause, *next),
            Event::Journal(state) => {
                self.journal_errors += u64::from(matches!(state, JournalState::Failed(_)));
                self.journal = state.clone();
            }
            Event::JournalSetAside(_) => self.journal_errors += 1,
            Event::ClockMoved { by, clock_offset } => {
                self.clock_offset = clock_offset.unwrap_or_else(|| self.clock_offset.saturating_sub(*by));
                if let Some(login) = &mut self.login {
                    login.clock_offset = *clock_offset;
                }
            }
            Event::SharedDeviceData(_)
            | Event::Following
            | Event::LastHeard { .. }
            | Event::DevicesAcknowledged
            | Event::RecordingStopped(_)
            | Event::Refused(_) => {}
        }
    }

    fn reflected(&mut self, messages: &[ReflectedMessage]) {
        for message in messages {
            let stored_at = message.stored_at.offset_by(self.clock_offset.saturating_neg());
            self.age.record(message.received_at.since(stored_at), 1);
            self.redelivered += u64::from(message.redelivered);
            self.replays += u64::from(message.repeated_nonce);
            let summary = message.content.as_ref().ok();
            self.undecryptable += u64::from(summary.is_none());
            let author = summary.and_then(|summary| summary.author);
            self.seats.count(author, summary.map(|summary| summary.kind), message.size);
        }
    }

    fn listed(&mut self, at: Duration, devices: &BTreeMap<DeviceId, ListedDevice>) {
        for device in devices.keys() {
            self.seats.seat(*device);
        }
        self.devices.clone_from(devices);
        self.listed_at = Some(at);
        self.list_is_current = true;
    }

    /// How old the list is.
    pub(super) fn list_age(&self, now: Now) -> Option<Duration> {
        self.listed_at.map(|at| now.precise.saturating_sub(at))
    }

    const fn device_changed(&mut self, change: &DeviceChange) {
        let [new, changed, undecryptable, gone] = &mut self.device_changes;
        let count = match change {
            DeviceChange::New { .. } => new,
            DeviceChange::Changed { .. } => changed,
            DeviceChange::Undecryptable { .. } => undecryptable,
            DeviceChange::Gone { .. } => gone,
        };
        *count += 1;
    }

    fn disconnected(&mut self, at: Duration, cause: &DisconnectCause, next: NextStep) {
        self.stops_leading(at);
        self.list_is_current = false;
        self.state = if next == NextStep::End { SessionState::Over } else { SessionState::Waiting };
        let mut end = (cause.name(), String::new());
        if let DisconnectCause::ClosedByServer { code, .. } = cause {
            end.1 = if code.was_sent() { code.to_string() } else { "none".to_owned() };
            if self.disconnects.len() >= MOST_ENDS && !self.disconnects.contains_key(&end) {
                "other".clone_into(&mut end.1);
            }
        }
        if next == NextStep::WaitForUser {
            *self.waits_for_user.entry(end.1.clone()).or_default() += 1;
        }
        *self.disconnects.entry(end).or_default() += 1;
    }

    fn stops_leading(&mut self, at: Duration) {
        if let Some(since) = self.leading_since.take() {
            self.led += at.saturating_sub(since);
        }
    }

    pub(super) const fn leads(&self) -> bool {
        self.leading_since.is_some()
    }

    /// For how long this device has been leader, until now.
    pub(super) fn led(&self, now: Now) -> Duration {
        self.led + self.leading_since.map_or(Duration::ZERO, |since| now.precise.saturating_sub(since))
    }

    fn lock_began(&mut self, event: &LockEvent) {
        match event {
            LockEvent::Acquired { scope, .. } => self.lock_tally(None, *scope).count += 1,
            LockEvent::Ended { holder, scope } => self.lock_tally(Some(*holder), *scope).count += 1,
            _ => {}
        }
    }

    fn lock_tally(&mut self, holder: Option<DeviceId>, scope: LockScope) -> &mut LockTally {
        self.locks.entry(lock_key(holder, scope)).or_default()
    }

    /// The locks that were held, the one that is held now among them.
    pub(super) fn locks(&self, now: Now) -> BTreeMap<LockKey, LockTally> {
        let mut locks = self.locks.clone();
        if let Some(held) = self.lock.held() {
            locks.entry(lock_key(held.holder, held.scope)).or_default().held += now.precise.saturating_sub(held.since);
        }
        locks
    }

    /// The lock that is held now, and for how long.
    pub(super) fn lock_age(&self, now: Now) -> Option<(LockKey, Duration)> {
        let held = self.lock.held()?;
        Some((lock_key(held.holder, held.scope), now.precise.saturating_sub(held.since)))
    }
}

/// How a connection may end, as far as that is known beforehand: who watches a counter rise has to see it at 0 first.
fn known_ends() -> impl Iterator<Item = End> {
    let (by_server, by_other) = DisconnectCause::NAMES.split_at(1);
    let codes = CloseCode::NAMED.iter().map(ToString::to_string);
    let closed = by_server.iter().flat_map(move |cause| codes.clone().map(|code| (*cause, code)));
    closed.chain(by_other.iter().map(|cause| (*cause, String::new())))
}

/// Numbers that no specification names are one scope: a device could use any of them.
fn lock_key(holder: Option<DeviceId>, scope: LockScope) -> LockKey {
    let holder = if holder.is_some() { "other" } else { "own" };
    let scope = match scope {
        None => "undecryptable".to_owned(),
        Some(TransactionScope::Unknown(_)) => "unknown".to_owned(),
        Some(named) => named.to_string().to_lowercase(),
    };
    (holder, scope)
}
