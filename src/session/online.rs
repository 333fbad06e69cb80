//! A login while it lasts: liveness, deadlines, and what the server says.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::config::{Presence, SessionConfig, SessionTiming};
use super::lock::{Awaited, OwnLock};
use super::receipt::{ConnectionIds, Unacknowledged};
use super::{Phase, Session, SessionOutput};
use crate::group::{DisconnectCause, Event, Probe};
use crate::protocol::{CloseCode, DeviceId, Millis, ReflectId, ReflectedId, ServerMessage};

/// The most requests for the device list that may be unanswered.
const MOST_AWAITED_LISTS: usize = 256;

/// The most reflections that may be unacknowledged.
const MOST_REFLECTS: usize = 65_536;

/// What is known of a login while it lasts.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is known without the others")]
pub(super) struct Online {
    pub(super) since: Millis,
    pub(super) dry_at: Option<Millis>,
    pub(super) leader: bool,
    /// The devices that the last list has as connected, or does not say.
    pub(super) there: BTreeSet<DeviceId>,
    pub(super) listed_at: Millis,
    /// When a list was last asked for.
    pub(super) asked_at: Millis,
    /// Whether a device list showed another device connected.
    pub(super) company: bool,
    /// Whether it was told that another device leads.
    pub(super) following: bool,
    /// Whether to leave as soon as a transaction of ours is done, and at this time in any case.
    pub(super) leave_by: Option<Millis>,
    pub(super) received: ConnectionIds,
    /// Received, to be acknowledged once durable.
    pub(super) pending_commit: VecDeque<ReflectedId>,
    pub(super) next_ping: Millis,
    pub(super) unanswered_ping: Option<Millis>,
    /// When it was sent, on the finer clock.
    pub(super) pinged: Duration,
    pub(super) heard_at: Millis,
    /// The last time that the other side said something, or could have said something that was not read.
    pub(super) alive_at: Millis,
    /// When the last event was told that is a word of the other side.
    pub(super) told_at: Millis,
    /// When each device list still to come was asked for, on the finer clock.
    pub(super) awaited_lists: VecDeque<Duration>,
    pub(super) next_list: Millis,
    /// Whether something ended since the last request that may have changed the list.
    pub(super) outdated: bool,
    pub(super) next_reflect_id: u32,
    /// When each reflection not yet acknowledged was sent, on the finer clock.
    pub(super) reflects: HashMap<ReflectId, Duration>,
    pub(super) lock: OwnLock,
    /// The answer about the lock that the server owes, and the time from which it does.
    pub(super) awaited: (Option<Awaited>, Millis),
}

impl Online {
    pub(super) fn new(now: Millis, timing: &SessionTiming) -> Self {
        Self {
            since: now,
            dry_at: None,
            leader: false,
            there: BTreeSet::new(),
            listed_at: now,
            asked_at: now,
            company: false,
            following: false,
            leave_by: None,
            received: ConnectionIds::default(),
            pending_commit: VecDeque::new(),
            next_ping: now.after(timing.ping_interval),
            unanswered_ping: None,
            pinged: Duration::ZERO,
            heard_at: now,
            alive_at: now,
            told_at: now,
            awaited_lists: VecDeque::new(),
            next_list: now.after(timing.refresh_interval),
            outdated: false,
            next_reflect_id: 0,
            reflects: HashMap::new(),
            lock: OwnLock::Free,
            awaited: (None, now),
        }
    }

    /// The wall clock was moved, by this many milliseconds.
    pub(super) fn shift(&mut self, by: i64) {
        let shift = |time: &mut Millis| *time = time.offset_by(by);
        [
            &mut self.since,
            &mut self.listed_at,
            &mut self.asked_at,
            &mut self.next_ping,
            &mut self.heard_at,
            &mut self.alive_at,
            &mut self.told_at,
            &mut self.next_list,
            &mut self.awaited.1,
        ]
        .into_iter()
        .for_each(shift);
        [&mut self.dry_at, &mut self.leave_by, &mut self.unanswered_ping].into_iter().flatten().for_each(shift);
        self.lock.shift(shift);
    }

