//! The way to the chat server: one connection there for each device that sends Proxy frames.
//!
//! Frames are taken from the start and passed on from the login: nobody gets a way to the chat server without having
//! proved to be of a group, and nothing comes of it before `ServerInfo`. What comes back is cut into the chat server's
//! frames, one a message. Nothing piles up on either way: a client is not read from as long as the chat server does not
//! take what it sent, and the chat server is read from only as far as the client reads.

use std::collections::VecDeque;
use std::io;

use bytes::Bytes;

use super::connection::{ConnectionId, own};
use super::log::{Closing, LogEvent};
use super::{Mediator, Output};
use crate::protocol::{ChatFrames, CloseCode, Millis, ServerMessage};

/// From how many frames that the chat server has not taken on nothing more is read from their client.
const PAUSE_FRAMES: usize = 256;
/// The same in bytes.
const PAUSE_BYTES: usize = 256 * 1024;

/// What happened on the way to the chat server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatEvent {
    /// The connection is made.
    Connected,
    /// The connection could not be made: why.
    Unreachable(io::ErrorKind),
    /// Bytes came, in answer to [`ChatAction::Read`].
    Bytes(Bytes),
    /// Frames were written to the chat server.
    Written {
        /// How many.
        frames: usize,
    },
    /// The chat server closed the connection, or it broke.
    Closed,
}

/// What to do on the way to the chat server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatAction {
    /// Make a connection.
    Connect,
    /// Send this, once the connection is made.
    Send(Bytes),
    /// Read once.
    Read,
    /// Close the connection, once everything sent before is written.
    Close,
}

/// How a connection to the chat server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatEnd {
    /// The device's connection ended.
    Device,
    /// The chat server closed it, or it broke.
    Server,
    /// It could not be made: why.
    Unreachable(io::ErrorKind),
    /// What the chat server sent cannot be passed on.
    Unframed,
}

/// What went one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// How many frames.
    pub frames: u64,
    /// How many bytes.
    pub bytes: u64,
}

impl Traffic {
    /// One more frame, of so many bytes.
    pub const fn count(&mut self, bytes: usize) {
        self.frames += 1;
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }
}

/// A device's way to the chat server.
#[derive(Debug)]
pub(super) struct Chat {
    since: Millis,
    /// Frames that came before the login; [`None`] once the listener was told to connect.
    held: Option<Vec<Bytes>>,
    /// Frames that the chat server has not taken yet.
    unsent: VecDeque<usize>,
    unsent_bytes: usize,
    /// Whether the listener may read, and has not yet brought anything.
    reading: bool,
    connected: bool,
    frames: ChatFrames,
    to_server: Traffic,
    from_server: Traffic,
}

impl Chat {
    fn new(now: Millis) -> Self {
        Self {
            since: now,
            held: Some(Vec::new()),
            unsent: VecDeque::new(),
            unsent_bytes: 0,
            reading: false,
            connected: false,
            frames: ChatFrames::from_server(),
            to_server: Traffic::default(),
            from_server: Traffic::default(),
        }
    }

    pub(super) fn holds_too_much(&self) -> bool {
        self.unsent.len() >= PAUSE_FRAMES || self.unsent_bytes >= PAUSE_BYTES
    }

    pub(super) fn holds_little(&self) -> bool {
        self.unsent.len() < PAUSE_FRAMES / 2 && self.unsent_bytes < PAUSE_BYTES / 2
    }

    fn take_in(&mut self, frame: &Bytes) {
        self.to_server.count(frame.len());
        self.unsent.push_back(frame.len());
        self.unsent_bytes += frame.len();
    }

    fn written(&mut self, frames: usize) {
        let frames = frames.min(self.unsent.len());
        self.unsent_bytes -= self.unsent.drain(..frames).sum::<usize>();
    }

    /// Whether the listener has a connection, or is making one.
    pub(super) const fn is_open(&self) -> bool {
        self.held.is_none()
    }

