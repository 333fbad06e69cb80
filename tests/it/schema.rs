//! What is printed is what is documented: every event keeps to the schema, and the manual's jq lines run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use d2mtop::group::{
    DeviceChange, DisconnectCause, Event, JournalState, ListedDevice, LockEvent, Login, NextStep, Probe, Refusal,
};
use d2mtop::output::ndjson::{self, NamesInLines};
use d2mtop::protocol::{
    CloseCode, DeviceActivity, DeviceId, DeviceInfo, Dialect, ExpirationPolicy, Millis, OpenError, ReflectedId,
    SlotState, TransactionScope,
};
use d2mtop::text::Clean;
use serde_json::{Value, json};

use crate::support::program;
use crate::support::schema::{self, EVENTS, MEDIATOR_LOG, Schema};

const NOW: Millis = Millis(1_700_000_000_000);
const DEVICE: DeviceId = DeviceId(7);
/// The page of the manual with the events and the jq lines.
const WATCH: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/watch.md"));

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    names.into_iter().collect()
}

/// The events of a schema, each there once and explained.
fn explained(schema: &Schema) -> Vec<String> {
    let names = schema.names();
    assert_eq!(set(names.iter().map(String::as_str)).len(), names.len(), "no event twice");
    for name in &names {
        let definition = &schema.document["$defs"][name];
        assert_eq!(definition["properties"]["event"]["const"], name.as_str());
        assert_eq!(definition["additionalProperties"], false, "{name}: an undocumented field is a fault");
        let fields = definition["properties"].as_object().unwrap();
        let says_what = |field: &Value| field["description"].is_string() || field["$ref"].is_string();
        let unexplained = fields.iter().find(|(field, says)| *field != "event" && !says_what(says));
        assert_eq!((unexplained, definition["description"].is_string()), (None, true), "{name} is explained");
    }
    names
}

/// Commands whose lines the schema describes name themselves in it.
#[test]
fn the_schema_names_all_commands_that_print_what_it_describes() {
    let says = EVENTS.document["description"].as_str().unwrap();
    let help = |arguments: &[&str]| {
        let home = tempfile::tempdir().unwrap();
        let output = program::run(home.path(), &[arguments, &["--help"]].concat());
        String::from_utf8(output.stdout).unwrap()
    };
    let commands = ["watch", "proxy", "devices", "drop", "lock", "probe", "doctor", "history", "demo"];
    for command in commands {
        assert!(help(&[command]).contains("JSON") || command == "demo", "{command} prints JSON");
        assert!(says.contains(command), "{command}: {says}");
    }
    assert!(says.contains("shared-data") && says.contains("mediator-log.schema.json"), "{says}");
}

#[test]
fn an_event_is_in_the_schema_in_the_manual_and_can_be_chosen() {
    let names = explained(&EVENTS);
    let all = || ndjson::EVENTS.into_iter().chain(ndjson::EVENTS_OF_COMMANDS);
    assert_eq!(set(names.iter().map(String::as_str)), set(all()));
    explained(&MEDIATOR_LOG);
    let table = WATCH.split_once("| event | says |").unwrap().1.split("\n\n").next().unwrap();
    let first_cells: String = table.lines().filter_map(|row| row.split('|').nth(1)).collect();
    assert_eq!(set(first_cells.split('`').skip(1).step_by(2)), set(all()), "the manual's table of events");
}

fn devices() -> BTreeMap<DeviceId, ListedDevice> {
    let activities = [
        DeviceActivity::ConnectedSince(NOW),
        DeviceActivity::LastDisconnect(NOW),
        DeviceActivity::LastLogin(NOW),
        DeviceActivity::Unknown,
    ];
    let policies = [Some(ExpirationPolicy::Volatile), Some(ExpirationPolicy::Persistent), None, None];
    let listed = (0..).zip(activities).zip(policies).map(|((number, activity), expiration_policy)| {
        let info = if number == 3 { Err(OpenError::DoesNotDecrypt) } else { Ok(DeviceInfo::default()) };
        (DeviceId(number), ListedDevice { info, activity, expiration_policy })
    });
    listed.collect()
}

