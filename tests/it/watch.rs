//! `d2mtop watch` and `d2mtop mediator` as a script uses them: real processes, real sockets, exit codes.

use std::process::Stdio;

use bytes::Bytes;
use d2mtop::protocol::Dialect;
use d2mtop::protocol::proto::{csp_e2e, d2d, d2d_seed, d2d_sync};
use prost::Message as _;
use serde_json::{Value, json};

use crate::support::hostile;
use crate::support::phone::phone_reflects;
use crate::support::program::{self, KEY, Mediator, key_file, run};
use crate::support::schema::{self, lines};

const MONITOR: &str = "0102030405060708";

fn of<'a>(lines: &'a [Value], event: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

fn watch(mediator: &Mediator, dialect: Dialect, arguments: &[&str]) -> std::process::Output {
    let key = key_file(mediator.home.path());
    let url = mediator.url();
    let dialect = dialect.to_string();
    let mut all = vec!["watch", "--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", &dialect];
    all.extend(["--device-id", MONITOR, "--persistent"]);
    all.extend(arguments);
    run(mediator.home.path(), &all)
}

#[test]
fn twenty_thousand_messages_drain_each_acknowledged_once_and_in_order() {
    const COUNT: u64 = 20_000;
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        let first = watch(&mediator, dialect, &["--until-dry"]);
        assert_eq!(first.status.code(), Some(0), "the monitor takes a slot");
        let told = schema::lines(&first.stdout);
        assert_eq!((of(&told, "promoted").len(), of(&told, "refused").len()), (1, 0), "nobody asked for anything");
        phone_reflects(&mediator, dialect, COUNT, "Pixel 9");

        let output = watch(&mediator, dialect, &["--until-dry", "--expect", "existing"]);
        assert_eq!(output.status.code(), Some(0), "{dialect}: {}", String::from_utf8_lossy(&output.stderr));
        let lines = lines(&output.stdout);
        assert_eq!(of(&lines, "logged_in")[0]["queue_length"], COUNT);
        let received: Vec<u64> = of(&lines, "reflected").iter().map(|line| line["id"].as_u64().unwrap()).collect();
        let acknowledged: Vec<u64> = of(&lines, "acknowledged")
            .iter()
            .flat_map(|line| line["ids"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()))
            .collect();
        assert_eq!(received.len() as u64, COUNT);
        assert_eq!(received, acknowledged, "{dialect}: every message is acknowledged once and in order");
        assert!(lines.iter().all(|line| line["at"].is_u64()), "every line has its time");

        let again = watch(&mediator, dialect, &["--until-dry", "--expect", "existing"]);
        let lines = schema::lines(&again.stdout);
        assert_eq!(of(&lines, "logged_in")[0]["queue_length"], 0, "{dialect}: the server has all acknowledgements");
    }
}

#[test]
fn the_device_list_comes_in_both_dialects() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        phone_reflects(&mediator, dialect, 0, "Pixel 9");
        let output = watch(&mediator, dialect, &["--until-dry"]);
        let lines = lines(&output.stdout);
        let devices = of(&lines, "devices")[0]["devices"].as_array().unwrap().clone();
        let phone = devices.iter().find(|device| device["platform"] == "android").expect("the phone is in the list");
        assert_eq!(phone["label"], "Pixel 9");
        let activity = if dialect == Dialect::Mk { "last_login_at" } else { "last_disconnect_at" };
        assert!(phone[activity].is_u64(), "{phone}");
    }
}

