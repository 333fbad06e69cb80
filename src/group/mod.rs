//! What one device knows of its group. Pure: [`Group::apply`] is the one reducer.
//!
//! A session tells [`Event`]s; a [`Group`] is what they add up to. Its parts are read by the methods of the same names:
//! [`ConnectionState`], [`Devices`], [`GroupLock`], [`OwnRole`], [`Feed`] of [`FeedRow`]s, [`Latency`], [`Notices`]. A
//! [`Filter`] says which rows are shown.
//!
//! ```
//! use d2mtop::group::{ConnectionState, Event, Group};
//! use d2mtop::protocol::Millis;
//!
//! let mut group = Group::with_feed_rows(1_000);
//! group.apply(Millis(1), &Event::Connecting { attempt: 1 });
//! group.apply(Millis(2), &Event::Handshaking);
//! assert!(matches!(group.connection(), ConnectionState::Handshaking));
//! ```
//!
//! ```text
//! Event ─> Group::apply ─> connection  where the session stands, and what comes next
//!                          devices     who is in the group, as of when
//!                          lock, role  who may change things, and who serves the chat server
//!                          feed        what was reflected, newest last, bounded
//!                          activity    how much each device reflected in the last hour
//!                          latency     how long things took, by device and by kind
//!                          names       what contacts, groups and lists are called
//!                          notices     what a person should have read
//! ```

pub mod activity;
mod connection;
mod devices;
mod disconnect;
mod event;
#[cfg(test)]
mod examples;
pub mod feed;
pub mod filter;
mod journal_state;
mod known;
pub mod latency;
mod listed;
mod lock;
mod lock_watch;
mod login;
mod names;
mod notice;
mod reflected;
mod refusal;
mod role;
mod sentence;
#[cfg(test)]
mod tests;

pub use activity::Activity;
pub use connection::ConnectionState;
pub use devices::Devices;
pub use disconnect::{DisconnectCause, NextStep};
pub use event::{Event, LockEvent, LockScope, Probe};
pub use feed::{Feed, FeedRow, RowMarks};
pub use filter::{Filter, FilterContext, FilterMatches};
pub use journal_state::JournalState;
pub use known::{DeviceChange, KnownDevice, KnownDevices};
pub use latency::Latency;
pub use listed::ListedDevice;
pub use lock::{EndedLock, GroupLock, LockState};
pub use lock_watch::{HeldLock, LockWatch};
pub use login::{Login, clocks_are_apart};
pub use names::{ConversationNames, MAX_NAME_BYTES, NameParts};
pub use notice::{Notice, NoticeKind, NoticeSubject, Notices};
pub use reflected::{ReflectedMessage, to_acknowledge};
pub use refusal::Refusal;
pub use role::{OwnRole, RoleState};

use std::time::Duration;

use self::feed::packed::Packed;
use self::latency::{LatencyKind, Origin, SlowAcknowledgement};
use crate::protocol::{CloseCode, DeviceId, Millis, ReflectedId, SlotState, TransactionScope};
use crate::text::Clean;
use crate::text::figures::span;

/// What one device knows of its group.
#[derive(Debug, Default)]
pub struct Group {
    connection: ConnectionState,
    login: Option<Login>,
    devices: Devices,
    lock: GroupLock,
    role: OwnRole,
    feed: Feed,
    latency: Latency,
    activity: Activity,
    names: ConversationNames,
    notices: Notices,
    journal: JournalState,
    replay_told_at: Option<Millis>,
    /// Whether a lock of ours went with a connection whose end, which says why, is told next.
    lock_lost: bool,
    last_word: Option<Millis>,
    /// How far the server's clock is taken to be ahead of ours, in milliseconds; not at all by one that does not tell the time.
    clock_offset: i64,
    /// Whether our clock was moved since the last login.
    clock_moved: bool,
}

impl Group {
    /// Knows nothing yet; the feed will keep that many rows.
    #[must_use]
    pub fn with_feed_rows(rows: usize) -> Self {
        Self { feed: Feed::with_capacity(rows), ..Self::default() }
    }

    /// Keeps the newest sealed envelopes too, up to so many bytes.
    #[must_use]
    pub fn with_envelopes(self, bytes: usize) -> Self {
        Self { feed: self.feed.with_envelopes(bytes), ..self }
    }

