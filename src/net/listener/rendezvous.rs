//! The relay's side of the listener: its machine, and the way to each of its connections.

use std::collections::HashMap;

use super::connection::{ConnectionCommand, ConnectionEvent, Handle};
use super::log::LogLine;
use super::steady;
use crate::mediator::ConnectionId;
use crate::protocol::Millis;
use crate::rendezvous::wire::RelayPath;
use crate::rendezvous::{Relay, RelayConfig, RelayOutput, RelaySide};

/// All connections that came for the relay.
pub(super) struct RelayHost {
    relay: Relay,
    handles: HashMap<RelaySide, Handle>,
}

impl RelayHost {
    pub(super) fn new(config: RelayConfig) -> Self {
        Self { relay: Relay::new(config), handles: HashMap::new() }
    }

    /// False if there is no room for it: it will be told.
    pub(super) fn open(&mut self, id: ConnectionId, path: &RelayPath, handle: Handle) -> bool {
        self.handles.insert(RelaySide(id.0), handle);
        self.relay.open(steady(), RelaySide(id.0), path)
    }

    /// Takes what one of its connections tells; others' events come back.
    pub(super) fn take(&mut self, id: ConnectionId, event: ConnectionEvent) -> Option<ConnectionEvent> {
        let side = RelaySide(id.0);
        if !self.handles.contains_key(&side) {
            return Some(event);
        }
        match event {
            ConnectionEvent::Frame(bytes) => self.relay.message(steady(), side, bytes),
            ConnectionEvent::Text | ConnectionEvent::Unreadable => self.relay.nonsense(steady(), side),
            ConnectionEvent::Written(messages) => self.relay.written(side, messages),
            ConnectionEvent::Closed(code) => {
                self.handles.remove(&side);
                self.relay.closed(steady(), side, code);
            }
            _ => {}
        }
        None
    }

    pub(super) fn timer(&mut self) {
        self.relay.timer(steady());
    }

    pub(super) fn deadline(&self) -> Option<Millis> {
        self.relay.deadline()
    }

    pub(super) fn shutdown(&mut self) {
        self.relay.shutdown(steady());
    }

    pub(super) fn connections(&self) -> usize {
        self.handles.len()
    }

    /// Does what the machine says, without waiting for anybody.
    pub(super) fn carry_out(&mut self, log: &mut impl FnMut(LogLine)) {
        while let Some(output) = self.relay.poll() {
            match output {
                RelayOutput::Send(side, bytes) => {
                    if let Some(handle) = self.handles.get(&side) {
                        handle.send(ConnectionCommand::Send(bytes));
                    }
                }
                RelayOutput::Pause(side) => self.handles.get(&side).into_iter().for_each(Handle::pause),
                RelayOutput::Resume(side) => self.handles.get(&side).into_iter().for_each(Handle::resume),
                RelayOutput::Close(side, code, words) => {
                    if let Some(handle) = self.handles.remove(&side) {
                        handle.close(code, words.into(), false);
                    }
                }
                RelayOutput::Log(event) => log(LogLine::Relay(event)),
            }
        }
    }
}
