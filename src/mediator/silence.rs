//! Connections that say nothing, or take nothing: asked, waited for, closed.

use super::Mediator;
use super::connection_id::ConnectionId;
use super::io::MediatorOutput;
use super::log::Closing;
use super::timers::Timer;
use crate::protocol::{CloseCode, Millis};

impl Mediator {
    /// Looks at a connection that is logged in when its next deadline can be reached.
    pub(super) fn watch(&mut self, now: Millis, id: ConnectionId) {
        let Some(connection) = self.wire.get(id) else { return };
        let stuck = connection.is_stuck();
        // No ping goes to one that is stuck, however long it is due.
        let last_sign = if stuck { now } else { connection.pinged.unwrap_or(connection.last_heard) };
        let ping = last_sign.after(self.config.ping_after());
        let idle = self.config.idle_timeout.map(|timeout| connection.last_heard.after(timeout));
        let written = stuck.then(|| connection.last_written.after(self.config.write_timeout));
        let at = [idle, written].into_iter().flatten().fold(ping, Millis::min);
        // Never now, or the timer would fire for ever.
        self.timers.set(Timer::Connection(id), at.max(Millis(now.0 + 1)));
    }

    /// A connection's timer fired: too late to log in, or perhaps silent or stuck for too long.
    pub(super) fn silent(&mut self, now: Millis, id: ConnectionId) {
        let Some(connection) = self.wire.get(id) else { return };
        let stuck = connection.is_stuck();
        let closing = if connection.device().is_none() {
            Some(Closing::new(CloseCode::IDLE, "no login in time"))
        } else if stuck && now.since(connection.last_written) >= self.config.write_timeout {
            Some(Closing::of_unread())
        } else if self.config.idle_timeout.is_some_and(|timeout| now.since(connection.last_heard) >= timeout) {
            Some(Closing::new(CloseCode::IDLE, "nothing heard for too long"))
        } else if connection.answers_pings
            && now.since(connection.last_heard) >= self.config.dead_after
            // Nothing is read from it, or the ping still waits to be written: it could not have answered.
            && !connection.is_paused()
            && !stuck
            && connection.pinged.is_some()
        {
            Some(Closing::new(CloseCode::IDLE, "the client answers pings no more"))
        } else {
            None
        };
        if let Some(closing) = closing {
            return self.close(now, id, closing);
        }
        let due = connection.pinged.unwrap_or(connection.last_heard);
        if !stuck && now.since(due) >= self.config.ping_after() {
            if let Some(connection) = self.wire.get_mut(id) {
                connection.pinged = Some(now);
            }
            self.wire.put(MediatorOutput::Ping { connection: id });
        }
        self.watch(now, id);
    }
}
