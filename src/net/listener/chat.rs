//! One device's connection to the chat server: a task that connects, writes what it is given, and reads when it is told to.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot};

use super::connection::ConnectionEvent;
use crate::mediator::{ChatAction, ChatEvent, ConnectionId};

/// How long connecting may take: less than a client waits for a sign of life.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// How long a chat server may take to read what a device sent before it left.
const LINGER: Duration = Duration::from_secs(3);
/// The most bytes of one read.
const READ: usize = 16 * 1024;
/// How many frames may wait for the chat server: more than the machine ever has under way to it.
const FRAMES: usize = 4_096;
/// The most frames between two reports of what was written.
const BATCH: usize = 64;

/// The machine's end of a connection to the chat server. When it is dropped, the connection ends soon.
pub(super) struct ChatHandle {
    frames: mpsc::Sender<Bytes>,
    read: Arc<Notify>,
    /// Tells by being dropped.
    _forgotten: oneshot::Sender<()>,
}

impl ChatHandle {
    /// Never waits. False if the queue is full, which the machine's own bounds rule out: the connection has to end.
    pub(super) fn act(&self, action: ChatAction) -> bool {
        match action {
            // A closed queue means that the end is already on its way to the machine.
            ChatAction::Send(frame) => !matches!(self.frames.try_send(frame), Err(TrySendError::Full(_))),
            ChatAction::Read => {
                self.read.notify_one();
                true
            }
            ChatAction::Connect | ChatAction::Close => true,
        }
    }
}

/// The way to the machine.
struct ChatToMachine {
    id: ConnectionId,
    events: mpsc::Sender<(ConnectionId, ConnectionEvent)>,
}

impl ChatToMachine {
    async fn tell(&self, event: ChatEvent) {
        // If nobody listens any more, the server is at its end, and this task with it.
        let _ = self.events.send((self.id, ConnectionEvent::Chat(event))).await;
    }
}

/// The handle of a connection, and the task that has to be run for it.
pub(super) fn relay(
    id: ConnectionId,
    address: Arc<str>,
    events: mpsc::Sender<(ConnectionId, ConnectionEvent)>,
) -> (ChatHandle, impl Future<Output = ()> + Send + 'static) {
    let (sender, frames) = mpsc::channel(FRAMES);
    let (forgotten, forgetting) = oneshot::channel();
    let read = Arc::new(Notify::new());
    let handle = ChatHandle { frames: sender, read: Arc::clone(&read), _forgotten: forgotten };
    let machine = ChatToMachine { id, events };
    let serving = async move {
        tokio::select! {
            () = serve(&address, frames, &read, &machine) => {}
            () = overdue(forgetting) => {}
        }
        // No news for a machine that has forgotten this connection.
        machine.tell(ChatEvent::Closed).await;
    };
    (handle, serving)
}

/// Ready when the connection should be over since some time.
async fn overdue(forgetting: oneshot::Receiver<()>) {
    // Nothing is ever sent.
    let _ = forgetting.await;
    tokio::time::sleep(LINGER).await;
}

async fn serve(address: &str, mut frames: mpsc::Receiver<Bytes>, read: &Notify, machine: &ChatToMachine) {
    let (reader, writer) = match connect(address).await {
        Ok(stream) => stream.into_split(),
        Err(error) => return machine.tell(ChatEvent::Unreachable(error.kind())).await,
    };
    machine.tell(ChatEvent::Connected).await;
    tokio::select! {
        () = bring(reader, read, machine) => {}
        () = take(writer, &mut frames, machine) => {}
    }
}

async fn connect(address: &str) -> io::Result<TcpStream> {
    let connected = tokio::time::timeout(CONNECT_PATIENCE, TcpStream::connect(address));
    let stream = connected.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    // Small frames must not wait for each other. If the system refuses, they do.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Reads as often as it is told to; ready when the chat server has said all.
async fn bring(mut reader: OwnedReadHalf, read: &Notify, machine: &ChatToMachine) {
    let mut buffer = BytesMut::new();
    loop {
        read.notified().await;
        buffer.reserve(READ);
        match (&mut reader).take(READ as u64).read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => machine.tell(ChatEvent::Bytes(buffer.split().freeze())).await,
        }
    }
}

/// Writes what there is; ready when the machine has forgotten this connection and everything is written, or cannot be.
async fn take(mut writer: OwnedWriteHalf, frames: &mut mpsc::Receiver<Bytes>, machine: &ChatToMachine) {
    let mut batch = Vec::with_capacity(BATCH);
    while frames.recv_many(&mut batch, BATCH).await > 0 {
        let written = batch.len();
        for frame in batch.drain(..) {
            if writer.write_all(&frame).await.is_err() {
                // The reading tells when it is over.
                while frames.recv().await.is_some() {}
                return;
            }
        }
        machine.tell(ChatEvent::Written { frames: written }).await;
    }
    let _ = writer.shutdown().await;
}
