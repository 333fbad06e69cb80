//! `d2mtop proxy`: carries a chat client's connections to the chat server, over this device's connection to the mediator.
//!
//! One client at a time, and one connection to the mediator for each: what the chat server has heard of one client is
//! nothing that the next could go on with.

mod client;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

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
use crate::output::lines::{self, LineSink};
use crate::output::ndjson;
use crate::output::sentences::Form;
use crate::protocol::{DeviceId, Millis};
use crate::runtime::driver::COMMAND_CAPACITY;
use crate::runtime::{
    ANY_CERTIFICATE, EventSink, KnownDevicesStore, Observers, ProfileState, SessionSetup, drive_keeping,
};
use crate::session::{ChatClientId, Command, ProxyOutput, Session};
use client::{Carried, ClientEnd, Orders, Unread};

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
        lines::write_port(path, local.port()).map_err(|cause| Failure::PortFile { path: path.clone(), cause })?;
    }
    let lines = Arc::new(LineSink::start(Form::of_output(options.json), write).map_err(Failure::Start)?);
    announce(&lines, local, accepts_any_certificate);
    let own = session.config().device_id;
    let ProfileState { slot, known: memory, journal } = memories;
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
        lines.end()?;
    }
    ending.unwrap_or(Ok(Outcome::Normal))
}

/// Ready when the client that is being served is gone.
async fn finished(active: &mut Option<Active>) -> Option<Carried> {
    match active {
        // A task that panicked has carried nothing that can be told.
        Some(active) => (&mut active.task).await.ok(),
        None => std::future::pending().await,
    }
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

/// Why we cut a client off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// The connection to the mediator is over.
    Mediator,
    /// It does not read.
    Slow,
}

/// The client that is there.
struct Active {
    id: ChatClientId,
    peer: SocketAddr,
    task: JoinHandle<Carried>,
    begin: Option<oneshot::Sender<()>>,
    /// Both until it is cut off.
    lifeline: Option<(mpsc::UnboundedSender<Unread>, oneshot::Sender<()>)>,
    cut: Option<Cut>,
    /// Dropped when we end.
    staying: Option<oneshot::Sender<()>>,
}

impl Active {
    const fn is_served(&self) -> bool {
        self.begin.is_none() && self.lifeline.is_some()
    }

    fn cut_off(&mut self, why: Cut) {
        if self.lifeline.take().is_some() {
            self.cut = Some(why);
        }
    }
}

/// The clients' side.
struct Proxy {
    lines: Arc<LineSink<Told>>,
    commands: mpsc::Sender<Command>,
    /// How many were accepted.
    clients: u64,
    active: Option<Active>,
    memory: Option<KnownDevicesStore>,
    /// How it ends.
    ending: Option<Ending>,
}

impl Proxy {
    fn tell(&self, event: &'static str, fields: Value) {
        self.lines.write(Told::Ours(event, fields));
    }

    fn accept(&mut self, stream: TcpStream, peer: SocketAddr) {
        let peer_text = peer.to_string();
        if self.active.is_some() {
            return self.tell("client_refused", json!({ "peer": peer_text, "words": "another client is there" }));
        }
        self.tell("client_connected", json!({ "peer": peer_text }));
        let (begin, beginning) = oneshot::channel();
        let (to_client, from_server) = mpsc::unbounded_channel();
        let (lifeline, cut_off) = oneshot::channel();
        let (staying, end) = oneshot::channel();
        let orders = Orders { begin: beginning, from_server, cut_off, end };
        self.clients += 1;
        let id = ChatClientId(self.clients);
        let task = tokio::spawn(client::serve(stream, id, orders, self.commands.clone()));
        let (begin, lifeline, staying) = (Some(begin), Some((to_client, lifeline)), Some(staying));
        self.active = Some(Active { id, peer, task, begin, lifeline, cut: None, staying });
    }

    fn take(&mut self, news: News) {
        let served = self.active.as_mut().filter(|active| active.is_served());
        match news {
            News::Begins(id) => {
                let waiting = self.active.as_mut().filter(|active| active.id == id);
                if let Some(begin) = waiting.and_then(|active| active.begin.take()) {
                    // If the client is gone, its end is about to be told.
                    let _ = begin.send(());
                    self.tell("client_served", json!({}));
                }
            }
            News::Ends => {
                if let Some(active) = served {
                    active.cut_off(Cut::Mediator);
                }
            }
            News::Over(ending) => self.ending = Some(ending),
            News::Frame(frame) => {
                if let Some((to_client, _)) = served.and_then(|active| active.lifeline.as_ref()) {
                    let _ = to_client.send(frame);
                }
            }
            News::Overflow => {
                if let Some(active) = served {
                    active.cut_off(Cut::Slow);
                }
            }
            News::Known(known) => {
                if let Some(memory) = &self.memory {
                    memory.keep(known);
                }
            }
        }
    }

    /// The client is gone.
    fn finish(&mut self, carried: Option<&Carried>) {
        let Some(Active { peer, cut, .. }) = self.active.take() else { return };
        let Some(carried) = carried else { return };
        // A client's own end comes first: the mediator's follows from it.
        let (by, words) = match (carried.end, cut) {
            (ClientEnd::Left, _) => ("client", None),
            (ClientEnd::Broke(kind), _) => ("client", Some(kind.to_string())),
            (ClientEnd::Unframed(error), _) => ("proxy", Some(error.to_string())),
            (ClientEnd::Ours, None) => ("proxy", Some("d2mtop ends".to_owned())),
            (ClientEnd::CutOff | ClientEnd::Ours, Some(Cut::Slow)) => {
                ("proxy", Some("the client does not read what the chat server sends".to_owned()))
            }
            (ClientEnd::Ours, Some(Cut::Mediator)) | (ClientEnd::CutOff, Some(Cut::Mediator) | None) => {
                ("mediator", Some("cut off from the mediator".to_owned()))
            }
        };
        let fields = json!({
            "peer": peer.to_string(), "by": by, "words": words,
            "frames_to_server": carried.to_server.frames, "bytes_to_server": carried.to_server.bytes,
            "frames_from_server": carried.from_server.frames, "bytes_from_server": carried.from_server.bytes,
            "incomplete_bytes": Some(carried.incomplete).filter(|bytes| *bytes > 0),
        });
        self.tell("client_disconnected", fields);
    }

    /// The end: the client goes at once, whatever it still had to say, and the session leaves.
    async fn leave(&mut self) {
        if let Some(active) = &mut self.active {
            active.staying = None;
            let carried = finished(&mut self.active).await;
            self.finish(carried.as_ref());
        }
        let _ = self.commands.send(Command::Leave).await;
    }
}
