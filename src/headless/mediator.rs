//! `d2mtop mediator`: a mediator of our own, with its log as NDJSON on standard output.

use std::io::{self, Write as _};
use std::path::Path;
use std::pin::pin;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::{Map, Value, json};

use crate::cli::MediatorArgs;
use crate::mediator::{Config, End, LogEvent, Removal};
use crate::net::{Listener, ListenerOptions, LogLine, Tls};
use crate::protocol::ids::span_millis;
use crate::protocol::{CloseCode, DeviceGroupId, SlotState};
use crate::runtime::{Failure, Outcome, clock, event_loop, signals};
use crate::text::Clean;

/// How many lines may wait for a slow reader before lines are left out.
const LINES: usize = 8_192;
/// How long the end waits for the last lines to be written.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Listens until a signal ends it.
///
/// # Errors
/// If the options cannot be used, or the system does not give the address.
pub fn run(options: &MediatorArgs) -> Result<Outcome, Failure> {
    let listener_options = listener_options(options)?;
    event_loop().map_err(Failure::Start)?.block_on(async {
        // Polled once, so that a signal that comes right after the port file ends us politely.
        let mut terminated = pin!(signals::terminated());
        let early = terminated.as_mut().now_or_never();
        let unavailable = |cause| Failure::Listen { address: options.listen, cause };
        let listener = Listener::bind(listener_options).await.map_err(unavailable)?;
        if let Some(path) = &options.port_file {
            let port = listener.local_addr().map_err(unavailable)?.port();
            write_port(path, port).map_err(|cause| Failure::PortFile { path: path.clone(), cause })?;
        }
        let mut output = LogOutput::start().map_err(Failure::Start)?;
        let shutdown = async {
            if early.is_none() {
                terminated.await;
            }
        };
        listener.run(shutdown, |line| output.write(&line)).await;
        output.end();
        Ok(Outcome::Normal)
    })
}

fn listener_options(options: &MediatorArgs) -> Result<ListenerOptions, Failure> {
    for (name, span) in [("--max-ttl", options.max_ttl), ("--handshake-timeout", options.handshake_timeout)] {
        if span.is_zero() {
            return Err(Failure::Usage(format!("{name} must be longer than 0s, such as 30s")));
        }
    }
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::from_pem_files(certificate, key)?),
        _ => None,
    };
    let config = Config {
        max_slots: options.max_slots.into(),
        max_ttl: options.max_ttl,
        volatile_grace: options.volatile_grace,
        queue_limit: usize::try_from(options.queue_limit).unwrap_or(usize::MAX),
        idle_timeout: Some(options.idle_timeout).filter(|span| !span.is_zero()),
        handshake_timeout: options.handshake_timeout,
    };
    Ok(ListenerOptions { address: options.listen, config, tls, ..ListenerOptions::default() })
}

/// Whoever waits for the file finds it whole: it appears by being renamed.
fn write_port(path: &Path, port: u16) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    std::fs::write(&temporary, format!("{port}\n"))?;
    std::fs::rename(&temporary, path).inspect_err(|_| {
        // The error that counts is the one of the renaming.
        let _ = std::fs::remove_file(&temporary);
    })
}

/// Standard output on a thread of its own: whoever reads it slowly, or not at all, does not hold the server up.
struct LogOutput {
    lines: SyncSender<Value>,
    ended: Receiver<()>,
    left_out: u64,
}

impl LogOutput {
    fn start() -> io::Result<Self> {
        let (lines, waiting) = mpsc::sync_channel(LINES);
        let (ending, ended) = mpsc::channel();
        std::thread::Builder::new().name("log".to_owned()).spawn(move || {
            print(&waiting);
            drop(ending);
        })?;
        Ok(Self { lines, ended, left_out: 0 })
    }

    fn write(&mut self, line: &LogLine) {
        if self.left_out > 0 && self.lines.try_send(object("left_out", json!({ "lines": self.left_out }))).is_ok() {
            self.left_out = 0;
        }
        let (event, fields) = fields(line);
        if self.lines.try_send(object(event, fields)).is_err() {
            self.left_out += 1;
        }
    }

    /// Waits for the last lines, but not for ever.
    fn end(self) {
        drop(self.lines);
        // The thread says nothing; it ends, or it takes too long.
        let (Ok(()) | Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout)) =
            self.ended.recv_timeout(LAST_LINES);
    }
}

fn print(waiting: &Receiver<Value>) {
    let mut output = io::BufWriter::new(io::stdout());
    while let Ok(first) = waiting.recv() {
        let mut next = Some(first);
        while let Some(line) = next {
            // Nobody may be reading any more. That is no reason to stop serving.
            let _ = serde_json::to_writer(&mut output, &line).map_err(io::Error::from);
            let _ = output.write_all(b"\n");
            next = waiting.try_recv().ok();
        }
        let _ = output.flush();
    }
}

