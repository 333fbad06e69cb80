//! Carries a chat client's connections to the chat server, over this device's session.
//!
//! One client at a time, and one connection to the mediator for each: what the chat server has heard of one client is
//! nothing that the next could go on with.

mod client;
mod clients;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

use super::driver::COMMAND_CAPACITY;
use super::reconnect::{Ending, Reconnect};
use super::{EventSink, KeptBy, Observers, ProfileState, drive_keeping};
use crate::group::{Event, KnownDevices};
use crate::net::Address;
use crate::os::acceptor::Acceptor;
use crate::output::lines::LineSink;
use crate::output::{Failure, Outcome, ndjson};
use crate::protocol::{DeviceId, Millis};
use crate::session::{ChatClientId, ProxyOutput, Session};
use client::Unread;
use clients::{Clients, finished};

/// How many bytes of the chat server may wait for a client that does not read before it is cut off.
const MOST_UNREAD: usize = 16 * 1024 * 1024;
/// How long the end may take.
const FAREWELL: Duration = Duration::from_secs(3);

/// A line about the proxy.
pub enum ProxyLine {
    /// What the session tells.
    Event(Event),
    /// What clients do: the name of the event, and its fields.
    Ours(&'static str, Value),
}

/// A session that carries chat clients' connections.
pub struct ChatProxy {
    /// May send: not a read-only one.
    pub session: Session,
    /// Of the mediator.
    pub address: Address,
    /// What is known of the profile.
    pub memories: ProfileState,
    /// Takes what happens.
    pub lines: Arc<LineSink<ProxyLine>>,
}

impl ChatProxy {
    /// Accepts and carries until the end is wanted, or until the mediator does not want this device any more.
    ///
    /// # Errors
    /// If the system gives no thread, or the mediator wants something that a person must decide.
    pub async fn run(self, mut listener: Acceptor, end: impl Future<Output = ()>) -> Ending {
        let Self { session, address, memories, lines } = self;
        let ProfileState { slot, known: memory, journal, names: _, recorder } = memories;
        let own = session.config().device_id;
        let (commands, receiver) = mpsc::channel(COMMAND_CAPACITY);
        let (news, mut arriving) = mpsc::unbounded_channel();
        let sink = NewsSink {
            lines: Arc::clone(&lines),
            news,
            own,
            unread: Arc::default(),
            overflowed: false,
            reconnect: Reconnect::always(),
        };
        let sink = Observers::new(sink).remembering(slot).map_err(Failure::Start)?;
        let mut clients = Clients { lines, commands, accepted: 0, active: None, memory, ending: None };
        let (mut end, mut driven) = (pin!(end), false);
        let mut driving = pin!(drive_keeping(KeptBy { journal, recorder }, session, address, receiver, sink));
        while clients.ending.is_none() {
            tokio::select! {
                () = &mut end => clients.ending = Some(Ok(Outcome::Normal)),
                () = &mut driving => {
                    driven = true;
                    clients.ending = Some(Ok(Outcome::Normal));
                }
                Some(news) = arriving.recv() => clients.take(news),
                carried = finished(&mut clients.active) => clients.finish(carried.as_ref()),
                accepted = listener.accept() => {
                    if let Ok((stream, peer)) = accepted {
                        clients.accept(stream, peer);
                    }
                }
            }
        }
        let rest = async {
            if !driven {
                driving.await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, async { tokio::join!(clients.leave(), rest) }).await;
        clients.ending.unwrap_or(Ok(Outcome::Normal))
    }
}

/// What the session's side tells the clients' side, in the order that it happened.
enum SessionNews {
    /// The connection to the mediator carries the frames of this client from now on.
    Begins(ChatClientId),
    /// The connection that carried the client is over.
    Ends,
    /// The session does not come back by itself.
    Over(Ending),
    Frame(Unread),
    /// A frame was lost because the client does not read.
    Overflow,
    Known(KnownDevices),
}

/// Prints every event, and passes on what clients have to do with.
struct NewsSink {
    lines: Arc<LineSink<ProxyLine>>,
    news: mpsc::UnboundedSender<SessionNews>,
    own: DeviceId,
    /// How many bytes are on their way to the client.
    unread: Arc<AtomicUsize>,
    /// Whether a frame for this client was lost, so that what follows is of no use.
    overflowed: bool,
    reconnect: Reconnect,
}

impl EventSink for NewsSink {
    fn tell(&mut self, _at: Millis, event: Event) {
        let news = match &event {
            Event::Devices(listed) => Some(SessionNews::Known(KnownDevices::of(listed, self.own))),
            event => self.reconnect.take(event, false).map(SessionNews::Over),
        };
        let lines = ndjson::line_count(&event);
        self.lines.write_many(ProxyLine::Event(event.without_envelopes()), lines);
        if let Some(news) = news {
            let _ = self.news.send(news);
        }
    }

    fn proxied(&mut self, proxied: ProxyOutput) {
        let news = match proxied {
            ProxyOutput::Begins(client) => {
                self.overflowed = false;
                SessionNews::Begins(client)
            }
            ProxyOutput::Ends => SessionNews::Ends,
            ProxyOutput::Frame(_) if self.overflowed => return,
            ProxyOutput::Frame(frame) => {
                self.overflowed = self.unread.load(Ordering::Relaxed) + frame.len() > MOST_UNREAD;
                if self.overflowed {
                    SessionNews::Overflow
                } else {
                    SessionNews::Frame(Unread::new(frame, &self.unread))
                }
            }
        };
        let _ = self.news.send(news);
    }
}
