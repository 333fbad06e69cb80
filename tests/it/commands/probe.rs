//! `probe`: counted, interrupted, and reflected only after a yes.

use d2mtop::protocol::Dialect;
use rustix::process::Signal;

use crate::support::one_shot::{BOTH, MONITOR, Started, command, expect, json, mediator, other_device, signal};
use crate::support::phone::phone_reflects;

#[test]
fn probes_are_answered_and_counted() {
    for dialect in BOTH {
        let mediator = mediator();
        for (means, word) in [(None, "devices_info"), (Some("--ping"), "ping")] {
            let mut arguments = vec!["probe", "-c", "3", "-i", "10ms"];
            arguments.extend(means);
            let (stdout, _) = expect(&mediator, dialect, &arguments, 0, "--- 3 of 3 answered");
            assert_eq!(stdout.lines().filter(|line| line.starts_with(&format!("{word}: seq="))).count(), 3, "{stdout}");
            assert!(stdout.lines().last().unwrap().starts_with("min/avg/max/mdev = "), "{stdout}");
            arguments.push("--json");
            let lines = json(&expect(&mediator, dialect, &arguments, 0, "").0);
            let times: Vec<u64> = lines[..3].iter().map(|line| line["elapsed_us"].as_u64().unwrap()).collect();
            let summary = &lines[3];
            assert_eq!((&summary["event"], &summary["answered"]), (&"probe_summary".into(), &3.into()));
            assert_eq!(summary["min_us"], *times.iter().min().unwrap(), "{lines:?}");
            assert_eq!(summary["max_us"], *times.iter().max().unwrap(), "{lines:?}");
            assert!(times.iter().any(|time| time % 1_000 != 0), "measured finer than milliseconds: {times:?}");
        }
    }
}

#[test]
fn a_reflected_probe_is_agreed_to_and_does_nothing_anywhere() {
    let mediator = mediator();
    phone_reflects(&mediator, Dialect::Dgk, 0, "Pixel 9");
    other_device(&mediator, Dialect::Dgk, MONITOR, "monitor");
    let probe = ["probe", "--reflect", "-c", "2", "-i", "10ms"];
    expect(&mediator, Dialect::Dgk, &probe, 6, "--yes");
    expect(&mediator, Dialect::Dgk, &[&probe[..], &["--yes", "--read-only"]].concat(), 2, "read-only");
    expect(&mediator, Dialect::Mk, &[&probe[..], &["--yes"]].concat(), 2, "dialect mk has no message");
    let watch = ["watch", "--until-dry", "--persistent", "--expect", "existing", "--device-id", MONITOR];
    let reflected = || {
        let lines = json(&expect(&mediator, Dialect::Dgk, &watch, 0, "").0);
        lines.into_iter().filter(|line| line["event"] == "reflected").collect::<Vec<_>>()
    };
    assert_eq!(reflected().len(), 0, "nothing refused was reflected");
    expect(&mediator, Dialect::Dgk, &[&probe[..], &["--yes"]].concat(), 0, "--- 2 of 2 answered");
    let stored = reflected();
    assert_eq!(stored.len(), 2, "who is away gets each one later");
    assert!(stored.iter().all(|line| line["kind"] == "incoming_message_update"), "{stored:?}");
}

#[test]
fn a_probe_can_be_interrupted_and_still_sums_up() {
    for dialect in BOTH {
        let mediator = mediator();
        let probing = Started::new(command(&mediator, dialect, &["probe", "-i", "10ms"]));
        probing.wait_for("seq=2");
        signal(&probing.child, Signal::INT);
        let (code, rest) = probing.end();
        assert_eq!(code, Some(0), "{dialect}: {rest}");
        assert!(rest.contains("min/avg/max/mdev"), "{dialect}: {rest}");
    }
}