fn object(event: &str, fields: Value) -> Value {
    let mut object = Map::new();
    object.insert("event".to_owned(), event.into());
    object.insert("at".to_owned(), clock::now().0.into());
    if let Value::Object(fields) = fields {
        object.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
    }
    Value::Object(object)
}

fn fields(line: &LogLine) -> (&'static str, Value) {
    match line {
        LogLine::Listening { address, encrypted } => {
            ("listening", json!({ "address": address.to_string(), "port": address.port(), "encrypted": encrypted }))
        }
        LogLine::Refused { connection, peer, refusal } => {
            ("refused", json!({ "connection": connection.0, "peer": peer.to_string(), "reason": refusal.to_string() }))
        }
        LogLine::AcceptFailed { kind } => ("accept_failed", json!({ "reason": kind.to_string() })),
        LogLine::NoRandomness { connection } => ("no_randomness", json!({ "connection": connection.0 })),
        LogLine::Mediator(event) => mediator_fields(event),
        LogLine::Stopping { connections } => ("stopping", json!({ "connections": connections })),
        LogLine::Stopped => ("stopped", json!({})),
    }
}

fn mediator_fields(event: &LogEvent) -> (&'static str, Value) {
    match event {
        LogEvent::Opened { connection, group, dialect } => {
            ("opened", json!({ "connection": connection.0, "group": short(group), "dialect": dialect.to_string() }))
        }
        LogEvent::LoggedIn { connection, group, device, slot, waiting } => {
            let slot = if *slot == SlotState::New { "new" } else { "existing" };
            let (connection, group) = (connection.0, short(group));
            let fields =
                json!({ "connection": connection, "group": group, "device": device, "slot": slot, "waiting": waiting });
            ("logged_in", fields)
        }
        LogEvent::Promoted { group, device } => ("promoted", json!({ "group": short(group), "device": device })),
        LogEvent::LockTaken { group, device } => ("lock_taken", json!({ "group": short(group), "device": device })),
        LogEvent::LockReleased { group, device, committed } => {
            ("lock_released", json!({ "group": short(group), "device": device, "committed": committed }))
        }
        LogEvent::SlotRemoved { group, device, cause } => {
            let (cause, by) = match cause {
                Removal::DroppedBy(by) => ("dropped", Some(by)),
                Removal::LeastRecent => ("least_recent", None),
                Removal::QueueLimit => ("queue_limit", None),
                Removal::Expired => ("expired", None),
            };
            ("slot_removed", json!({ "group": short(group), "device": device, "cause": cause, "by": by }))
        }
        LogEvent::Closed { connection, group, device, end, proxy_frames, lasted } => {
            let (by, code, reason) = match end {
                End::Ours(closing) => ("server", Some(closing.code), Some(Clean::new(&closing.reason))),
                End::Theirs(code) => ("client", *code, None),
            };
            let fields = json!({
                "connection": connection.0, "group": short(group), "device": device, "by": by,
                "code": code.map(|CloseCode(code)| code), "reason": reason,
                "proxy_frames": proxy_frames, "lasted_ms": span_millis(*lasted),
            });
            ("closed", fields)
        }
    }
}

/// The first eight digits: enough to tell groups apart in a log.
fn short(group: &DeviceGroupId) -> String {
    let [first, second, third, fourth, ..] = group.0;
    hex::encode([first, second, third, fourth])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mediator::{Closing, ConnectionId};
    use crate::protocol::DeviceId;

    #[test]
    fn a_closed_connection_is_told_with_all_that_is_known() {
        let closing = Closing { code: CloseCode::PROTOCOL_ERROR, reason: "out of\u{1b} order".into() };
        let (event, fields) = mediator_fields(&LogEvent::Closed {
            connection: ConnectionId(7),
            group: DeviceGroupId([0xab; 32]),
            device: Some(DeviceId(1)),
            end: End::Ours(closing),
            proxy_frames: 3,
            lasted: Duration::from_secs(2),
        });
        let expected = json!({
            "connection": 7, "group": "abababab", "device": "0100000000000000", "by": "server", "code": 4010,
            "reason": "out of^[ order", "proxy_frames": 3, "lasted_ms": 2_000,
        });
        assert_eq!((event, fields), ("closed", expected));
    }

    #[test]
    fn the_port_file_appears_whole_and_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("port");
        std::fs::write(&path, "an older one, which was longer").unwrap();
        write_port(&path, 4711).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "4711\n");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(write_port(&directory.path().join("none").join("port"), 1).is_err());
    }
}
