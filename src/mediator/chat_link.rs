//! One device's connection to the chat server: what is on its way there, and how much of it may be.

use std::collections::VecDeque;

use bytes::Bytes;

use super::connection_id::ConnectionId;
use super::log::{ChatEnd, ChatTraffic, LogEvent};
use crate::protocol::{ChatFrames, Millis};

/// From how many frames that the chat server has not taken on nothing more is read from their client.
const PAUSE_FRAMES: usize = 256;
/// The same in bytes.
const PAUSE_BYTES: usize = 256 * 1024;

/// A device's way to the chat server.
#[derive(Debug)]
pub(super) struct ChatLink {
    since: Millis,
    /// Frames that came before the login; [`None`] once the listener was told to connect.
    pub(super) held: Option<Vec<Bytes>>,
    /// Frames that the chat server has not taken yet.
    unsent: VecDeque<usize>,
    unsent_bytes: usize,
    /// Whether the listener may read, and has not yet brought anything.
    pub(super) reading: bool,
    pub(super) connected: bool,
    pub(super) frames: ChatFrames,
    to_server: ChatTraffic,
    pub(super) from_server: ChatTraffic,
}

impl ChatLink {
    pub(super) fn new(now: Millis) -> Self {
        Self {
            since: now,
            held: Some(Vec::new()),
            unsent: VecDeque::new(),
            unsent_bytes: 0,
            reading: false,
            connected: false,
            frames: ChatFrames::from_server(),
            to_server: ChatTraffic::default(),
            from_server: ChatTraffic::default(),
        }
    }

    pub(super) fn holds_too_much(&self) -> bool {
        self.unsent.len() >= PAUSE_FRAMES || self.unsent_bytes >= PAUSE_BYTES
    }

    pub(super) fn holds_little(&self) -> bool {
        self.unsent.len() < PAUSE_FRAMES / 2 && self.unsent_bytes < PAUSE_BYTES / 2
    }

    pub(super) fn take_in(&mut self, frame: &Bytes) {
        self.to_server.count(frame.len());
        self.unsent.push_back(frame.len());
        self.unsent_bytes += frame.len();
    }

    pub(super) fn written(&mut self, frames: usize) {
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
