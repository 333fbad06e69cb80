//! Keys in a real keyring, in a locked one, in none, and in one that never answers.
//!
//! Each case runs this very test program again as a process of its own, because the keyring of a process is fixed at its
//! first use, and because the process must also end.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use d2mtop::profile::secrets::{KeyPaths, KeyStore, KeyStoreError, KeyStoreKind, PassphraseSource};
use d2mtop::protocol::{Dialect, GroupKeys, GroupSecret};

use crate::support::silent_bus::silent_bus;

const KEY: &str = "9d1c4f7ab0e35286d4a7c1908f3b62e59d1c4f7ab0e35286d4a7c1908f3b62e5";
const STEPS: &str = "D2MTOP_TEST_STEPS";
const LIMIT: Duration = Duration::from_secs(5);

fn key() -> GroupSecret {
    GroupSecret::from_hex(KEY).unwrap()
}

fn is_the_key(secret: &GroupSecret) -> bool {
    let group = |secret| GroupKeys::derive(Dialect::Dgk, secret).device_group_id();
    group(secret) == group(&key())
}

/// What the second process does; nothing when the tests themselves are run.
#[test]
fn the_other_process() {
    let Ok(steps) = std::env::var(STEPS) else { return };
    // As the program does: a keyring might want to look at who asks.
    d2mtop::os::hardening::deny_core_dumps();
    let home = std::env::var("HOME").unwrap();
    let places = KeyPaths::below(Path::new(&home), None, "work").unwrap();
    let mut nobody = PassphraseSource::new(Some(987));
    let [keyring, file] = [KeyStoreKind::Keyring, KeyStoreKind::KeyFile].map(|kind| places.store(kind).unwrap());
    for step in steps.split(' ') {
        let start = Instant::now();
        let outcome = match step {
            "load" => keyring.load("work", &mut nobody).map(|secret| assert!(is_the_key(&secret))),
            "save" => keyring.save("work", &key(), &mut nobody),
            "delete" => keyring.delete("work"),
            "save-file" => file.save("work", &key(), &mut nobody),
            "load-file" => file.load("work", &mut nobody).map(|secret| assert!(is_the_key(&secret))),
            step => panic!("no step is called {step}"),
        };
        assert!(start.elapsed() < LIMIT, "{step} took {:?}", start.elapsed());
        match outcome {
            Ok(()) => println!("{step}: ok"),
            Err(KeyStoreError::NotThere { .. }) => println!("{step}: not there"),
            Err(error) => println!("{step}: {error}"),
        }
    }
}

/// Does the steps in a process with this home directory and bus.
fn process(command: &mut Command, home: &Path, bus: Option<&str>, steps: &str) -> String {
    command.env_clear().env("HOME", home).env("XDG_RUNTIME_DIR", home).env(STEPS, steps);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
    if let Some(bus) = bus {
        command.env("DBUS_SESSION_BUS_ADDRESS", bus);
    }
    let output = command.output().expect("the process starts");
    words(&output)
}

fn words(output: &Output) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    assert!(!text.contains(KEY), "no key is printed");
    text
}

fn myself() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "keyring::the_other_process", "--nocapture"]);
    command
}

#[test]
fn without_a_bus_the_cause_is_told_and_files_work() {
    let home = tempfile::tempdir().unwrap();
    let steps = "load save delete save-file load-file";
    let start = Instant::now();
    let told = process(&mut myself(), home.path(), None, steps);
    assert!(start.elapsed() < LIMIT, "{told}");
    for step in ["load", "save", "delete"] {
        assert!(told.contains(&format!("{step}: no keyring can be reached (")), "{told}");
    }
    assert!(told.contains("load-file: ok"), "{told}");
}

#[test]
fn a_bus_that_never_answers_holds_nobody_up() {
    let home = tempfile::tempdir().unwrap();
    let bus = silent_bus(home.path());
    for steps in ["load", "save", "delete", "save-file load-file", "save-file load save delete load-file"] {
        let start = Instant::now();
        let told = process(&mut myself(), home.path(), Some(&bus), steps);
        assert!(start.elapsed() < LIMIT, "{steps}: {:?}", start.elapsed());
        if steps.contains("load-file") {
            assert!(told.contains("load-file: ok"), "{told}");
        } else {
            assert!(told.contains("gave no answer within 3 s"), "{told}");
        }
    }
}

/// What starts a keyring that is open, in a shell on a bus of its own; [`None`] where there is none.
pub fn unlocked() -> Option<&'static str> {
    let there = |tool: &str| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|path| path.join(tool).exists())
    };
    if let Some(missing) = ["dbus-run-session", "gnome-keyring-daemon"].into_iter().find(|tool| !there(tool)) {
        // Past the capture of test output: a test that does not run says so.
        let _ = writeln!(io::stderr(), "NOT TESTED: the real keyring, because {missing} is not installed");
        return None;
    }
    Some("printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1")
}

/// A script on a bus of its own, with this command as `"$0" "$@"`.
pub fn in_session(home: &Path, script: &str, of: &Command) -> Command {
    let mut session = Command::new("dbus-run-session");
    session.args(["--", "sh", "-c", script]).arg(of.get_program()).args(of.get_args());
    session.env_clear().env("HOME", home).env("XDG_RUNTIME_DIR", home).env("TZ", "UTC");
    session.env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
    session
}

/// gnome-keyring on a bus of its own, unlocked or not, and the steps beside it.
fn gnome_keyring(home: &Path, is_unlocked: bool, steps: &str) -> Option<String> {
    let open = unlocked()?;
    let start = if is_unlocked { open } else { "gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1" };
    let mut session = Command::new("dbus-run-session");
    let script = format!("{start}; exec \"$0\" --exact keyring::the_other_process --nocapture");
    session.args(["--", "sh", "-c", &script]).arg(std::env::current_exe().unwrap());
    Some(process(&mut session, home, None, steps))
}

#[test]
fn an_unlocked_keyring_keeps_gives_and_forgets_a_key() {
    let home = tempfile::tempdir().unwrap();
    let steps = "load delete save load save delete load";
    let Some(told) = gnome_keyring(home.path(), true, steps) else { return };
    let answers: Vec<&str> = told.lines().filter(|line| line.contains(": ")).collect();
    let expected =
        ["load: not there", "delete: not there", "save: ok", "load: ok", "save: ok", "delete: ok", "load: not there"];
    let at = answers.windows(expected.len()).position(|window| window == expected);
    assert!(at.is_some(), "{told}");
}

#[test]
fn a_locked_keyring_says_so() {
    let home = tempfile::tempdir().unwrap();
    let Some(saved) = gnome_keyring(home.path(), true, "save") else { return };
    assert!(saved.contains("save: ok"), "{saved}");
    let Some(told) = gnome_keyring(home.path(), false, "load save-file load-file") else { return };
    assert!(
        told.contains("load: the keyring is locked or refuses access") || told.contains("gave no answer"),
        "{told}"
    );
    assert!(told.contains("load-file: ok"), "{told}");
    assert!(fs::exists(home.path().join("work.key")).unwrap());
}

#[test]
fn a_credential_is_no_place_without_systemd() {
    let places = KeyPaths::below(Path::new("/x"), None, "work").unwrap();
    assert_eq!(places.store(KeyStoreKind::Keyring), Some(KeyStore::Keyring));
    assert_eq!(places.store(KeyStoreKind::SystemdCredential), None);
}
