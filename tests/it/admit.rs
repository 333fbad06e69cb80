//! `admit` gives the group's key to a device that was compared with, and to no other.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use d2mtop::protocol::{CloseCode, Dialect};
use d2mtop::rendezvous::wire::{Emoji, EssentialData};
use d2mtop::rendezvous::{JoinCause, JoinEnd, JoinStep, RendezvousFailure};
use rustix::process::Signal;

use crate::support::new_device::NewDevice;
use crate::support::one_shot::{Started, command, expect, json, labels, signal};
use crate::support::program::{KEY, Mediator, key_file};
use crate::support::terminal::Terminal;

const NEW: &str = "ab00000000000000";

fn mediator() -> Mediator {
    Mediator::start(&["--rendezvous", "--max-slots", "64"])
}

fn link_file(mediator: &Mediator, device: &NewDevice) -> PathBuf {
    let path = mediator.home.path().join("link");
    fs::write(&path, format!("{}\n", device.link)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

/// One that logs in with what it was given, by the program.
fn new_device(mediator: &Mediator) -> NewDevice {
    let (home, url) = (mediator.home.path().to_owned(), mediator.url());
    NewDevice::wait_at(
        mediator.port,
        Some(Box::new(move |given: &EssentialData| {
            assert_eq!((given.server_group.as_str(), &given.identity), ("01", &None));
            let key = key_file(&home);
            let arguments = ["devices", "--json", "--persistent", "--device-id", NEW, "--label", "New one"];
            let connection = ["--url", &url, "--key-file", key.to_str().unwrap()];
            let output = crate::support::program::run(&home, &[&arguments[..], &connection].concat());
            assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
            json(&String::from_utf8(output.stdout).unwrap()).len() - 1
        })),
    )
}

fn start(mediator: &Mediator, device: &NewDevice) -> Started {
    let file = link_file(mediator, device);
    let arguments = ["admit", "--json", "--label", "Admitting", "--link-file", file.to_str().unwrap()];
    let mut command = command(mediator, Dialect::Dgk, &arguments);
    command.stdin(Stdio::piped());
    Started::new(command)
}

fn answer(admitting: &mut Started, line: &str) {
    admitting.child.stdin.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
}

#[test]
fn a_device_that_shows_the_same_gets_the_key_and_its_slot() {
    let mediator = mediator();
    let device = new_device(&mediator);
    let mut admitting = start(&mediator, &device);
    admitting.wait_for("admit_peer");
    let told = json(&admitting.wait_for("admit_emoji")).remove(0);
    let shown = device.emoji();
    assert_eq!(told["indices"], serde_json::json!(shown.map(Emoji::index)));
    assert_eq!(told["names"], serde_json::json!(shown.map(Emoji::name)));
    assert!(!mediator.await_logged("relay_met", 1).contains("lock_taken"), "no lock before the answer");
    answer(&mut admitting, "yes");
    admitting.wait_for("admit_sent");
    admitting.wait_for("admit_registered");
    assert_eq!(admitting.child.wait().unwrap().code(), Some(0));
    let joined = device.end();
    assert_eq!(joined.end, JoinEnd::Registered { is_confirmed: true });
    assert!(format!("{:?}", joined.data.unwrap().secret).contains("REDACTED"));
    let log = mediator.await_logged("lock_released", 1);
    assert!(log.contains(r#""committed":true"#), "the lock is committed: {log}");
    assert!(labels(&mediator, Dialect::Dgk).contains(&"New one".to_owned()));
}

#[test]
fn a_no_gives_nothing_and_takes_no_lock() {
    for line in ["no", "", "yes please"] {
        let mediator = mediator();
        let device = NewDevice::wait_at(mediator.port, None);
        let mut admitting = start(&mediator, &device);
        admitting.wait_for("admit_emoji");
        answer(&mut admitting, line);
        let failed = json(&admitting.wait_for("admit_failed")).remove(0);
        assert_eq!(failed["key_given"], false);
        assert_eq!(admitting.child.wait().unwrap().code(), Some(6), "{line:?}");
        let joined = device.end();
        let failure = RendezvousFailure::PeerFailed(CloseCode(4100));
        let cause = JoinCause::Rendezvous { failure, step: JoinStep::Begin };
        assert_eq!(joined.end, JoinEnd::Failed { cause, slot_left: false }, "{line:?}");
        assert!(joined.data.is_none(), "it got nothing");
        let log = mediator.await_logged("relay_closed", 2);
        assert!(!log.contains("lock_taken"), "{log}");
    }
}

#[test]
fn the_end_of_input_or_a_signal_ends_it_politely() {
    for by_signal in [true, false] {
        let mediator = mediator();
        let device = NewDevice::wait_at(mediator.port, None);
        let mut admitting = start(&mediator, &device);
        admitting.wait_for("admit_emoji");
        if by_signal {
            signal(&admitting.child, Signal::INT);
        } else {
            drop(admitting.child.stdin.take());
        }
        admitting.wait_for("admit_failed");
        assert_eq!(admitting.child.wait().unwrap().code(), Some(if by_signal { 130 } else { 6 }));
        let joined = device.end();
        assert!(matches!(joined.end, JoinEnd::Failed { slot_left: false, .. }), "{:?}", joined.end);
        let log = mediator.await_logged("relay_closed", 2);
        assert!(log.contains(r#""code":4100"#), "{log}");
    }
}

#[test]
fn a_new_device_that_leaves_is_told() {
    let mediator = mediator();
    let device = NewDevice::that_cancels(mediator.port);
    let mut admitting = start(&mediator, &device);
    let failed = admitting.wait_for("admit_failed");
    assert!(failed.contains("the other device gave up (4100)"), "{failed}");
    assert_eq!(admitting.child.wait().unwrap().code(), Some(4));
    // And who takes the key, and then does not come.
    let device = NewDevice::wait_at(mediator.port, None);
    let mut admitting = start(&mediator, &device);
    admitting.wait_for("admit_emoji");
    answer(&mut admitting, "yes");
    let failed = json(&admitting.wait_for("admit_failed")).remove(0);
    assert_eq!(failed["key_given"], true, "{failed}");
    assert_eq!(admitting.child.wait().unwrap().code(), Some(4));
    mediator.await_logged("lock_released", 1);
    assert!(device.end().data.is_some());
}

#[test]
fn what_cannot_be_used_is_refused_before_anything_happens() {
    let mediator = mediator();
    let device = NewDevice::wait_at(mediator.port, None);
    let file = link_file(&mediator, &device);
    let path = file.to_str().unwrap();
    let admit = |arguments: &[&'static str]| [&["admit", "--json", "--link-file", path][..], arguments].concat();
    let secret = device.link.rsplit('#').next().unwrap().to_owned();
    let refused = |arguments: &[&str], dialect, code, words: &str| {
        let (stdout, stderr) = expect(&mediator, dialect, arguments, code, words);
        assert!(!format!("{stdout}{stderr}").contains(&secret), "the link was printed");
    };
    refused(&admit(&["--read-only"]), Dialect::Dgk, 2, "read-only");
    refused(&admit(&[]), Dialect::Mk, 2, "the dialect mk has no join");
    refused(&["admit"], Dialect::Dgk, 6, "no terminal to ask on");
    refused(&["admit", "--json"], Dialect::Dgk, 2, "--link-file");
    refused(&["admit", "--json", "--yes", "--link-file", path], Dialect::Dgk, 2, "--yes");
    fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    refused(&admit(&[]), Dialect::Dgk, 2, "others can read it (mode 640)");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    for (text, words) in [
        ("https://example.org/", "not a join link"),
        (device.link.get(..80).unwrap(), "cut off or mistyped"),
        (KEY, "not a join link"),
    ] {
        fs::write(&file, text).unwrap();
        refused(&admit(&[]), Dialect::Dgk, 2, words);
    }
    assert!(!mediator.await_logged("relay_waiting", 1).contains("logged_in"), "nobody has logged in");
}

#[test]
fn a_person_pastes_the_link_unseen_and_says_yes() {
    let mediator = mediator();
    let device = new_device(&mediator);
    let (key, url) = (key_file(mediator.home.path()), mediator.url());
    let arguments = ["admit", "--url", &url, "--key-file", key.to_str().unwrap(), "--label", "Admitting"];
    let mut terminal = Terminal::start(&arguments, 24, 80, &[]);
    terminal.wait_for("no client key to give");
    terminal.wait_for("The link that the new device shows:");
    terminal.press(&format!("{}\r", device.link));
    for emoji in device.emoji() {
        terminal.wait_for(emoji.name());
    }
    terminal.wait_for("the same three? [y/N]");
    terminal.press("y\r");
    terminal.wait_for("admitted: the new device is in the group");
    assert!(terminal.end().success());
    terminal.assert_restored();
    assert_eq!(device.end().end, JoinEnd::Registered { is_confirmed: true });
    assert!(!String::from_utf8_lossy(&terminal.raw).contains("device-group/join"), "the link was shown");
}

#[test]
fn the_phone_of_the_demo_links_who_leaves_an_offer() {
    let mut terminal = Terminal::start(&["demo", "--join"], 24, 200, &[]);
    terminal.wait_for("--offer-file");
    let shown = terminal.contents();
    let command: Vec<&str> =
        shown.lines().find(|line| line.contains("d2mtop join")).unwrap().split_whitespace().collect();
    let ["d2mtop", "join", _, "--mediator", mediator, "--rendezvous", relay, "--offer-file", offer] = command[..]
    else {
        panic!("{command:?}")
    };
    let port = mediator.trim_start_matches("ws://127.0.0.1:").trim_end_matches('/').parse().unwrap();
    assert_eq!(relay, format!("ws://127.0.0.1:{port}/rendezvous"));
    let given = |given: &EssentialData| {
        assert_eq!(given.identity.as_ref().unwrap().as_str(), "N0RAB3RG");
        assert!(given.names.contacts.iter().any(|contact| contact.last.as_str() == "Kováčová"));
        assert!(given.names.groups.iter().any(|group| group.name.as_str() == "Choir"));
        4
    };
    for (answer, says) in [("n", "the emoji do not match"), ("y", "admitted: the new device is in the group")] {
        let device = NewDevice::wait_at(port, Some(Box::new(given)));
        fs::write(offer, &device.link).unwrap();
        fs::set_permissions(offer, Permissions::from_mode(0o600)).unwrap();
        for emoji in device.emoji() {
            terminal.wait_for(emoji.name());
        }
        terminal.wait_for("the same three? [y/N]");
        terminal.press(&format!("{answer}\r"));
        terminal.wait_for(says);
        let is_admitted = answer == "y";
        assert_eq!(device.end().end == JoinEnd::Registered { is_confirmed: true }, is_admitted);
    }
    terminal.press("\x03");
    assert!(terminal.end().success());
    terminal.assert_restored();
    assert!(!std::path::Path::new(offer).parent().unwrap().exists(), "the demo's folder goes with it");
    let refused = crate::support::program::run(terminal.home(), &["demo", "--join", "--dialect", "mk"]);
    assert_eq!(refused.status.code(), Some(2), "without a terminal");
}
