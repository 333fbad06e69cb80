//! [`Relay`]: two clients meet on a path, and what one sends reaches the other.
//!
//! It reads nothing of what it passes on. Bounds keep strangers from filling its memory: paths, bytes on their way in each
//! direction, and time.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::protocol::rendezvous::{RelayPath, close};
use crate::protocol::{CloseCode, Millis};

/// There is no room for another path, says WebSocket.
const TRY_AGAIN_LATER: CloseCode = CloseCode(1013);

/// Names a connection, for as long as it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelaySide(pub u64);

/// The bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayConfig {
    /// How many paths there may be at once.
    pub max_paths: usize,
    /// How many bytes may be on their way to one client before the other is no longer read.
    pub max_waiting: usize,
    /// How long the first client of a path waits for the second.
    pub wait: Duration,
    /// How long two clients may say nothing.
    pub idle: Duration,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            max_paths: 256,
            max_waiting: 1024 * 1024,
            wait: Duration::from_secs(10 * 60),
            // Minutes pass while a person compares pictures and a phone ends its sessions.
            idle: Duration::from_secs(30 * 60),
        }
    }
}

/// What is to be done, in this order.
#[derive(Clone, PartialEq, Eq)]
pub enum RelayOutput {
    /// Send this binary message, then report [`Relay::written`].
    Send(RelaySide, Bytes),
    /// Close the connection after all that was to be sent.
    Close(RelaySide, CloseCode),
}

impl fmt::Debug for RelayOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(side, bytes) => write!(formatter, "Send({side:?}, {} bytes)", bytes.len()),
            Self::Close(side, code) => write!(formatter, "Close({side:?}, {code})"),
        }
    }
}

#[derive(Debug)]
struct Path {
    first: RelaySide,
    second: Option<RelaySide>,
    /// What the first said before the second was there.
    held: Vec<Bytes>,
    until: Millis,
}

#[derive(Debug)]
struct Client {
    path: RelayPath,
    /// Bytes that are on their way to it.
    waiting: usize,
}

/// All paths of one relay.
#[derive(Debug)]
pub struct Relay {
    config: RelayConfig,
    paths: BTreeMap<RelayPath, Path>,
    clients: BTreeMap<RelaySide, Client>,
    outputs: VecDeque<RelayOutput>,
}

impl Relay {
    /// With nobody there.
    #[must_use]
    pub const fn new(config: RelayConfig) -> Self {
        Self { config, paths: BTreeMap::new(), clients: BTreeMap::new(), outputs: VecDeque::new() }
    }

    /// A client opened a connection to a path. `side` must be new.
    pub fn open(&mut self, now: Millis, side: RelaySide, path: &RelayPath) {
        let full = self.paths.len() >= self.config.max_paths;
        match self.paths.get_mut(path) {
            Some(Path { second: Some(_), .. }) => self.close(side, close::RENDEZVOUS_ERROR),
            None if full => self.close(side, TRY_AGAIN_LATER),
            Some(met) => {
                met.second = Some(side);
                met.until = now.after(self.config.idle);
                let held = std::mem::take(&mut met.held);
                self.clients.insert(side, Client { path: path.clone(), waiting: 0 });
                for bytes in held {
                    self.send(side, bytes);
                }
            }
            None => {
                let until = now.after(self.config.wait);
                self.paths.insert(path.clone(), Path { first: side, second: None, held: Vec::new(), until });
                self.clients.insert(side, Client { path: path.clone(), waiting: 0 });
            }
        }
    }

    /// Whether this client's next message may be read off its socket now.
    #[must_use]
    pub fn may_read(&self, side: RelaySide) -> bool {
        let Some(path) = self.clients.get(&side).and_then(|client| self.paths.get(&client.path)) else { return true };
        let waiting = match path.peer_of(side) {
            Some(peer) => self.clients.get(&peer).map_or(0, |client| client.waiting),
            None => path.held.iter().map(Bytes::len).sum(),
        };
        waiting < self.config.max_waiting
    }

    /// A client sent a binary message.
    pub fn message(&mut self, now: Millis, side: RelaySide, bytes: Bytes) {
        let Some(path) = self.clients.get(&side).and_then(|client| self.paths.get_mut(&client.path)) else { return };
        match path.peer_of(side) {
            Some(peer) => {
                path.until = now.after(self.config.idle);
                self.send(peer, bytes);
            }
            None => path.held.push(bytes),
        }
    }

    /// A client sent a text message, which no device does.
    pub fn text(&mut self, side: RelaySide) {
        self.close(side, close::RENDEZVOUS_ERROR);
        self.closed(side, close::RENDEZVOUS_ERROR);
    }

    /// So many bytes of what was to be sent were written to a client's socket.
    pub fn written(&mut self, side: RelaySide, bytes: usize) {
        if let Some(client) = self.clients.get_mut(&side) {
            client.waiting = client.waiting.saturating_sub(bytes);
        }
    }

    /// A client closed its connection, or it broke ([`CloseCode::ABNORMAL`]).
    pub fn closed(&mut self, side: RelaySide, code: CloseCode) {
        let Some(client) = self.clients.remove(&side) else { return };
        let Some(path) = self.paths.remove(&client.path) else { return };
        if let Some(peer) = path.peer_of(side) {
            self.clients.remove(&peer);
            self.close(peer, if close::is_mirrored(code) { code } else { close::PEER_GONE });
        }
    }

    /// Closes what has waited or been silent for too long.
    pub fn timer(&mut self, now: Millis) {
        let due: Vec<RelayPath> =
            self.paths.iter().filter(|(_, path)| now >= path.until).map(|(name, _)| name.clone()).collect();
        for name in due {
            let Some(path) = self.paths.remove(&name) else { continue };
            let code = if path.second.is_some() { close::PEER_GONE } else { close::WAIT_OVER };
            for side in [Some(path.first), path.second].into_iter().flatten() {
                self.clients.remove(&side);
                self.close(side, code);
            }
        }
    }

    /// When [`Self::timer`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        self.paths.values().map(|path| path.until).min()
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<RelayOutput> {
        self.outputs.pop_front()
    }

    fn send(&mut self, side: RelaySide, bytes: Bytes) {
        if let Some(client) = self.clients.get_mut(&side) {
            client.waiting = client.waiting.saturating_add(bytes.len());
            self.outputs.push_back(RelayOutput::Send(side, bytes));
        }
    }

    fn close(&mut self, side: RelaySide, code: CloseCode) {
        self.outputs.push_back(RelayOutput::Close(side, code));
    }
}

impl Path {
    fn peer_of(&self, side: RelaySide) -> Option<RelaySide> {
        if self.first == side { self.second } else { Some(self.first) }
    }
}
