//! The clients, and what they measure of themselves.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::mpsc as std_mpsc;
use std::time::{Duration, Instant};

use bytes::{Buf as _, BytesMut};
use d2mtop::group::{Event, Group};
use d2mtop::journal::{self, Journal, JournalHandle};
use d2mtop::net::{Address, TlsOptions};
use d2mtop::protocol::{ClientMessage, DeviceId, Millis, PseudonymKey, ServerGroup, ServerMessage};
use d2mtop::runtime::{EventSink, drive_keeping};
use d2mtop::session::{LeaderPolicy, Session, SessionConfig};
use futures_util::StreamExt as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use crate::measure::Figures;
use crate::server::server_frame;
use crate::stream::{self, DIALECT};

/// Drains the stream as the named client does.
pub(crate) fn run(client: &str, port: u16, messages: u32) -> Figures {
    let (elapsed, acknowledged_us) = match client {
        "receive" => (receive(port, messages), [0; 3]),
        "floor" => (floor(port, messages), [0; 3]),
        "d2mtop" => session(port, messages, None),
        "journal" => {
            let directory = tempfile::tempdir().unwrap();
            session(port, messages, Some(&directory.path().join(journal::FILE)))
        }
        other => panic!("no client is called {other}"),
    };
    let processor = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    #[allow(clippy::cast_precision_loss, reason = "a measurement has less digits")]
    let processor_seconds = processor.tv_sec as f64 + processor.tv_nsec as f64 / 1e9;
    Figures { seconds: elapsed.as_secs_f64(), processor_seconds, peak_kib: peak_kib(), acknowledged_us }
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().trim_end_matches("kB").trim().parse().unwrap_or(0)
}

fn event_loop() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn receive(port: u16, messages: u32) -> Duration {
    event_loop().block_on(async {
        let socket = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (mut socket, _) =
            tokio_tungstenite::client_async(format!("ws://127.0.0.1:{port}/receive"), socket).await.unwrap();
        let mut started = None;
        let mut left = messages;
        while left > 0 {
            if let Some(Ok(Message::Binary(_))) = socket.next().await {
                started.get_or_insert_with(Instant::now);
                left -= 1;
            }
        }
        started.unwrap().elapsed()
    })
}

/// Parses, opens and decodes in place; acknowledges once a read.
fn floor(port: u16, messages: u32) -> Duration {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_nodelay(true).unwrap();
    let request = format!(
        "GET /floor HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut byte = [0];
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let keys = stream::keys();
    let mut chunk = vec![0; 256 * 1024];
    let mut buffer = BytesMut::new();
    let mut acknowledgements = Vec::new();
    let mut left = messages;
    let mut started = None;
    while left > 0 {
        let read = socket.read(&mut chunk).unwrap();
        started.get_or_insert_with(Instant::now);
        assert!(read > 0, "the server went away");
        buffer.extend_from_slice(&chunk[..read]);
        let mut bytes = buffer.split().freeze();
        while let Some((_, payload, length)) = server_frame(&bytes) {
            bytes.advance(length);
            if let Ok(ServerMessage::Reflected(reflected)) = ServerMessage::decode(payload, DIALECT) {
                std::hint::black_box(reflected.envelope.open(&keys).unwrap());
                let ack = ClientMessage::ReflectedAck(reflected.id).encode(DIALECT);
                // Masked with zeros.
                acknowledgements.extend_from_slice(&[0x82, 0x80 | 0x0c, 0, 0, 0, 0]);
                acknowledgements.extend_from_slice(&ack);
                left -= 1;
            }
        }
        buffer = BytesMut::from(&bytes[..]);
        socket.write_all(&acknowledgements).unwrap();
        acknowledgements.clear();
    }
    started.unwrap().elapsed()
}

/// Keeps the group model, and tells when everything is acknowledged.
struct Counting {
    group: Group,
    started: Option<Instant>,
    left: usize,
    done: std_mpsc::Sender<(Duration, [u64; 3])>,
}

impl EventSink for Counting {
    fn tell(&mut self, at: Millis, event: Event) {
        self.group.apply(at, &event);
        match &event {
            Event::LoggedIn(_) => self.started = Some(Instant::now()),
            Event::Acknowledged { ids, .. } => {
                self.left = self.left.saturating_sub(ids.len());
                if let (0, Some(started)) = (self.left, self.started) {
                    let waited = &self.group.latency().acknowledgement;
                    let micros =
                        |part| waited.quantile(part).map_or(0, |span| u64::try_from(span.as_micros()).unwrap());
                    let _ = self.done.send((started.elapsed(), [0.5, 0.99, 1.0].map(micros)));
                }
            }
            _ => {}
        }
    }
}

fn session(port: u16, messages: u32, journal: Option<&Path>) -> (Duration, [u64; 3]) {
    let config = SessionConfig { leader_policy: LeaderPolicy::Stay, ..SessionConfig::of(stream::keys(), DeviceId(1)) };
    let session = Session::new(config, StdRng::seed_from_u64(1));
    let (session, journal) = match journal {
        None => (session, None),
        Some(path) => {
            let options = journal::Options::hashed(PseudonymKey::of(&stream::keys()));
            let opened = Journal::open(path, options, stream::NOW).unwrap();
            let session = session.continuing(opened.fingerprinter, opened.nonces, []);
            (session, Some(JournalHandle::start(opened.journal, None).unwrap()))
        }
    };
    let group = ServerGroup::parse("01", DIALECT).unwrap();
    let url = session.url(&format!("ws://127.0.0.1:{port}/"), group);
    let address = Address::new(&url, &TlsOptions::default()).unwrap();
    let (commands, receiver) = mpsc::channel(8);
    let (done, waited) = std_mpsc::channel();
    let observer = Counting { group: Group::default(), started: None, left: messages as usize, done };
    let thread =
        std::thread::spawn(move || event_loop().block_on(drive_keeping(journal, session, address, receiver, observer)));
    let figures = waited.recv().unwrap();
    drop(commands);
    thread.join().unwrap();
    figures
}
