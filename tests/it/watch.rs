//! `d2mtop watch` and `d2mtop mediator` as a script uses them: real processes, real sockets, exit codes.

use crate::support::hostile;
use crate::support::phone;
use crate::support::program;
use std::process::Stdio;

use d2mtop::protocol::Dialect;
use phone::phone_reflects;
use program::schema::lines;
use program::{KEY, Mediator, key_file, run, schema};
use serde_json::Value;

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
