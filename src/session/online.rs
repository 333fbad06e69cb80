//! A login: draining, acknowledging, the device list, liveness and the leader role.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::config::{Config, Presence, Timing};
use super::lock::{Awaited, Lock};
use super::receipt::{ConnectionIds, Receipt, Unacknowledged};
use super::{Command, Output, Phase, Session};
use crate::group::{DisconnectCause, Event, Known, ListedDevice, Probe, ReflectedMessage, Refusal};
use crate::protocol::d2d::Composer;
use crate::protocol::ids::span_millis;
use crate::protocol::{
    Activity, ClientMessage, DeviceEntry, DeviceId, MAX_ENVELOPE_SEALED, Millis, Reflect, ReflectId, Reflected,
    ReflectedId, Sealed, ServerMessage, acknowledgements,
};

/// The most requests for the device list that may be unanswered.
const MOST_AWAITED_LISTS: usize = 256;

/// The most reflections that may be unacknowledged.
const MOST_REFLECTS: usize = 65_536;

/// What is known of a login while it lasts.
#[derive(Debug)]
pub(super) struct Online {
    pub(super) since: Millis,
    dry_at: Option<Millis>,
    pub(super) leader: bool,
    /// The devices that the last list has as connected, or does not say.
    there: BTreeSet<DeviceId>,
    listed_at: Millis,
    /// When a list was last asked for.
    asked_at: Millis,
    /// Whether a device list showed another device connected.
    pub(super) company: bool,
    /// Whether it was told that another device leads.
    following: bool,
    /// Whether to leave as soon as a transaction of ours is done, and at this time in any case.
    pub(super) leave_by: Option<Millis>,
    pub(super) received: ConnectionIds,
    /// Received, to be acknowledged once durable.
    pub(super) undurable: VecDeque<ReflectedId>,
    next_ping: Millis,
    unanswered_ping: Option<Millis>,
    /// When it was sent, on the finer clock.
    pinged: Duration,
    heard_at: Millis,
    /// When each device list still to come was asked for, on the finer clock.
    pub(super) awaited_lists: VecDeque<Duration>,
    next_list: Millis,
    /// Whether something ended since the last request that may have changed the list.
    outdated: bool,
    next_reflect_id: u32,
    /// When each reflection not yet acknowledged was sent, on the finer clock.
    reflects: HashMap<ReflectId, Duration>,
    pub(super) lock: Lock,
    /// Which answer about the lock is awaited, and since when.
    awaited: (Option<Awaited>, Millis),
}

