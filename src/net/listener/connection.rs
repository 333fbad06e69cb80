//! One connection's task: reads and writes its socket at the same time, and gives up on it when told to.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Error as WebSocketError;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};

use super::ConnectionRefusal;
use super::budget::Account;
use super::door::ClientAddress;
use super::gate::Gate;
use super::upgrade::{Destination, Incoming, NotUpgraded, Socket, upgrade};
use crate::mediator::{ChatEvent, ConnectionId, MediatorTime};
use crate::protocol::{ClientUrlInfo, CloseCode};
use crate::rendezvous::wire::RelayPath;

/// How many commands may wait for a connection: more than the machine ever has under way to one.
const COMMANDS: usize = 32_768;
/// A longer message goes out in fragments, so that no copy of it has to wait for the socket.
const FRAGMENT: usize = 64 * 1024;
/// The most frames between two flushes.
const BATCH: usize = 256;
/// How long a closed connection may take to hear of it.
const LINGER: Duration = Duration::from_secs(3);
/// The most bytes between two reports of what was written: a slow reader must be seen to read.
const BATCH_BYTES: usize = 128 * 1024;

/// What a connection's task tells the machine's.
pub(super) enum ConnectionEvent {
    /// It did not become a WebSocket; why, if that belongs in the log.
    Refused {
        peer: ClientAddress,
        refusal: Option<ConnectionRefusal>,
    },
    Opened {
        url: Box<ClientUrlInfo>,
        accepted: MediatorTime,
        handle: Box<Handle>,
    },
    Arrived {
        path: RelayPath,
        handle: Box<Handle>,
    },
    Frame(Bytes),
    Text,
    Unreadable,
    Alive,
    Pong,
    Written(usize),
    Chat(ChatEvent),
    Closed(Option<CloseCode>),
}

/// What the machine's task tells a connection's.
pub(super) enum ConnectionCommand {
    Send(Bytes),
    Ping,
    Close(CloseCode, Cow<'static, str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Read,
    Pause,
    End,
    /// An end at which nothing that waits is written any more.
    Discard,
}

impl Flow {
    const fn is_end(self) -> bool {
        matches!(self, Self::End | Self::Discard)
    }
}

/// The machine's end of a connection. When it is dropped, the connection ends soon.
pub(super) struct Handle {
    commands: mpsc::Sender<ConnectionCommand>,
    flow: watch::Sender<Flow>,
}

impl Handle {
    /// Never waits. Were the queue full, which the machine's own bounds rule out, the connection ends.
    pub(super) fn send(&self, command: ConnectionCommand) {
        if self.commands.try_send(command).is_err() {
            self.flow.send_replace(Flow::End);
        }
    }

