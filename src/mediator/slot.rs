//! A device's slot: who it is, its queue, and its connection while there is one.

use std::collections::{BTreeSet, VecDeque};

use super::connection::{DeferredFrame, Wire};
use super::connection_id::ConnectionId;
use super::queue::{NextMessage, Queue, QueueLimits, QueuedMessage};
use super::storage::{StoredMessage, StoredSlot};
use crate::protocol::{
    DeviceEntry, DeviceInfo, Dialect, ExpirationPolicy, Millis, Reflected, ReflectedHeader, ReflectedId, Sealed,
    ServerMessage,
};

/// How many delivered ephemeral ids are remembered, so that an acknowledgement of one is known as such.
const EPHEMERALS_REMEMBERED: usize = 65_536;
/// What a slot takes besides its device info and its queue.
const OVERHEAD: usize = 512;
/// One more than the largest id.
const IDS: u64 = 1 << 32;

/// What is known of a device only while it is connected.
#[derive(Debug)]
pub(super) struct SlotSession {
    pub(super) connection: ConnectionId,
    pub(super) since: Millis,
    /// The place in the order of logins.
    pub(super) order: u64,
    /// Whether the queue has run empty once.
    pub(super) dry: bool,
    /// The number of the first message not yet sent on this connection.
    cursor: u64,
    /// Numbers of ephemeral messages sent on this connection.
    ephemerals: BTreeSet<u64>,
    /// Messages that must not overtake the queue up to a number.
    deferred: VecDeque<(u64, DeferredFrame)>,
}

#[derive(Debug)]
pub(super) struct DeviceSlot {
    pub(super) device_info: Sealed<DeviceInfo>,
    pub(super) policy: ExpirationPolicy,
    pub(super) last_login: Millis,
    pub(super) last_disconnect: Option<Millis>,
    pub(super) session: Option<SlotSession>,
    pub(super) queue: Queue,
}

/// The queue of a slot has grown past the limit.
#[derive(Debug)]
pub(super) struct TooLong;

/// The id is not one of those sent on this connection and not yet acknowledged.
#[derive(Debug)]
pub(super) struct NotOutstanding;

impl DeviceSlot {
    pub(super) fn new(now: Millis, queue: Queue) -> Self {
        Self {
            device_info: Sealed::default(),
            policy: ExpirationPolicy::Volatile,
            last_login: now,
            last_disconnect: None,
            session: None,
            queue,
        }
    }

    /// One that was stored. Whoever was connected at the end of the last run is not any more.
    pub(super) fn restored(now: Millis, stored: StoredSlot) -> Self {
        let StoredSlot { device_info, policy, last_login, last_disconnect, next, messages, bytes } = stored;
        let left = last_disconnect.filter(|at| *at >= last_login).unwrap_or(now);
        Self {
            device_info,
            policy,
            last_login,
            last_disconnect: Some(left),
            session: None,
            queue: Queue::stored_already(next, messages, bytes),
        }
    }

    /// A login on a connection: everything not acknowledged will be sent from the start.
    pub(super) fn connect(&mut self, now: Millis, connection: ConnectionId, order: u64) {
        self.last_login = now;
        self.session = Some(SlotSession {
            connection,
            since: now,
            order,
            dry: false,
            cursor: self.queue.first(),
            ephemerals: BTreeSet::new(),
            deferred: VecDeque::new(),
        });
    }

    /// The connection is gone, and with it whatever was only for a connected device.
    pub(super) fn disconnect(&mut self, now: Millis) {
        self.session = None;
        self.last_disconnect = Some(now);
        self.queue.disconnect();
    }

    /// The bytes that are held for it, whether it is connected or not.
    pub(super) fn bytes(&self) -> usize {
        OVERHEAD + self.device_info.len() + self.queue.held_bytes()
    }

    pub(super) fn connection(&self) -> Option<ConnectionId> {
        self.session.as_ref().map(|session| session.connection)
    }

    /// Appends a message. An ephemeral one goes only to a connected device whose queue has room.
    /// Its number if it has to be stored.
    pub(super) fn push(&mut self, item: &QueuedMessage, limits: QueueLimits) -> Result<Option<u64>, TooLong> {
        if item.ephemeral && (self.session.is_none() || !self.queue.has_room_for(item, limits)) {
            return Ok(None);
        }
        // What nobody has to acknowledge never costs a device its slot.
        if !item.ephemeral && !self.queue.has_room_for(item, limits) {
            self.queue.forget_ephemerals();
            if !self.queue.has_room_for(item, limits) {
                return Err(TooLong);
            }
        }
        let number = self.queue.push(item.clone(), self.session.is_some());
        Ok(Some(number).filter(|_| !item.ephemeral))
    }

