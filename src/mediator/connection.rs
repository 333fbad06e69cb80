//! Connections, and what is on its way to each: how much the listener has been handed and has not yet written.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::chat_link::ChatLink;
use super::connection_id::ConnectionId;
use super::figures::Tally;
use super::io::{ChatAction, HandshakeSecrets, MediatorOutput};
use super::log::{ChatEnd, Closing, ConnectionEnd, LogEvent};
use super::outbox::Outbox;
use super::storage::{Change, Fetch};
use crate::protocol::{DeviceGroupId, DeviceId, Dialect, Millis, ServerMessage};

/// How many frames of a reflection queue the listener is handed ahead of what it has written.
pub(super) const WINDOW_FRAMES: usize = 512;
/// The same in bytes.
pub(super) const WINDOW_BYTES: usize = 1024 * 1024;
/// From how many frames on nothing more is read from a client that does not read either.
const PAUSE_FRAMES: usize = 1_024;
/// The same in bytes.
const PAUSE_BYTES: usize = 4 * 1024 * 1024;
/// From how many frames on a client is given up: only others' transactions lead here, since it is not read from.
const MOST_FRAMES: usize = 8_192;
/// The same in bytes.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How much a connection that is closed may still have to write.
const FAREWELL_BYTES: usize = 64 * 1024;
/// What a frame that waits takes besides its bytes.
pub(super) const FRAME_OVERHEAD: usize = 128;

/// How far a connection has come.
#[derive(Clone, Debug)]
pub(super) enum ConnectionPhase {
    /// It was sent the challenge.
    Challenged(HandshakeSecrets),
    /// It is this device of its group.
    LoggedIn(DeviceId),
}

#[derive(Debug)]
pub(super) struct ClientConnection {
    pub(super) group: DeviceGroupId,
    pub(super) dialect: Dialect,
    pub(super) phase: ConnectionPhase,
    pub(super) opened: Millis,
    pub(super) last_heard: Millis,
    /// When it was asked for a sign of life that has not come.
    pub(super) pinged: Option<Millis>,
    /// Whether it has ever answered a ping: not every client does.
    pub(super) answers_pings: bool,
    pub(super) proxy_frames: u64,
    /// Its way to the chat server, if it has sent anything for that.
    pub(super) chat: Option<ChatLink>,
    unwritten: VecDeque<usize>,
    unwritten_bytes: usize,
    /// Answers and news that wait until the queue before them is sent.
    deferred: usize,
    deferred_bytes: usize,
    /// When the socket last took something, or had nothing to take.
    pub(super) last_written: Millis,
    paused: bool,
}

/// A message in its connection's dialect, which waits until the queue before it is sent.
#[derive(Debug)]
pub(super) struct DeferredFrame(Bytes);

impl ClientConnection {
    pub(super) const fn new(now: Millis, group: DeviceGroupId, dialect: Dialect, ephemeral: HandshakeSecrets) -> Self {
        Self {
            group,
            dialect,
            phase: ConnectionPhase::Challenged(ephemeral),
            opened: now,
            last_heard: now,
            pinged: None,
            answers_pings: false,
            proxy_frames: 0,
            chat: None,
            unwritten: VecDeque::new(),
            unwritten_bytes: 0,
            deferred: 0,
            deferred_bytes: 0,
            last_written: now,
            paused: false,
        }
    }

    pub(super) const fn device(&self) -> Option<DeviceId> {
        match self.phase {
            ConnectionPhase::Challenged(_) => None,
            ConnectionPhase::LoggedIn(device) => Some(device),
        }
    }

    /// Whether the window is open: what waits behind it does not count, or it would never be sent.
    fn has_room(&self) -> bool {
        self.unwritten.len() < WINDOW_FRAMES && self.unwritten_bytes < WINDOW_BYTES
    }

    /// The bytes that are held for its client, whatever they are.
    pub(super) const fn held_bytes(&self) -> usize {
        self.unwritten_bytes + self.deferred_bytes
    }

    fn holds_more_than(&self, frames: usize, bytes: usize) -> bool {
        self.unwritten.len() + self.deferred >= frames || self.held_bytes() >= bytes
    }

    /// Whether its client takes nothing of what waits for it.
    pub(super) fn is_stuck(&self) -> bool {
        !self.unwritten.is_empty()
    }

    pub(super) const fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether its client may not send more: it does not read, or the chat server does not read what it sent.
    fn must_pause(&self) -> bool {
        self.holds_more_than(PAUSE_FRAMES, PAUSE_BYTES) || self.chat.as_ref().is_some_and(ChatLink::holds_too_much)
    }