#[test]
fn hostile_text_stays_in_its_field_in_ndjson_and_in_the_log() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        assert_eq!(watch(&mediator, dialect, &["--until-dry"]).status.code(), Some(0), "the monitor takes a slot");
        hostile::visit(&mediator, dialect);
        let output = watch(&mediator, dialect, &["--until-dry", "--expect", "existing", "--log-level", "debug"]);
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        hostile::assert_harmless(&text, "NDJSON");
        hostile::assert_harmless(&String::from_utf8(output.stderr).unwrap(), "standard error");
        let lines = lines(&output.stdout);
        assert!(of(&lines, "forged").is_empty(), "no line is forged");
        assert!(!of(&lines, "reflected").is_empty(), "the messages came all the same");
        let devices = of(&lines, "devices")[0]["devices"].as_array().unwrap();
        let label = devices.iter().find_map(|device| device["label"].as_str().filter(|label| label.contains("forged")));
        assert!(label.expect("the device is listed").starts_with("^[[2J^[]52;c;aGk=^G"), "what is hostile is shown");
        assert!(text.lines().all(|line| line.len() < 16_384), "10,000 characters are cut");

        let logs = mediator.home.path().join(".local/state/d2mtop");
        let mut logged = String::new();
        for file in std::fs::read_dir(&logs).expect("a log directory") {
            let path = file.unwrap().path();
            logged.push_str(&std::fs::read_to_string(&path).unwrap());
            let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o077, 0, "{} is private", path.display());
        }
        assert!(logged.contains("LoggedIn"), "the log says what happened");
        hostile::assert_harmless(&logged, "the log");
        assert!(!logged.contains(KEY) && !text.contains(KEY), "no key anywhere");
    }
}

