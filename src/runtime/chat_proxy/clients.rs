//! [`Clients`]: one at a time, each with a connection to the mediator of its own.

use super::client;
use super::client::{Carried, ClientEnd, Orders, Unread};
use super::{ProxyLine, SessionNews};
use crate::output::lines::LineSink;
use crate::runtime::KnownDevicesStore;
use crate::runtime::reconnect::Ending;
use crate::session::{ChatClientId, Command};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Why we cut a client off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// The connection to the mediator is over.
    Mediator,
    /// It does not read.
    Slow,
}

/// The client that is there.
pub(super) struct Active {
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

/// Who connects, and who is being served.
pub(super) struct Clients {
    pub(super) lines: Arc<LineSink<ProxyLine>>,
    pub(super) commands: mpsc::Sender<Command>,
    /// How many were accepted.
    pub(super) accepted: u64,
    pub(super) active: Option<Active>,
    pub(super) memory: Option<KnownDevicesStore>,
    pub(super) ending: Option<Ending>,
}

impl Clients {
    fn tell(&self, event: &'static str, fields: Value) {
        self.lines.write(ProxyLine::Ours(event, fields));
    }

    pub(super) fn accept(&mut self, stream: TcpStream, peer: SocketAddr) {
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
        self.accepted += 1;
        let id = ChatClientId(self.accepted);
        let task = tokio::spawn(client::serve(stream, id, orders, self.commands.clone()));
        let (begin, lifeline, staying) = (Some(begin), Some((to_client, lifeline)), Some(staying));
        self.active = Some(Active { id, peer, task, begin, lifeline, cut: None, staying });
    }

    pub(super) fn take(&mut self, news: SessionNews) {
        let served = self.active.as_mut().filter(|active| active.is_served());
        match news {
            SessionNews::Begins(id) => {
                let waiting = self.active.as_mut().filter(|active| active.id == id);
                if let Some(begin) = waiting.and_then(|active| active.begin.take()) {
                    // If the client is gone, its end is about to be told.
                    let _ = begin.send(());
                    self.tell("client_served", json!({}));
                }
            }
            SessionNews::Ends => {
                if let Some(active) = served {
                    active.cut_off(Cut::Mediator);
                }
            }
            SessionNews::Over(ending) => self.ending = Some(ending),
            SessionNews::Frame(frame) => {
                if let Some((to_client, _)) = served.and_then(|active| active.lifeline.as_ref()) {
                    let _ = to_client.send(frame);
                }
            }
            SessionNews::Overflow => {
                if let Some(active) = served {
                    active.cut_off(Cut::Slow);
                }
            }
            SessionNews::Known(known) => {
                if let Some(memory) = &self.memory {
                    memory.keep(known);
                }
            }
        }
    }

    /// The client is gone.
    pub(super) fn finish(&mut self, carried: Option<&Carried>) {
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
    pub(super) async fn leave(&mut self) {
        if let Some(active) = &mut self.active {
            active.staying = None;
            let carried = finished(&mut self.active).await;
            self.finish(carried.as_ref());
        }
        let _ = self.commands.send(Command::Leave).await;
    }
}

/// Ready when the client that is being served is gone.
pub(super) async fn finished(active: &mut Option<Active>) -> Option<Carried> {
    match active {
        // A task that panicked has carried nothing that can be told.
        Some(active) => (&mut active.task).await.ok(),
        None => std::future::pending().await,
    }
}