    fn may_resume(&self) -> bool {
        !self.holds_more_than(PAUSE_FRAMES / 2, PAUSE_BYTES / 2)
            && self.chat.as_ref().is_none_or(ChatLink::holds_little)
    }
}

/// All connections, and the way out to them.
#[derive(Debug)]
pub(super) struct Wire {
    connections: BTreeMap<ConnectionId, ClientConnection>,
    outbox: Outbox,
    overwhelmed: Vec<ConnectionId>,
    /// The bytes that are held for all connections.
    held: usize,
    pub(super) tally: Tally,
    /// The steady time of the input that is being handled.
    pub(super) now: Millis,
}

impl Wire {
    pub(super) const fn new(stores: bool) -> Self {
        Self {
            connections: BTreeMap::new(),
            outbox: Outbox::new(stores),
            overwhelmed: Vec::new(),
            held: 0,
            tally: Tally { reflections: 0, deliveries: 0, locks_refused: 0 },
            now: Millis(0),
        }
    }

    pub(super) fn insert(&mut self, id: ConnectionId, connection: ClientConnection) {
        self.connections.insert(id, connection);
    }

    pub(super) fn get(&self, id: ConnectionId) -> Option<&ClientConnection> {
        self.connections.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut ClientConnection> {
        self.connections.get_mut(&id)
    }

    pub(super) fn count(&self) -> usize {
        self.connections.len()
    }

    pub(super) fn ids(&self) -> Vec<ConnectionId> {
        self.connections.keys().copied().collect()
    }

    /// Sends a message in the connection's dialect.
    pub(super) fn send(&mut self, id: ConnectionId, message: &ServerMessage) {
        let Some(connection) = self.connections.get(&id) else { return };
        self.send_bytes(id, message.encode(connection.dialect));
    }

    fn send_bytes(&mut self, id: ConnectionId, bytes: Bytes) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let cost = cost(&bytes);
        if connection.unwritten.is_empty() {
            connection.last_written = self.now;
        }
        connection.unwritten.push_back(cost);
        connection.unwritten_bytes += cost;
        self.held += cost;
        self.outbox.put(MediatorOutput::Send { connection: id, bytes });
        self.bound(id);
    }

    /// A message that waits until the queue before it is sent; it counts among what is held for the connection.
    pub(super) fn defer(&mut self, id: ConnectionId, message: &ServerMessage) -> Option<DeferredFrame> {
        let connection = self.connections.get_mut(&id)?;
        let bytes = message.encode(connection.dialect);
        let cost = cost(&bytes);
        connection.deferred += 1;
        connection.deferred_bytes += cost;
        self.held += cost;
        self.bound(id);
        Some(DeferredFrame(bytes))
    }

