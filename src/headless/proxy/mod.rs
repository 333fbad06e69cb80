//! `d2mtop proxy`: carries a chat client's connections to the chat server, over this device's connection to the mediator.
//!
//! One client at a time, and one connection to the mediator for each: what the chat server has heard of one client is
//! nothing that the next could go on with.

mod client;
mod clients;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::arguments;
use super::reconnect::{Ending, Reconnect};
use crate::cli::ProxyArgs;
use crate::group::{Event, KnownDevices};
use crate::net::Address;
use crate::os::acceptor::Acceptor;
use crate::os::event_loop::event_loop;
use crate::os::signals;
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::lines::LineSink;
use crate::output::ndjson;
use crate::output::ndjson::NamesInLines;
use crate::output::port_file;
use crate::output::sentences::Form;
use crate::output::times::Zone;
use crate::protocol::{DeviceId, Millis};
use crate::runtime::driver::COMMAND_CAPACITY;
use crate::runtime::{ANY_CERTIFICATE, EventSink, Observers, ProfileState, SessionSetup, drive_keeping};
use crate::session::{ChatClientId, ProxyOutput, Session};
use client::Unread;
use clients::{Proxy, finished};

/// How many bytes of the chat server may wait for a client that does not read before it is cut off.
const MOST_UNREAD: usize = 16 * 1024 * 1024;
/// How long the end may take.
const FAREWELL: Duration = Duration::from_secs(3);

/// Listens and carries until a signal ends it, or until the mediator does not want this device any more.
///
/// # Errors
/// If the options cannot be used, or the system does not give the address.
pub fn run(options: &ProxyArgs) -> Result<Outcome, Failure> {
    let connection = arguments::unattended_connection(&options.connection)?;
    let prepared = SessionSetup::new(super::open_unattended(options.profile.name(), &connection)?)?;
    if prepared.session.config().read_only {
        return Err(Failure::Usage("proxy sends what its client says, so it cannot be --read-only".to_owned()));
    }
    let event_loop = event_loop().map_err(Failure::Start)?;
    let SessionSetup { session, address, held, memories, accepts_any_certificate, .. } = prepared;
    let served = event_loop.block_on(serve(options, session, address, memories, accepts_any_certificate));
    // A name that is still being looked up must not keep us here.
    event_loop.shutdown_background();
    drop(held);
    served
}

async fn serve(
    options: &ProxyArgs,
    session: Session,
    address: Address,
    memories: ProfileState,
    accepts_any_certificate: bool,
) -> Result<Outcome, Failure> {
    // Polled once, so that a signal that comes right after the port file ends us politely.
    let mut terminated = pin!(signals::terminated());
    let early = terminated.as_mut().now_or_never();
    let unavailable = |cause| Failure::Listen { address: options.listen, cause };
    let mut listener = Acceptor::bind(options.listen).await.map_err(unavailable)?;
    let local = listener.local_addr().map_err(unavailable)?;
    if let Some(path) = &options.port_file {
        port_file::write_port(path, local.port()).map_err(|cause| Failure::PortFile { path: path.clone(), cause })?;
    }
    let lines = Arc::new(
        LineSink::start(Form::of_output(options.json, NamesInLines::LeftOut, Zone::Local), write)
            .map_err(Failure::Start)?,
    );
    announce(&lines, local, accepts_any_certificate);
    let own = session.config().device_id;
    let ProfileState { slot, known: memory, journal, names: _ } = memories;
    let (commands, receiver) = mpsc::channel(COMMAND_CAPACITY);
    let (news, mut arriving) = mpsc::unbounded_channel();
    let teller = Teller {
        lines: Arc::clone(&lines),
        news,
        own,
        unread: Arc::default(),
        overflowed: false,
        reconnect: Reconnect::always(),
    };
    let sink = Observers::new(teller).remembering(slot).map_err(Failure::Start)?;
    let mut proxy =
        Proxy { lines, commands, clients: 0, active: None, memory, ending: early.map(|()| Ok(Outcome::Normal)) };
    let mut driven = false;
    {
        let mut driving = pin!(drive_keeping(journal, session, address, receiver, sink));
        while proxy.ending.is_none() {
            tokio::select! {
                () = &mut terminated => proxy.ending = Some(Ok(Outcome::Normal)),
                () = &mut driving => {
                    driven = true;
                    proxy.ending = Some(Ok(Outcome::Normal));
                }
                Some(news) = arriving.recv() => proxy.take(news),
                carried = finished(&mut proxy.active) => proxy.finish(carried.as_ref()),
                accepted = listener.accept() => {
                    if let Ok((stream, peer)) = accepted {
                        proxy.accept(stream, peer);
                    }
                }
            }
        }
        let rest = async {
            if !driven {
                driving.await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, async { tokio::join!(proxy.leave(), rest) }).await;
    }
    let Proxy { lines, ending, .. } = proxy;
    if let Some(lines) = Arc::into_inner(lines) {
        lines.end().await?;
    }
    ending.unwrap_or(Ok(Outcome::Normal))
}

/// A line to be printed.
enum Told {
    Event(Event),
    Ours(&'static str, Value),
}

fn write(form: &mut Form, output: &mut Vec<u8>, at: Millis, told: Told) -> io::Result<()> {
    match told {
        Told::Event(event) => {
            form.learn(&event);
            form.event(output, at, &event)
        }
        Told::Ours(event, fields) => {
            let line = ndjson::line(at, event, fields);
            form.learn_line(&line);
            form.line(output, &line)
        }
    }
}

fn announce(lines: &LineSink<Told>, local: SocketAddr, accepts_any_certificate: bool) {
    let warn = |warning: &str, words: &str| {
        lines.write(Told::Ours("warning", json!({ "warning": warning, "words": words })));
    };
    if accepts_any_certificate {
        warn("any_certificate_accepted", ANY_CERTIFICATE);
    }
    if !local.ip().is_loopback() {
        warn("not_loopback", "who reaches this address can talk to the chat server as this device");
    }
    lines.write(Told::Ours("listening", json!({ "address": local.to_string(), "port": local.port() })));
}

/// What the session's side tells the clients' side, in the order that it happened.
enum News {
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
struct Teller {
    lines: Arc<LineSink<Told>>,
    news: mpsc::UnboundedSender<News>,
    own: DeviceId,
    /// How many bytes are on their way to the client.
    unread: Arc<AtomicUsize>,
    /// Whether a frame for this client was lost, so that what follows is of no use.
    overflowed: bool,
    reconnect: Reconnect,
}

impl EventSink for Teller {
    fn tell(&mut self, _at: Millis, event: Event) {
        let news = match &event {
            Event::Devices(listed) => Some(News::Known(KnownDevices::of(listed, self.own))),
            event => self.reconnect.take(event, false).map(News::Over),
        };
        let lines = ndjson::line_count(&event);
        self.lines.write_many(Told::Event(event.without_envelopes()), lines);
        if let Some(news) = news {
            let _ = self.news.send(news);
        }
    }

    fn proxied(&mut self, proxied: ProxyOutput) {
        let news = match proxied {
            ProxyOutput::Begins(client) => {
                self.overflowed = false;
                News::Begins(client)
            }
            ProxyOutput::Ends => News::Ends,
            ProxyOutput::Frame(_) if self.overflowed => return,
            ProxyOutput::Frame(frame) => {
                self.overflowed = self.unread.load(Ordering::Relaxed) + frame.len() > MOST_UNREAD;
                if self.overflowed { News::Overflow } else { News::Frame(Unread::new(frame, &self.unread)) }
            }
        };
        let _ = self.news.send(news);
    }
}
