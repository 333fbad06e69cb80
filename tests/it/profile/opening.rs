//! Opening profiles: what is known of the slot, and who has the profile open.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use super::{add, expect, list, logged_in, profiles, text};
use crate::support::program::{Mediator, d2mtop, key_file, run};
use crate::support::watching::Watching;

#[test]
fn a_profile_is_added_opened_and_found_again_by_itself_in_both_dialects() {
    for dialect in ["dgk", "mk"] {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        let said = add(home, "lab", &mediator.url(), &["--dialect", dialect]);
        assert!(said.contains("or just: d2mtop"), "the first is the default: {said}");
        expect(
            home,
            &["profile", "show", "lab"],
            0,
            &["known of it   nothing yet", "volatile", "the key file", "group.key"],
        );

        let device = list(home)[0]["device"].clone();
        let first = run(home, &["watch", "lab", "--until-dry"]);
        assert_eq!(first.status.code(), Some(0), "{}", text(&first));
        assert_eq!((&logged_in(&first)["device"], &logged_in(&first)["slot"]), (&device, &Value::from("new")));
        expect(home, &["profile", "show", "lab"], 0, &["registered since"]);
        // The mediator would close with 4115 if another state were expected, and there is no --expect here.
        let second = run(home, &["watch", "--until-dry"]);
        assert_eq!(second.status.code(), Some(0), "{}", text(&second));
        assert_eq!((&logged_in(&second)["device"], &logged_in(&second)["slot"]), (&device, &Value::from("existing")));

        if dialect == "dgk" {
            expect(home, &["watch", "lab", "--until-dry", "--expect", "new"], 3, &["4115"]);
            let third = run(home, &["watch", "lab", "--until-dry"]);
            assert_eq!(third.status.code(), Some(0), "the mistake is not remembered: {}", text(&third));
        }
        // Another device through the same profile has a slot of its own, and leaves the profile's alone.
        let other = run(home, &["watch", "lab", "--until-dry", "--device-id", "ffffffffffffff01"]);
        assert_eq!(logged_in(&other)["device"], "ffffffffffffff01");
        assert_eq!(list(home)[0]["known"]["slot"], "registered");
    }
}

/// It takes the new one with the same command; nobody has to be asked, and no script fails every second time.
#[test]
fn a_volatile_slot_that_expired_between_two_commands_is_taken_anew() {
    for dialect in ["dgk", "mk"] {
        let mediator = Mediator::start(&["--volatile-grace", "1ms"]);
        let home = mediator.home.path();
        add(home, "lab", &mediator.url(), &["--dialect", dialect]);
        for visit in 1..=3 {
            let listed = run(home, &["devices", "lab", "--json"]);
            assert_eq!(listed.status.code(), Some(0), "{dialect}, visit {visit}: {}", text(&listed));
            mediator.await_logged("slot_removed", visit);
        }
        let watched = run(home, &["watch", "lab", "--until-dry"]);
        assert_eq!(watched.status.code(), Some(0), "{dialect}: {}", text(&watched));
        assert_eq!(logged_in(&watched)["slot"], "new");
        mediator.await_logged("slot_removed", 4);
        let text = expect(home, &["doctor", "lab"], 0, &["as device"]);
        assert!(text.contains("slot      new"), "{dialect}: {text}");
        mediator.await_logged("slot_removed", 5);
        // However long it is to be kept from now on, it was volatile.
        let kept = run(home, &["watch", "lab", "--until-dry", "--persistent"]);
        assert_eq!(kept.status.code(), Some(0), "{dialect}: {}", self::text(&kept));
    }
}

/// Nobody joins a group to leave it.
#[test]
fn a_group_that_a_volatile_slot_has_left_by_itself_is_not_joined_to_leave_it() {
    for dialect in ["dgk", "mk"] {
        let mut mediator = Mediator::start(&["--volatile-grace", "1ms"]);
        let home = mediator.home.path();
        add(home, "lab", &mediator.url(), &["--dialect", dialect]);
        expect(home, &["devices", "lab"], 0, &["this device"]);
        mediator.await_logged("slot_removed", 1);
        expect(home, &["profile", "remove", "lab", "--leave-group", "--yes"], 0, &["removed the profile lab"]);
        kill_process(mediator.process(), Signal::TERM).unwrap();
        mediator.wait();
        let log = mediator.await_logged("stopped", 1);
        // The first dialect has no word for a slot that is not there, so that leaving takes a login.
        let logins = if dialect == "dgk" { 1 } else { 3 };
        assert_eq!(log.matches("\"event\":\"logged_in\"").count(), logins, "{dialect}: {log}");
    }
}