    /// Remembers devices that were in the group before, so that what they reflected keeps their names.
    #[must_use]
    pub fn remembering(mut self, devices: &KnownDevices) -> Self {
        self.devices.remember(devices.iter().map(|(id, info)| (id, info.cloned())));
        self
    }

    /// Knows from elsewhere what contacts, groups and lists are called.
    #[must_use]
    pub fn naming(self, names: ConversationNames) -> Self {
        Self { names, ..self }
    }

    /// The one reducer: takes in what happened at that time.
    pub fn apply(&mut self, at: Millis, event: &Event) {
        if event.is_word_of_the_server(self.connection.is_logged_in()) {
            self.last_word = Some(at);
        }
        match event {
            Event::Connecting { attempt } => self.connection = ConnectionState::Connecting { attempt: *attempt },
            Event::Handshaking => self.connection = ConnectionState::Handshaking,
            Event::LoggedIn(login) => self.logged_in(at, login),
            Event::Reflected(messages) => self.reflected(at, messages),
            Event::Acknowledged { ids, waited } => self.acknowledged(at, ids, *waited),
            Event::QueueDry => self.connection.dry(at),
            Event::Promoted => self.role.promoted(at),
            Event::RoleGivenUp { back_at, promotions_in_a_row } => {
                self.role.given_up(at, *back_at, *promotions_in_a_row);
            }
            Event::SharedDeviceData(_) => {}
            Event::Following => self.role.following(at),
            Event::ClockMoved { by, clock_offset } => self.clock_moved(*by, *clock_offset),
            Event::LastHeard { at } => self.last_word = self.last_word.max(Some(*at)),
            Event::Devices(list) => self.devices.replace(at, list.clone()),
            Event::DeviceChanged { device, change } => self.device_changed(at, *device, change),
            Event::DevicesAcknowledged => self.devices.acknowledge(),
            Event::Lock(event) => self.lock_is(at, event),
            Event::DeviceDropped(device) => self.device_dropped(at, *device),
            Event::ReflectionStored { round_trip } => {
                self.latency.reflection.record(at, *round_trip);
                let words = format!("the mediator stored the reflection after {}", span(*round_trip));
                self.notices.push(at, NoticeKind::Done, Clean::new(&words));
            }
            Event::RoundTrip { probe, elapsed } => self.latency.round_trip(*probe).record(at, *elapsed),
            Event::Refused(refusal) => self.refused(at, *refusal),
            Event::Ignored(what) => self.ignored(at, what),
            Event::Journal(state) => self.journal_is(at, state),
            Event::JournalSetAside(name) => {
                self.alarm(at, &format!("the journal was damaged and is kept as {name}; a new one was begun"));
            }
            Event::RecordingStopped(why) => self.alarm(at, &format!("recording has stopped: {why}")),
            Event::Disconnected { cause, next } => self.disconnected(at, cause, *next),
        }
    }

    fn alarm(&mut self, at: Millis, words: &str) {
        self.notices.push(at, NoticeKind::Alarm, Clean::new(words));
    }

    /// What is left of a wait or a lock, and how long ago anything was, does not change with the wall clock.
    fn clock_moved(&mut self, by: i64, ahead: Option<i64>) {
        self.clock_offset = self.clock_offset.saturating_sub(by);
        if let (Some(login), Some(ahead)) = (&mut self.login, ahead) {
            login.clock_offset = Some(ahead);
            self.clock_offset = ahead;
            self.clock_moved = true;
        }
        let times = [&mut self.last_word, &mut self.replay_told_at];
        times.into_iter().flatten().for_each(|at| *at = at.offset_by(by));
        self.connection.shift(by);
        self.devices.shift(by);
        self.lock.shift(by);
        self.role.shift(by);
        self.feed.shift(by);
        self.activity.shift(by);
    }

    fn logged_in(&mut self, at: Millis, login: &Login) {
        self.connection = ConnectionState::Draining { since: at, received: 0, of: login.reflection_queue_length };
        self.role.logged_in();
        self.lock.logged_in();
        if login.slot_state == SlotState::New {
            self.feed.new_slot();
        }
        self.clock_offset = login.clock_offset.unwrap_or(0);
        self.login = Some(login.clone());
        self.clock_moved = false;
    }

