//! Profiles with all that they can say, in the real binary: pins, authorities, presence, several at once, doctor, leaving.

use std::fs;
use std::path::Path;

use d2mtop::protocol::Dialect;

use crate::support::certificates::{Authority, Validity};
use crate::support::phone::phone_reflects;
use crate::support::program::{KEY, Mediator, d2mtop, key_file, run};
use crate::support::watching::Watching;

/// A pin of no key at all.
const OTHER_PIN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Runs it, and expects this exit code and these words.
fn expect(home: &Path, arguments: &[&str], code: i32, words: &[&str]) -> String {
    let output = run(home, arguments);
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!text.contains(KEY), "no key is printed");
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    for word in words {
        assert!(text.contains(word), "{arguments:?} says {word:?}: {text}");
    }
    text
}

fn add(home: &Path, name: &str, url: &str, more: &[&str]) {
    let key = key_file(home);
    let arguments = ["profile", "add", name, "--mediator", url, "--server-group", "01", "--key-file"];
    expect(home, &[&arguments[..], &[key.to_str().unwrap()], more].concat(), 0, &["added the profile"]);
}

fn has(home: &Path, name: &str) -> bool {
    run(home, &["profile", "show", name]).status.success()
}

/// A watch that goes on.
fn watching(home: &Path, name: &str) -> Watching {
    Watching::until(d2mtop(home, &["watch", name, "--stay-leader"]), "queue_dry")
}

#[test]
fn pins_and_authorities_of_a_profile_count_and_options_go_before_them() {
    let authority = Authority::new();
    let leaf = authority.leaf("localhost", Validity::Now);
    let (certificate, private) = (leaf.certificate.to_str().unwrap(), leaf.key.to_str().unwrap());
    let mediator = Mediator::start(&["--tls-cert", certificate, "--tls-key", private]);
    let home = mediator.home.path();
    let url = format!("wss://localhost:{}/", mediator.port);
    let ca = authority.file();
    let ca = ca.to_str().unwrap();
    add(home, "right", &url, &["--ca", ca, "--pin", OTHER_PIN, "--pin", &leaf.pin]);
    add(home, "wrong", &url, &["--ca", ca, "--pin", OTHER_PIN]);
    add(home, "stranger", &url, &["--pin", &leaf.pin]);
    expect(home, &["profile", "show", "right"], 0, &[&leaf.pin, OTHER_PIN]);
    let watch = |name, more: &[&str], code, word| {
        expect(home, &[&["watch", name, "--until-dry"], more].concat(), code, &[word]);
    };
    watch("right", &[], 0, "queue_dry");
    watch("wrong", &[], 4, "is not the pinned one");
    watch("wrong", &["--pin", &leaf.pin], 0, "queue_dry");
    watch("right", &["--pin", OTHER_PIN], 4, "is not the pinned one");
    watch("stranger", &[], 4, "no trusted authority");
    watch("stranger", &["--ca", ca], 0, "queue_dry");

    expect(home, &["doctor", "right"], 0, &["✓ ok    tls", "✓ ok    login"]);
    expect(home, &["doctor", "wrong"], 1, &["is not the pinned one"]);
}

#[test]
fn a_pin_that_is_none_is_refused_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    add(home, "lab", "wss://mediator.example/", &["--pin", OTHER_PIN, "--presence", "visit=1h30m"]);
    expect(home, &["profile", "show", "lab"], 0, &["visit=1h30m"]);
    let path = home.join(".config/d2mtop/profiles.toml");
    let good = fs::read_to_string(&path).unwrap();
    for (from, to, words) in [(OTHER_PIN, "AAAA", "this has 3"), ("visit=1h30m", "never", "never is no presence")] {
        fs::write(&path, good.replace(from, to)).unwrap();
        expect(home, &["profile", "list"], 2, &["profiles.toml:", words]);
    }
}

#[test]
fn the_presence_of_a_profile_counts_and_the_option_goes_before_it() {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    phone_reflects(&mediator, Dialect::Dgk, 0, "Pixel 9");
    add(home, "phone", &mediator.url(), &[]);
    add(home, "lab", &mediator.url(), &["--presence", "visit=10m"]);
    let leader = watching(home, "phone");
    let visited = expect(home, &["watch", "lab", "--for", "6s"], 0, &["visit_over"]);
    assert!(visited.contains("\"logged_in\""), "{visited}");
    let stayed = expect(home, &["watch", "lab", "--for", "6s", "--presence", "stay"], 0, &["\"logged_in\""]);
    assert!(!stayed.contains("visit_over"), "{stayed}");
    drop(leader);
}