    /// Takes an acknowledged message out: its number, and what it took of the queue's bytes, if it was stored.
    pub(super) fn acknowledge(&mut self, id: ReflectedId) -> Result<Option<(u64, usize)>, NotOutstanding> {
        let session = self.session.as_ref().ok_or(NotOutstanding)?;
        // Whatever was sent lies before the cursor, by less than all ids there are.
        let back = match u64::from(wire_id(session.cursor).0.wrapping_sub(id.0)) {
            0 => IDS,
            back => back,
        };
        let number = session.cursor.checked_sub(back).ok_or(NotOutstanding)?;
        if session.ephemerals.contains(&number) {
            return Ok(None);
        }
        self.queue.acknowledge(number).map(|bytes| Some((number, bytes))).ok_or(NotOutstanding)
    }

    /// Messages came back from the store, which this connection asked for; the caller pumps.
    pub(super) fn fetched(&mut self, connection: ConnectionId, messages: Vec<StoredMessage>) {
        if self.connection() == Some(connection) {
            self.queue.fetched(messages);
        }
    }

    /// Sends a message when all that is in the queue by now has been sent; the caller pumps.
    pub(super) fn send_after_queue(&mut self, wire: &mut Wire, message: &ServerMessage) {
        let Some(session) = &mut self.session else { return };
        session.defer(wire, self.queue.next(), message);
    }

    /// Sends a message at once, unless one that came before it waits for the queue.
    pub(super) fn send_in_order(&mut self, wire: &mut Wire, message: &ServerMessage) {
        let Some(session) = &mut self.session else { return };
        match session.deferred.back().map(|(after, _)| *after) {
            Some(after) => session.defer(wire, after, message),
            None => wire.send(session.connection, message),
        }
    }

    /// Sends as much as the connection takes, and the news that the queue has run empty for the first time.
    pub(super) fn pump(&mut self, wire: &mut Wire) {
        let Some(session) = &mut self.session else { return };
        loop {
            let next = self.queue.next_from(session.cursor);
            if let Some(frame) = session.take_due(next.map(NextMessage::number)) {
                wire.send_deferred(session.connection, frame);
                continue;
            }
            let Some(next) = next else { break };
            if !wire.has_room(session.connection) {
                return;
            }
            match next {
                NextMessage::Here(number) => session.send(wire, number, &mut self.queue),
                NextMessage::Missing(from) => {
                    if self.queue.begin_fetch() {
                        wire.fetch(session.connection, from);
                    }
                    return;
                }
            }
        }
        if !session.dry {
            session.dry = true;
            wire.send(session.connection, &ServerMessage::ReflectionQueueDry);
        }
    }

    pub(super) fn entry(&self, dialect: Dialect) -> DeviceEntry {
        let since = self.session.as_ref().map(|session| session.since);
        DeviceEntry {
            device_info: self.device_info.clone(),
            activity: dialect.activity(self.last_login, since, self.last_disconnect),
            expiration_policy: Some(self.policy),
        }
    }
}

impl SlotSession {
    fn defer(&mut self, wire: &mut Wire, after: u64, message: &ServerMessage) {
        if let Some(frame) = wire.defer(self.connection, message) {
            self.deferred.push_back((after, frame));
        }
    }

    /// The next deferred message, if nothing that it has to wait for is unsent.
    fn take_due(&mut self, waiting: Option<u64>) -> Option<DeferredFrame> {
        let (after, _) = self.deferred.front()?;
        if waiting.is_some_and(|number| number < *after) {
            return None;
        }
        self.deferred.pop_front().map(|(_, frame)| frame)
    }

    fn send(&mut self, wire: &mut Wire, number: u64, queue: &mut Queue) {
        self.cursor = number + 1;
        let Some(item) = queue.send(number) else { return };
        if item.ephemeral {
            self.ephemerals.insert(number);
            if self.ephemerals.len() > EPHEMERALS_REMEMBERED {
                self.ephemerals.pop_first();
            }
        }
        wire.tally.deliveries += 1;
        let QueuedMessage { timestamp, ephemeral, envelope } = item;
        let header = ReflectedHeader::default();
        let reflected = Reflected { id: wire_id(number), ephemeral, timestamp, header, envelope };
        wire.send(self.connection, &ServerMessage::Reflected(reflected));
    }
}

#[allow(clippy::cast_possible_truncation, reason = "ids wrap; the lower half is what goes over the wire")]
const fn wire_id(number: u64) -> ReflectedId {
    ReflectedId(number as u32)
}