    fn reflected(&mut self, at: Millis, messages: &[ReflectedMessage]) {
        let mut queued = 0;
        let mut replayed = None;
        let mut ages = Vec::with_capacity(messages.len());
        for message in messages {
            queued += u32::from(!message.ephemeral);
            if self.feed.receive(message) {
                replayed = Some(message.id);
                continue;
            }
            let summary = message.content.as_ref().ok();
            let origin = Origin {
                author: summary.and_then(|summary| summary.author),
                sort: LatencyKind::of(
                    summary.map(|summary| summary.kind),
                    summary.and_then(|summary| summary.message_type),
                ),
            };
            let age = self.age(message.stored_at, message.received_at);
            // By our own clock, however far apart they are.
            let age_millis = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            self.activity.reflected(origin.author, message.received_at.offset_by(-age_millis), 1);
            ages.push((age, origin));
            if let Some(summary) = summary {
                self.names.learn(summary);
            }
        }
        self.latency.received(at, &ages);
        self.connection.received(queued);
        if let Some(id) = replayed {
            self.replayed(at, id);
        }
    }

    /// Whoever replays a thousand messages gets one notice, not a thousand.
    fn replayed(&mut self, at: Millis, id: ReflectedId) {
        const QUIET: Duration = Duration::from_secs(60);
        if self.replay_told_at.is_some_and(|told| at < told.after(QUIET)) {
            return;
        }
        self.replay_told_at = Some(at);
        let text = match self.feed.counts().replays {
            0 | 1 => format!("message {} uses the nonce of another: a replay, or a broken sender", id.0),
            count => format!("{count} messages so far use the nonce of another: replays, or a broken sender"),
        };
        self.notices.push(at, NoticeKind::Alarm, Clean::new(&text));
    }