#[test]
fn the_doctor_examines_a_profile_and_leaves_it_as_it_was() {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    add(home, "lab", &mediator.url(), &["--presence", "visit=10m", "--exhausted", "drop-least-recent"]);
    expect(home, &["doctor", "lab"], 0, &["ok    key", "key file", "ok    login"]);
    expect(home, &["doctor"], 0, &["ok    login"]);
    // The slot that the doctor took is known.
    expect(home, &["watch", "lab", "--until-dry"], 0, &["\"slot\":\"existing\""]);
    expect(home, &["doctor", "bal"], 2, &["there is no profile bal"]);
    let open = watching(home, "lab");
    expect(home, &["doctor", "lab"], 0, &["warn  login", "would cut it off"]);
    drop(open);
    fs::remove_file(home.join("group.key")).unwrap();
    expect(home, &["doctor", "lab"], 1, &["fail  key", "lab", "group.key", "ok    tcp", "skip  login"]);
}

#[test]
fn what_cannot_be_opened_together_is_refused_by_name() {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    for name in ["one", "two"] {
        add(home, name, &mediator.url(), &[]);
    }
    expect(home, &["one", "one"], 2, &["the profile one is named twice"]);
    expect(home, &["one", "two", "--device-id", "0102030405060708"], 2, &["--device-id is for one profile"]);
    expect(home, &["one", "three"], 2, &["there is no profile three", "d2mtop --help"]);
    expect(home, &["watch", "one", "two"], 2, &["unexpected argument 'two'"]);
    let open = watching(home, "two");
    expect(home, &["one", "two"], 7, &["the profile two is open in another d2mtop"]);
    drop(open);
    let path = home.join(".config/d2mtop/profiles.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (first, second) = text.split_at(text.find("[profile.two]").unwrap());
    fs::write(&path, format!("{first}{}", second.replace("group.key", "none.key"))).unwrap();
    expect(home, &["one", "two"], 2, &["profile two: ", "none.key"]);
}

#[test]
fn a_profile_that_leaves_its_group_takes_its_slot_with_it() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        phone_reflects(&mediator, dialect, 0, "Pixel 9");
        let name = dialect.to_string();
        for profile in ["lab", "other"] {
            add(home, profile, &mediator.url(), &["--dialect", &name, "--slot", "persistent"]);
        }
        expect(home, &["watch", "lab", "--until-dry"], 0, &[]);
        let leave = ["profile", "remove", "lab", "--leave-group"];
        expect(home, &leave, 6, &["not removed without asking", "--leave-group --yes"]);
        assert!(has(home, "lab"));
        let words = ["Only Pixel 9 stays", "alone, it ends multi-device", "left the group", "removed the profile lab"];
        let said = expect(home, &[&leave[..], &["--yes"]].concat(), 0, &words);
        assert!(!said.contains("keeps the slot"), "{said}");
        assert!(said.find("Only Pixel 9") < said.find("left the group"), "{said}");
        assert!(!has(home, "lab"));
        let seen = expect(home, &["watch", "other", "--until-dry"], 0, &["Pixel 9"]);
        let list = seen.lines().find(|line| line.contains(r#""event":"devices""#)).expect("the list");
        let list: serde_json::Value = serde_json::from_str(list).unwrap();
        assert_eq!(list["devices"].as_array().unwrap().len(), 2, "{dialect}: the phone and the other: {list}");
    }
}

#[test]
fn a_profile_whose_device_is_gone_goes_and_one_that_cannot_leave_stays() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let leave = ["profile", "remove", "lab", "--leave-group", "--yes"];
    {
        let mediator = Mediator::start(&[]);
        phone_reflects(&mediator, Dialect::Dgk, 0, "Pixel 9");
        add(home, "lab", &mediator.url(), &[]);
        let open = watching(home, "lab");
        expect(home, &leave, 7, &["the profile lab is open in another d2mtop"]);
        drop(open);
        // Another mediator at the same place would know nothing of it; so does this one of a device that never was there.
        add(home, "never", &mediator.url(), &[]);
        let never = ["profile", "remove", "never", "--leave-group", "--yes"];
        expect(home, &never, 0, &["had no slot of this device any more", "removed the profile never"]);
        add(home, "shy", &mediator.url(), &["--read-only"]);
        let shy = ["profile", "remove", "shy", "--leave-group", "--yes"];
        expect(home, &shy, 3, &["read_only = true", "The profile shy stays"]);
        assert!(has(home, "shy"));
    }
    expect(home, &leave, 4, &["not left: ", "127.0.0.1", "The profile lab stays", "without --leave-group"]);
    assert!(has(home, "lab"));
}