    /// Sends what waited.
    pub(super) fn send_deferred(&mut self, id: ConnectionId, DeferredFrame(bytes): DeferredFrame) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let cost = cost(&bytes);
        connection.deferred -= 1;
        connection.deferred_bytes -= cost;
        self.held -= cost;
        self.send_bytes(id, bytes);
    }

    /// Stops reading from a client that holds much, and gives up one that holds more than anyone may.
    fn bound(&mut self, id: ConnectionId) {
        self.regulate(id);
        if self.get(id).is_some_and(|connection| connection.holds_more_than(MOST_FRAMES, MOST_BYTES)) {
            self.overwhelmed.push(id);
        }
    }

    /// Whether the listener may be handed another frame of this connection's queue.
    pub(super) fn has_room(&self, id: ConnectionId) -> bool {
        self.get(id).is_some_and(ClientConnection::has_room)
    }

    /// The listener has written this many frames.
    pub(super) fn written(&mut self, id: ConnectionId, frames: usize) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let frames = frames.min(connection.unwritten.len());
        let written = connection.unwritten.drain(..frames).sum::<usize>();
        connection.unwritten_bytes -= written;
        connection.last_written = self.now;
        self.held -= written;
        self.regulate(id);
    }

    /// The bytes that are held for all connections.
    pub(super) const fn held_bytes(&self) -> usize {
        self.held
    }

    /// The bytes that are held for each connection, by its group.
    pub(super) fn held_by_group(&self) -> impl Iterator<Item = (DeviceGroupId, usize)> {
        self.connections.values().map(|connection| (connection.group, connection.held_bytes()))
    }

    /// The connections of a group, with the bytes that are held for each.
    pub(super) fn held_for(&self, group: DeviceGroupId) -> impl Iterator<Item = (ConnectionId, usize)> {
        let of_group = self.connections.iter().filter(move |(_, connection)| connection.group == group);
        of_group.map(|(id, connection)| (*id, connection.held_bytes()))
    }

    /// Has a client paused or read from again, and the chat server read, as far as there is room for what they send.
    pub(super) fn regulate(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if !connection.paused && connection.must_pause() {
            connection.paused = true;
            self.outbox.put(MediatorOutput::Pause { connection: id });
        } else if connection.paused && connection.may_resume() {
            connection.paused = false;
            self.outbox.put(MediatorOutput::Resume { connection: id });
        }
        self.read_chat(id);
    }

    /// A connection that holds more than anyone may: to be closed as soon as the current input is done with.
    pub(super) fn take_overwhelmed(&mut self) -> Option<ConnectionId> {
        self.overwhelmed.pop()
    }

    /// Forgets a connection, and tells the listener and the log.
    pub(super) fn remove(&mut self, now: Millis, id: ConnectionId, end: ConnectionEnd) -> Option<ClientConnection> {
        self.drop_chat(now, id, ChatEnd::Device);
        let connection = self.connections.remove(&id)?;
        self.held -= connection.held_bytes();
        if let ConnectionEnd::Ours(Closing { code, reason }) = &end {
            let (code, reason) = (*code, reason.clone());
            // What a closed connection still has to write is bounded by nothing else.
            let discard = connection.held_bytes() > FAREWELL_BYTES;
            self.outbox.put(MediatorOutput::Close { connection: id, code, reason, discard });
        }
        self.log(LogEvent::Closed {
            connection: id,
            group: connection.group,
            device: connection.device(),
            end,
            proxy_frames: connection.proxy_frames,
            lasted: now.since(connection.opened),
        });
        Some(connection)
    }

    /// Closes a connection that never became one of ours.
    pub(super) fn refuse(&mut self, id: ConnectionId, closing: Closing) {
        self.outbox.put(MediatorOutput::Close {
            connection: id,
            code: closing.code,
            reason: closing.reason,
            discard: false,
        });
    }

    pub(super) fn log(&mut self, event: LogEvent) {
        self.put(MediatorOutput::Log(event));
    }

    pub(super) fn put(&mut self, output: MediatorOutput) {
        self.outbox.put(output);
    }

    /// Whether there is a store.
    pub(super) const fn stores(&self) -> bool {
        self.outbox.stores()
    }

    pub(super) fn store(&mut self, change: Change) {
        self.outbox.store(change);
    }

    pub(super) const fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// Asks the store for messages of a connection's device, from a number on: as many as the connection takes.
    pub(super) fn fetch(&mut self, connection: ConnectionId, from: u64) {
        let of = self.get(connection).and_then(|connection| Some((connection.group, connection.device()?)));
        let Some((group, device)) = of else { return };
        let (messages, bytes) = (WINDOW_FRAMES, WINDOW_BYTES);
        self.put(MediatorOutput::Fetch(Fetch { connection, group, device, from, messages, bytes }));
    }

    pub(super) fn chat(&mut self, id: ConnectionId) -> Option<&mut ChatLink> {
        self.get_mut(id)?.chat.as_mut()
    }

    pub(super) fn act_on_chat(&mut self, id: ConnectionId, action: ChatAction) {
        self.put(MediatorOutput::Chat { connection: id, action });
    }

    /// Has more read from the chat server if its device reads.
    fn read_chat(&mut self, id: ConnectionId) {
        let room = self.has_room(id);
        let Some(chat) = self.chat(id) else { return };
        if room && chat.connected && !chat.reading {
            chat.reading = true;
            self.act_on_chat(id, ChatAction::Read);
        }
    }

    /// Ends the connection to the chat server, if there is one, and tells the log.
    pub(super) fn drop_chat(&mut self, now: Millis, id: ConnectionId, end: ChatEnd) {
        let Some(chat) = self.get_mut(id).and_then(|connection| connection.chat.take()) else { return };
        if chat.is_open() {
            self.act_on_chat(id, ChatAction::Close);
            self.log(chat.ended(now, id, end));
        }
    }
}

/// What a frame takes of a connection's bytes while it waits.
const fn cost(frame: &Bytes) -> usize {
    frame.len() + FRAME_OVERHEAD
}

/// A copy of its own: a slice of a frame would keep the whole read buffer it came in.
pub(super) fn own(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
