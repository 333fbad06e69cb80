//! [`ClientSide`]: serves one chat client after the other.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::client::{self, ClientChannels, ClientEnd, ClientSummary, UnreadFrame};
use super::lines::ProxyLine;
use super::observer::SessionUpdate;
use crate::headless::connection::Ending;
use crate::output::lines::LineSink;
use crate::runtime::KnownDevicesStore;
use crate::session::{ChatClientId, Command};

/// Ready when the client that is being served is gone.
pub(super) async fn finished(active: &mut Option<ActiveClient>) -> Option<ClientSummary> {
    match active {
        // A task that panicked has nothing that can be told.
        Some(active) => (&mut active.task).await.ok(),
        None => std::future::pending().await,
    }
}

/// Why a client was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CutReason {
    /// The connection to the mediator is over.
    Mediator,
    /// It does not read.
    Slow,
}

/// The client, and the ways to its task.
pub(super) struct ActiveClient {
    id: ChatClientId,
    peer: SocketAddr,
    task: JoinHandle<ClientSummary>,
    begin: Option<oneshot::Sender<()>>,
    /// What it reads and what keeps it alive, until it is cut off.
    lifeline: Option<(mpsc::UnboundedSender<UnreadFrame>, oneshot::Sender<()>)>,
    cut: Option<CutReason>,
    /// Dropped when the proxy ends.
    staying: Option<oneshot::Sender<()>>,
}

impl ActiveClient {
    const fn is_served(&self) -> bool {
        self.begin.is_none() && self.lifeline.is_some()
    }

    fn cut_off(&mut self, why: CutReason) {
        if self.lifeline.take().is_some() {
            self.cut = Some(why);
        }
    }
}

pub(super) struct ClientSide {
    pub(super) lines: Arc<LineSink<ProxyLine>>,
    pub(super) commands: mpsc::Sender<Command>,
    /// The number of accepted clients; also their ids.
    pub(super) count: u64,
    pub(super) active: Option<ActiveClient>,
    pub(super) memory: Option<KnownDevicesStore>,
    /// How the proxy ends, once it does.
    pub(super) ending: Option<Ending>,
}

impl ClientSide {
    fn tell(&self, event: &'static str, fields: Value) {
        self.lines.write(ProxyLine::Own(event, fields));
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
        let channels = ClientChannels { begin: beginning, from_server, cut_off, end };
        self.count += 1;
        let id = ChatClientId(self.count);
        let task = tokio::spawn(client::serve(stream, id, channels, self.commands.clone()));
        let (begin, lifeline, staying) = (Some(begin), Some((to_client, lifeline)), Some(staying));
        self.active = Some(ActiveClient { id, peer, task, begin, lifeline, cut: None, staying });
    }

    pub(super) fn take(&mut self, update: SessionUpdate) {
        let served = self.active.as_mut().filter(|active| active.is_served());
        match update {
            SessionUpdate::Begins(id) => {
                let waiting = self.active.as_mut().filter(|active| active.id == id);
                if let Some(begin) = waiting.and_then(|active| active.begin.take()) {
                    // If the client is gone, its end is about to be told.
                    let _ = begin.send(());
                    self.tell("client_served", json!({}));
                }
            }
            SessionUpdate::Ends => {
                if let Some(active) = served {
                    active.cut_off(CutReason::Mediator);
                }
            }
            SessionUpdate::Over(ending) => self.ending = Some(ending),
            SessionUpdate::Frame(frame) => {
                if let Some((to_client, _)) = served.and_then(|active| active.lifeline.as_ref()) {
                    let _ = to_client.send(frame);
                }
            }
            SessionUpdate::Overflow => {
                if let Some(active) = served {
                    active.cut_off(CutReason::Slow);
                }
            }
            SessionUpdate::Known(known) => {
                if let Some(memory) = &self.memory {
                    memory.keep(known);
                }
            }
        }
    }

    /// Forgets the client, and prints its figures.
    pub(super) fn finish(&mut self, summary: Option<&ClientSummary>) {
        let Some(ActiveClient { peer, cut, .. }) = self.active.take() else { return };
        let Some(summary) = summary else { return };
        // A client's own end comes first: the mediator's follows from it.
        let (by, words) = match (summary.end, cut) {
            (ClientEnd::Left, _) => ("client", None),
            (ClientEnd::Broke(kind), _) => ("client", Some(kind.to_string())),
            (ClientEnd::Unframed(error), _) => ("proxy", Some(error.to_string())),
            (ClientEnd::Ours, None) => ("proxy", Some("d2mtop ends".to_owned())),
            (ClientEnd::CutOff | ClientEnd::Ours, Some(CutReason::Slow)) => {
                ("proxy", Some("the client does not read what the chat server sends".to_owned()))
            }
            (ClientEnd::Ours, Some(CutReason::Mediator)) | (ClientEnd::CutOff, Some(CutReason::Mediator) | None) => {
                ("mediator", Some("cut off from the mediator".to_owned()))
            }
        };
        let fields = json!({
            "peer": peer.to_string(), "by": by, "words": words,
            "frames_to_server": summary.to_server.frames, "bytes_to_server": summary.to_server.bytes,
            "frames_from_server": summary.from_server.frames, "bytes_from_server": summary.from_server.bytes,
            "incomplete_bytes": Some(summary.incomplete).filter(|bytes| *bytes > 0),
        });
        self.tell("client_disconnected", fields);
    }

    /// Cuts the client off at once, and lets the session leave.
    pub(super) async fn leave(&mut self) {
        if let Some(active) = &mut self.active {
            active.staying = None;
            let summary = finished(&mut self.active).await;
            self.finish(summary.as_ref());
        }
        let _ = self.commands.send(Command::Leave).await;
    }
}
