//! [`Relay`]: two clients meet on a path, and what one sends reaches the other.
//!
//! It reads nothing of what it passes on. Bounds keep strangers from filling its memory: paths, bytes on their way in each
//! direction, and time.

mod io;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;

pub use io::{RelayConfig, RelayEnd, RelayEvent, RelayOutput, RelaySide};

use crate::protocol::{CloseCode, Millis};
use crate::rendezvous::wire::{RelayPath, close};

/// There is no room for another path, says WebSocket.
const TRY_AGAIN_LATER: CloseCode = CloseCode(1013);
/// What a message counts beside its bytes: empty ones take room, too.
const OVERHEAD: usize = 128;
const ENDS: &str = "the relay ends";

#[derive(Debug)]
struct Path {
    first: RelaySide,
    second: Option<RelaySide>,
    /// What the first said before the second was there.
    held: RelayedMessages,
    until: Millis,
    ends: Millis,
}

#[derive(Debug)]
struct Client {
    path: RelayPath,
    /// Sent, and not yet written to its socket.
    waiting: RelayedMessages,
    is_paused: bool,
    opened: Millis,
    bytes: u64,
}

/// Messages on their way. They are kept until they are written: a listener counts what memory they take for as long as
/// they exist.
#[derive(Debug, Default)]
struct RelayedMessages {
    messages: VecDeque<Bytes>,
    size: usize,
}

impl RelayedMessages {
    fn push(&mut self, bytes: Bytes) {
        self.size = self.size.saturating_add(bytes.len()).saturating_add(OVERHEAD);
        self.messages.push_back(bytes);
    }

    fn pop(&mut self) {
        if let Some(bytes) = self.messages.pop_front() {
            self.size = self.size.saturating_sub(bytes.len()).saturating_sub(OVERHEAD);
        }
    }
}

/// All paths of one relay.
#[derive(Debug)]
pub struct Relay {
    config: RelayConfig,
    paths: BTreeMap<RelayPath, Path>,
    clients: BTreeMap<RelaySide, Client>,
    outputs: VecDeque<RelayOutput>,
    is_shut_down: bool,
}

impl Relay {
    /// With nobody there.
    #[must_use]
    pub const fn new(config: RelayConfig) -> Self {
        Self { config, paths: BTreeMap::new(), clients: BTreeMap::new(), outputs: VecDeque::new(), is_shut_down: false }
    }

    /// A client opened a connection to a path. `side` must be new. False if it is turned away.
    pub fn open(&mut self, now: Millis, side: RelaySide, path: &RelayPath) -> bool {
        let full = self.paths.len() >= self.config.max_paths;
        let (idle, lifetime) = (now.after(self.config.idle), now.after(self.config.lifetime));
        match self.paths.get_mut(path) {
            _ if self.is_shut_down => return self.turn_away(side, CloseCode::GOING_AWAY, ENDS),
            Some(Path { second: Some(_), .. }) => {
                return self.turn_away(side, close::RENDEZVOUS_ERROR, "two devices have met here");
            }
            None if full => return self.turn_away(side, TRY_AGAIN_LATER, "too many devices wait here"),
            Some(met) => {
                met.second = Some(side);
                (met.until, met.ends) = (idle, lifetime);
                let (with, held) = (met.first, std::mem::take(&mut met.held));
                self.outputs.push_back(RelayOutput::Log(RelayEvent::Met { side, with }));
                self.outputs.extend(held.messages.iter().map(|bytes| RelayOutput::Send(side, bytes.clone())));
                self.insert(now, side, path, held);
            }
            None => {
                let (until, held) = (now.after(self.config.wait), RelayedMessages::default());
                self.paths.insert(path.clone(), Path { first: side, second: None, held, until, ends: lifetime });
                self.outputs.push_back(RelayOutput::Log(RelayEvent::Waiting(side)));
                self.insert(now, side, path, RelayedMessages::default());
            }
        }
        true
    }

    /// A client sent a binary message.
    pub fn message(&mut self, now: Millis, side: RelaySide, bytes: Bytes) {
        let Some(client) = self.clients.get_mut(&side) else { return };
        client.bytes = client.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let Some(path) = self.paths.get_mut(&client.path) else { return };
        let waiting = match path.peer_of(side) {
            Some(peer) => {
                path.until = now.after(self.config.idle);
                let Some(peer_client) = self.clients.get_mut(&peer) else { return };
                self.outputs.push_back(RelayOutput::Send(peer, bytes.clone()));
                &mut peer_client.waiting
            }
            None => &mut path.held,
        };
        waiting.push(bytes);
        if waiting.size >= self.config.max_waiting
            && let Some(client) = self.clients.get_mut(&side)
            && !std::mem::replace(&mut client.is_paused, true)
        {
            self.outputs.push_back(RelayOutput::Pause(side));
        }
    }

