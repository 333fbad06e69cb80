//! A join by a script: events, exit codes, and what is kept nowhere.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::phone::{Does, Phone, data};
use super::{arguments, assert_no_profile, labels, mediator, relay};
use crate::support::one_shot::{Started, json};
use crate::support::program::{Mediator, d2mtop, run};

/// A join whose code is offered, and the link.
pub(super) fn offered(home: &Path, mediator: &str, relay: &str, more: &[&str]) -> (Started, String) {
    let offer = home.join("offer");
    let all = [arguments(mediator, relay, offer.to_str().unwrap()), vec!["--json"], more.to_vec()].concat();
    let started = Started::new(d2mtop(home, &all));
    let told: Value = serde_json::from_str(&started.wait_for("join_offer")).unwrap();
    assert_eq!(told["file"], offer.to_str().unwrap());
    let link = fs::read_to_string(&offer).unwrap();
    (started, link)
}

/// Has a phone with three contacts let the device in, as far as the end of both.
pub(super) fn linked(joining: Started, mediator: &Mediator, link: &str) {
    let phone = Phone::lets_in(mediator, link, data(3));
    let (code, printed, remarks) = joining.ended();
    assert_eq!(code, Some(0), "{printed}{remarks}");
    phone.end();
}

fn event<'a>(lines: &'a [Value], name: &str) -> &'a Value {
    lines.iter().find(|line| line["event"] == name).unwrap_or_else(|| panic!("no {name} in {lines:?}"))
}

#[test]
fn a_script_reads_events_and_never_the_link() {
    let mediator = mediator();
    let home = tempfile::tempdir().unwrap();
    let (joining, link) = offered(home.path(), &mediator.url(), &relay(&mediator), &["lab", "--forget-names"]);
    let phone = Phone::scans(&mediator, &link, data(20_000));
    let emoji = phone.emoji();
    phone.does(Does::Matches(true));
    let (code, printed, remarks) = joining.ended();
    assert_eq!((code, remarks.as_str()), (Some(0), ""), "{printed}");
    assert!(!printed.contains("threema://"), "{printed}");
    let lines = json(&printed);
    assert_eq!(event(&lines, "join_emoji")["names"], serde_json::json!(emoji));
    let registered = event(&lines, "join_registered");
    assert_eq!((&registered["profile"], &registered["identity"]), (&"lab".into(), &"MYSELF01".into()));
    let progress = lines.iter().filter(|line| line["event"] == "join_progress");
    let progress: Vec<u64> = progress.map(|line| line["bytes"].as_u64().unwrap()).collect();
    assert!(progress.is_sorted() && progress.last() > Some(&100_000) && progress.len() < 200, "{progress:?}");
    phone.end();
    assert!(!home.path().join(".local/state/d2mtop/profiles/lab/names.sealed").exists());
    assert!(run(home.path(), &["watch", "lab", "--until-dry", "--stay-leader"]).status.success());
    // The link's secrets are nowhere, nor is the link.
    let secret = link.trim().rsplit('#').next().unwrap();
    for file in files(home.path()) {
        let content = fs::read(&file).unwrap();
        assert!(!String::from_utf8_lossy(&content).contains(secret), "{}", file.display());
    }
    let taken = run(home.path(), &joined_again(home.path(), &mediator));
    assert_eq!(taken.status.code(), Some(2), "{}", String::from_utf8_lossy(&taken.stderr));
    assert!(String::from_utf8_lossy(&taken.stderr).contains("lab"));
}

