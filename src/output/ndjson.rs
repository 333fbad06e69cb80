//! Events as NDJSON: one object a line, each with `event` and `at` (milliseconds since 1970).
//!
//! Names and values are a contract with scripts: fields are added, never renamed. All text in them is [`Clean`].
//!
//! [`Clean`]: crate::text::Clean

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::group::FeedRow;
use crate::group::{
    DeviceChange, DisconnectCause, Event, JournalState, ListedDevice, LockEvent, LockScope, Login, NextStep, Probe,
    ReflectedMessage, Refusal,
};
use crate::journal::HistoryRow;
use crate::output::advice::refusal_words;
use crate::protocol::d2d::{CallAnswer, Conversation, Detail, EnvelopeSummary, Media, NameChange, SyncAction};
use crate::protocol::ids::span_millis;
use crate::protocol::{
    DeviceActivity, DeviceId, DeviceInfo, ExpirationPolicy, Millis, OpenError, SharedDeviceData, SlotState,
};
use crate::text::Clean;

/// The names of the events that commands print beside those of a session.
pub const EVENTS_OF_COMMANDS: [&str; 25] = [
    "stats",
    "device",
    "finding",
    "device_online",
    "device_offline",
    "device_logged_in",
    "probe",
    "probe_summary",
    "listening",
    "client_connected",
    "client_refused",
    "client_served",
    "client_disconnected",
    "admit_peer",
    "admit_emoji",
    "admit_sent",
    "admit_registered",
    "admit_failed",
    "join_offer",
    "join_peer",
    "join_emoji",
    "join_progress",
    "join_same_group",
    "join_registered",
    "join_failed",
];

/// The names of all events that a watch prints.
pub const EVENTS: [&str; 40] = [
    "connecting",
    "handshaking",
    "logged_in",
    "shared_device_data",
    "reflected",
    "acknowledged",
    "queue_dry",
    "promoted",
    "role_given_up",
    "following",
    "clock_moved",
    "last_heard",
    "devices",
    "device_new",
    "device_changed",
    "device_undecryptable",
    "device_gone",
    "devices_acknowledged",
    "device_dropped",
    "lock_requested",
    "lock_held",
    "lock_acquired",
    "lock_released",
    "lock_abandoned",
    "lock_lost",
    "lock_ended",
    "lock_stuck",
    "reflection_stored",
    "round_trip",
    "refused",
    "ignored",
    "disconnected",
    "journal",
    "journal_set_aside",
    "recording_stopped",
    "left_out",
    "metrics",
    "warning",
    "reloaded",
    "reload_failed",
];

/// Whether lines tell names and nicknames of people, groups and lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NamesInLines {
    /// They are left out.
    #[default]
    LeftOut,
    Told,
}

/// The lines of an event; one for most, one a message for messages.
#[must_use]
pub fn lines(at: Millis, event: &Event, names: NamesInLines) -> Vec<Value> {
    match event {
        Event::Reflected(messages) => messages.iter().map(|message| reflected_line(at, message, names)).collect(),
        other => {
            let (name, fields) = fields(other);
            vec![line(at, name, fields)]
        }
    }
}

/// What an event is called.
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

/// The line of one message.
#[must_use]
pub fn reflected_line(at: Millis, message: &ReflectedMessage, names: NamesInLines) -> Value {
    line(at, "reflected", reflected(message, names))
}

/// The line about a lock that is held for too long; [`None`] holds it ourselves.
#[must_use]
pub fn lock_stuck(at: Millis, holder: Option<DeviceId>, scope: LockScope, held: Duration) -> Value {
    let scope = scope.map(|scope| scope.to_string());
    line(at, "lock_stuck", json!({ "holder": holder, "scope": scope, "held_ms": span_millis(held) }))
}

/// The line about what is not in the stream because its reader was slow: how many messages, acknowledgements, and events of
/// other kinds.
#[must_use]
pub fn left_out(at: Millis, messages: usize, acknowledged: usize, events: usize) -> Value {
    line(at, "left_out", json!({ "messages": messages, "acknowledged": acknowledged, "events": events }))
}

/// The line about settings that were read anew.
#[must_use]
pub fn reloaded(at: Millis, changed: bool) -> Value {
    line(at, "reloaded", json!({ "changed": changed }))
}

/// The line about settings that cannot be read anew, and stay as they were.
#[must_use]
pub fn reload_failed(at: Millis, why: &str) -> Value {
    line(at, "reload_failed", json!({ "words": Clean::new(why) }))
}

/// A line of an event that is not of a session.
#[must_use]
pub fn line(at: Millis, event: &str, fields: Value) -> Value {
    let mut object = Map::new();
    object.insert("event".to_owned(), event.into());
    object.insert("at".to_owned(), at.0.into());
    if let Value::Object(fields) = fields {
        object.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
    }
    Value::Object(object)
}

