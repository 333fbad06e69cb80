//! `d2mtop mediator`: a mediator of our own, with its log as NDJSON on standard output.

use std::pin::pin;
use std::sync::Arc;

use bytesize::ByteSize;
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use crate::cli::MediatorArgs;
use crate::mediator::{ChatEnd, ConnectionEnd, LogEvent, MediatorConfig, SlotRemoval};
use crate::net::{Listener, ListenerOptions, LogLine, Tls};
use crate::os::event_loop::event_loop;
use crate::os::signals;
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::lines::LineSink;
use crate::output::ndjson;
use crate::output::port_file;
use crate::output::sentences::Form;
use crate::protocol::ids::span_millis;
use crate::protocol::{CloseCode, DeviceGroupId, Millis, SlotState};
use crate::rendezvous::{RelayConfig, RelayEnd, RelayEvent};
use crate::text::Clean;

/// Below this a bound in bytes would not hold what one device may send at once.
const LEAST_BOUND: ByteSize = ByteSize::mib(1);

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
            port_file::write_port(path, port).map_err(|cause| Failure::PortFile { path: path.clone(), cause })?;
        }
        let write = |form: &mut Form, output: &mut Vec<u8>, at, line: LogLine| form.line(output, &object(at, &line));
        let output = LineSink::start(Form::Ndjson, write).map_err(Failure::Start)?;
        let shutdown = async {
            if early.is_none() {
                terminated.await;
            }
        };
        listener.run(shutdown, |line| output.write(line)).await;
        output.end().await.map(|()| Outcome::Normal)
    })
}

fn listener_options(options: &MediatorArgs) -> Result<ListenerOptions, Failure> {
    for (name, span) in [
        ("--max-ttl", options.max_ttl),
        ("--handshake-timeout", options.handshake_timeout),
        ("--forget-after", options.forget_after),
        ("--write-timeout", options.write_timeout),
        ("--dead-after", options.dead_after),
    ] {
        if span.is_zero() {
            return Err(Failure::Usage(format!("{name} must be longer than 0s, such as 30s")));
        }
    }
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::from_pem_files(certificate, key)?),
        _ => None,
    };
    let chat_server = options.chat_server.as_deref().map(chat_server).transpose()?;
    let config = MediatorConfig {
        max_slots: options.max_slots.into(),
        max_ttl: options.max_ttl,
        volatile_grace: options.volatile_grace,
        queue_limit: usize::try_from(options.queue_limit).unwrap_or(usize::MAX),
        queue_bytes: bytes("--queue-bytes", options.queue_bytes)?,
        max_connections: usize::try_from(options.max_connections).unwrap_or(usize::MAX),
        max_groups: usize::try_from(options.max_groups).unwrap_or(usize::MAX),
        max_memory: bytes("--max-memory", options.max_memory)?,
        forget_after: options.forget_after,
        write_timeout: options.write_timeout,
        dead_after: options.dead_after,
        idle_timeout: Some(options.idle_timeout).filter(|span| !span.is_zero()),
        handshake_timeout: options.handshake_timeout,
        ..MediatorConfig::default()
    };
    let rendezvous = options.rendezvous.then(RelayConfig::default);
    Ok(ListenerOptions { address: options.listen, config, tls, chat_server, rendezvous })
}

/// A bound that holds at least a message of each kind.
fn bytes(name: &str, size: ByteSize) -> Result<usize, Failure> {
    if size < LEAST_BOUND {
        return Err(Failure::Usage(format!("{name} must be {LEAST_BOUND} or more, such as 64MiB")));
    }
    Ok(usize::try_from(size.as_u64()).unwrap_or(usize::MAX))
}

/// A host and a port; what the host is, the system finds out at each connection.
fn chat_server(text: &str) -> Result<Arc<str>, Failure> {
    let good = text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if good {
        return Ok(text.into());
    }
    let text = Clean::new(text);
    Err(Failure::Usage(format!("--chat-server {text} is no HOST:PORT, such as chat.example:5222 or [::1]:5222")))
}

fn object(at: Millis, line: &LogLine) -> Value {
    let (event, fields) = fields(line);
    ndjson::line(at, event, fields)
}