#[test]
fn who_joined_brings_another_in_with_identity_and_names() {
    let mediator = mediator();
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (joining, link) = offered(first.path(), &mediator.url(), &relay(&mediator), &["lab"]);
    linked(joining, &mediator, &link);

    let (joining, link) = offered(second.path(), &mediator.url(), &relay(&mediator), &["attic"]);
    let file = first.path().join("link");
    fs::write(&file, link).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let admit = ["admit", "lab", "--json", "--stay-leader", "--link-file", file.to_str().unwrap()];
    let mut command = d2mtop(first.path(), &admit);
    command.stdin(Stdio::piped());
    let mut admitting = Started::new(command);
    admitting.wait_for("admit_emoji");
    admitting.child.stdin.as_mut().unwrap().write_all(b"yes\n").unwrap();
    let (code, printed, remarks) = joining.ended();
    assert_eq!(code, Some(0), "{printed}{remarks}");
    assert_eq!(event(&json(&printed), "join_registered")["identity"], "MYSELF01");
    assert_eq!(admitting.child.wait().unwrap().code(), Some(0));
    let names = |home: &Path, name: &str| home.join(".local/state/d2mtop/profiles").join(name).join("names.sealed");
    let [given, got] =
        [names(first.path(), "lab"), names(second.path(), "attic")].map(|path| fs::metadata(path).unwrap());
    assert_eq!(given.len(), got.len(), "every name is passed on");
}

fn joined_again(home: &Path, mediator: &Mediator) -> Vec<&'static str> {
    let offer = home.join("again");
    let all = [offer.to_str().unwrap().to_owned(), mediator.url(), relay(mediator)];
    let [offer, url, relay] = all.map(|text| &*Box::leak(text.into_boxed_str()));
    [arguments(url, relay, offer), vec!["--json", "lab"]].concat()
}

/// The paths of all files below.
pub(super) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn a_full_group_is_left_as_it_was() {
    let mediator = Mediator::start(&["--rendezvous", "--max-slots", "1"]);
    let home = tempfile::tempdir().unwrap();
    let (joining, link) = offered(home.path(), &mediator.url(), &relay(&mediator), &[]);
    let phone = Phone::lets_in(&mediator, &link, data(1));
    let (code, printed, _) = joining.ended();
    assert_eq!(code, Some(3), "{printed}");
    let failed = json(&printed);
    let words = event(&failed, "join_failed")["words"].as_str().unwrap();
    assert!(words.contains("all device slots of the group are taken"), "{words}");
    phone.end();
    assert_no_profile(home.path());
}

#[test]
fn a_mediator_that_does_not_know_the_group_is_left_again() {
    let (mediator, other) = (mediator(), Mediator::start(&[]));
    let home = tempfile::tempdir().unwrap();
    let (joining, link) = offered(home.path(), &other.url(), &relay(&mediator), &[]);
    let phone = Phone::lets_in(&mediator, &link, data(1));
    let (code, printed, _) = joining.ended();
    assert_eq!(code, Some(3), "{printed}");
    assert!(printed.contains("does not know the phone's group"), "{printed}");
    phone.end();
    assert_no_profile(home.path());
    assert_eq!(labels(&other), [] as [&str; 0], "its slot is given up");
}

#[test]
fn what_cannot_work_is_said_before_any_code() {
    let home = tempfile::tempdir().unwrap();
    let offer = home.path().join("offer");
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("ws://{}/", gone.local_addr().unwrap());
    drop(gone);
    let base = arguments(&nowhere, &nowhere, offer.to_str().unwrap());
    for (more, code, words) in [
        (&["--json", "--dialect", "mk"][..], 2, "part of dgk only"),
        (&["--json", "watch"], 2, "is a command"),
        (&["--json", "--qr-file", "code.jpg"], 2, "must end in .png or .svg"),
        (&["--json", "--pin", "AAAA"], 2, "--pin"),
        (&[], 2, "needs a terminal"),
        (&["--json"], 4, "nobody listens there"),
    ] {
        let output = run(home.path(), &[&base[..], more].concat());
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(code), "{more:?}: {said}");
        assert!(said.contains(words), "{more:?}: {said}");
        assert_no_profile(home.path());
        assert!(!offer.exists());
    }
}

/// Starts a join that is going to be killed.
pub(super) fn killable(home: &Path, mediator: &Mediator) -> Child {
    let offer = home.join("offer");
    let (url, relay) = (mediator.url(), relay(mediator));
    let mut command: Command = d2mtop(home, &arguments(&url, &relay, offer.to_str().unwrap()));
    command.arg("--json").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}
