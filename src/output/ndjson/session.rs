//! The lines of a session's events.

use serde_json::{Value, json};

use super::{connection, devices, line, lock, messages, span_micros};
use crate::group::{Event, JournalState, Probe, Refusal};
use crate::output::advice::refusal_words;
use crate::protocol::Millis;
use crate::protocol::ids::span_millis;

/// The lines of an event: one for each message, one for all else.
#[must_use]
pub fn lines(at: Millis, event: &Event) -> Vec<Value> {
    match event {
        Event::Reflected(messages) => messages.iter().map(|message| messages::reflected_line(at, message)).collect(),
        other => {
            let (name, fields) = fields(other);
            vec![line(at, name, fields)]
        }
    }
}

/// The name of an event.
#[must_use]
pub fn name(event: &Event) -> &'static str {
    match event {
        // Messages come by the thousand, and are called the same.
        Event::Reflected(_) => "reflected",
        Event::Acknowledged { .. } => "acknowledged",
        other => fields(other).0,
    }
}

/// How many lines an event makes.
#[must_use]
pub const fn line_count(event: &Event) -> usize {
    match event {
        Event::Reflected(messages) => messages.len(),
        _ => 1,
    }
}

fn fields(event: &Event) -> (&'static str, Value) {
    match event {
        Event::Connecting { attempt } => ("connecting", json!({ "attempt": attempt })),
        Event::Handshaking => ("handshaking", json!({})),
        Event::LoggedIn(login) => ("logged_in", connection::logged_in(login)),
        Event::SharedDeviceData(data) => ("shared_device_data", connection::shared_device_data(data.as_ref())),
        Event::Reflected(_) => ("reflected", json!({})),
        Event::Acknowledged { ids, waited } => {
            ("acknowledged", json!({ "ids": ids, "count": ids.len(), "waited_us": span_micros(*waited) }))
        }
        Event::Journal(state) => {
            let words = if let JournalState::Failed(why) = state { Some(why) } else { None };
            ("journal", json!({ "state": state.as_str(), "words": words }))
        }
        Event::JournalSetAside(name) => ("journal_set_aside", json!({ "as": name })),
        Event::QueueDry => ("queue_dry", json!({})),
        Event::Promoted => ("promoted", json!({})),
        Event::RoleGivenUp { back_at, promotions_in_a_row } => {
            ("role_given_up", json!({ "back_at": back_at, "promotions_in_a_row": promotions_in_a_row }))
        }
        Event::Following => ("following", json!({})),
        Event::Devices(devices) => {
            let devices: Vec<Value> = devices.iter().map(|(id, entry)| devices::device(*id, entry)).collect();
            ("devices", json!({ "devices": devices }))
        }
        Event::DeviceChanged { device, change } => devices::device_changed(*device, change),
        Event::DevicesAcknowledged => ("devices_acknowledged", json!({})),
        Event::Lock(event) => lock::lock(event),
        Event::DeviceDropped(id) => ("device_dropped", json!({ "device": id })),
        Event::ReflectionStored { round_trip } => {
            let (millis, micros) = (span_millis(*round_trip), span_micros(*round_trip));
            ("reflection_stored", json!({ "round_trip_ms": millis, "round_trip_us": micros }))
        }
        Event::RoundTrip { probe, elapsed } => {
            let probe = match probe {
                Probe::Ping => "ping",
                Probe::DevicesInfo => "devices_info",
            };
            let (millis, micros) = (span_millis(*elapsed), span_micros(*elapsed));
            ("round_trip", json!({ "probe": probe, "elapsed_ms": millis, "elapsed_us": micros }))
        }
        Event::Refused(why) => ("refused", json!({ "reason": refusal(*why), "words": refusal_words(*why) })),
        Event::Ignored(what) => ("ignored", json!({ "words": what })),
        Event::Disconnected { cause, next } => ("disconnected", connection::disconnected(cause, *next)),
    }
}

const fn refusal(why: Refusal) -> &'static str {
    match why {
        Refusal::ReadOnly => "read_only",
        Refusal::NotConnected => "not_connected",
        Refusal::LockBusy => "lock_busy",
        Refusal::NoLock => "no_lock",
        Refusal::NoSuchDevice => "no_such_device",
        Refusal::Unconfirmed => "unconfirmed",
        Refusal::NotLocked => "not_locked",
        Refusal::TooLarge => "too_large",
        Refusal::NotInDialect => "not_in_dialect",
        Refusal::NoProbe => "no_probe",
        Refusal::Busy => "busy",
    }
}
