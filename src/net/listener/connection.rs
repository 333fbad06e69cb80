//! One connection's task: reads and writes its socket at the same time, and gives up on it when told to.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use tokio::io::AsyncReadExt as _;
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Error as WebSocketError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};

use super::ConnectionRefusal;
use super::upgrade::{Incoming, Socket, upgrade};
use crate::mediator::{ChatEvent, ConnectionId, MediatorTime};
use crate::protocol::{ClientUrlInfo, CloseCode};

/// How many commands may wait for a connection: more than the machine ever has under way to one.
const COMMANDS: usize = 32_768;
/// The most frames between two flushes.
const BATCH: usize = 256;
/// How long a closed connection may take to hear of it.
const LINGER: Duration = Duration::from_secs(3);
/// After what silence of ours a ping goes out, so that a dead connection breaks. Nobody has to answer it.
const PING_INTERVAL: Duration = Duration::from_mins(1);

/// What a connection's task tells the machine's.
pub(super) enum Event {
    Refused { peer: SocketAddr, refusal: ConnectionRefusal },
    Opened { url: Box<ClientUrlInfo>, accepted: MediatorTime, handle: Box<Handle> },
    Frame(Bytes),
    Text,
    Unreadable,
    Alive,
    Written(usize),
    Chat(ChatEvent),
    Closed(Option<CloseCode>),
}

/// What the machine's task tells a connection's.
pub(super) enum Command {
    Send(Bytes),
    Close(CloseCode, Cow<'static, str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Read,
    Pause,
    End,
}

/// The machine's end of a connection. When it is dropped, the connection ends soon.
pub(super) struct Handle {
    commands: mpsc::Sender<Command>,
    flow: watch::Sender<Flow>,
}

impl Handle {
    /// Never waits. Were the queue full, which the machine's own bounds rule out, the connection ends.
    pub(super) fn send(&self, command: Command) {
        if self.commands.try_send(command).is_err() {
            self.flow.send_replace(Flow::End);
        }
    }

    pub(super) fn close(self, code: CloseCode, reason: Cow<'static, str>) {
        self.send(Command::Close(code, reason));
        self.flow.send_replace(Flow::End);
    }

    pub(super) fn pause(&self) {
        self.flow.send_if_modified(|flow| *flow == Flow::Read && replace(flow, Flow::Pause));
    }