/// One of each kind, with and without what may be missing; messages come from the demo.
fn events() -> Vec<Event> {
    let info = DeviceInfo::default;
    let words = || Clean::literal("words");
    let scope = Some(TransactionScope::DropDevice);
    let login = |clock_offset, reflection_queue_length, shared_version| {
        Event::LoggedIn(Login {
            own: DEVICE,
            dialect: Dialect::Mk,
            max_device_slots: 5,
            slot_state: SlotState::New,
            clock_offset,
            reflection_queue_length,
            shared_version,
        })
    };
    let changes = [
        DeviceChange::New { returned: false, now: None },
        DeviceChange::New { returned: true, now: Some(info()) },
        DeviceChange::Changed { before: None, now: info() },
        DeviceChange::Changed { before: Some(info()), now: info() },
        DeviceChange::Undecryptable { before: info() },
        DeviceChange::Gone { before: None },
        DeviceChange::Gone { before: Some(info()) },
    ];
    let locks = [
        LockEvent::Requested(scope),
        LockEvent::Requested(None),
        LockEvent::HeldBy { holder: DEVICE, scope },
        LockEvent::Acquired { scope, expires_at: Some(NOW) },
        LockEvent::Released(scope),
        LockEvent::Abandoned,
        LockEvent::Lost(scope),
        LockEvent::Ended { holder: DEVICE, scope },
    ];
    let causes = [
        DisconnectCause::ClosedByServer { code: CloseCode(4_115), reason: words(), expected: SlotState::Existing },
        DisconnectCause::Unreachable(words()),
        DisconnectCause::Broken(words()),
        DisconnectCause::NoAnswer,
        DisconnectCause::HandshakeTimeout,
        DisconnectCause::ServerProtocolError(words()),
        DisconnectCause::LeaderRole,
        DisconnectCause::VisitOver,
        DisconnectCause::JournalCaughtUp,
        DisconnectCause::ChatClientLeft,
        DisconnectCause::LeftGroup,
        DisconnectCause::ByUser,
    ];
    let refusals = [
        Refusal::ReadOnly,
        Refusal::NotConnected,
        Refusal::LockBusy,
        Refusal::NoLock,
        Refusal::NoSuchDevice,
        Refusal::Unconfirmed,
        Refusal::NotLocked,
        Refusal::TooLarge,
        Refusal::NotInDialect,
        Refusal::Busy,
    ];
    let mut events = vec![
        Event::Connecting { attempt: 1 },
        Event::Handshaking,
        login(None, None, None),
        login(Some(-5), Some(3), Some(1)),
        Event::Acknowledged { ids: vec![ReflectedId(1)], waited: Duration::from_millis(1) },
        Event::QueueDry,
        Event::Promoted,
        Event::RoleGivenUp { back_at: NOW, promotions_in_a_row: 1 },
        Event::Following,
        Event::ClockMoved { by: 3_750, clock_offset: Some(-3_500) },
        Event::ClockMoved { by: -40_000, clock_offset: None },
        Event::LastHeard { at: Millis(1_700_000_000_000) },
        Event::Devices(devices()),
        Event::DevicesAcknowledged,
        Event::DeviceDropped(DEVICE),
        Event::ReflectionStored { round_trip: Duration::from_millis(3) },
        Event::RoundTrip { probe: Probe::Ping, elapsed: Duration::from_millis(3) },
        Event::RoundTrip { probe: Probe::DevicesInfo, elapsed: Duration::from_millis(3) },
        Event::Ignored(words()),
        Event::Journal(JournalState::Off),
        Event::Journal(JournalState::Keeps),
        Event::Journal(JournalState::Failed(words())),
        Event::JournalSetAside(words()),
        Event::RecordingStopped(words()),
    ];
    events.extend(changes.map(|change| Event::DeviceChanged { device: DEVICE, change }));
    events.extend(locks.map(Event::Lock));
    events.extend(refusals.map(Event::Refused));
    let next = [NextStep::RetryAt { at: NOW, attempt: 2 }, NextStep::WaitForUser, NextStep::End];
    let next = next.into_iter().cycle();
    events.extend(causes.into_iter().zip(next).map(|(cause, next)| Event::Disconnected { cause, next }));
    events
}