/// A message of that type in both dialects, as an app would reflect it, with the sender's nickname where there is room.
fn message(dialect: Dialect, message_type: i32, body: &[u8]) -> Vec<u8> {
    let (sender_identity, body) = ("ECHOECHO".to_owned(), Bytes::copy_from_slice(body));
    match dialect {
        Dialect::Mk => {
            let message = d2d_seed::IncomingMessage {
                sender_identity,
                sender_nickname: "nymph".to_owned(),
                r#type: u32::try_from(message_type).unwrap(),
                body,
                ..Default::default()
            };
            let content = Some(d2d_seed::envelope::Content::IncomingMessage(message));
            d2d_seed::Envelope { content, ..Default::default() }.encode_to_vec()
        }
        Dialect::Dgk => {
            let message = d2d::IncomingMessage { sender_identity, r#type: message_type, body, ..Default::default() };
            let content = Some(d2d::envelope::Content::IncomingMessage(message));
            d2d::Envelope { content, ..Default::default() }.encode_to_vec()
        }
    }
}

fn contact_sync(first_name: Option<&str>, last_name: Option<&str>) -> Vec<u8> {
    use d2d::contact_sync::{Action, Update};
    let contact = d2d_sync::Contact {
        identity: "ECHOECHO".to_owned(),
        first_name: first_name.map(str::to_owned),
        last_name: last_name.map(str::to_owned),
        ..Default::default()
    };
    let action = Some(Action::Update(Update { contact: Some(contact) }));
    let content = Some(d2d::envelope::Content::ContactSync(d2d::ContactSync { action }));
    d2d::Envelope { content, ..Default::default() }.encode_to_vec()
}

#[test]
fn lines_tell_what_happened_and_names_only_to_who_asks() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mut unknown = message(dialect, 1, b"hello");
        // Field 99, which nobody has, twice; and explicit padding of length 0, which everybody knows.
        unknown.extend([0x98, 0x06, 0x01, 0x98, 0x06, 0x02, 0x0a, 0x00]);
        let mut envelopes = vec![
            unknown,
            message(dialect, 149, b""),
            message(dialect, 0x4b, b"GGGGGGGGChoir"),
            message(dialect, 0x51, b"GGGGGGGG"),
            message(dialect, 0x61, br#"{"action":0,"rejectReason":1}"#),
            message(dialect, 0x17, br#"{"s":1234,"n":"secret.pdf","x":{"w":640,"h":480,"d":2.5}}"#),
        ];
        if dialect == Dialect::Dgk {
            envelopes.extend([contact_sync(Some("Echo"), None), contact_sync(None, Some("")), vec![0x5a, 0x00]]);
        }
        let watched = |names: &[&str]| {
            let mediator = Mediator::start(&[]);
            assert_eq!(watch(&mediator, dialect, &["--until-dry"]).status.code(), Some(0), "the monitor takes a slot");
            hostile::reflect(&mediator, dialect, envelopes.clone());
            let output = watch(&mediator, dialect, &[&["--until-dry", "--expect", "existing"], names].concat());
            let lines = lines(&output.stdout);
            let lines: Vec<Value> = of(&lines, "reflected").into_iter().cloned().collect();
            assert_eq!(lines.len(), envelopes.len(), "{dialect}: {}", String::from_utf8_lossy(&output.stderr));
            lines
        };
        let named = watched(&["--names"]);
        assert_eq!(named[0]["unknown_fields"], json!(["99"]), "{dialect}");
        assert!(named[1..].iter().all(|line| line.get("unknown_fields").is_none()), "{dialect}");
        assert_eq!((&named[1]["type"], &named[2]["name"]), (&json!("type 149"), &json!("Choir")));
        assert_eq!(named[3]["conversation"], json!({ "group": "4747474747474747" }), "its creator is not known");
        assert_eq!((&named[4]["accepted"], &named[4]["reason"]), (&json!(false), &json!("busy")));
        let size = ["media_bytes", "duration_ms", "width", "height"].map(|field| &named[5][field]);
        assert_eq!(size, [1_234, 2_500, 640, 480].map(|number| json!(number)).each_ref());
        if dialect == Dialect::Mk {
            assert!(named.iter().all(|line| line["nickname"] == "nymph"));
        } else {
            assert_eq!((&named[6]["first_name"], named[6].get("name")), (&json!("Echo"), None));
            assert_eq!(named[7]["last_name"], json!(""));
            assert_eq!(
                (&named[8]["count"], &named[8]["detail"]),
                (&json!(0), &json!("an empty update: it changes nothing"))
            );
        }

        let text = json!(watched(&[])).to_string();
        for name in ["Choir", "nymph", "\"Echo\"", "\"name\"", "nickname", "first_name"] {
            assert!(!text.contains(name), "{name} in {text}");
        }
    }
}

/// What programs read of the bodies that apps send; `null` is a field that is not there.
#[test]
fn fields_tell_what_a_body_says() {
    let group = |body: &[u8]| [b"CREATOR1GGGGGGGG", body].concat();
    let reaction = |action| csp_e2e::Reaction { message_id: 77, action: Some(action) }.encode_to_vec();
    let emoji = Bytes::from_static("🎉".as_bytes());
    let call = csp_e2e::GroupCallStart {
        protocol_version: 2,
        gck: Bytes::from_static(&[9; 32]),
        sfu_base_url: "https://mixer.example.org:8443/v1/".to_owned(),
    };
    let poll = |state: &str, choices: usize| {
        let choices = vec![r#"{"i":4,"n":"Soup","o":0,"r":[1,0],"t":1}"#; choices].join(",");
        format!(r#"PPPPPPPP{{"d":"Lunch?",{state}"a":1,"o":0,"u":1,"c":[{choices}],"p":["ECHOECHO"]}}"#).into_bytes()
    };
    let answer = |fields: &str| format!(r#"{{"callId":4294967295,{fields},"features":{{"video":null}}}}"#).into_bytes();
    let reasons = ["unspecified", "busy", "timeout", "declined", "disabled", "off_hours", "reason_6"];
    let mut cases = vec![
        (0x15, poll(r#""s":1,"t":1,"#, 3), json!({ "closed": true, "choices": 3, "results": "every_vote" })),
        (0x52, group(&poll(r#""t":0,"s":0,"#, 2)), json!({ "closed": false, "choices": 2, "results": "at_the_end" })),
        (0x52, group(&poll("", 0)), json!({ "closed": false, "choices": 0, "results": null })),
        (
            0x61,
            answer(r#""action":1,"answer":{"sdpType":"answer","sdp":"v=0"}"#),
            json!({ "accepted": true, "reason": null }),
        ),
        (0x61, answer(r#""action":0"#), json!({ "accepted": false, "reason": "unspecified" })),
        (0x60, answer(r#""offer":{"sdpType":"offer","sdp":"v=0"}"#), json!({ "type": "call offer", "accepted": null })),
        (0x63, br#"{"callId":7}"#.to_vec(), json!({ "type": "call hang-up", "accepted": null, "reason": null })),
        (0x82, reaction(csp_e2e::reaction::Action::Withdraw(emoji.clone())), json!({ "reaction": "withdrawn" })),
        (0x83, group(&reaction(csp_e2e::reaction::Action::Apply(emoji))), json!({ "reaction": "applied" })),
        (0x4f, group(&call.encode_to_vec()), json!({ "call_version": 2, "sfu": "mixer.example.org:8443" })),
        (0x4a, b"GGGGGGGGMEMBER01MEMBER02MEMBER03".to_vec(), json!({ "members": 3 })),
        (0x4a, b"GGGGGGGG".to_vec(), json!({ "members": 0 })),
        (0x10, b"47.366,8.547,12.5\nTown hall\nMain street 1".to_vec(), json!({ "type": "location" })),
        (0xe7, b"?".to_vec(), json!({ "type": "type 231" })),
    ];
    cases.extend((0..).zip(reasons).map(|(number, reason)| {
        let fields = format!(r#""action":0,"rejectReason":{number}"#);
        (0x61, answer(&fields), json!({ "accepted": false, "reason": reason }))
    }));
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        assert_eq!(watch(&mediator, dialect, &["--until-dry"]).status.code(), Some(0), "the monitor takes a slot");
        let envelopes = cases.iter().map(|(message_type, body, _)| message(dialect, *message_type, body));
        hostile::reflect(&mediator, dialect, envelopes.collect());
        let output = watch(&mediator, dialect, &["--until-dry", "--expect", "existing"]);
        let lines = lines(&output.stdout);
        let lines = of(&lines, "reflected");
        assert_eq!(lines.len(), cases.len(), "{dialect}: {}", String::from_utf8_lossy(&output.stderr));
        for (line, (message_type, _, fields)) in lines.iter().zip(&cases) {
            for (field, expected) in fields.as_object().unwrap() {
                assert_eq!(&line[field], expected, "{field} of {message_type:#x} in {dialect}: {line}");
            }
            assert_eq!(line.get("unknown_fields"), None, "{message_type:#x} in {dialect}: {line}");
        }
        let text = json!(lines).to_string();
        for private in ["Lunch", "Soup", "🎉", "47.366", "Town hall", "v=0", "MEMBER01"] {
            assert!(!text.contains(private), "{private} in {text}");
        }
    }
}

#[test]
fn exit_codes_tell_the_ends_apart() {
    let mut mediator = Mediator::start(&["--max-slots", "1"]);
    assert_eq!(watch(&mediator, Dialect::Dgk, &["--for", "1s"]).status.code(), Some(0), "the time is over");
    let mismatch = watch(&mediator, Dialect::Dgk, &["--until-dry", "--expect", "new"]);
    assert_eq!(mismatch.status.code(), Some(3), "the slot is there already");
    let key = key_file(mediator.home.path());
    let url = mediator.url();
    let full = run(
        mediator.home.path(),
        &[
            "watch",
            "--url",
            &url,
            "--key-file",
            key.to_str().unwrap(),
            "--until-dry",
            "--device-id",
            "ffffffffffffffff",
        ],
    );
    assert_eq!(full.status.code(), Some(3), "no slot is left");
    let disconnected = lines(&full.stdout);
    assert_eq!(of(&disconnected, "disconnected")[0]["code"], 4111);

    rustix::process::kill_process(mediator.process(), rustix::process::Signal::TERM).unwrap();
    assert_eq!(mediator.wait().code(), Some(0), "the mediator ends well on SIGTERM");
    assert_eq!(watch(&mediator, Dialect::Dgk, &["--until-dry"]).status.code(), Some(4), "nobody listens any more");

    for (arguments, words) in [
        (vec!["watch"], "no mediator given"),
        (vec!["watch", "--url", "ws://127.0.0.1:1/"], "no key given"),
        (vec!["watch", "--url", "ws://192.0.2.1/", "--key-file", key.to_str().unwrap()], "not encrypted"),
        (vec!["watch", "--url", "http://127.0.0.1/", "--key-file", key.to_str().unwrap()], "must begin with wss://"),
        (vec!["watch", "--url", &url, "--key-file", "/nonexistent"], "/nonexistent"),
        (vec!["watch", "--nonsense"], "--nonsense"),
        (vec![], "no mediator given"),
    ] {
        let output = run(mediator.home.path(), &arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments:?} writes nothing but data to standard output");
    }
}

#[test]
fn the_server_closing_ends_a_watch_in_good_order() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        let key = key_file(mediator.home.path());
        // A leader, so that the monitor is not promoted and stays.
        let url = mediator.url();
        let name = dialect.to_string();
        let mut arguments = vec!["watch", "--url", &url, "--key-file", key.to_str().unwrap(), "--stay-leader"];
        arguments.extend(["--dialect", &name]);
        let mut child =
            program::d2mtop(mediator.home.path(), &arguments).stdout(Stdio::piped()).spawn().expect("watch starts");
        let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("queue_dry") {
            line.clear();
            assert!(std::io::BufRead::read_line(&mut output, &mut line).unwrap() > 0, "the watch goes on until dry");
        }
        rustix::process::kill_process(mediator.process(), rustix::process::Signal::INT).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "1001 is a normal end");
    }
}

#[test]
fn a_closed_pipe_ends_a_watch_quietly() {
    let home = tempfile::tempdir().unwrap();
    let mut child = program::d2mtop(home.path(), &["demo", "--headless", "--rate", "100"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut output, &mut first).unwrap();
    drop(output);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert!(first.contains("connecting"), "{first}");
}

#[test]
fn the_demo_prints_chosen_events() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &["demo", "--headless", "--only", "logged_in,queue_dry", "--until-dry"]);
    let events: Vec<_> = lines(&output.stdout).iter().map(|line| line["event"].clone()).collect();
    assert_eq!(events, ["logged_in", "queue_dry"]);
    let unknown = run(home.path(), &["demo", "--headless", "--only", "gossip"]);
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn the_demo_tells_the_same_kinds_of_events_in_both_dialects() {
    let home = tempfile::tempdir().unwrap();
    for dialect in ["dgk", "mk"] {
        let output = run(home.path(), &["demo", "--headless", "--dialect", dialect, "--rate", "200", "--for", "4s"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = lines(&output.stdout);
        for event in ["connecting", "logged_in", "devices", "reflected", "acknowledged", "queue_dry", "lock_ended"] {
            assert!(!of(&lines, event).is_empty(), "{dialect}: no {event} in the demo");
        }
        let unreadable = of(&lines, "reflected").iter().filter(|line| line["undecryptable"].is_string()).count();
        assert_eq!(unreadable, 0, "{dialect}: everything in the demo can be read");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains(KEY), "no key is printed");
    }
}

#[test]
fn a_doctor_acknowledges_nothing_of_what_waits() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        watch(&mediator, dialect, &["--until-dry"]);
        phone_reflects(&mediator, dialect, 3, "Pixel 9");
        let (key, url, name) = (key_file(mediator.home.path()), mediator.url(), dialect.to_string());
        let mut arguments = vec!["doctor", "--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", &name];
        arguments.extend(["--device-id", MONITOR, "--persistent", "--expect", "existing"]);
        let output = run(mediator.home.path(), &arguments);
        let report = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{report}");
        assert!(report.contains("3 messages wait for it, and none was acknowledged"), "{report}");
        let after = watch(&mediator, dialect, &["--until-dry", "--expect", "existing"]);
        assert_eq!(of(&lines(&after.stdout), "logged_in")[0]["queue_length"], 3, "{dialect}: all are still there");
    }
}
