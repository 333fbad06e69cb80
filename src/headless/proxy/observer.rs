//! [`ProxyObserver`]: prints the events of the session, and passes on what concerns clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use super::client::UnreadFrame;
use super::lines::ProxyLine;
use crate::group::{Event, KnownDevices};
use crate::headless::connection::{Ending, Reconnect};
use crate::output::lines::LineSink;
use crate::output::ndjson;
use crate::protocol::{DeviceId, Millis};
use crate::runtime::EventSink;
use crate::session::{ChatClientId, ProxyOutput};

/// A client that leaves more bytes unread is cut off.
const MOST_UNREAD: usize = 16 * 1024 * 1024;

/// What happened in the session and concerns clients.
pub(super) enum SessionUpdate {
    /// The connection to the mediator carries the frames of this client from now on.
    Begins(ChatClientId),
    /// The connection that carried the client is over.
    Ends,
    /// The session does not reconnect by itself.
    Over(Ending),
    Frame(UnreadFrame),
    /// A frame was lost because the client does not read.
    Overflow,
    Known(KnownDevices),
}

pub(super) struct ProxyObserver {
    lines: Arc<LineSink<ProxyLine>>,
    updates: mpsc::UnboundedSender<SessionUpdate>,
    own: DeviceId,
    /// How many bytes are on their way to the client.
    unread: Arc<AtomicUsize>,
    /// Whether a frame for this client was lost, so that what follows is of no use.
    overflowed: bool,
    reconnect: Reconnect,
}

impl ProxyObserver {
    pub(super) fn new(
        lines: Arc<LineSink<ProxyLine>>,
        updates: mpsc::UnboundedSender<SessionUpdate>,
        own: DeviceId,
    ) -> Self {
        let reconnect = Reconnect::always();
        Self { lines, updates, own, unread: Arc::default(), overflowed: false, reconnect }
    }
}

impl EventSink for ProxyObserver {
    fn tell(&mut self, _at: Millis, event: Event) {
        let update = match &event {
            Event::Devices(listed) => Some(SessionUpdate::Known(KnownDevices::of(listed, self.own))),
            event => self.reconnect.take(event, false).map(SessionUpdate::Over),
        };
        let lines = ndjson::line_count(&event);
        self.lines.write_many(ProxyLine::Event(event.without_envelopes()), lines);
        if let Some(update) = update {
            let _ = self.updates.send(update);
        }
    }

    fn proxied(&mut self, output: ProxyOutput) {
        let update = match output {
            ProxyOutput::Begins(client) => {
                self.overflowed = false;
                SessionUpdate::Begins(client)
            }
            ProxyOutput::Ends => SessionUpdate::Ends,
            ProxyOutput::Frame(_) if self.overflowed => return,
            ProxyOutput::Frame(frame) => {
                self.overflowed = self.unread.load(Ordering::Relaxed) + frame.len() > MOST_UNREAD;
                if self.overflowed {
                    SessionUpdate::Overflow
                } else {
                    SessionUpdate::Frame(UnreadFrame::new(frame, &self.unread))
                }
            }
        };
        let _ = self.updates.send(update);
    }
}