/// A watch that goes on.
fn watching(home: &Path, name: &str) -> Watching {
    Watching::until(d2mtop(home, &["watch", name, "--stay-leader"]), "queue_dry")
}

/// Waits until it says that it waits, and then lets what it waits for go.
fn waits_for(mut patient: std::process::Command, first: Watching) {
    let mut patient = patient.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut words = [0; 16];
    patient.stderr.as_mut().unwrap().read_exact(&mut words).unwrap();
    drop(first);
    let patient = patient.wait_with_output().unwrap();
    assert_eq!(patient.status.code(), Some(0), "{}", text(&patient));
}

#[test]
fn who_runs_as_the_same_device_takes_turns() {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    let (url, key) = (mediator.url(), key_file(home));
    let connection = ["--url", &url, "--key-file", key.to_str().unwrap(), "--stay-leader"];
    let command = |arguments: &[&'static str]| [arguments, &connection].concat();
    let device = ["--device-id", "0102030405060708", "--expect", "existing"];
    let new = ["--device-id", "0102030405060708"];
    let first = || Watching::until(d2mtop(home, &command(&[&["watch"][..], &new].concat())), "queue_dry");
    let running = first();
    let process = format!("process {}", running.id());
    for arguments in [&["watch", "--until-dry"][..], &["devices"], &["probe", "-c", "1"], &["lock", "contact-sync"]] {
        let at_once = command(&[arguments, &device].concat());
        expect(home, &at_once, 7, &["another d2mtop is running as this device", &process]);
        let waits = command(&[arguments, &device, &["--wait-profile", "300ms"]].concat());
        expect(home, &waits, 7, &["which is waited for (--wait-profile 300ms)", &process]);
    }
    let waits = command(&[&["watch", "--until-dry"][..], &device, &["--wait-profile", "1m"]].concat());
    waits_for(d2mtop(home, &waits), running);
    // Without an id, those that stay have one slot, and the second one takes another unless it is to wait.
    let staying = ["probe", "--json"];
    let running = Watching::until(d2mtop(home, &command(&staying)), "elapsed_us");
    let waits = command(&[&staying[..], &["--wait-profile", "300ms"]].concat());
    expect(home, &waits, 7, &["waiting for it", "another d2mtop is running as this device"]);
    let another = Watching::until(d2mtop(home, &command(&staying)), "elapsed_us");
    drop(another);
    drop(running);
    // A slot that a visit of a moment has is not theirs.
    expect(home, &command(&["devices", "--wait-profile", "1m"]), 0, &["d2mtop@"]);
}

#[test]
fn the_second_to_open_a_profile_is_told_who_has_it() {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    add(home, "lab", &mediator.url(), &[]);
    let first = watching(home, "lab");
    let process = format!("process {}", first.id());
    for arguments in [
        &["watch", "lab", "--until-dry"][..],
        &["watch", "--until-dry"],
        &["lab"],
        &["profile", "rename", "lab", "other"],
        &["profile", "remove", "lab", "--yes"],
    ] {
        expect(home, arguments, 7, &["the profile lab is open in another d2mtop", &process]);
    }
    expect(home, &["profile", "show", "lab"], 0, &[&process]);
    let waits = ["watch", "lab", "--until-dry", "--wait-profile", "300ms"];
    expect(home, &waits, 7, &["which is waited for (--wait-profile 300ms)", &process]);
    waits_for(d2mtop(home, &["watch", "lab", "--until-dry", "--wait-profile", "1m"]), first);
    // Killed without a word: the profile is free, and the slot is known.
    let next = run(home, &["watch", "lab", "--until-dry"]);
    assert_eq!(logged_in(&next)["slot"], "existing");
}

#[test]
fn without_a_profile_the_ways_to_begin_are_told() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [&[][..], &["watch"]] {
        let words = ["d2mtop demo", "d2mtop profile import", "d2mtop profile add", "--url URL"];
        expect(home.path(), arguments, 2, &words);
    }
    expect(home.path(), &["dmo"], 2, &["no profile dmo", "Did you mean the command demo?"]);
    let other = run(home.path(), &["xyzzy"]);
    assert!(!String::from_utf8_lossy(&other.stderr).contains("Did you mean"), "nothing is called like that");
}

