//! `mediator status`, `drop` and `forget`, and the socket that they use.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use d2mtop::protocol::Dialect;
use rustix::process::{Signal, kill_process};
use serde_json::Value;

use super::{ask, state};
use crate::listener::client;
use crate::support::one_shot::{BOTH, other_device};
use crate::support::program::{self, KEY, Mediator};
use crate::support::terminal::Terminal;

const PHONE: &str = "ab00000000000000";
const TABLET: &str = "ab11000000000000";

/// A mediator with a socket, and where that is.
fn controlled(arguments: &[&str]) -> (tempfile::TempDir, PathBuf, Mediator) {
    let place = tempfile::tempdir().unwrap();
    let socket = place.path().join("control");
    let mediator = Mediator::start(&[&["--control", socket.to_str().unwrap()], arguments].concat());
    mediator.await_logged("control", 1);
    (place, socket, mediator)
}

fn group_id(dialect: Dialect) -> String {
    let mut secret = [0; 32];
    hex::decode_to_slice(KEY, &mut secret).unwrap();
    client::group_id(dialect, secret).to_string()
}

/// Lines that are sent as they are, and the answers.
fn exchange(socket: &Path, line: &[u8]) -> Value {
    let mut stream = UnixStream::connect(socket).unwrap();
    // Who answers may have closed already.
    let _ = stream.write_all(line);
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

#[test]
fn the_state_of_all_groups_is_told_to_people_and_to_scripts() {
    let (_place, socket, mediator) = controlled(&[]);
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let (code, words) = ask(&socket, &["status"]);
    assert_eq!((code, words.lines().count()), (Some(0), 1), "{words}");
    assert!(words.starts_with("ready; groups: 0"), "{words}");
    for dialect in BOTH {
        for id in [PHONE, TABLET] {
            other_device(&mediator, dialect, id, "any");
        }
        let (id, pseudonym) = (group_id(dialect), group_id(dialect)[..8].to_owned());
        let state = state(&socket);
        let group = state["groups"].as_array().unwrap().iter().find(|group| group["id"] == id.as_str()).unwrap();
        assert_eq!((&group["group"], &group["lock"]), (&pseudonym.as_str().into(), &Value::Null));
        let device = &group["devices"][0];
        assert_eq!((&device["device"], &device["connection"]), (&PHONE.into(), &Value::Null));
        assert_eq!((&device["messages"], &device["volatile"]), (&0.into(), &false.into()));
        let (_, words) = ask(&socket, &["status"]);
        let rows = words.lines().filter(|line| line.starts_with(&pseudonym) && line.contains("off since"));
        assert_eq!(rows.count(), 2, "{words}");
    }
}

#[test]
fn a_device_or_a_group_goes_by_what_names_it_and_nothing_else_does() {
    for dialect in BOTH {
        let (_place, socket, mediator) = controlled(&[]);
        for id in [PHONE, TABLET] {
            other_device(&mediator, dialect, id, "any");
        }
        let id = group_id(dialect);
        let (pseudonym, other) = (&id[..8], if id.starts_with('0') { "1" } else { "0" });
        for (arguments, code, words) in [
            (&["drop", pseudonym, PHONE][..], 6, "there is no terminal to ask on; add --yes"),
            (&["forget", pseudonym], 6, "there is no terminal to ask on; add --yes"),
            (&["drop", "--yes", other, PHONE], 5, "no group has an id that begins with"),
            (&["drop", "--yes", "", PHONE], 5, "no group has an id that begins with"),
            (&["drop", "--yes", "\u{1b}[2J", PHONE], 5, "no group has an id that begins with"),
            (&["drop", "--yes", pseudonym, "cd"], 5, "no device has an id that begins with cd"),
            (&["drop", "--yes", pseudonym, "ab"], 5, "ab can be more than one device: ab00000000000000, ab11"),
            (&["forget", "--yes", other], 5, "no group"),
        ] {
            let (told, said) = ask(&socket, arguments);
            assert_eq!(told, Some(code), "{arguments:?}: {said}");
            assert!(said.contains(words) && !said.contains('\u{1b}'), "{arguments:?}: {said}");
        }
        assert_eq!(state(&socket)["groups"][0]["devices"].as_array().unwrap().len(), 2, "nothing was done");

        let (code, words) = ask(&socket, &["drop", "-y", &id.to_uppercase(), "AB00"]);
        assert_eq!((code, words), (Some(0), format!("dropped {PHONE} of group {pseudonym}\n")));
        assert_eq!(state(&socket)["groups"][0]["devices"].as_array().unwrap().len(), 1);
        assert!(mediator.await_logged("slot_removed", 1).contains("\"cause\":\"operator\""));
        let (code, words) = ask(&socket, &["forget", "--yes", pseudonym]);
        assert_eq!((code, words), (Some(0), format!("forgot group {pseudonym} and its devices (1)\n")));
        assert_eq!(state(&socket)["groups"].as_array().unwrap().len(), 0);
    }
}

#[test]
fn on_a_terminal_a_person_is_asked_what_goes() {
    let (_place, socket, mediator) = controlled(&[]);
    other_device(&mediator, Dialect::Dgk, PHONE, "any");
    let pseudonym = &group_id(Dialect::Dgk)[..8];
    for (answer, code, left) in [("n\r", 6, 1), ("y\r", 0, 0)] {
        let arguments = ["mediator", "drop", "--control", socket.to_str().unwrap(), pseudonym, "ab"];
        let mut terminal = Terminal::start(&arguments, 24, 120, &[]);
        terminal.wait_for(&format!("Drop device {PHONE} of group {pseudonym}, for which nothing waits?"));
        terminal.wait_for("It is the last of its group, which is forgotten with it.");
        terminal.press(answer);
        assert_eq!(terminal.end().exit_code(), code);
        assert_eq!(state(&socket)["groups"].as_array().unwrap().len(), left);
    }
}

#[test]
fn with_data_the_socket_is_there_and_what_was_dropped_stays_so() {
    let data = tempfile::tempdir().unwrap();
    let directory = data.path().to_str().unwrap();
    let mut mediator = Mediator::start(&["--data", directory]);
    let socket = data.path().join("control");
    for id in [PHONE, TABLET] {
        other_device(&mediator, Dialect::Dgk, id, "any");
    }
    let home = tempfile::tempdir().unwrap();
    let group = group_id(Dialect::Dgk);
    let dropped = program::run(home.path(), &["mediator", "drop", "--data", directory, "--yes", &group[..8], PHONE]);
    assert_eq!(dropped.status.code(), Some(0), "{}", String::from_utf8_lossy(&dropped.stderr));
    kill_process(mediator.process(), Signal::KILL).unwrap();
    mediator.wait();
    assert!(socket.exists(), "nobody took it away");
    mediator.restart();
    mediator.await_logged("control", 2);
    let devices = state(&socket)["groups"][0]["devices"].clone();
    assert_eq!((devices.as_array().unwrap().len(), &devices[0]["device"]), (1, &TABLET.into()));
    kill_process(mediator.process(), Signal::TERM).unwrap();
    mediator.wait();
    assert!(!socket.exists(), "it goes with the mediator");
    let (code, words) = ask(&socket, &["status"]);
    assert_eq!(code, Some(4), "{words}");
    assert!(words.contains("no mediator at"), "{words}");
}

#[test]
fn what_is_no_request_is_told_and_neither_silent_nor_slow_clients_are_in_the_way() {
    let (_place, socket, mediator) = controlled(&[]);
    other_device(&mediator, Dialect::Dgk, PHONE, "any");
    for (line, words) in [
        (&b"nonsense\n"[..], "this is no request"),
        (b"\xff\n", "this is no request"),
        (b"{}\n", "this is no request: missing field `request`"),
        (b"{\"request\":\"explode\"}\n", "unknown variant `explode`"),
        (b"{\"request\":\"forget\",\"group\":\"ab\"}\n", "a group's id has 64 hex digits"),
        (b"{\"request\":\"status\",\"more\":1}\n", "this is no request"),
        (&b"{".repeat(70_000), "a request has 65536 bytes at most"),
    ] {
        let answer = exchange(&socket, line);
        assert!(answer["error"].as_str().unwrap().contains(words), "{answer}");
    }
    // One that says nothing, and one that takes nothing.
    let silent: Vec<_> = (0..4).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    let mut deaf = UnixStream::connect(&socket).unwrap();
    deaf.set_nonblocking(true).unwrap();
    while deaf.write_all(b"{\"request\":\"status\"}\n").is_ok() {}
    assert_eq!(state(&socket)["groups"].as_array().unwrap().len(), 1);
    other_device(&mediator, Dialect::Dgk, TABLET, "any");
    let more: Vec<_> = (0..20).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    let answer = exchange(&socket, b"");
    assert!(answer["error"].as_str().unwrap().contains("16 others are connected already"), "{answer}");
    drop((silent, more, deaf));
    // A place is free again as soon as one of them has been seen to go.
    while exchange(&socket, b"{\"request\":\"status\"}\n").get("error").is_some() {}
}

#[test]
fn a_socket_that_cannot_be_had_is_told() {
    let (_place, socket, mediator) = controlled(&[]);
    let long = format!("/tmp/{}", "x".repeat(120));
    for (path, words) in [
        (socket.to_str().unwrap(), "Address already in use"),
        ("/nowhere/control", "No such file"),
        (&long, "path must be shorter"),
    ] {
        let output = program::run(mediator.home.path(), &["mediator", "--control", path]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("cannot listen at --control") && told.contains(words), "{told}");
    }
    // One that nobody asked for does not keep a mediator from what it is for.
    let deep = mediator.home.path().join("d".repeat(120));
    let other = Mediator::start(&["--data", deep.to_str().unwrap()]);
    assert!(other.await_logged("control_failed", 1).contains("choose another with --control"));
}