    fn acknowledged(&mut self, at: Millis, ids: &[ReflectedId], waited: Duration) {
        let mut origins = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(number) = self.feed.acknowledge(*id, waited) else { continue };
            let row = self.feed.packed(number);
            origins.push(Origin {
                author: row.and_then(|row| self.feed.tables().author(row)),
                sort: LatencyKind::of(row.and_then(Packed::kind), row.and_then(Packed::message_type)),
            });
            self.latency.slow(SlowAcknowledgement::new(number, *id, waited));
        }
        self.latency.acknowledged(at, waited, &origins);
    }

    /// Whoever waited for the lock may look elsewhere by the time it comes, and it locks the whole group; and so may whoever
    /// has it by the time it ends.
    fn lock_is(&mut self, at: Millis, event: &LockEvent) {
        let words = match event {
            LockEvent::Acquired { .. } if self.lock.was_waited_for() => {
                Some("the lock is ours now: no other device can sync or link until it is released")
            }
            // What came of the drop says enough.
            LockEvent::Released(Some(TransactionScope::DropDevice)) => None,
            LockEvent::Released(_) if self.lock.is_over(at) => Some("the lock is released: time limit reached"),
            LockEvent::Released(_) => Some("the lock is released"),
            _ => None,
        };
        if let Some(words) = words {
            self.notices.push(at, NoticeKind::Done, Clean::literal(words));
        }
        // What a drop is done under is committed with it, and not the user's.
        self.lock_lost |= matches!(event, LockEvent::Lost(scope) if *scope != Some(TransactionScope::DropDevice));
        self.lock.apply(at, event);
    }

    fn refused(&mut self, at: Millis, refusal: Refusal) {
        // What became of the drop matters more than the lock that it was done under.
        self.lock_lost &= refusal != Refusal::Unconfirmed;
        let subject = Some(NoticeSubject::Refused(refusal));
        self.notices.push_about(at, NoticeKind::Refused, Clean::new(&refusal.to_string()), subject);
    }

    fn tell_of_lost_lock(&mut self, at: Millis, cause: &DisconnectCause) {
        let is_over = matches!(cause, DisconnectCause::ClosedByServer { code: CloseCode::TRANSACTION_EXPIRED, .. });
        let words = if is_over {
            "the lock is lost: time limit reached (4011)"
        } else {
            "the lock is lost: the connection ended"
        };
        self.notices.push_about(at, NoticeKind::Lost, Clean::literal(words), Some(NoticeSubject::LockLost));
    }

    fn device_dropped(&mut self, at: Millis, device: DeviceId) {
        let label = self.devices.label(device);
        self.devices.remove(device);
        let is_ambiguous = self.devices.iter().any(|(other, _)| self.devices.label(other) == label);
        let id = if is_ambiguous { format!(" ({device})") } else { String::new() };
        self.notices.push(at, NoticeKind::Done, Clean::new(&format!("dropped: {label}{id}")));
    }

    fn device_changed(&mut self, at: Millis, device: DeviceId, change: &DeviceChange) {
        let name = change.label().cloned().unwrap_or_else(|| self.devices.label(device));
        self.devices.mark(device, change.clone());
        let others = self.devices.alarms().saturating_sub(usize::from(!matches!(change, DeviceChange::Gone { .. })));
        let others = if others == 0 { String::new() } else { format!(" (and {others} more to note)") };
        self.notices.push(at, NoticeKind::Alarm, Clean::new(&format!("{name}: {}{others}", change.sentence())));
    }

    /// The other devices as they count as known: those that are new or changed, as they were before, until the user has
    /// taken note of them. [`None`] before the first list.
    #[must_use]
    pub fn known(&self) -> Option<KnownDevices> {
        Some(self.devices.known(self.own()?)).filter(|_| self.devices.as_of().is_some())
    }

    fn journal_is(&mut self, at: Millis, state: &JournalState) {
        match (&self.journal, state) {
            (_, JournalState::Failed(why)) => {
                self.alarm(at, &format!("{why}; nothing is acknowledged until the journal can be written"));
            }
            (JournalState::Failed(_), JournalState::Keeps) => {
                self.notices.push(at, NoticeKind::Done, Clean::literal("the journal can be written again"));
            }
            _ => {}
        }
        self.journal = state.clone();
    }

    fn ignored(&mut self, at: Millis, what: &Clean) {
        self.notices.push(at, NoticeKind::Ignored, Clean::new(&format!("ignored from the mediator: {what}")));
    }

    fn disconnected(&mut self, at: Millis, cause: &DisconnectCause, next: NextStep) {
        if std::mem::take(&mut self.lock_lost) || matches!(self.lock.state(), LockState::Ours { .. }) {
            self.tell_of_lost_lock(at, cause);
        }
        self.connection = ConnectionState::Waiting { since: at, cause: cause.clone(), next };
        self.role.disconnected(cause);
        self.lock.disconnected(at);
        self.feed.disconnected();
    }

    /// How long a message waited in the queue: from being stored, told by our clock, to being received.
    #[must_use]
    pub fn age(&self, stored_at: Millis, received_at: Millis) -> Duration {
        received_at.since(self.by_our_clock(stored_at))
    }

    /// A time of the server's by our clock.
    #[must_use]
    pub const fn by_our_clock(&self, at: Millis) -> Millis {
        at.offset_by(self.clock_offset.saturating_neg())
    }

    /// When the server last said anything.
    #[must_use]
    pub const fn last_word(&self) -> Option<Millis> {
        self.last_word
    }

    /// Whether the offset to the server's clock is that of the last login with a move of ours taken off.
    #[must_use]
    pub const fn clock_was_moved(&self) -> bool {
        self.clock_moved
    }

    /// Where the session stands.
    #[must_use]
    pub const fn connection(&self) -> &ConnectionState {
        &self.connection
    }

    /// What the server said at the last good login.
    #[must_use]
    pub const fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// This device, once logged in.
    #[must_use]
    pub fn own(&self) -> Option<DeviceId> {
        self.login.as_ref().map(|login| login.own)
    }

    /// Who is in the group.
    #[must_use]
    pub const fn devices(&self) -> &Devices {
        &self.devices
    }

    /// Who may change things.
    #[must_use]
    pub const fn lock(&self) -> &GroupLock {
        &self.lock
    }

    /// Who serves the chat server.
    #[must_use]
    pub const fn role(&self) -> &OwnRole {
        &self.role
    }

    /// What was reflected.
    #[must_use]
    pub const fn feed(&self) -> &Feed {
        &self.feed
    }

    /// How much each device reflected in the last hour.
    #[must_use]
    pub const fn activity(&self) -> &Activity {
        &self.activity
    }

    /// How long things took.
    #[must_use]
    pub const fn latency(&self) -> &Latency {
        &self.latency
    }

    /// Whether received messages are kept before they are acknowledged.
    #[must_use]
    pub const fn journal(&self) -> &JournalState {
        &self.journal
    }

    /// What contacts, groups and lists are called.
    #[must_use]
    pub const fn names(&self) -> &ConversationNames {
        &self.names
    }

    /// What a person should have read.
    #[must_use]
    pub const fn notices(&self) -> &Notices {
        &self.notices
    }
}