    pub(super) fn resume(&self) {
        self.flow.send_if_modified(|flow| *flow == Flow::Pause && replace(flow, Flow::Read));
    }
}

fn replace(flow: &mut Flow, by: Flow) -> bool {
    *flow = by;
    true
}

/// The way to the machine.
struct ToMachine {
    id: ConnectionId,
    events: mpsc::Sender<(ConnectionId, Event)>,
}

impl ToMachine {
    async fn tell(&self, event: Event) {
        // If nobody listens any more, the server is at its end, and this task with it.
        let _ = self.events.send((self.id, event)).await;
    }
}

/// How the reading of a socket ended.
enum ReadEnd {
    /// The client closed the connection, or it broke.
    Closed,
    /// Something came that is no message. What follows cannot be read either.
    Unreadable,
}

/// Serves one connection from the TCP handshake to its end.
pub(super) async fn serve(incoming: Incoming, timeout: Duration, events: mpsc::Sender<(ConnectionId, Event)>) {
    let Incoming { id, stream, peer, accepted, tls } = incoming;
    let machine = ToMachine { id, events };
    let upgraded = tokio::time::timeout(timeout, upgrade(stream, tls.as_ref())).await;
    let (socket, url) = match upgraded.unwrap_or(Err(ConnectionRefusal::Timeout)) {
        Ok(upgraded) => upgraded,
        Err(refusal) => return machine.tell(Event::Refused { peer, refusal }).await,
    };
    let (sender, commands) = mpsc::channel(COMMANDS);
    let (flow_sender, flow) = watch::channel(Flow::Read);
    let handle = Box::new(Handle { commands: sender, flow: flow_sender });
    machine.tell(Event::Opened { url: Box::new(url), accepted, handle }).await;
    exchange(socket, commands, flow, &machine).await;
    machine.tell(Event::Closed(None)).await;
}

/// Reads and writes until both sides are done, or until the time to be done is over.
async fn exchange(
    socket: Socket,
    mut commands: mpsc::Receiver<Command>,
    flow: watch::Receiver<Flow>,
    machine: &ToMachine,
) {
    let (mut sink, mut stream) = socket.split();
    let unread = {
        let overdue = overdue(flow.clone());
        let both = async {
            let reading = read(&mut stream, flow, machine);
            // Fused: after an error it is never polled again.
            let writing = write(&mut sink, &mut commands, machine).fuse();
            tokio::pin!(reading, writing);
            tokio::select! {
                end = &mut reading => match end {
                    ReadEnd::Closed => false,
                    // Now the machine closes the connection, which still has to be written.
                    ReadEnd::Unreadable => writing.await.is_ok(),
                },
                // Closed by us: read on until the client's answer, or its unread bytes would take our close frame back.
                Ok(()) = &mut writing => matches!(reading.await, ReadEnd::Unreadable),
            }
        };
        tokio::select! {
            unread = both => unread,
            () = overdue => false,
        }
    };
    if unread && let Ok(socket) = stream.reunite(sink) {
        // The codec is lost, but the bytes must be taken from the socket all the same.
        let _ = tokio::time::timeout(LINGER, discard(socket)).await;
    }
}

/// Ready when the connection should be over since some time.
async fn overdue(mut flow: watch::Receiver<Flow>) {
    // An error means that the machine has forgotten this connection, which is an end, too.
    let _ = flow.wait_for(|flow| *flow == Flow::End).await;
    tokio::time::sleep(LINGER).await;
}

async fn read(stream: &mut SplitStream<Socket>, mut flow: watch::Receiver<Flow>, machine: &ToMachine) -> ReadEnd {
    loop {
        // If the machine has forgotten us, reading is all that is left to do.
        let _ = flow.wait_for(|flow| *flow != Flow::Pause).await;
        let event = match stream.next().await {
            Some(Ok(Message::Binary(bytes))) => Event::Frame(bytes),
            Some(Ok(Message::Text(_))) => Event::Text,
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Event::Alive,
            // Reading on sends the answer.
            Some(Ok(Message::Close(frame))) => Event::Closed(frame.map(|frame| CloseCode(frame.code.into()))),
            Some(Err(WebSocketError::Capacity(_) | WebSocketError::Protocol(_) | WebSocketError::Utf8(_))) => {
                machine.tell(Event::Unreadable).await;
                return ReadEnd::Unreadable;
            }
            Some(Err(_)) | None => return ReadEnd::Closed,
        };
        machine.tell(event).await;
    }
}

/// Writes what there is in one go, then flushes. Ends after a close frame of ours, or when the machine forgets us.
async fn write(
    sink: &mut SplitSink<Socket, Message>,
    commands: &mut mpsc::Receiver<Command>,
    machine: &ToMachine,
) -> Result<(), WebSocketError> {
    loop {
        let Ok(first) = tokio::time::timeout(PING_INTERVAL, commands.recv()).await else {
            sink.send(Message::Ping(Bytes::new())).await?;
            continue;
        };
        let (mut next, mut frames) = (first, 0);
        while let Some(Command::Send(bytes)) = next {
            sink.feed(Message::Binary(bytes)).await?;
            frames += 1;
            next = if frames < BATCH { commands.try_recv().ok() } else { None };
        }
        sink.flush().await?;
        if let Some(Command::Close(code, reason)) = next {
            let frame = CloseFrame { code: code.0.into(), reason: reason.as_ref().into() };
            return sink.send(Message::Close(Some(frame))).await;
        }
        if frames == 0 {
            return Ok(());
        }
        machine.tell(Event::Written(frames)).await;
    }
}

async fn discard(mut socket: Socket) {
    let mut scratch = vec![0; 16 * 1024];
    while socket.get_mut().read(&mut scratch).await.is_ok_and(|read| read > 0) {}
}
