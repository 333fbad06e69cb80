//! `drop`: by which names, after which question, and nothing else.

use crate::support::one_shot::{BOTH, MONITOR, expect, in_terminal, json, labels, mediator, other_device};
use crate::support::phone::phone_reflects;
use crate::support::program::Mediator;

#[test]
fn a_device_is_dropped_by_id_prefix_or_label() {
    for dialect in BOTH {
        let mediator = mediator();
        for (id, label) in [("a100000000000000", "One"), ("b200000000000000", "Two"), ("c300000000000000", "Three")] {
            other_device(&mediator, dialect, id, label);
        }
        phone_reflects(&mediator, dialect, 0, "Pixel 9");
        // Our own id is random: a shorter beginning may be ours, too.
        let (dropped, _) = expect(&mediator, dialect, &["drop", "--yes", "one", "B2000000"], 0, "");
        assert_eq!(dropped, "dropped One (a100000000000000)\ndropped Two (b200000000000000)\n");
        let (dropped, _) = expect(&mediator, dialect, &["drop", "-y", "c300000000000000", "--json"], 0, "");
        let dropped = &json(&dropped)[0];
        assert_eq!((&dropped["event"], &dropped["label"]), (&"device_dropped".into(), &"Three".into()));
        let left = labels(&mediator, dialect);
        assert!(!left.iter().any(|label| ["One", "Two", "Three"].contains(&label.as_str())), "{dialect}: {left:?}");
        assert!(left.contains(&"Pixel 9".to_owned()), "{dialect}: {left:?}");
    }
}

/// The list that is looked at and the drop are two logins.
#[test]
fn a_volatile_slot_that_expires_before_the_drop_is_taken_anew() {
    for dialect in BOTH {
        let mediator = Mediator::start(&["--volatile-grace", "0s"]);
        other_device(&mediator, dialect, MONITOR, "monitor");
        expect(&mediator, dialect, &["drop", MONITOR, "--yes"], 0, "dropped monitor");
    }
}

#[test]
fn nothing_is_dropped_that_is_not_meant_named_and_agreed_to() {
    for dialect in BOTH {
        let mediator = mediator();
        other_device(&mediator, dialect, "ab00000000000000", "Laptop");
        other_device(&mediator, dialect, "ab11000000000000", "laptop of Ada");
        other_device(&mediator, dialect, "cd00000000000000", "LAPTOP");
        let drop = |arguments: &[&'static str]| [&["drop"], arguments, &["--device-id", MONITOR]].concat();
        let (_, stderr) = expect(&mediator, dialect, &drop(&["--yes", "ab"]), 5, "more than one device");
        assert!(stderr.contains("Laptop (ab00000000000000)") && stderr.contains("ab11000000000000"), "{stderr}");
        let own = ["--device-id", MONITOR, "--expect", "existing"];
        let drop = |arguments: &[&'static str]| [&["drop"], arguments, &own].concat();
        expect(&mediator, dialect, &drop(&["--yes", "laptop"]), 5, "say which by its id");
        // One name is wrong: then no other is dropped, either.
        expect(&mediator, dialect, &drop(&["--yes", "Laptop", "Tablet"]), 5, "no device is called Tablet");
        expect(&mediator, dialect, &drop(&["--yes", MONITOR]), 2, "--self");
        expect(&mediator, dialect, &drop(&["Laptop"]), 6, "--yes");
        expect(&mediator, dialect, &drop(&["Laptop", "--yes", "--read-only"]), 2, "read-only");
        expect(&mediator, dialect, &["drop", "--yes"], 2, "DEVICE");
        let left = labels(&mediator, dialect);
        for label in ["Laptop", "laptop of Ada", "LAPTOP"] {
            assert!(left.contains(&label.to_owned()), "{dialect}: {left:?}");
        }
    }
}

#[test]
fn this_device_leaves_the_group_with_self() {
    for dialect in BOTH {
        let mediator = mediator();
        other_device(&mediator, dialect, MONITOR, "monitor");
        let arguments = ["drop", "--self", "--yes", "--device-id", MONITOR, "--persistent", "--expect", "existing"];
        expect(&mediator, dialect, &arguments, 0, "dropped");
        assert!(!labels(&mediator, dialect).contains(&"monitor".to_owned()), "{dialect}");
    }
}

#[test]
fn a_person_is_asked_and_no_is_the_default() {
    for dialect in BOTH {
        let mediator = mediator();
        other_device(&mediator, dialect, MONITOR, "Work laptop");
        for (answer, code, words) in [("\r", 6, "nothing done"), ("y\r", 0, "dropped Work laptop")] {
            let mut terminal = in_terminal(&mediator, dialect, &["drop", "Work laptop"]);
            terminal.wait_for("Drop Work laptop (0102030405060708) from the group?");
            terminal.press(answer);
            assert_eq!(terminal.end().exit_code(), code, "{dialect}: {}", terminal.contents());
            assert!(terminal.contents().contains(words), "{dialect}: {}", terminal.contents());
        }
        assert!(!labels(&mediator, dialect).contains(&"Work laptop".to_owned()), "{dialect}");
    }
}
