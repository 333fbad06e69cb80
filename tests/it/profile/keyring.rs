//! Profiles beside a real keyring, one that never answers, and none.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{profiles, text};
use crate::support::program::{Mediator, d2mtop, key_file};
use crate::support::silent_bus::silent_bus;

const STEP: Duration = Duration::from_secs(5);

/// Import, open, rename, move and remove, each in time, on this bus.
fn live_with(home: &Path, url: &str, bus: Option<&str>, is_kept_in: &str) {
    let key = key_file(home);
    let key = key.to_str().unwrap();
    let step = |arguments: &[&str], code: i32, words: &[&str]| {
        let start = Instant::now();
        let mut command = d2mtop(home, arguments);
        if let Some(bus) = bus {
            command.env("DBUS_SESSION_BUS_ADDRESS", bus);
        }
        let output = command.output().unwrap();
        let said = text(&output);
        assert!(start.elapsed() < STEP, "{arguments:?} took {:?}: {said}", start.elapsed());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{arguments:?} says {word:?}: {said}");
        }
    };
    let settings = ["--mediator", url, "--server-group", "01", "--key-file", key];
    step(&[&["profile", "add", "byhand"], settings.as_slice()].concat(), 0, &["added"]);
    step(&["watch", "byhand", "--until-dry"], 0, &["queue_dry"]);
    step(&["profile", "remove", "byhand", "--yes"], 0, &["removed"]);
    step(&[&["profile", "import", "lab"], settings.as_slice()].concat(), 0, &[is_kept_in]);
    let (place, _) = is_kept_in.split_once(',').unwrap_or((is_kept_in, ""));
    step(&["profile", "show", "lab"], 0, &[place]);
    step(&["watch", "lab", "--until-dry"], 0, &["queue_dry"]);
    step(&["profile", "rename", "lab", "shed"], 0, &[]);
    step(&["watch", "shed", "--until-dry"], 0, &["queue_dry"]);
    if bus.is_some() && place.contains("keyring") {
        step(&["profile", "move", "shed", "--to", "file"], 0, &["shed.key"]);
        step(&["watch", "shed", "--until-dry"], 0, &["queue_dry"]);
        step(&["profile", "move", "shed", "--to", "keyring"], 0, &["the keyring"]);
        assert!(!home.join(".config/d2mtop/keys/shed.key").exists());
        step(&["watch", "shed", "--until-dry"], 0, &["queue_dry"]);
    }
    step(&["profile", "remove", "shed", "--yes"], 0, &["its key is deleted, too"]);
}

#[test]
fn without_a_bus_profiles_keep_their_keys_in_files() {
    let mediator = Mediator::start(&[]);
    live_with(mediator.home.path(), &mediator.url(), None, "keys/lab.key, because no keyring can be reached");
}

#[test]
fn a_bus_that_never_answers_holds_no_profile_up() {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    let bus = silent_bus(home);
    live_with(home, &mediator.url(), Some(&bus), "keys/lab.key, because the keyring gave no answer within 3 s");

    // A profile whose key was put into a keyring that has fallen silent since.
    let text = format!("[profile.mute]\nmediator = \"{}\"\nserver_group = \"01\"\nkey = \"keyring\"\n", mediator.url());
    fs::write(profiles(home), text).unwrap();
    for (arguments, code) in [
        (&["watch", "mute", "--until-dry"][..], 2),
        (&["profile", "move", "mute", "--to", "file"], 2),
        (&["profile", "remove", "mute", "--yes"], 2),
    ] {
        let start = Instant::now();
        let output = d2mtop(home, arguments).env("DBUS_SESSION_BUS_ADDRESS", &bus).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(start.elapsed() < STEP, "{arguments:?} took {:?}", start.elapsed());
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains("gave no answer within 3 s"), "{said}");
    }
}

const BUS: &str = "D2MTOP_TEST_KEYRING_HOME";

/// What runs beside a real keyring; nothing when the tests themselves are run.
#[test]
fn the_process_beside_the_keyring() {
    let Ok(home) = std::env::var(BUS) else { return };
    let url = std::env::var("D2MTOP_TEST_URL").unwrap();
    let bus = std::env::var("DBUS_SESSION_BUS_ADDRESS").unwrap();
    live_with(Path::new(&home), &url, Some(&bus), "the keyring of the operating system");
    println!("all steps done");
}

#[test]
fn a_real_keyring_keeps_the_keys_of_profiles() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |tool: &str| std::env::split_paths(&path).any(|path| path.join(tool).exists());
    if let Some(missing) = ["dbus-run-session", "gnome-keyring-daemon"].into_iter().find(|tool| !there(tool)) {
        let _ = writeln!(std::io::stderr(), "NOT TESTED: the real keyring, because {missing} is not installed");
        return;
    }
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    let script = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; \
                  exec \"$0\" --exact profile::keyring::the_process_beside_the_keyring --nocapture";
    let mut session = Command::new("dbus-run-session");
    session.args(["--", "sh", "-c", script]).arg(std::env::current_exe().unwrap()).stdin(Stdio::null());
    session.env_clear().env("PATH", &path).env("HOME", home).env("XDG_RUNTIME_DIR", home);
    let output = session.env(BUS, home).env("D2MTOP_TEST_URL", mediator.url()).output().unwrap();
    let said = text(&output);
    assert!(output.status.success() && said.contains("all steps done"), "{said}");
}