    /// A client sent what no device does: a text message, too long a message, or what is no WebSocket message.
    pub fn nonsense(&mut self, now: Millis, side: RelaySide) {
        if self.clients.contains_key(&side) {
            self.outputs.push_back(RelayOutput::Close(
                side,
                close::RENDEZVOUS_ERROR,
                "only binary messages of a frame",
            ));
            self.end(now, side, RelayEnd::Relay, Some(close::RENDEZVOUS_ERROR));
        }
    }

    /// So many of the messages to a client were written to its socket.
    pub fn written(&mut self, side: RelaySide, messages: usize) {
        let Some(client) = self.clients.get_mut(&side) else { return };
        (0..messages).for_each(|_| client.waiting.pop());
        if client.waiting.size < self.config.max_waiting
            && let Some(peer) = self.paths.get(&client.path).and_then(|path| path.peer_of(side))
            && let Some(sender) = self.clients.get_mut(&peer)
            && std::mem::take(&mut sender.is_paused)
        {
            self.outputs.push_back(RelayOutput::Resume(peer));
        }
    }

    /// A client closed its connection, or it broke: then there is no code.
    pub fn closed(&mut self, now: Millis, side: RelaySide, code: Option<CloseCode>) {
        self.end(now, side, RelayEnd::Client, code);
    }

    /// Closes what has waited, been silent or stayed for too long.
    pub fn timer(&mut self, now: Millis) {
        let due = |path: &&Path| now >= path.deadline();
        let due: Vec<_> = self.paths.values().filter(due).map(|path| (path.first, path.second)).collect();
        for (first, second) in due {
            let (code, words) = match second {
                Some(_) if self.is_over(now, first) => (close::PEER_GONE, "this has taken too long"),
                Some(_) => (close::PEER_GONE, "both devices were silent for too long"),
                None => (close::WAIT_OVER, "no other device came in time"),
            };
            self.close_path(now, first, second, code, words);
        }
    }

    /// The relay ends: closes everything, and who comes later.
    pub fn shutdown(&mut self, now: Millis) {
        self.is_shut_down = true;
        let all: Vec<_> = self.paths.values().map(|path| (path.first, path.second)).collect();
        for (first, second) in all {
            self.close_path(now, first, second, CloseCode::GOING_AWAY, ENDS);
        }
    }

    /// When [`Self::timer`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        self.paths.values().map(Path::deadline).min()
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<RelayOutput> {
        self.outputs.pop_front()
    }

    fn insert(&mut self, now: Millis, side: RelaySide, path: &RelayPath, waiting: RelayedMessages) {
        let client = Client { path: path.clone(), waiting, is_paused: false, opened: now, bytes: 0 };
        self.clients.insert(side, client);
    }

    fn is_over(&self, now: Millis, side: RelaySide) -> bool {
        self.clients.get(&side).and_then(|client| self.paths.get(&client.path)).is_some_and(|path| now >= path.ends)
    }

    fn turn_away(&mut self, side: RelaySide, code: CloseCode, words: &'static str) -> bool {
        let (by, lasted) = (RelayEnd::Relay, Duration::ZERO);
        self.outputs.push_back(RelayOutput::Close(side, code, words));
        self.outputs.push_back(RelayOutput::Log(RelayEvent::Closed { side, by, code: Some(code), bytes: 0, lasted }));
        false
    }

    fn close_path(
        &mut self,
        now: Millis,
        first: RelaySide,
        second: Option<RelaySide>,
        code: CloseCode,
        words: &'static str,
    ) {
        for side in [Some(first), second].into_iter().flatten() {
            self.outputs.push_back(RelayOutput::Close(side, code, words));
            self.forget(now, side, RelayEnd::Relay, Some(code));
        }
    }

    /// Ends one side, and with it the path and the other.
    fn end(&mut self, now: Millis, side: RelaySide, by: RelayEnd, code: Option<CloseCode>) {
        let peer =
            self.clients.get(&side).and_then(|client| self.paths.get(&client.path)).map(|path| path.peer_of(side));
        self.forget(now, side, by, code);
        if let Some(Some(peer)) = peer {
            let (code, words) = match code {
                Some(code) if close::is_mirrored(code) => (code, ""),
                _ => (close::PEER_GONE, "the other device is gone"),
            };
            self.outputs.push_back(RelayOutput::Close(peer, code, words));
            self.forget(now, peer, RelayEnd::Peer, Some(code));
        }
    }

    fn forget(&mut self, now: Millis, side: RelaySide, by: RelayEnd, code: Option<CloseCode>) {
        if let Some(client) = self.clients.remove(&side) {
            self.paths.remove(&client.path);
            let (bytes, lasted) = (client.bytes, now.since(client.opened));
            self.outputs.push_back(RelayOutput::Log(RelayEvent::Closed { side, by, code, bytes, lasted }));
        }
    }
}

impl Path {
    fn peer_of(&self, side: RelaySide) -> Option<RelaySide> {
        if self.first == side { self.second } else { Some(self.first) }
    }

    fn deadline(&self) -> Millis {
        self.until.min(self.ends)
    }
}
