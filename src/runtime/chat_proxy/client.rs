//! A chat client's connection: its bytes become frames for the session, and the chat server's frames bytes for it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};

use crate::mediator::ChatTraffic;
use crate::protocol::{CHAT_SERVER_LOGIN, ChatFrameError, ChatFrames};
use crate::session::{ChatClientId, Command};

/// After what silence a client's login is whole: its length is sealed, but the client waits for the answer.
const SILENCE: Duration = Duration::from_millis(50);
/// How long a client may take to read what is left for it when it is cut off.
const LINGER: Duration = Duration::from_secs(3);
/// The most bytes of one read.
const READ: usize = 16 * 1024;

/// A frame of the chat server on its way to the client; takes room as long as it is.
#[derive(Debug)]
pub(super) struct Unread {
    frame: Bytes,
    taken: Arc<AtomicUsize>,
}

impl Unread {
    pub(super) fn new(frame: Bytes, taken: &Arc<AtomicUsize>) -> Self {
        taken.fetch_add(frame.len(), Ordering::Relaxed);
        Self { frame, taken: Arc::clone(taken) }
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        self.taken.fetch_sub(self.frame.len(), Ordering::Relaxed);
    }
}

/// How a client's connection ended, as far as the client has a part in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientEnd {
    /// It closed its side. The protocol has no way to tell the chat server of half an end.
    Left,
    Broke(io::ErrorKind),
    /// What it sent cannot be passed on.
    Unframed(ChatFrameError),
    CutOff,
    /// d2mtop itself ends.
    Ours,
}

/// What became of a client.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) end: ClientEnd,
    pub(super) to_server: ChatTraffic,
    pub(super) from_server: ChatTraffic,
    /// Bytes of a frame that never became whole, and went nowhere.
    pub(super) incomplete: usize,
}

/// What a client's task is told.
pub(super) struct Orders {
    /// There is a connection to the mediator for it: begin.
    pub(super) begin: oneshot::Receiver<()>,
    pub(super) from_server: mpsc::UnboundedReceiver<Unread>,
    /// No more comes: end soon.
    pub(super) cut_off: oneshot::Receiver<()>,
    pub(super) end: oneshot::Receiver<()>,
}

/// Serves one client to its end; the session hears of the beginning and the end.
pub(super) async fn serve(
    stream: TcpStream,
    id: ChatClientId,
    mut orders: Orders,
    commands: mpsc::Sender<Command>,
) -> Carried {
    // Small frames must not wait for each other. If the system refuses, they do.
    let _ = stream.set_nodelay(true);
    // A session that is over takes no command, and then we are cut off.
    let _ = commands.send(Command::BeginProxy(id)).await;
    let mut frames = ChatFrames::from_client();
    let (mut to_server, mut from_server) = (ChatTraffic::default(), ChatTraffic::default());
    let end = tokio::select! {
        _ = &mut orders.begin => None,
        end = gone(&stream) => Some(end),
        _ = &mut orders.cut_off => Some(ClientEnd::CutOff),
        _ = &mut orders.end => Some(ClientEnd::Ours),
    };
    let end = if let Some(end) = end {
        end
    } else {
        let seen = AtomicUsize::new(0);
        let (reader, writer) = stream.into_split();
        tokio::select! {
            end = upwards(reader, &mut frames, &seen, &commands, &mut to_server) => end,
            end = downwards(writer, &mut orders.from_server, &seen, &mut from_server) => end,
            () = overdue(orders.cut_off) => ClientEnd::CutOff,
            _ = orders.end => ClientEnd::Ours,
        }
    };
    if end != ClientEnd::Ours {
        let _ = commands.send(Command::EndProxy).await;
    }
    Carried { end, to_server, from_server, incomplete: frames.incomplete() }
}

/// Ready when a client goes that has not yet said anything.
async fn gone(stream: &TcpStream) -> ClientEnd {
    match stream.peek(&mut [0]).await {
        Ok(0) => ClientEnd::Left,
        Ok(_) => std::future::pending().await,
        Err(error) => ClientEnd::Broke(error.kind()),
    }
}

/// Ready when a client that was cut off should be gone since some time.
async fn overdue(cut_off: oneshot::Receiver<()>) {
    let _ = cut_off.await;
    tokio::time::sleep(LINGER).await;
}

/// Passes frames on, one a message, as fast as the session takes them.
async fn upwards(
    mut reader: OwnedReadHalf,
    frames: &mut ChatFrames,
    seen: &AtomicUsize,
    commands: &mpsc::Sender<Command>,
    traffic: &mut ChatTraffic,
) -> ClientEnd {
    let mut buffer = vec![0; READ];
    loop {
        let silence = async {
            if !frames.may_be_a_login() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(SILENCE).await;
        };
        let whole = tokio::select! {
            biased;
            read = reader.read(&mut buffer) => match read {
                Ok(0) => return ClientEnd::Left,
                Ok(read) => {
                    if seen.load(Ordering::Relaxed) >= CHAT_SERVER_LOGIN {
                        frames.login_acknowledged();
                    }
                    frames.push(buffer.get(..read).unwrap_or_default());
                    None
                }
                Err(error) => return ClientEnd::Broke(error.kind()),
            },
            () = silence => frames.take_login(),
        };
        let mut next = whole;
        loop {
            let frame = match next.take().map_or_else(|| frames.next_frame(), |frame| Ok(Some(frame))) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(error) => return ClientEnd::Unframed(error),
            };
            let length = frame.len();
            if commands.send(Command::Proxy(frame)).await.is_err() {
                return ClientEnd::CutOff;
            }
            traffic.count(length);
        }
    }
}

/// Writes what the chat server says, until no more comes.
async fn downwards(
    mut writer: OwnedWriteHalf,
    from_server: &mut mpsc::UnboundedReceiver<Unread>,
    seen: &AtomicUsize,
    traffic: &mut ChatTraffic,
) -> ClientEnd {
    while let Some(unread) = from_server.recv().await {
        // Before the client can answer it.
        seen.fetch_add(unread.frame.len(), Ordering::Relaxed);
        if let Err(error) = writer.write_all(&unread.frame).await {
            return ClientEnd::Broke(error.kind());
        }
        traffic.count(unread.frame.len());
    }
    let _ = writer.shutdown().await;
    ClientEnd::CutOff
}
