//! Connections, and what is on its way to each: how much the listener has been handed and has not yet written.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::chat_link::ChatLink;
use super::connection_id::ConnectionId;
use super::io::{ChatAction, HandshakeSecrets, MediatorOutput};
use super::log::{ChatEnd, Closing, ConnectionEnd, LogEvent};
use crate::protocol::{DeviceGroupId, DeviceId, Dialect, Millis, ServerMessage};

/// How many frames of a reflection queue the listener is handed ahead of what it has written.
const WINDOW_FRAMES: usize = 512;
/// The same in bytes.
const WINDOW_BYTES: usize = 1024 * 1024;
/// From how many frames on nothing more is read from a client that does not read either.
const PAUSE_FRAMES: usize = 1_024;
/// The same in bytes.
const PAUSE_BYTES: usize = 4 * 1024 * 1024;
/// From how many frames on a client is given up: only others' transactions lead here, since it is not read from.
pub(super) const MOST_FRAMES: usize = 8_192;
/// The same in bytes.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// How far a connection has come.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// It was sent the challenge.
    Challenged(HandshakeSecrets),
    /// It is this device of its group.
    LoggedIn(DeviceId),
}

#[derive(Debug)]
pub(super) struct ClientConnection {
    pub(super) group: DeviceGroupId,
    pub(super) dialect: Dialect,
    pub(super) phase: Phase,
    pub(super) opened: Millis,
    pub(super) last_heard: Millis,
    pub(super) proxy_frames: u64,
    /// Its way to the chat server, if it has sent anything for that.
    pub(super) chat: Option<ChatLink>,
    unwritten: VecDeque<usize>,
    unwritten_bytes: usize,
    paused: bool,
}

impl ClientConnection {
    pub(super) const fn new(now: Millis, group: DeviceGroupId, dialect: Dialect, ephemeral: HandshakeSecrets) -> Self {
        Self {
            group,
            dialect,
            phase: Phase::Challenged(ephemeral),
            opened: now,
            last_heard: now,
            proxy_frames: 0,
            chat: None,
            unwritten: VecDeque::new(),
            unwritten_bytes: 0,
            paused: false,
        }
    }

    pub(super) const fn device(&self) -> Option<DeviceId> {
        match self.phase {
            Phase::Challenged(_) => None,
            Phase::LoggedIn(device) => Some(device),
        }
    }

    fn holds_more_than(&self, frames: usize, bytes: usize) -> bool {
        self.unwritten.len() >= frames || self.unwritten_bytes >= bytes
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
#[derive(Debug, Default)]
pub(super) struct Wire {
    connections: BTreeMap<ConnectionId, ClientConnection>,
    outputs: VecDeque<MediatorOutput>,
    overwhelmed: Vec<ConnectionId>,
}

impl Wire {
    pub(super) fn insert(&mut self, id: ConnectionId, connection: ClientConnection) {
        self.connections.insert(id, connection);
    }

    pub(super) fn get(&self, id: ConnectionId) -> Option<&ClientConnection> {
        self.connections.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut ClientConnection> {
        self.connections.get_mut(&id)
    }

    pub(super) fn ids(&self) -> Vec<ConnectionId> {
        self.connections.keys().copied().collect()
    }

    /// Sends a message in the connection's dialect.
    pub(super) fn send(&mut self, id: ConnectionId, message: &ServerMessage) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let bytes = message.encode(connection.dialect);
        connection.unwritten.push_back(bytes.len());
        connection.unwritten_bytes += bytes.len();
        let give_up = connection.holds_more_than(MOST_FRAMES, MOST_BYTES);
        self.outputs.push_back(MediatorOutput::Send { connection: id, bytes });
        self.regulate(id);
        if give_up {
            self.give_up(id);
        }
    }

    /// Whether the listener may be handed another frame of this connection's queue.
    pub(super) fn has_room(&self, id: ConnectionId) -> bool {
        self.get(id).is_some_and(|connection| !connection.holds_more_than(WINDOW_FRAMES, WINDOW_BYTES))
    }

    /// The listener has written this many frames.
    pub(super) fn written(&mut self, id: ConnectionId, frames: usize) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let frames = frames.min(connection.unwritten.len());
        connection.unwritten_bytes -= connection.unwritten.drain(..frames).sum::<usize>();
        self.regulate(id);
    }

    /// Has a client paused or read from again, and the chat server read, as far as there is room for what they send.
    pub(super) fn regulate(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if !connection.paused && connection.must_pause() {
            connection.paused = true;
            self.outputs.push_back(MediatorOutput::Pause { connection: id });
        } else if connection.paused && connection.may_resume() {
            connection.paused = false;
            self.outputs.push_back(MediatorOutput::Resume { connection: id });
        }
        self.read_chat(id);
    }

    /// Marks a connection that holds more than anyone may; it is closed as soon as the current input is done with.
    pub(super) fn give_up(&mut self, id: ConnectionId) {
        self.overwhelmed.push(id);
    }

    pub(super) fn take_overwhelmed(&mut self) -> Option<ConnectionId> {
        self.overwhelmed.pop()
    }

    /// Forgets a connection, and tells the listener and the log.
    pub(super) fn remove(&mut self, now: Millis, id: ConnectionId, end: ConnectionEnd) -> Option<ClientConnection> {
        self.drop_chat(now, id, ChatEnd::Device);
        let connection = self.connections.remove(&id)?;
        if let ConnectionEnd::Ours(Closing { code, reason }) = &end {
            self.outputs.push_back(MediatorOutput::Close { connection: id, code: *code, reason: reason.clone() });
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
        self.outputs.push_back(MediatorOutput::Close { connection: id, code: closing.code, reason: closing.reason });
    }

    pub(super) fn log(&mut self, event: LogEvent) {
        self.put(MediatorOutput::Log(event));
    }

    pub(super) fn put(&mut self, output: MediatorOutput) {
        self.outputs.push_back(output);
    }

    pub(super) fn poll(&mut self) -> Option<MediatorOutput> {
        self.outputs.pop_front()
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

/// A copy of its own: a slice of a frame would keep the whole read buffer it came in.
pub(super) fn own(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