fn fields(event: &Event) -> (&'static str, Value) {
    match event {
        Event::Connecting { attempt } => ("connecting", json!({ "attempt": attempt })),
        Event::Handshaking => ("handshaking", json!({})),
        Event::LoggedIn(login) => ("logged_in", logged_in(login)),
        Event::SharedDeviceData(data) => ("shared_device_data", shared_device_data(data.as_ref())),
        Event::Reflected(_) => ("reflected", json!({})),
        Event::Acknowledged { ids, waited } => {
            ("acknowledged", json!({ "ids": ids, "count": ids.len(), "waited_us": span_micros(*waited) }))
        }
        Event::Journal(state) => {
            let words = if let JournalState::Failed(why) = state { Some(why) } else { None };
            ("journal", json!({ "state": state.as_str(), "words": words }))
        }
        Event::JournalSetAside(name) => ("journal_set_aside", json!({ "as": name })),
        Event::RecordingStopped(why) => ("recording_stopped", json!({ "why": why })),
        Event::QueueDry => ("queue_dry", json!({})),
        Event::Promoted => ("promoted", json!({})),
        Event::RoleGivenUp { back_at, promotions_in_a_row } => {
            ("role_given_up", json!({ "back_at": back_at, "promotions_in_a_row": promotions_in_a_row }))
        }
        Event::Following => ("following", json!({})),
        Event::ClockMoved { by, clock_offset } => {
            ("clock_moved", json!({ "by_ms": by, "clock_offset_ms": clock_offset }))
        }
        Event::LastHeard { at } => ("last_heard", json!({ "heard_at": at })),
        Event::Devices(devices) => {
            let devices: Vec<Value> = devices.iter().map(|(id, entry)| device(*id, entry)).collect();
            ("devices", json!({ "devices": devices }))
        }
        Event::DeviceChanged { device, change } => device_changed(*device, change),
        Event::DevicesAcknowledged => ("devices_acknowledged", json!({})),
        Event::Lock(event) => lock(event),
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
        Event::Disconnected { cause, next } => ("disconnected", disconnected(cause, *next)),
    }
}

fn logged_in(login: &Login) -> Value {
    json!({
        "device": login.own,
        "dialect": login.dialect.to_string(),
        "max_device_slots": login.max_device_slots,
        "slot": slot(login.slot_state),
        "clock_offset_ms": login.clock_offset,
        "queue_length": login.reflection_queue_length,
        "shared_version": login.shared_version,
    })
}

/// A span in whole microseconds, capped.
#[must_use]
pub fn span_micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// The fields of shared device data.
#[must_use]
pub fn shared_device_data(data: Result<&SharedDeviceData, &OpenError>) -> Value {
    match data {
        Ok(SharedDeviceData { version, mdm_parameters }) if mdm_parameters.is_empty() => json!({ "version": version }),
        Ok(SharedDeviceData { mdm_parameters, .. }) => json!({ "mdm_parameters_length": mdm_parameters.len() }),
        Err(error) => json!({ "undecryptable": error.to_string() }),
    }
}

const fn slot(state: SlotState) -> &'static str {
    match state {
        SlotState::New => "new",
        SlotState::Existing => "existing",
    }
}

fn reflected(message: &ReflectedMessage, names: NamesInLines) -> Value {
    let unknown_fields = Some(&message.unknown_fields).filter(|fields| !fields.is_empty());
    let value = json!({
        "unknown_fields": unknown_fields,
        "id": message.id,
        "stored_at": message.stored_at,
        "received_at": message.received_at,
        "size": message.size,
        "ephemeral": message.ephemeral,
        "redelivered": message.redelivered,
        "repeated_nonce": message.repeated_nonce,
        "nonce": message.nonce.map(|nonce| hex::encode(nonce.0)),
    });
    let mut value = with_content(value, &message.content);
    if let (Value::Object(object), Ok(summary), NamesInLines::Told) = (&mut value, &message.content, names) {
        object.extend(names_told(summary));
    }
    value
}

/// What contacts, groups and lists are called from now on. A part of a name that is not told stays as it was.
fn names_told(summary: &EnvelopeSummary) -> impl Iterator<Item = (String, Value)> {
    let (first, last) = match &summary.name {
        Some(NameChange::Parts { first, last }) => (first.clone(), last.clone()),
        _ => (None, None),
    };
    let whole = summary.name.as_ref().and_then(NameChange::whole);
    let told = [("nickname", summary.nickname.clone()), ("name", whole), ("first_name", first), ("last_name", last)];
    told.into_iter().filter_map(|(field, name)| Some((field.to_owned(), json!(name?))))
}