fn fields(line: &LogLine) -> (&'static str, Value) {
    match line {
        LogLine::Listening { address, encrypted, chat_server, rendezvous } => {
            let chat_server = chat_server.as_deref().map(Clean::new);
            let (address, port) = (address.to_string(), address.port());
            let fields = json!({
                "address": address, "port": port, "encrypted": encrypted, "chat_server": chat_server,
                "rendezvous": rendezvous,
            });
            ("listening", fields)
        }
        LogLine::Refused { connection, peer, refusal } => {
            ("refused", json!({ "connection": connection.0, "peer": peer.to_string(), "reason": refusal.to_string() }))
        }
        LogLine::AcceptFailed { kind } => ("accept_failed", json!({ "reason": kind.to_string() })),
        LogLine::NoRandomness { connection } => ("no_randomness", json!({ "connection": connection.0 })),
        LogLine::Mediator(event) => mediator_fields(event),
        LogLine::Relay(event) => relay_fields(event),
        LogLine::Stopping { connections } => ("stopping", json!({ "connections": connections })),
        LogLine::Stopped => ("stopped", json!({})),
    }
}

fn relay_fields(event: &RelayEvent) -> (&'static str, Value) {
    match event {
        RelayEvent::Waiting(side) => ("relay_waiting", json!({ "connection": side.0 })),
        RelayEvent::Met { side, with } => ("relay_met", json!({ "connection": side.0, "with": with.0 })),
        RelayEvent::Closed { side, by, code, bytes, lasted } => {
            let by = match by {
                RelayEnd::Client => "client",
                RelayEnd::Peer => "peer",
                RelayEnd::Relay => "relay",
            };
            let code = code.map(|CloseCode(code)| code);
            let fields = json!({
                "connection": side.0, "by": by, "code": code, "bytes": bytes, "lasted_ms": span_millis(*lasted),
            });
            ("relay_closed", fields)
        }
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
                SlotRemoval::DroppedBy(by) => ("dropped", Some(by)),
                SlotRemoval::LeastRecent => ("least_recent", None),
                SlotRemoval::QueueLimit => ("queue_limit", None),
                SlotRemoval::MemoryLimit => ("memory_limit", None),
                SlotRemoval::Expired => ("expired", None),
                SlotRemoval::Forgotten => ("forgotten", None),
            };
            ("slot_removed", json!({ "group": short(group), "device": device, "cause": cause, "by": by }))
        }
        LogEvent::ChatOpened { connection } => ("chat_opened", json!({ "connection": connection.0 })),
        LogEvent::ChatClosed { connection, end, to_server, from_server, lasted } => {
            let (by, reason) = match end {
                ChatEnd::Device => ("device", None),
                ChatEnd::Server => ("chat_server", None),
                ChatEnd::Unreachable(kind) => ("mediator", Some(format!("unreachable: {kind}"))),
                ChatEnd::Unframed => ("mediator", Some("the chat server sent what is no frame".to_owned())),
            };
            let fields = json!({
                "connection": connection.0, "by": by, "reason": reason,
                "frames_to_server": to_server.frames, "bytes_to_server": to_server.bytes,
                "frames_from_server": from_server.frames, "bytes_from_server": from_server.bytes,
                "lasted_ms": span_millis(*lasted),
            });
            ("chat_closed", fields)
        }
        LogEvent::Closed { connection, group, device, end, proxy_frames, lasted } => {
            let (by, code, reason) = match end {
                ConnectionEnd::Ours(closing) => ("server", Some(closing.code), Some(Clean::new(&closing.reason))),
                ConnectionEnd::Theirs(code) => ("client", *code, None),
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
    use std::time::Duration;

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
            end: ConnectionEnd::Ours(closing),
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
    fn a_chat_server_has_a_host_and_a_port() {
        for good in ["chat.example:5222", "127.0.0.1:1", "[::1]:5222"] {
            assert_eq!(chat_server(good).unwrap().as_ref(), good);
        }
        for bad in ["chat.example", ":5222", "chat.example:", "chat.example:65536", "\u{1b}[2J"] {
            let words = chat_server(bad).unwrap_err().to_string();
            assert!(words.contains("no HOST:PORT") && !words.contains('\u{1b}'), "{words}");
        }
    }
}