impl Online {
    pub(super) fn new(now: Millis, timing: &Timing) -> Self {
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
            undurable: VecDeque::new(),
            next_ping: now.after(timing.ping_interval),
            unanswered_ping: None,
            pinged: Duration::ZERO,
            heard_at: now,
            awaited_lists: VecDeque::new(),
            next_list: now.after(timing.refresh_interval),
            outdated: false,
            next_reflect_id: 0,
            reflects: HashMap::new(),
            lock: Lock::Free,
            awaited: (None, now),
        }
    }

    /// The clock was set back.
    pub(super) fn set_back(&mut self, by: Duration) {
        let back = |time: &mut Millis| *time = Millis(time.0.saturating_sub(span_millis(by)));
        [
            &mut self.since,
            &mut self.listed_at,
            &mut self.asked_at,
            &mut self.next_ping,
            &mut self.heard_at,
            &mut self.next_list,
            &mut self.awaited.1,
        ]
        .into_iter()
        .for_each(back);
        [&mut self.dry_at, &mut self.leave_by, &mut self.unanswered_ping].into_iter().flatten().for_each(back);
        self.lock.set_back(back);
    }

    /// When a server that owes an answer about the lock counts as dead: else a lock of ours could stay for ever.
    fn answer_due(&self, timing: &Timing) -> Option<Millis> {
        self.awaited.0.map(|_| self.awaited.1.after(timing.answer))
    }

    fn note_what_is_awaited(&mut self, now: Millis) {
        let awaited = self.lock.awaited();
        if awaited != self.awaited.0 {
            self.awaited = (awaited, now);
        }
    }

    pub(super) fn deadline(&self, config: &Config, attended_until: Millis) -> Millis {
        let timing = &config.timing;
        let visit_ends = self.visit_ends_at(config, attended_until);
        let lock_ends = self.lock.held_until();
        [self.dead_at(timing), self.answer_due(timing), self.leave_by, visit_ends, lock_ends]
            .into_iter()
            .flatten()
            .fold(self.next_ping.min(self.next_list), Millis::min)
    }

    fn is_owed_too_much(&self) -> bool {
        self.awaited_lists.len() >= MOST_AWAITED_LISTS
    }

    /// When the other side counts as dead: nothing at all was heard since the ping.
    fn dead_at(&self, timing: &Timing) -> Option<Millis> {
        self.unanswered_ping.map(|sent| sent.max(self.heard_at).after(timing.ping_deadline))
    }

    /// When a visit is over: everything that waited is taken in, and nobody does anything.
    pub(super) fn visit_ends_at(&self, config: &Config, attended_until: Millis) -> Option<Millis> {
        let is_visit = matches!(config.presence, Presence::Visit(_));
        let dry = self.dry_at.filter(|_| is_visit && !self.leader && matches!(self.lock, Lock::Free))?;
        let is_done = self.undurable.is_empty() && self.awaited_lists.is_empty();
        let grace = if is_done { config.timing.visit_linger } else { config.timing.visit_patience };
        Some(dry.after(grace).max(attended_until))
    }

    /// Whether the absence of a promotion means that another device leads: a server that is silent says nothing.
    fn is_following(&self, timing: &Timing) -> bool {
        let undecided = !self.leader && !self.following;
        undecided && self.dry_at.is_some_and(|dry| self.heard_at >= dry.after(timing.following_after))
    }

    /// The queue is dry. A ping finds out whether the server is still there when it has not promoted us.
    fn dry(&mut self, now: Millis, timing: &Timing) {
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

    pub(super) const fn lock(&mut self) -> Option<&mut Lock> {
        match self.online() {
            Some(online) => Some(&mut online.lock),
            None => None,
        }
    }

    pub(super) const fn heard(&mut self, now: Millis) {
        if let Some(online) = self.online() {
            online.heard_at = now;
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
        let Some(online) = self.online() else { return };
        online.note_what_is_awaited(now);
        let dead = [online.dead_at(&timing), online.answer_due(&timing)];
        if dead.into_iter().flatten().any(|at| now >= at) {
            self.outputs.push_back(Output::Close(crate::protocol::CloseCode::GOING_AWAY));
            return self.retry(now, DisconnectCause::NoAnswer);
        }
        if online.leave_by.is_some_and(|at| now >= at) {
            return self.give_role_up(now);
        }
        if online.lock.held_until().is_some_and(|at| now >= at) {
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
            online.next_ping = now.after(timing.ping_interval);
            self.ping(now);
        }
        if list {
            self.request_devices(now);
        }
    }

    /// How long ago that was on the finer clock.
    const fn since(&self, earlier: Duration) -> Duration {
        self.precise.saturating_sub(earlier)
    }

    fn ping(&mut self, now: Millis) {
        let precise = self.precise;
        let Some(online) = self.online() else { return };
        // A ping that is still unanswered keeps its time: its deadline must not move.
        if online.unanswered_ping.is_none() {
            online.unanswered_ping = Some(now);
            online.pinged = precise;
        }
        self.outputs.push_back(Output::Ping);
    }

    /// An answer came that cannot be read: the next one is the answer to the next request.
    pub(super) fn on_unreadable_list(&mut self) {
        if let Some(online) = self.online() {
            online.awaited_lists.pop_front();
        }
    }

    pub(super) fn request_devices(&mut self, now: Millis) {
        let interval = self.config.timing.refresh_interval;
        let precise = self.precise;
        let Some(online) = self.online() else { return };
        if online.awaited_lists.len() >= MOST_AWAITED_LISTS {
            // One more request tells nothing that their answers will not tell.
            online.next_list = now.after(interval);
            return;
        }
        online.awaited_lists.push_back(precise);
        online.asked_at = now;
        online.outdated = false;
        online.next_list = now.after(interval);
        self.send(&ClientMessage::GetDevicesInfo);
    }

    /// Reads a message out of the queue; [`None`] if it was handed on already on this connection.
    pub(super) fn receive(&mut self, now: Millis, reflected: &Reflected) -> Option<ReflectedMessage> {
        let nonce = reflected.envelope.nonce();
        let mut redelivered = self.received.contains(reflected.id);
        let Phase::Online(online) = &mut self.phase else { return None };
        if !reflected.ephemeral {
            match online.received.take(reflected.id) {
                Receipt::First => {}
                Receipt::Again => {
                    self.ignored("a message came twice on one connection; it is acknowledged once");
                    return None;
                }
                Receipt::Unknown => {
                    self.ignored(
                        "a message that may have come before on this connection, which has too many gaps to tell; unless \
                         it was acknowledged, it comes again on the next connection",
                    );
                    return None;
                }
            }
            if self.takes_messages {
                online.undurable.push_back(reflected.id);
            }
        }
        redelivered |= self.earlier.comes_again(reflected.id, nonce, &self.nonces);
        let known_nonce = nonce.is_some_and(|nonce| self.nonces.repeats(nonce));
        // The same id around another nonce is another message.
        redelivered &= !reflected.ephemeral && (known_nonce || nonce.is_none());
        Some(ReflectedMessage {
            id: reflected.id,
            stored_at: reflected.timestamp,
            received_at: now,
            size: u32::try_from(reflected.envelope.len()).unwrap_or(u32::MAX),
            header: reflected.header,
            ephemeral: reflected.ephemeral,
            redelivered,
            repeated_nonce: known_nonce && !redelivered,
            nonce,
            content: reflected.envelope.open(&self.config.keys).map(|envelope| envelope.summary()),
            envelope: reflected.envelope.clone(),
        })
    }

    /// A device speaks that the list does not know, or has as gone: the list is out of date. It may be the only thing that
    /// device ever says, so what comes too soon after a list is followed later.
    pub(super) fn refresh_for(&mut self, messages: &[ReflectedMessage]) {
        // What has waited may be by devices that have left since.
        if self.online().is_none_or(|online| online.dry_at.is_none()) {
            return;
        }
        for author in messages.iter().filter_map(|message| message.content.as_ref().ok()?.author) {
            self.refresh_if_missing(author);
        }
    }

    /// Asks for the list soon if it does not have a device that does something now.
    pub(super) fn refresh_if_missing(&mut self, device: DeviceId) {
        let pause = self.config.timing.refresh_pause;
        if let Some(online) = self.online()
            && !online.there.contains(&device)
        {
            let last = online.listed_at.max(online.asked_at);
            online.next_list = online.next_list.min(last.after(pause));
        }
    }

    /// Asks for the list, now or as soon as the last request is long enough ago: something ended that may have changed it.
    pub(super) fn refresh_soon(&mut self) {
        let pause = self.config.timing.refresh_pause;
        if let Some(online) = self.online() {
            online.outdated = true;
            online.next_list = online.next_list.min(online.asked_at.after(pause));
        }
    }

    pub(super) fn hand_on(&mut self, batch: &mut Vec<ReflectedMessage>) {
        if !batch.is_empty() {
            let messages = std::mem::take(batch);
            self.refresh_for(&messages);
            if !self.takes_messages {
                return;
            }
            self.outputs.push_back(Output::Reflected { connection: self.connection, messages });
        }
    }

    pub(super) fn on_durable(&mut self, now: Millis, connection: u64, count: usize) {
        if connection != self.connection {
            return;
        }
        let Some(online) = self.online() else { return };
        let count = count.min(online.undurable.len());
        let durable: Vec<ReflectedId> = online.undurable.drain(..count).collect();
        self.outputs.extend(acknowledgements(&durable).map(Output::Send));
        self.unflushed.extend(durable);
        self.leave_if_promoted(now);
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

    fn on_devices(&mut self, now: Millis, devices: &std::collections::BTreeMap<DeviceId, DeviceEntry>) {
        let own = self.config.device_id;
        let Timing { refresh_interval: interval, refresh_pause: pause, .. } = self.config.timing;
        let company =
            devices.iter().any(|(id, entry)| *id != own && matches!(entry.activity, Activity::ConnectedSince(_)));
        let Some(online) = self.online() else { return };
        online.company |= company;
        let is_there = |entry: &DeviceEntry| !matches!(entry.activity, Activity::LastDisconnect(_));
        online.there = devices.iter().filter(|(_, entry)| is_there(entry)).map(|(id, _)| *id).collect();
        online.listed_at = now;
        // Whatever spoke before this list was made is in it; what ended after it was asked for may not be.
        online.next_list = if online.outdated { online.asked_at.after(pause) } else { now.after(interval) };
        if let Some(asked) = online.awaited_lists.pop_front() {
            self.emit(Event::RoundTrip { probe: Probe::DevicesInfo, elapsed: self.since(asked) });
        }
        self.stored.retain(|device| devices.contains_key(device));
        let mut reused = Vec::new();
        let (keys, stored) = (&self.config.keys, &mut self.stored);
        let listed: std::collections::BTreeMap<DeviceId, ListedDevice> = devices
            .iter()
            .map(|(id, entry)| {
                let info = match stored.device_info(*id, &entry.device_info) {
                    Ok(()) => entry.device_info.open(keys),
                    Err((_, last)) => {
                        reused.push(*id);
                        last.open(keys)
                    }
                };
                let device =
                    ListedDevice { info, activity: entry.activity, expiration_policy: entry.expiration_policy };
                (*id, device)
            })
            .collect();
        for device in reused {
            self.ignored(&format!("a description of device {device} that uses the nonce of another one"));
        }
        let seen = Known::of(&listed, own);
        let changes = self.known.replace(seen.clone()).map_or_else(Vec::new, |known| known.changes_to(&seen));
        for (device, change) in changes {
            self.emit(Event::DeviceChanged { device, change });
        }
        self.emit(Event::Devices(listed));
        self.on_list_for_drop(devices);
        self.leave_if_promoted(now);
    }

    pub(super) fn on_online_command(&mut self, now: Millis, command: Command) {
        let changes_the_group = !matches!(command, Command::RefreshDevices | Command::Ping | Command::ReleaseLock);
        if changes_the_group && self.config.read_only {
            return self.refuse(Refusal::ReadOnly);
        }
        if !matches!(self.phase, Phase::Online(_)) {
            return self.refuse(Refusal::NotConnected);
        }
        match command {
            Command::RefreshDevices if self.online().is_some_and(|online| online.is_owed_too_much()) => {
                self.refuse(Refusal::Busy);
            }
            Command::RefreshDevices => self.request_devices(now),
            Command::Ping => self.ping(now),
            Command::TakeLock { scope, ttl } => self.take_lock(scope, ttl),
            Command::ReleaseLock => self.release_lock(),
            Command::DropDevice(device) => self.drop_device(device.into_inner()),
            Command::LeaveGroup(_) => self.drop_device(self.config.device_id),
            // What the other devices could not read must not reach their queues.
            Command::Reflect { envelope, .. } if !envelope.representable_in(self.config.keys.dialect()) => {
                self.refuse(Refusal::NotInDialect);
            }
            Command::Reflect { envelope, ephemeral } => {
                let sealed = Sealed::seal(&*envelope, &self.config.keys.clone(), self.nonce());
                self.reflect(sealed, ephemeral);
            }
            Command::Probe(_) => self.probe(),
            Command::SetSharedDeviceData(data) => {
                let sealed = Sealed::seal(&data.into_inner(), &self.config.keys.clone(), self.nonce());
                self.send(&ClientMessage::SetSharedDeviceData(sealed));
            }
            Command::Reconnect { .. }
            | Command::Leave
            | Command::AcknowledgeDevices
            | Command::BeginProxy(_)
            | Command::Proxy(_)
            | Command::EndProxy => {}
        }
    }

    /// Reflects what changes nothing anywhere: news of messages that were read, which names no message. The seed has no
    /// such thing.
    fn probe(&mut self) {
        let composer = Composer::new(self.dialect(), self.config.device_id);
        match composer.read(&[], Millis(0)) {
            Some(envelope) => {
                let sealed = Sealed::seal(&envelope, &self.config.keys.clone(), self.nonce());
                self.reflect(sealed, false);
            }
            None => self.refuse(Refusal::NoProbe),
        }
    }

    fn reflect(&mut self, envelope: Sealed<crate::protocol::Envelope>, ephemeral: bool) {
        if envelope.len() > MAX_ENVELOPE_SEALED {
            return self.refuse(Refusal::TooLarge);
        }
        let precise = self.precise;
        if !ephemeral && self.online().is_some_and(|online| online.reflects.len() >= MOST_REFLECTS) {
            return self.refuse(Refusal::Busy);
        }
        let Some(online) = self.online() else { return };
        let id = ReflectId(online.next_reflect_id);
        online.next_reflect_id = online.next_reflect_id.wrapping_add(1);
        if !ephemeral {
            online.reflects.insert(id, precise);
        }
        self.send(&ClientMessage::Reflect(Reflect { id, ephemeral, envelope }));
    }
}