/// The line of a message out of the journal.
#[must_use]
pub fn recorded(recorded: &HistoryRow, (conversation, sender): (Option<&Clean>, Option<&Clean>)) -> Value {
    let row = &recorded.row;
    let mut fields = row_fields(row);
    fields.extend(
        [
            ("row", json!(recorded.number)),
            ("acknowledged_at", json!(recorded.acknowledged_at)),
            ("waited_us", waited(row)),
            ("conversation_pseudonym", json!(recorded.conversation)),
            ("sender_pseudonym", json!(recorded.sender)),
            ("conversation_name", json!(conversation)),
            ("sender_name", json!(sender)),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    line(row.received_at, "reflected", with_content(Value::Object(fields), &row.content))
}

/// The line of a row of the feed.
#[must_use]
pub fn feed_row(row: &FeedRow) -> Value {
    let mut fields = row_fields(row);
    fields.insert("waited_us".to_owned(), waited(row));
    line(row.received_at, "reflected", with_content(Value::Object(fields), &row.content))
}

fn row_fields(row: &FeedRow) -> Map<String, Value> {
    let fields = [
        ("id", json!(row.id)),
        ("stored_at", json!(row.stored_at)),
        ("received_at", json!(row.received_at)),
        ("size", json!(row.size)),
        ("ephemeral", json!(row.marks.ephemeral)),
        ("redelivered", json!(row.marks.redelivered)),
        ("repeated_nonce", json!(row.marks.repeated_nonce)),
        ("nonce", json!(row.nonce.map(|nonce| hex::encode(nonce.0)))),
    ];
    fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

/// How long its acknowledgement took.
fn waited(row: &FeedRow) -> Value {
    json!(row.acknowledged_after.map(|waited| u64::try_from(waited.as_micros()).unwrap_or(u64::MAX)))
}

fn with_content(mut value: Value, content: &Result<EnvelopeSummary, OpenError>) -> Value {
    if let Value::Object(object) = &mut value {
        match content {
            Ok(summary) => object.extend(summarized(summary)),
            Err(error) => {
                object.insert("undecryptable".to_owned(), error.to_string().into());
            }
        }
    }
    value
}

fn summarized(summary: &EnvelopeSummary) -> Map<String, Value> {
    let fields = json!({
        "from": summary.author,
        "kind": summary.kind.as_str(),
        "direction": summary.direction().as_str(),
        "type": type_name(summary),
        "conversation": summary.conversation.as_ref().map(conversation),
        "message_id": summary.message_id,
        "created_at": summary.created_at,
        "action": summary.action.map(SyncAction::as_str),
        "body_length": summary.body_length,
        "count": summary.count,
        "sender": summary.sender,
        "detail": summary.detail,
        "d2d_version": summary.protocol_version,
    });
    let Value::Object(mut fields) = fields else { return Map::new() };
    if let Some(Value::Object(told)) = summary.detail.as_ref().map(detail_fields) {
        fields.extend(told);
    }
    // What is not said is left out: null would be a device that is not known.
    if summary.author.is_none() {
        fields.remove("from");
    }
    fields
}

fn type_name(summary: &EnvelopeSummary) -> Option<Cow<'static, str>> {
    match (summary.message_type, &summary.detail) {
        (Some(message_type), _) => Some(message_type.name()),
        (None, Some(number @ Detail::Type(_))) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// The same as the detail's words, for programs.
fn detail_fields(detail: &Detail) -> Value {
    match detail {
        Detail::Words(_) | Detail::Type(_) => json!({}),
        Detail::Reaction { withdrawn } => json!({ "reaction": if *withdrawn { "withdrawn" } else { "applied" } }),
        Detail::Poll { closed, choices, every_vote } => {
            let results = every_vote.map(|every| if every { "every_vote" } else { "at_the_end" });
            json!({ "closed": closed, "choices": choices, "results": results })
        }
        Detail::CallAnswer(answer) => {
            json!({ "accepted": *answer == CallAnswer::Accepted, "reason": answer.reason() })
        }
        Detail::GroupCall { version, host } => {
            json!({ "call_version": version, "sfu": (!host.is_empty()).then_some(host) })
        }
        Detail::Members { count, .. } => json!({ "members": count }),
        Detail::Media(Media { bytes, duration, dimensions }) => json!({
            "media_bytes": bytes,
            "duration_ms": duration.map(span_millis),
            "width": dimensions.map(|(width, _)| width),
            "height": dimensions.map(|(_, height)| height),
        }),
        Detail::Conversations(count) => json!({ "conversations": count }),
    }
}

fn conversation(conversation: &Conversation) -> Value {
    match conversation {
        // A message may leave out who created the group.
        Conversation::Group { id, creator } if creator.is_empty() => json!({ "group": id }),
        Conversation::Contact(identity) => json!({ "contact": identity }),
        Conversation::Group { id, creator } => json!({ "group": id, "creator": creator }),
        Conversation::DistributionList(id) => json!({ "distribution_list": id }),
    }
}

/// The fields of a device of the list.
#[must_use]
pub fn device(id: DeviceId, device: &ListedDevice) -> Value {
    let mut fields = match &device.info {
        Ok(info) => with_info(json!({ "device": id }), info),
        Err(error) => json!({ "device": id, "undecryptable": error.to_string() }),
    };
    let (name, at) = match device.activity {
        DeviceActivity::ConnectedSince(at) => ("connected_since", at),
        DeviceActivity::LastDisconnect(at) => ("last_disconnect_at", at),
        DeviceActivity::LastLogin(at) => ("last_login_at", at),
        DeviceActivity::Unknown => return with_policy(fields, device.expiration_policy),
    };
    if let Value::Object(object) = &mut fields {
        object.insert(name.to_owned(), at.0.into());
    }
    with_policy(fields, device.expiration_policy)
}

fn with_info(mut fields: Value, info: &DeviceInfo) -> Value {
    if let (Value::Object(object), Value::Object(info)) = (&mut fields, described(info)) {
        object.extend(info);
    }
    fields
}

fn described(info: &DeviceInfo) -> Value {
    json!({
        "label": info.label,
        "platform": info.platform.to_string().to_lowercase(),
        "platform_details": info.platform_details,
        "app_version": info.app_version,
    })
}

/// What a device says of itself now stands in the fields themselves, what it said before in `before`.
fn device_changed(device: DeviceId, change: &DeviceChange) -> (&'static str, Value) {
    let fields = json!({ "device": device });
    let (name, before, fields) = match change {
        DeviceChange::New { returned, now } => {
            // Absent is no.
            let fields = if *returned { json!({ "device": device, "returned": true }) } else { fields };
            ("device_new", None, now.as_ref().map_or_else(|| fields.clone(), |now| with_info(fields.clone(), now)))
        }
        DeviceChange::Changed { before, now } => ("device_changed", before.as_ref(), with_info(fields, now)),
        DeviceChange::Undecryptable { before } => ("device_undecryptable", Some(before), fields),
        DeviceChange::Gone { before } => ("device_gone", before.as_ref(), fields),
    };
    let mut fields = fields;
    if let Value::Object(object) = &mut fields {
        object.insert("words".to_owned(), change.sentence().into());
        object.extend(before.map(|before| ("before".to_owned(), described(before))));
    }
    (name, fields)
}

fn with_policy(mut fields: Value, policy: Option<ExpirationPolicy>) -> Value {
    let policy = match policy {
        Some(ExpirationPolicy::Volatile) => "volatile",
        Some(ExpirationPolicy::Persistent) => "persistent",
        None => "unknown",
    };
    if let Value::Object(object) = &mut fields {
        object.insert("expiration_policy".to_owned(), policy.into());
    }
    fields
}

fn lock(event: &LockEvent) -> (&'static str, Value) {
    let words = |scope: &LockScope| scope.map(|scope| scope.to_string());
    match event {
        LockEvent::Requested(scope) => ("lock_requested", json!({ "scope": words(scope) })),
        LockEvent::HeldBy { holder, scope } => ("lock_held", json!({ "holder": holder, "scope": words(scope) })),
        LockEvent::Acquired { scope, expires_at } => {
            ("lock_acquired", json!({ "scope": words(scope), "expires_at": expires_at }))
        }
        LockEvent::Released(scope) => ("lock_released", json!({ "scope": words(scope) })),
        LockEvent::Abandoned => ("lock_abandoned", json!({})),
        LockEvent::Lost(scope) => ("lock_lost", json!({ "scope": words(scope) })),
        LockEvent::Ended { holder, scope } => ("lock_ended", json!({ "holder": holder, "scope": words(scope) })),
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

fn disconnected(cause: &DisconnectCause, next: NextStep) -> Value {
    let (code, words) = match cause {
        DisconnectCause::ClosedByServer { code, reason, .. } => {
            let meaning = code.meaning();
            let words = code.own_words(reason).map_or_else(|| meaning.to_owned(), |own| format!("{meaning}: {own}"));
            (code.was_sent().then_some(code.0), Some(words))
        }
        DisconnectCause::NoAnswer => (None, Some("the mediator did not answer in time".to_owned())),
        DisconnectCause::HandshakeTimeout => (None, Some("the mediator did not finish the login in time".to_owned())),
        DisconnectCause::Unreachable(how)
        | DisconnectCause::Broken(how)
        | DisconnectCause::ServerProtocolError(how) => (None, Some(how.to_string())),
        _ => (None, None),
    };
    let (step, at) = match next {
        NextStep::RetryAt { at, .. } => ("retry", Some(at)),
        NextStep::WaitForUser => ("wait_for_user", None),
        NextStep::End => ("end", None),
    };
    json!({ "cause": cause.name(), "code": code, "words": words, "next": step, "retry_at": at })
}