    pub(super) fn close(self, code: CloseCode, reason: Cow<'static, str>, discard: bool) {
        self.send(ConnectionCommand::Close(code, reason));
        self.flow.send_replace(if discard { Flow::Discard } else { Flow::End });
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
    events: mpsc::Sender<(ConnectionId, ConnectionEvent)>,
    /// Where its messages count, if they may be long.
    account: Option<Arc<Account>>,
}

impl ToMachine {
    async fn tell(&self, event: ConnectionEvent) {
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
pub(super) async fn serve(
    incoming: Incoming,
    timeout: Duration,
    gate: Gate,
    events: mpsc::Sender<(ConnectionId, ConnectionEvent)>,
) {
    let Incoming { id, stream, peer, accepted, tls, budget, dead_after } = incoming;
    let stream = stream.into_transport(dead_after);
    let mut machine = ToMachine { id, events, account: None };
    let upgraded = tokio::time::timeout(timeout, upgrade(stream, tls.as_ref(), budget, &gate)).await;
    let (socket, destination) = match upgraded.unwrap_or(Err(NotUpgraded::Refused(ConnectionRefusal::Timeout))) {
        Ok(upgraded) => upgraded,
        Err(NotUpgraded::Refused(refusal)) => {
            return machine.tell(ConnectionEvent::Refused { peer, refusal: Some(refusal) }).await;
        }
        Err(NotUpgraded::Unremarkable) => return machine.tell(ConnectionEvent::Refused { peer, refusal: None }).await,
    };
    let (sender, commands) = mpsc::channel(COMMANDS);
    let (flow_sender, flow) = watch::channel(Flow::Read);
    let handle = Box::new(Handle { commands: sender, flow: flow_sender });
    let opened = match destination {
        Destination::Mediator(url) => ConnectionEvent::Opened { url: Box::new(url), accepted, handle },
        Destination::Relay { path, account } => {
            machine.account = Some(account);
            ConnectionEvent::Arrived { path, handle }
        }
    };
    machine.tell(opened).await;
    exchange(socket, commands, flow, &machine).await;
    machine.tell(ConnectionEvent::Closed(None)).await;
}

/// Reads and writes until both sides are done, or until the time to be done is over.
async fn exchange(
    socket: Socket,
    mut commands: mpsc::Receiver<ConnectionCommand>,
    flow: watch::Receiver<Flow>,
    machine: &ToMachine,
) {
    let (mut sink, mut stream) = socket.split();
    let unread = {
        let overdue = overdue(flow.clone());
        let both = async {
            let reading = read(&mut stream, flow.clone(), machine);
            // Fused: after an error it is never polled again.
            let writing = write(&mut sink, &mut commands, flow, machine).fuse();
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
    let _ = flow.wait_for(|flow| flow.is_end()).await;
    tokio::time::sleep(LINGER).await;
}

async fn read(stream: &mut SplitStream<Socket>, mut flow: watch::Receiver<Flow>, machine: &ToMachine) -> ReadEnd {
    loop {
        // If the machine has forgotten us, reading is all that is left to do.
        let _ = flow.wait_for(|flow| *flow != Flow::Pause).await;
        let event = match stream.next().await {
            Some(Ok(Message::Binary(bytes))) => ConnectionEvent::Frame(match &machine.account {
                Some(account) => account.settle(bytes),
                None => bytes,
            }),
            Some(Ok(Message::Text(_))) => ConnectionEvent::Text,
            Some(Ok(Message::Pong(_))) => ConnectionEvent::Pong,
            Some(Ok(Message::Ping(_) | Message::Frame(_))) => ConnectionEvent::Alive,
            // Reading on sends the answer.
            Some(Ok(Message::Close(frame))) => ConnectionEvent::Closed(frame.map(|frame| CloseCode(frame.code.into()))),
            // A TCP end without a close frame is the end of the connection, and nobody's error.
            Some(Err(WebSocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => {
                return ReadEnd::Closed;
            }
            Some(Err(WebSocketError::Capacity(_) | WebSocketError::Protocol(_) | WebSocketError::Utf8(_))) => {
                machine.tell(ConnectionEvent::Unreadable).await;
                return ReadEnd::Unreadable;
            }
            // No room for more messages.
            Some(Err(WebSocketError::Io(error))) if error.kind() == io::ErrorKind::QuotaExceeded => {
                machine.tell(ConnectionEvent::Unreadable).await;
                return ReadEnd::Unreadable;
            }
            Some(Err(_)) | None => return ReadEnd::Closed,
        };
        machine.tell(event).await;
    }
}

/// Writes what there is, until a close frame of ours, or until the machine forgets us. What waits is let go where the
/// machine says so.
async fn write(
    sink: &mut SplitSink<Socket, Message>,
    commands: &mut mpsc::Receiver<ConnectionCommand>,
    mut flow: watch::Receiver<Flow>,
    machine: &ToMachine,
) -> Result<(), WebSocketError> {
    tokio::select! {
        biased;
        // An error means that the machine has forgotten this connection; writing ends by itself then.
        Ok(_) = flow.wait_for(|flow| *flow == Flow::Discard) => {}
        written = write_all(sink, commands, machine) => return written,
    }
    commands.close();
    let mut farewell = None;
    while let Some(command) = commands.recv().await {
        if let ConnectionCommand::Close(code, reason) = command {
            farewell = Some((code, reason));
        }
    }
    match farewell {
        Some((code, reason)) => say_goodbye(sink, code, &reason).await,
        None => Ok(()),
    }
}

/// Writes what there is in one go, then flushes. Ends after a close frame of ours, or when the machine forgets us.
async fn write_all(
    sink: &mut SplitSink<Socket, Message>,
    commands: &mut mpsc::Receiver<ConnectionCommand>,
    machine: &ToMachine,
) -> Result<(), WebSocketError> {
    loop {
        let (mut next, mut frames, mut bytes) = (commands.recv().await, 0, 0);
        loop {
            match next {
                Some(ConnectionCommand::Send(frame)) => {
                    frames += 1;
                    bytes += frame.len();
                    feed(sink, frame).await?;
                }
                Some(ConnectionCommand::Ping) => sink.feed(Message::Ping(Bytes::new())).await?,
                Some(ConnectionCommand::Close(code, reason)) => {
                    sink.flush().await?;
                    return say_goodbye(sink, code, &reason).await;
                }
                None => {
                    sink.flush().await?;
                    return Ok(());
                }
            }
            if frames >= BATCH || bytes >= BATCH_BYTES {
                break;
            }
            next = match commands.try_recv() {
                Ok(command) => Some(command),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => None,
            };
        }
        sink.flush().await?;
        if frames > 0 {
            machine.tell(ConnectionEvent::Written(frames)).await;
        }
    }
}

async fn say_goodbye(
    sink: &mut SplitSink<Socket, Message>,
    code: CloseCode,
    reason: &str,
) -> Result<(), WebSocketError> {
    sink.send(Message::Close(Some(CloseFrame { code: code.0.into(), reason: reason.into() }))).await
}

/// Gives a message to the socket's buffer; a long one piece by piece. It stays one message.
async fn feed(sink: &mut SplitSink<Socket, Message>, mut bytes: Bytes) -> Result<(), WebSocketError> {
    if bytes.len() <= FRAGMENT {
        return sink.feed(Message::Binary(bytes)).await;
    }
    let mut kind = Data::Binary;
    while !bytes.is_empty() {
        let piece = bytes.split_to(bytes.len().min(FRAGMENT));
        let frame = Frame::message(piece, OpCode::Data(kind), bytes.is_empty());
        sink.feed(Message::Frame(frame)).await?;
        kind = Data::Continue;
    }
    Ok(())
}

async fn discard(mut socket: Socket) {
    let mut scratch = vec![0; 16 * 1024];
    while socket.get_mut().read(&mut scratch).await.is_ok_and(|read| read > 0) {}
}
