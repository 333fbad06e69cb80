//! A mediator that runs for long: who may enter, and what it takes anew without closing anybody.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::Stdio;

use rustix::process::{Signal, kill_process};

use super::{Watch, next_word};
use crate::support::certificates::{Authority, Validity};
use crate::support::program::{KEY, Mediator, d2mtop, key_file, run};
use d2mtop::protocol::{Dialect, GroupKeys, GroupSecret};

fn group_id(dialect: Dialect) -> String {
    let mut secret = [0; 32];
    hex::decode_to_slice(KEY, &mut secret).unwrap();
    hex::encode(GroupKeys::derive(dialect, &GroupSecret::new(&mut secret)).device_group_id().0)
}

fn watch(mediator: &Mediator, dialect: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let key = key_file(mediator.home.path());
    let url = mediator.url();
    let all = ["watch", "--url", &url, "--dialect", dialect, "--key-file", key.to_str().unwrap(), "--until-dry"];
    let output = run(mediator.home.path(), &[&all[..], arguments].concat());
    (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
}

#[test]
fn only_groups_of_the_list_enter_and_the_list_is_read_anew() {
    let lists = tempfile::tempdir().unwrap();
    let list = lists.path().join("groups");
    fs::write(&list, format!("{} # ours\n", group_id(Dialect::Dgk))).unwrap();
    let mediator = Mediator::start(&["--allow-group", list.to_str().unwrap()]);
    let key = key_file(mediator.home.path());
    let stay = ["watch", "--url", &mediator.url(), "--key-file", key.to_str().unwrap(), "--stay-leader"];
    let mut inside = Watch::start(&mut d2mtop(mediator.home.path(), &stay));
    inside.wait_for("queue_dry");
    let (code, words) = watch(&mediator, "mk", &[]);
    assert_eq!(code, Some(4), "{words}");
    assert!(words.contains("403"), "{words}");

    // A list that cannot be read changes nothing.
    fs::write(&list, "nonsense\n").unwrap();
    kill_process(mediator.process(), Signal::HUP).unwrap();
    let log = mediator.await_logged("reload_failed", 1);
    assert!(log.contains("line 1 is no group id"), "{log}");
    assert_eq!(watch(&mediator, "mk", &[]).0, Some(4));

    fs::write(&list, format!("{}\n{}\n", group_id(Dialect::Dgk), group_id(Dialect::Mk))).unwrap();
    kill_process(mediator.process(), Signal::HUP).unwrap();
    mediator.await_logged("reloaded", 1);
    assert_eq!(watch(&mediator, "mk", &[]).0, Some(0));

    fs::write(&list, group_id(Dialect::Mk)).unwrap();
    kill_process(mediator.process(), Signal::HUP).unwrap();
    mediator.await_logged("reloaded", 2);
    assert_eq!(inside.wait_for("disconnected")["code"], 1008, "until then it was not closed");
}

#[test]
fn a_new_certificate_is_taken_without_closing_anybody() {
    let authority = Authority::new();
    let old = authority.leaf("localhost", Validity::Now);
    let files = tempfile::tempdir().unwrap();
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| files.path().join(name));
    fs::copy(&old.certificate, &certificate).unwrap();
    fs::copy(&old.key, &key).unwrap();
    let mediator = Mediator::start(&["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()]);
    let (home, ca) = (mediator.home.path(), authority.file());
    let group_key = key_file(home);
    let url = format!("wss://localhost:{}/", mediator.port);
    let connection = ["--url", &url, "--key-file", group_key.to_str().unwrap(), "--ca", ca.to_str().unwrap()];
    let mut inside =
        Watch::start(&mut d2mtop(home, &[&["watch", "--stay-leader"][..], &connection, &["--pin", &old.pin]].concat()));
    inside.wait_for("queue_dry");

    let new = authority.leaf("localhost", Validity::Now);
    fs::copy(&new.certificate, &certificate).unwrap();
    fs::copy(&new.key, &key).unwrap();
    kill_process(mediator.process(), Signal::HUP).unwrap();
    mediator.await_logged("reloaded", 1);
    for (pin, code) in [(&new.pin, 0), (&old.pin, 4)] {
        let output = run(home, &[&["watch", "--until-dry"][..], &connection, &["--pin", pin]].concat());
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stdout));
    }
    // The first one was connected all the time.
    let log = mediator.await_logged("logged_in", 2);
    assert_eq!(log.matches("\"by\":\"server\"").count(), 0, "{log}");
    inside.signal(Signal::TERM);
    assert_eq!(inside.end().0, Some(0));
}

#[test]
fn systemd_hears_when_it_listens_and_when_it_leaves() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut command = d2mtop(home.path(), &["mediator"]);
    let mut child = command.env("NOTIFY_SOCKET", &path).stdout(Stdio::null()).spawn().unwrap();
    next_word(&socket, "READY=1");
    kill_process(rustix::process::Pid::from_child(&child), Signal::HUP).unwrap();
    next_word(&socket, "RELOADING=1");
    next_word(&socket, "READY=1");
    kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).unwrap();
    next_word(&socket, "STOPPING=1");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn it_listens_at_names_at_several_places_and_at_sockets() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("mediator.sock");
    let socket = format!("unix:{}", path.display());
    let mut mediator = Mediator::start(&["--listen", "localhost:0", "--listen", &socket]);
    let log = mediator.await_logged("listening", 3);
    let line = log.lines().find(|line| line.contains(&socket)).expect("its line");
    assert!(!line.contains("\"port\""), "{line}");
    let places: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for dialect in ["dgk", "mk"] {
        let key = key_file(mediator.home.path());
        let url = format!("ws://localhost:{}/", places[1]["port"]);
        let all = ["watch", "--url", &url, "--dialect", dialect, "--key-file", key.to_str().unwrap(), "--until-dry"];
        let output = run(mediator.home.path(), &all);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let mut client = UnixStream::connect(&path).unwrap();
    client.write_all(b"GET /ready HTTP/1.1\r\nHost: m\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let taken = format!("127.0.0.1:{}", mediator.port);
    for (listen, code, words) in [
        ("nowhere", 2, "--listen nowhere: give HOST:PORT"),
        (&taken, 1, "choose another port"),
        (&socket, 1, "Address already in use"),
        ("mediator.invalid:1", 1, "cannot listen at mediator.invalid:1"),
    ] {
        let output = run(mediator.home.path(), &["mediator", "--listen", listen]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{listen}: {told}");
        assert!(told.contains(words), "{listen}: {told}");
    }
    kill_process(mediator.process(), Signal::TERM).unwrap();
    assert_eq!(mediator.wait().code(), Some(0));
    assert!(!path.exists(), "the socket goes with it");
}
