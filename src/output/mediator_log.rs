//! The log of a mediator: a JSON object a line.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::ndjson;
use crate::mediator::{ChatEnd, ConnectionEnd, LogEvent, SlotRemoval, pseudonym};
use crate::net::LogLine;
use crate::protocol::ids::span_millis;
use crate::protocol::{CloseCode, Millis, SlotState};
use crate::rendezvous::{RelayEnd, RelayEvent};
use crate::text::Clean;

/// What belongs in the log.
pub enum MediatorLogLine {
    Listener(LogLine),
    /// Metrics are served here.
    Metrics(SocketAddr),
    /// Whoever runs it is answered at this socket.
    Control(PathBuf),
    /// Nobody can be answered at this one.
    ControlFailed(PathBuf, io::Error),
    /// The settings were read anew; these options have changed, too, and are taken at the next start.
    Reloaded {
        next_start: Vec<&'static str>,
    },
    /// They cannot be read; the old ones stay.
    ReloadFailed(Clean),
}

/// A line; none for what is only measured.
#[must_use]
pub fn object(at: Millis, line: &MediatorLogLine) -> Option<Value> {
    let (event, fields) = match line {
        MediatorLogLine::Listener(line) => fields(line)?,
        MediatorLogLine::Metrics(address) => ("metrics", json!({ "url": format!("http://{address}/metrics") })),
        MediatorLogLine::Control(path) => ("control", json!({ "path": Clean::new(&path.display().to_string()) })),
        MediatorLogLine::ControlFailed(path, cause) => {
            let words = Clean::new(&format!("{}: {cause}; choose another with --control", path.display()));
            ("control_failed", json!({ "words": words }))
        }
        MediatorLogLine::Reloaded { next_start } if next_start.is_empty() => ("reloaded", json!({})),
        MediatorLogLine::Reloaded { next_start } => ("reloaded", json!({ "next_start": next_start })),
        MediatorLogLine::ReloadFailed(words) => ("reload_failed", json!({ "words": words })),
    };
    Some(ndjson::line(at, event, fields))
}

fn fields(line: &LogLine) -> Option<(&'static str, Value)> {
    Some(match line {
        LogLine::Listening { at, port, encrypted, chat_server, rendezvous } => {
            let chat_server = chat_server.as_deref().map(Clean::new);
            let address = Clean::new(&at.to_string());
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
        LogLine::Restored { groups, devices, messages } => {
            ("restored", json!({ "groups": groups, "devices": devices, "messages": messages }))
        }
        LogLine::StoreStalled { words } => ("store_stalled", json!({ "words": Clean::new(words) })),
        LogLine::StoreRecovered => ("store_recovered", json!({})),
        LogLine::StoreFailed { words } => ("store_failed", json!({ "words": Clean::new(words) })),
        LogLine::Mediator(event) => mediator_fields(event),
        LogLine::Answered { .. } | LogLine::Committed { .. } => return None,
        LogLine::Relay(event) => relay_fields(event),
        LogLine::Stopping { connections } => ("stopping", json!({ "connections": connections })),
        LogLine::Stopped => ("stopped", json!({})),
    })
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
            ("opened", json!({ "connection": connection.0, "group": pseudonym(group), "dialect": dialect.to_string() }))
        }
        LogEvent::LoggedIn { connection, group, device, slot, waiting } => {
            let slot = if *slot == SlotState::New { "new" } else { "existing" };
            let (connection, group) = (connection.0, pseudonym(group));
            let fields =
                json!({ "connection": connection, "group": group, "device": device, "slot": slot, "waiting": waiting });
            ("logged_in", fields)
        }
        LogEvent::Promoted { group, device } => ("promoted", json!({ "group": pseudonym(group), "device": device })),
        LogEvent::LockTaken { group, device } => ("lock_taken", json!({ "group": pseudonym(group), "device": device })),
        LogEvent::LockReleased { group, device, committed } => {
            ("lock_released", json!({ "group": pseudonym(group), "device": device, "committed": committed }))
        }
        LogEvent::SlotRemoved { group, device, cause } => {
            let by = match cause {
                SlotRemoval::DroppedBy(by) => Some(by),
                _ => None,
            };
            ("slot_removed", json!({ "group": pseudonym(group), "device": device, "cause": cause.name(), "by": by }))
        }
        LogEvent::Exported { prefixes, groups, devices } => {
            ("exported", json!({ "prefixes": prefixes.to_string(), "groups": groups, "devices": devices }))
        }
        LogEvent::Imported { prefixes, groups, devices } => {
            ("imported", json!({ "prefixes": prefixes.to_string(), "groups": groups, "devices": devices }))
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
                "connection": connection.0, "group": pseudonym(group), "device": device, "by": by,
                "code": code.map(|CloseCode(code)| code), "reason": reason,
                "proxy_frames": proxy_frames, "lasted_ms": span_millis(*lasted),
            });
            ("closed", fields)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::mediator::{Closing, ConnectionId};
    use crate::protocol::{DeviceGroupId, DeviceId};

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
}
