//! Opening profiles: what is known of the slot, and who has the profile open.

use std::path::Path;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use super::{add, expect, list, logged_in, text};
use crate::support::program::{Mediator, d2mtop, run};
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
        expect(home, arguments, 2, &["the profile lab is open in another d2mtop", &process]);
    }
    expect(home, &["profile", "show", "lab"], 0, &[&process]);
    drop(first);
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
