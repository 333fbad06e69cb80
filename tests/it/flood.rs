//! A server that sends and does not read: what a whole `watch` takes of memory meanwhile.

#![cfg(target_os = "linux")]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use d2mtop::mediator::{self, ConnectionId, HandshakeSecrets, MediatorConfig, MediatorInput, MediatorOutput};
use d2mtop::protocol::{
    ClientUrlInfo, DeviceId, Dialect, GroupKeys, GroupSecret, Millis, Reflected, ReflectedHeader, ReflectedId, Sealed,
    ServerGroup, ServerMessage,
};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::program::{KEY, d2mtop, key_file};

/// How long each flood lasts, unless it is held back.
const LASTS: Duration = Duration::from_secs(6);
/// Who has taken nothing for so long is not reading any more.
const HELD_BACK: Duration = Duration::from_secs(2);
/// What a flood may add to the memory of a session that is logged in. Without a bound it is more within seconds.
const MOST: u64 = 48 << 20;

const CONNECTION: ConnectionId = ConnectionId(1);

#[derive(Clone, Copy, Debug)]
enum Flood {
    /// Transactions end, each of which may have changed the device list.
    EndedTransactions,
    /// Each message wants to be acknowledged.
    Reflected,
    /// Each wants an answer with the same bytes.
    Pings,
    /// All of them, mixed.
    All,
}

impl Flood {
    fn message(self, number: u32, dialect: Dialect) -> Message {
        let kind = if let Self::All = self { number % 3 } else { self as u32 };
        let sealed = || Bytes::from(vec![7; 100]);
        let message = match kind {
            0 => ServerMessage::TransactionEnded { holder: DeviceId(9), scope: Sealed::from_wire(sealed()) },
            1 => ServerMessage::Reflected(Reflected {
                id: ReflectedId(number),
                ephemeral: false,
                timestamp: Millis(1_700_000_000_000),
                header: ReflectedHeader::of(false, dialect),
                envelope: Sealed::from_wire(sealed()),
            }),
            _ => return Message::Ping(sealed()),
        };
        Message::Binary(message.encode(dialect))
    }
}

/// Lets the client in, as far as the end of its queue.
async fn let_in(stream: TcpStream, dialect: Dialect) -> WebSocketStream<TcpStream> {
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    let keys = GroupKeys::derive(dialect, &GroupSecret::from_hex(KEY).unwrap());
    let server_group = ServerGroup::parse("01", dialect).unwrap();
    let url = ClientUrlInfo { dialect, device_group_id: keys.device_group_id(), server_group };
    let mut mediator = mediator::Mediator::new(MediatorConfig::default());
    mediator.open(Millis(1), CONNECTION, &url, HandshakeSecrets { secret: [2; 32], challenge: [3; 32] });
    loop {
        while let Some(output) = mediator.poll() {
            if let MediatorOutput::Send { bytes, .. } = output {
                let is_dry =
                    matches!(ServerMessage::decode(bytes.clone(), dialect), Ok(ServerMessage::ReflectionQueueDry));
                socket.send(Message::Binary(bytes)).await.unwrap();
                if is_dry {
                    return socket;
                }
            }
        }
        if let Message::Binary(bytes) = socket.next().await.unwrap().unwrap() {
            mediator.handle(Millis(2), MediatorInput::Frame { connection: CONNECTION, bytes });
        }
    }
}

/// Sends for a while and reads nothing; how many bytes went off.
async fn flood(socket: &mut WebSocketStream<TcpStream>, flood: Flood, dialect: Dialect) -> u64 {
    let (began, mut sent) = (Instant::now(), 0);
    for number in 1.. {
        let message = flood.message(number, dialect);
        let bytes = message.len() as u64;
        match timeout(HELD_BACK, socket.send(message)).await {
            Ok(Ok(())) => sent += bytes,
            // It is held back, or the client has gone.
            Ok(Err(_)) | Err(_) => break,
        }
        if began.elapsed() > LASTS {
            break;
        }
    }
    sent
}

/// Of a process: the bytes in memory now, or the most that ever were.
fn resident(process: &Child, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|known| known.strip_prefix(line)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
}

/// The peak above what a session that is logged in takes, and how many bytes were sent.
fn grows_by(kind: Flood, dialect: Dialect, more: &[&str]) -> (u64, u64) {
    let home = tempfile::tempdir().unwrap();
    let key = key_file(home.path());
    let dialect_name = dialect.to_string();
    d2mtop::os::event_loop::event_loop().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://127.0.0.1:{}/", listener.local_addr().unwrap().port());
        let mut arguments = vec!["watch", "--stay-leader", "--url", &url, "--key-file", key.to_str().unwrap()];
        arguments.extend(["--dialect", &dialect_name]);
        arguments.extend(more);
        let mut command: Command = d2mtop(home.path(), &arguments);
        let mut watch = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = let_in(stream, dialect).await;
        let before = resident(&watch, "VmRSS:");
        let sent = flood(&mut socket, kind, dialect).await;
        assert!(watch.try_wait().unwrap().is_none(), "it goes on");
        let peak = resident(&watch, "VmHWM:");
        watch.kill().unwrap();
        watch.wait().unwrap();
        (peak.saturating_sub(before), sent)
    })
}

#[test]
fn a_server_that_sends_and_does_not_read_takes_no_more_memory_than_it_may() {
    for (kind, dialect, more) in [
        (Flood::EndedTransactions, Dialect::Dgk, &[][..]),
        (Flood::Reflected, Dialect::Dgk, &[]),
        (Flood::Pings, Dialect::Dgk, &["--json"]),
        (Flood::All, Dialect::Mk, &["--only", "logged_in"]),
    ] {
        let (grown, sent) = grows_by(kind, dialect, more);
        println!("{kind:?} in {dialect}: {} KiB more after {} KiB", grown >> 10, sent >> 10);
        assert!(grown < MOST, "{kind:?} in {dialect}: {grown} bytes more after {sent}");
    }
}
