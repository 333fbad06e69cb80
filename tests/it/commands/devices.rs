//! `devices`, once and for as long as it is watched.

use std::time::Instant;

use d2mtop::protocol::Dialect;
use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::support::one_shot::{
    BOTH, MONITOR, PATIENCE, PHONE, Started, command, expect, json, labels, mediator, other_device, signal,
};
use crate::support::phone::phone_reflects;

#[test]
fn the_devices_are_listed_for_people_and_for_scripts() {
    for dialect in BOTH {
        let mediator = mediator();
        phone_reflects(&mediator, dialect, 0, "Pixel 9");
        let (table, stderr) = expect(&mediator, dialect, &["devices"], 0, "Pixel 9");
        assert!(table.starts_with("DEVICE") && table.contains(PHONE) && table.contains("this device"), "{table}");
        assert_eq!(stderr, "");
        let (wide, _) = expect(&mediator, dialect, &["devices", "--wide"], 0, "persistent");
        assert!(wide.starts_with("DEVICE") && wide.lines().next().unwrap().ends_with("DETAILS"), "{wide}");
        let devices = json(&expect(&mediator, dialect, &["devices", "--json", "--device-id", MONITOR], 0, "").0);
        assert!(devices.iter().all(|device| device["event"] == "device"), "{devices:?}");
        let phone = devices.iter().find(|device| device["device"] == PHONE).expect("the phone is listed");
        assert_eq!(
            (&phone["label"], &phone["own"], &phone["platform"]),
            (&"Pixel 9".into(), &false.into(), &"android".into())
        );
        let own = devices.iter().find(|device| device["device"] == MONITOR).expect("we are listed");
        assert_eq!(own["own"], true);
    }
}

#[test]
fn changes_among_the_devices_are_printed_as_they_happen() {
    for dialect in BOTH {
        let mediator = mediator();
        let arguments = ["devices", "--watch-changes", "--json", "--every", "1s", "--stay-leader"];
        expect(&mediator, dialect, &["devices", "--watch-changes", "--every", "999ms"], 2, "a second or more");
        let watching = Started::new(command(&mediator, dialect, &arguments));
        // The first list is what is known.
        let start = Instant::now();
        while !labels(&mediator, dialect).iter().any(|label| label != "looking") {
            assert!(start.elapsed() < PATIENCE, "{dialect}: it is not in the list");
        }
        other_device(&mediator, dialect, MONITOR, "Work laptop");
        let new = loop {
            let line: Value = serde_json::from_str(&watching.wait_for("device_new")).unwrap();
            if line["label"] == "Work laptop" {
                break line;
            }
        };
        assert_eq!(new["device"], MONITOR);
        let there =
            command(&mediator, dialect, &["watch", "--device-id", MONITOR, "--persistent", "--label", "Work laptop"])
                .args(["--expect", "existing", "--until-dry"])
                .output()
                .unwrap();
        assert!(there.status.success());
        let came = if dialect == Dialect::Mk { "device_logged_in" } else { "device_offline" };
        assert!(watching.wait_for(came).contains("\"label\""), "{dialect}");
        expect(&mediator, dialect, &["drop", "--yes", MONITOR], 0, "dropped Work laptop");
        while !watching.wait_for("device_gone").contains(MONITOR) {}
        signal(&watching.child, Signal::TERM);
        assert_eq!(watching.end().0, Some(0), "{dialect}");
    }
}

#[test]
fn changes_are_watched_over_a_lost_connection_only_if_asked_for() {
    for dialect in BOTH {
        for more in [&[][..], &["--reconnect", "always"]] {
            let mut mediator = mediator();
            let arguments = [&["devices", "--watch-changes", "--stay-leader"], more].concat();
            let watching = Started::new(command(&mediator, dialect, &arguments));
            mediator.await_logged("logged_in", 1);
            kill_process(mediator.process(), Signal::KILL).unwrap();
            mediator.wait();
            if more.is_empty() {
                let (code, _, words) = watching.ended();
                assert_eq!(code, Some(4), "{dialect}: {words}");
                assert!(words.contains("went away"), "{dialect}: {words}");
                continue;
            }
            watching.wait_for_remark("connects again at");
            // It has forgotten the volatile slot, which is then taken anew.
            mediator.restart();
            watching.wait_for_remark("connected again");
            signal(&watching.child, Signal::TERM);
            assert_eq!(watching.end().0, Some(0), "{dialect}");
        }
        expect(&mediator(), dialect, &["devices", "--watch-changes", "--reconnect", "often"], 2, "always, never");
    }
}