    pub(super) fn ended(&self, now: Millis, connection: ConnectionId, end: ChatEnd) -> LogEvent {
        LogEvent::ChatClosed {
            connection,
            end,
            to_server: self.to_server,
            from_server: self.from_server,
            lasted: now.since(self.since),
        }
    }
}

impl Mediator {
    /// A frame for the chat server. Without one behind us it is counted, and let go.
    pub(super) fn proxy(&mut self, now: Millis, id: ConnectionId, frame: Bytes) {
        let Some(connection) = self.wire.get_mut(id) else { return };
        connection.proxy_frames += 1;
        if !self.config.chat_server {
            return;
        }
        let logged_in = connection.device().is_some();
        let chat = connection.chat.get_or_insert_with(|| Chat::new(now));
        chat.take_in(&frame);
        match &mut chat.held {
            Some(held) => held.push(own(&frame)),
            None => self.wire.act_on_chat(id, ChatAction::Send(frame)),
        }
        if logged_in {
            self.open_chat(id);
        }
        self.wire.regulate(id);
    }

    /// Now that a device is logged in, what it has for the chat server may go there.
    pub(super) fn open_chat(&mut self, id: ConnectionId) {
        let chat = self.wire.get_mut(id).and_then(|connection| connection.chat.as_mut());
        let Some(held) = chat.and_then(|chat| chat.held.take()) else { return };
        self.wire.act_on_chat(id, ChatAction::Connect);
        for frame in held {
            self.wire.act_on_chat(id, ChatAction::Send(frame));
        }
    }

    pub(super) fn on_chat(&mut self, now: Millis, id: ConnectionId, event: ChatEvent) {
        let Some(chat) = self.wire.chat(id) else { return };
        match event {
            ChatEvent::Connected => {
                chat.connected = true;
                self.wire.log(LogEvent::ChatOpened { connection: id });
            }
            ChatEvent::Written { frames } => chat.written(frames),
            ChatEvent::Bytes(bytes) => {
                chat.reading = false;
                chat.frames.push(&bytes);
                self.pass_on(now, id);
            }
            ChatEvent::Closed => {
                return self.end_chat(now, id, ChatEnd::Server, Closing::of(CloseCode::CHAT_CLOSED));
            }
            ChatEvent::Unreachable(kind) => {
                let closing = Closing::of(CloseCode::CHAT_UNREACHABLE);
                return self.end_chat(now, id, ChatEnd::Unreachable(kind), closing);
            }
        }
        self.wire.regulate(id);
    }

    /// Sends the whole frames that came from the chat server to the device.
    fn pass_on(&mut self, now: Millis, id: ConnectionId) {
        loop {
            let Some(chat) = self.wire.chat(id) else { return };
            match chat.frames.next_frame() {
                Ok(None) => return,
                Ok(Some(frame)) => {
                    chat.from_server.count(frame.len());
                    self.wire.send(id, &ServerMessage::Proxy(frame));
                }
                Err(_) => {
                    let closing =
                        Closing::new(CloseCode::CHAT_INTERNAL_ERROR, "what the chat server sent cannot be passed on");
                    return self.end_chat(now, id, ChatEnd::Unframed, closing);
                }
            }
        }
    }

    /// The way to the chat server is lost, and the device's connection with it.
    fn end_chat(&mut self, now: Millis, id: ConnectionId, end: ChatEnd, closing: Closing) {
        self.wire.drop_chat(now, id, end);
        self.close(now, id, closing);
    }
}

impl super::connection::Wire {
    fn chat(&mut self, id: ConnectionId) -> Option<&mut Chat> {
        self.get_mut(id)?.chat.as_mut()
    }

    fn act_on_chat(&mut self, id: ConnectionId, action: ChatAction) {
        self.put(Output::Chat { connection: id, action });
    }

    /// Has more read from the chat server if its device reads.
    pub(super) fn read_chat(&mut self, id: ConnectionId) {
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