    /// When a server that owes an answer about the lock counts as dead: else a lock of ours could stay for ever.
    fn answer_due(&self, timing: &SessionTiming) -> Option<Millis> {
        self.awaited.0.map(|_| self.awaited.1.after(timing.answer))
    }

    fn note_what_is_awaited(&mut self, now: Millis) {
        let awaited = self.lock.awaited();
        if awaited != self.awaited.0 {
            self.awaited = (awaited, now);
        }
    }

    pub(super) fn deadline(&self, config: &SessionConfig, attended_until: Millis) -> Millis {
        let timing = &config.timing;
        let visit_ends = self.visit_ends_at(config, attended_until);
        let lock_ends = self.lock.give_back_at(config.keys.dialect());
        [self.dead_at(timing), self.answer_due(timing), self.leave_by, visit_ends, lock_ends]
            .into_iter()
            .flatten()
            .fold(self.next_ping.min(self.next_list), Millis::min)
    }

    pub(super) fn is_owed_too_much(&self) -> bool {
        self.awaited_lists.len() >= MOST_AWAITED_LISTS
    }

    pub(super) fn awaits_too_many_reflections(&self) -> bool {
        self.reflects.len() >= MOST_REFLECTS
    }

    /// When the other side counts as dead: nothing at all was heard since the ping. Sooner under a lock of ours, which
    /// another device may have got meanwhile.
    fn dead_at(&self, timing: &SessionTiming) -> Option<Millis> {
        if self.lock.is_ours() {
            return Some(self.alive_at.after(timing.lock_silence));
        }
        self.unanswered_ping.map(|sent| sent.max(self.alive_at).after(timing.ping_deadline))
    }

    /// When a visit is over: everything that waited is taken in, and nobody does anything.
    pub(super) fn visit_ends_at(&self, config: &SessionConfig, attended_until: Millis) -> Option<Millis> {
        let is_visit = matches!(config.presence, Presence::Visit(_));
        let dry = self.dry_at.filter(|_| is_visit && !self.leader && matches!(self.lock, OwnLock::Free))?;
        let is_done = self.pending_commit.is_empty() && self.awaited_lists.is_empty();
        let grace = if is_done { config.timing.visit_linger } else { config.timing.visit_patience };
        Some(dry.after(grace).max(attended_until))
    }

    /// Whether the absence of a promotion means that another device leads: a server that is silent says nothing.
    fn is_following(&self, timing: &SessionTiming) -> bool {
        let undecided = !self.leader && !self.following;
        undecided && self.dry_at.is_some_and(|dry| self.heard_at >= dry.after(timing.following_after))
    }

    /// The queue is dry. A ping finds out whether the server is still there when it has not promoted us.
    fn dry(&mut self, now: Millis, timing: &SessionTiming) {
        self.dry_at = Some(now);
        self.next_ping = self.next_ping.min(now.after(timing.following_after));
    }
}

impl Session {
    pub(super) const fn online(&mut self) -> Option<&mut Online> {
        match &mut self.phase {
            Phase::Online(online) => Some(online),
            _ => None,
        }
    }

    pub(super) const fn lock(&mut self) -> Option<&mut OwnLock> {
        match self.online() {
            Some(online) => Some(&mut online.lock),
            None => None,
        }
    }

    pub(super) const fn heard(&mut self, now: Millis) {
        if let Some(online) = self.online() {
            online.heard_at = now;
            online.alive_at = now;
        }
    }

    pub(super) const fn excuse(&mut self, now: Millis) {
        if let Some(online) = self.online() {
            online.alive_at = now;
        }
    }

    pub(super) fn on_pong(&mut self, now: Millis) {
        self.heard(now);
        if let Some(pinged) = self.online().and_then(|online| online.unanswered_ping.take().map(|_| online.pinged)) {
            self.emit(Event::RoundTrip { probe: Probe::Ping, elapsed: self.since(pinged) });
        }
    }