#[test]
fn every_event_is_as_documented() {
    let mut lines: Vec<Value> =
        events().iter().flat_map(|event| ndjson::lines(NOW, event, NamesInLines::Told)).collect();
    lines.push(ndjson::left_out(NOW, 3, 2, 1));
    lines.push(ndjson::reloaded(NOW, true));
    lines.push(ndjson::reload_failed(NOW, "words"));
    lines.push(ndjson::lock_stuck(NOW, Some(DEVICE), None, Duration::from_secs(60)));
    let home = tempfile::tempdir().unwrap();
    for dialect in ["mk", "dgk"] {
        let demo = ["demo", "--headless", "--dialect", dialect, "--rate", "500", "--for", "3s"];
        lines.extend(schema::lines(&program::run(home.path(), &demo).stdout));
    }
    for line in &lines {
        assert_eq!(schema::fault(line), None, "{line}");
    }
    let seen = set(lines.iter().map(|line| line["event"].as_str().unwrap()));
    // The first two are printed at the start, the third by mediators that keep such data.
    let elsewhere = set(["metrics", "warning", "shared_device_data"]);
    assert_eq!(&seen | &elsewhere, set(ndjson::EVENTS), "each is looked at");
}

#[test]
fn what_is_not_documented_is_found() {
    let good = json!({ "event": "connecting", "at": 1, "attempt": 1 });
    assert_eq!(schema::fault(&good), None);
    for (field, value) in [("more", json!(1)), ("attempt", json!("one")), ("at", json!(null)), ("event", json!("new"))]
    {
        let mut bad = good.clone();
        bad[field] = value;
        assert!(schema::fault(&bad).is_some(), "{bad}");
    }
}

#[test]
fn the_lines_that_the_manual_shows_keep_to_the_schema() {
    let pages = [WATCH, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/proxy.md"))].concat();
    let shown: Vec<_> = pages.lines().filter(|line| line.starts_with("{\"event\"")).collect();
    assert!(!shown.is_empty(), "the manual shows lines");
    assert_eq!(schema::lines(shown.join("\n").as_bytes()).len(), shown.len());
}

/// The jq programs of the manual, each between single quotes.
fn programs() -> Vec<&'static str> {
    let lines = WATCH.lines().filter_map(|line| line.split_once("| jq ").map(|(_, rest)| rest));
    lines.map(|rest| rest.split('\'').nth(1).unwrap_or_else(|| panic!("a jq line without a program: {rest}"))).collect()
}

/// The outputs of a program for each line, as jaq has them.
fn jaq(program: &str, input: &[u8]) -> Vec<Value> {
    use jaq_core::load::{Arena, File, Loader};
    use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
    use jaq_json::{Val, read};

    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let modules = Loader::new(definitions).load(&arena, File { code: program, path: () });
    let modules = modules.unwrap_or_else(|error| panic!("{program}: {error:?}"));
    let filter = Compiler::default().with_funs(functions).compile(modules);
    let filter = filter.unwrap_or_else(|error| panic!("{program}: {error:?}"));
    let mut outputs = Vec::new();
    for value in read::parse_many(input) {
        let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
        for output in filter.id.run((context, value.unwrap())).map(unwrap_valr) {
            let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
            outputs.push(serde_json::from_str(&output.to_string()).unwrap());
        }
    }
    outputs
}

/// The same, as the real jq has them; [`None`] where there is none.
fn jq(program: &str, input: &[u8]) -> Option<Vec<Value>> {
    let child = Command::new("jq").args(["-c", program]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.ok()?;
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{program}");
    Some(serde_json::Deserializer::from_slice(&output.stdout).into_iter().map(Result::unwrap).collect())
}

#[test]
fn the_jq_lines_of_the_manual_run() {
    let home = tempfile::tempdir().unwrap();
    let output = program::run(home.path(), &["demo", "--headless", "--rate", "300", "--for", "4s"]).stdout;
    let programs = programs();
    assert!(programs.len() >= 4, "the manual has jq lines: {programs:?}");
    for program in programs {
        let outputs = jaq(program, &output);
        assert!(!outputs.is_empty(), "{program} finds something in the demo");
        if let Some(expected) = jq(program, &output) {
            assert_eq!(outputs, expected, "{program}: jq says the same");
        }
    }
}