/// A profile that people wrote by hand, in a directory that only they change.
#[test]
fn opening_a_profile_writes_nothing_where_people_keep_their_settings() {
    for dialect in ["dgk", "mk"] {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        let config = home.join(".config/d2mtop");
        fs::create_dir_all(&config).unwrap();
        let key = key_file(home);
        let (url, key) = (mediator.url(), key.display());
        let text = format!(
            "[profile.lab]\nmediator = \"{url}\"\nserver_group = \"01\"\ndialect = \"{dialect}\"\nkey_file = \"{key}\"\n"
        );
        fs::write(config.join("kept"), &text).unwrap();
        std::os::unix::fs::symlink("kept", profiles(home)).unwrap();
        assert!(list(home)[0]["device"].is_null(), "none is made yet");
        let first = run(home, &["watch", "lab", "--until-dry"]);
        let second = run(home, &["watch", "lab", "--until-dry"]);
        assert_eq!((&logged_in(&first)["slot"], &logged_in(&second)["slot"]), (&"new".into(), &"existing".into()));
        assert_eq!(logged_in(&first)["device"], logged_in(&second)["device"]);
        assert_eq!(list(home)[0]["device"], logged_in(&first)["device"]);
        expect(home, &["doctor", "lab"], 0, &["as device"]);
        assert_eq!(fs::read_to_string(config.join("kept")).unwrap(), text, "{dialect}");
        assert_eq!(fs::read_dir(&config).unwrap().count(), 2, "nothing is new there");
        // Its name goes with the profile, and an id that the profile says goes before it.
        expect(home, &["profile", "rename", "lab", "den"], 0, &["den"]);
        assert_eq!(list(home)[0]["device"], logged_in(&first)["device"]);
        fs::write(config.join("kept"), text + "device_id = \"aa00000000000001\"\n").unwrap();
        assert_eq!(list(home)[0]["device"], "aa00000000000001");
    }
}

#[test]
fn an_id_that_cannot_be_kept_is_said_and_the_doctor_goes_on() {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    let config = home.join(".config/d2mtop");
    fs::create_dir_all(&config).unwrap();
    let key = key_file(home);
    let (url, key) = (mediator.url(), key.display());
    let text = format!("[profile.lab]\nmediator = \"{url}\"\nserver_group = \"01\"\nkey_file = \"{key}\"\n");
    fs::write(profiles(home), &text).unwrap();
    let nowhere = |arguments: &[&str]| d2mtop(home, arguments).env("XDG_STATE_HOME", "/proc").output().unwrap();
    let watch = nowhere(&["watch", "lab"]);
    let words = self::text(&watch);
    assert_eq!(watch.status.code(), Some(2), "{words}");
    assert!(
        words.contains("cannot keep the id of this device in /proc/") && words.contains("XDG_STATE_HOME"),
        "{words}"
    );
    let doctor = nowhere(&["doctor", "lab"]);
    let words = self::text(&doctor);
    assert_eq!(doctor.status.code(), Some(1), "{words}");
    for line in ["fail  profile   profile lab: cannot keep", "fail  journal", "ok    tcp", "skip  login"] {
        assert!(words.contains(line), "{line}: {words}");
    }
    fs::write(profiles(home), "[profile.lab\n").unwrap();
    expect(home, &["doctor", "lab"], 1, &["fail  profile", "profiles.toml:1: ", "skip  mediator"]);
    expect(home, &["doctor", "--url", &mediator.url(), "--key-file", &key.to_string()], 0, &["as device"]);
}