    pub(super) fn on_online_time(&mut self, now: Millis) {
        let timing = self.config.timing;
        let dialect = self.dialect();
        let Some(online) = self.online() else { return };
        online.note_what_is_awaited(now);
        if online.lock.is_ours() {
            online.next_ping = online.next_ping.min(now.after(timing.lock_ping));
        }
        let dead = [online.dead_at(&timing), online.answer_due(&timing)];
        if dead.into_iter().flatten().any(|at| now >= at) {
            self.outputs.push_back(SessionOutput::Close(CloseCode::GOING_AWAY));
            return self.retry(now, DisconnectCause::NoAnswer);
        }
        if online.leave_by.is_some_and(|at| now >= at) {
            return self.give_role_up(now);
        }
        if online.lock.give_back_at(dialect).is_some_and(|at| now >= at) {
            self.release_lock();
        }
        if self.visit_is_over(now) {
            return self.end_visit(now);
        }
        let Some(online) = self.online() else { return };
        if online.is_following(&timing) {
            online.following = true;
            (self.promotions, self.promotions_in_company) = (0, 0);
            self.emit(Event::Following);
        }
        let Some(online) = self.online() else { return };
        let (ping, list) = (now >= online.next_ping, now >= online.next_list);
        if ping {
            let interval = if online.lock.is_ours() { timing.lock_ping } else { timing.ping_interval };
            online.next_ping = now.after(interval);
            self.ping(now);
        }
        if list {
            self.request_devices(now);
        }
    }

    /// How long ago that was on the finer clock.
    pub(super) const fn since(&self, earlier: Duration) -> Duration {
        self.precise.saturating_sub(earlier)
    }

    pub(super) fn ping(&mut self, now: Millis) {
        let precise = self.precise;
        let Some(online) = self.online() else { return };
        // A ping that is still unanswered keeps its time: its deadline must not move.
        if online.unanswered_ping.is_none() {
            online.unanswered_ping = Some(now);
            online.pinged = precise;
        }
        self.outputs.push_back(SessionOutput::Ping);
    }

    pub(super) fn on_online_message(&mut self, now: Millis, message: ServerMessage) {
        match message {
            ServerMessage::ReflectionQueueDry => {
                let timing = self.config.timing;
                if let Some(online) = self.online() {
                    online.dry(now, &timing);
                }
                // What was not acknowledged has come again by now.
                self.earlier = Unacknowledged::default();
                self.emit(Event::QueueDry);
            }
            ServerMessage::RolePromotedToLeader => self.on_promoted(now),
            ServerMessage::DevicesInfo(devices) => self.on_devices(now, &devices),
            ServerMessage::ReflectAck { id, .. } => {
                let sent = self.online().and_then(|online| online.reflects.remove(&id));
                match sent {
                    Some(sent) => self.emit(Event::ReflectionStored { round_trip: self.since(sent) }),
                    None => self.ignored("an acknowledgement of something we did not reflect"),
                }
            }
            ServerMessage::DropDeviceAck(id) => self.on_device_dropped(id),
            ServerMessage::BeginTransactionAck => self.on_lock_acquired(now),
            ServerMessage::CommitTransactionAck => self.on_lock_released(now),
            ServerMessage::TransactionRejected { holder, scope } => {
                let scope = scope.open(&self.config.keys).ok();
                self.on_lock_rejected(holder, scope);
            }
            ServerMessage::TransactionEnded { holder, scope } => {
                let scope = scope.open(&self.config.keys).ok();
                self.on_lock_ended(holder, scope);
            }
            ServerMessage::Proxy(frame) => self.on_proxy(frame),
            ServerMessage::Reflected(_) => {}
            ServerMessage::Hello(_) | ServerMessage::Info(_) => self.server_error(now, "it began the login anew"),
        }
    }
}
