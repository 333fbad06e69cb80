//! The commands that come for one purpose, as scripts and people use them: real processes, a real mediator, exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is a test; a panic is a failure"
)]

#[path = "support/phone.rs"]
mod phone;
#[path = "support/program.rs"]
#[allow(dead_code, reason = "shared with other tests, of which each uses a part")]
mod program;
#[path = "support/schema.rs"]
#[allow(dead_code, reason = "shared with other tests, of which each uses a part")]
mod schema;
#[path = "support/terminal.rs"]
#[allow(dead_code, reason = "shared with other tests, of which each uses a part")]
mod terminal;

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Output, Stdio};

use d2mtop::protocol::Dialect;
use phone::phone_reflects;
use program::{Mediator, d2mtop, key_file};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use terminal::Terminal;

const BOTH: [Dialect; 2] = [Dialect::Mk, Dialect::Dgk];
const MONITOR: &str = "0102030405060708";
/// Of the phone, as it prints.
const PHONE: &str = "4d00000000000000";

fn mediator() -> Mediator {
    Mediator::start(&["--max-slots", "64"])
}

/// A command with its connection; what comes after `--` stays there.
fn command(mediator: &Mediator, dialect: Dialect, arguments: &[&str]) -> Command {
    let split = arguments.iter().position(|argument| *argument == "--").unwrap_or(arguments.len());
    let (ours, theirs) = arguments.split_at(split);
    let (key, url, dialect) = (key_file(mediator.home.path()), mediator.url(), dialect.to_string());
    let mut all = ours.to_vec();
    all.extend(["--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", &dialect]);
    all.extend(theirs);
    let mut command = d2mtop(mediator.home.path(), &all);
    command.env("PATH", "/usr/bin:/bin");
    command
}

fn run(mediator: &Mediator, dialect: Dialect, arguments: &[&str]) -> Output {
    let output = command(mediator, dialect, arguments).output().expect("d2mtop starts");
    program::assert_no_key(&output.stdout);
    program::assert_no_key(&output.stderr);
    output
}

/// Its exit code and what it printed must be these.
fn expect(mediator: &Mediator, dialect: Dialect, arguments: &[&str], code: i32, words: &str) -> (String, String) {
    let output = run(mediator, dialect, arguments);
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let all = format!("{dialect}, {arguments:?}: {stdout}{stderr}");
    assert_eq!(output.status.code(), Some(code), "{all}");
    assert!(all.contains(words), "no {words:?} in {all}");
    (stdout, stderr)
}

fn json(text: &str) -> Vec<Value> {
    schema::objects(text.as_bytes())
}

fn labels(mediator: &Mediator, dialect: Dialect) -> Vec<String> {
    let (stdout, _) = expect(mediator, dialect, &["devices", "--json", "--label", "looking"], 0, "");
    let devices = json(&stdout);
    devices.iter().filter_map(|device| device["label"].as_str()).map(str::to_owned).collect()
}

/// Another device of the group, which was there once.
fn other_device(mediator: &Mediator, dialect: Dialect, id: &str, label: &str) {
    let arguments = ["watch", "--until-dry", "--persistent", "--device-id", id, "--label", label];
    expect(mediator, dialect, &arguments, 0, "queue_dry");
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("it runs");
}

/// A process whose output is read line by line.
struct Started {
    child: Child,
    lines: BufReader<Box<dyn std::io::Read>>,
}

impl Started {
    fn reading_stdout(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let lines: Box<dyn std::io::Read> = Box::new(child.stdout.take().unwrap());
        Self { child, lines: BufReader::new(lines) }
    }

    fn reading_stderr(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let lines: Box<dyn std::io::Read> = Box::new(child.stderr.take().unwrap());
        Self { child, lines: BufReader::new(lines) }
    }

    fn wait_for(&mut self, words: &str) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "it ended without {words:?}: {all}");
            if line.contains(words) {
                return line;
            }
            all.push_str(&line);
        }
    }

    /// Its exit code, and what it still said on the other stream.
    fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut rest).unwrap();
        }
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut rest).unwrap();
        }
        self.lines.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

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
fn no_visit_swallows_a_message() {
    for dialect in BOTH {
        let mediator = mediator();
        other_device(&mediator, dialect, MONITOR, "monitor");
        phone_reflects(&mediator, dialect, 3, "Pixel 9");
        other_device(&mediator, dialect, "aa00000000000000", "old");
        let visits: [&[&str]; 6] = [
            &["devices"],
            &["drop", "old", "--yes"],
            &["lock", "contact-sync", "--", "true"],
            &["shared-data", "show"],
            &["probe", "-c", "2", "-i", "10ms"],
            &["devices", "--wide"],
        ];
        for visit in visits {
            let own = ["--device-id", MONITOR, "--persistent", "--expect", "existing"];
            let split = visit.iter().position(|argument| *argument == "--").unwrap_or(visit.len());
            let arguments = [&visit[..split], &own, &visit[split..]].concat();
            expect(&mediator, dialect, &arguments, 0, "");
        }
        let watch = ["watch", "--until-dry", "--persistent", "--expect", "existing", "--device-id", MONITOR];
        let lines = json(&expect(&mediator, dialect, &watch, 0, "").0);
        let received = lines.iter().filter(|line| line["event"] == "reflected").count();
        assert_eq!(received, 3, "{dialect}: what waited waits still");
    }
}

#[test]
fn changes_among_the_devices_are_printed_as_they_happen() {
    for dialect in BOTH {
        let mediator = mediator();
        let arguments = ["devices", "--watch-changes", "--json", "--every", "1s", "--stay-leader"];
        expect(&mediator, dialect, &["devices", "--watch-changes", "--every", "999ms"], 2, "a second or more");
        let mut watching = Started::reading_stdout(command(&mediator, dialect, &arguments));
        // The first list is what is known.
        while !labels(&mediator, dialect).iter().any(|label| label != "looking") {}
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
    let mediator = mediator();
    other_device(&mediator, Dialect::Dgk, MONITOR, "Work laptop");
    let (key, url) = (key_file(mediator.home.path()), mediator.url());
    let arguments = ["drop", "Work laptop", "--url", &url, "--key-file", key.to_str().unwrap()];
    for (answer, code, words) in [("\r", 6, "nothing done"), ("y\r", 0, "dropped Work laptop")] {
        let mut terminal = Terminal::start(&arguments, 24, 120, &[]);
        terminal.wait_for("Drop Work laptop (0102030405060708) from the group?");
        terminal.press(answer);
        assert_eq!(terminal.end().exit_code(), code, "{}", terminal.contents());
        assert!(terminal.contents().contains(words), "{}", terminal.contents());
    }
    assert!(!labels(&mediator, Dialect::Dgk).contains(&"Work laptop".to_owned()));
}

#[test]
fn a_command_under_the_lock_keeps_its_exit_code_and_its_input_and_output() {
    for dialect in BOTH {
        let mediator = mediator();
        for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143)] {
            expect(&mediator, dialect, &["lock", "contact-sync", "--", "sh", "-c", script], code, "");
        }
        let (stdout, _) =
            expect(&mediator, dialect, &["lock", "group-sync", "--", "sh", "-c", "echo data; umask"], 0, "");
        let umask = Command::new("sh").args(["-c", "umask"]).output().unwrap();
        assert_eq!(stdout, format!("data\n{}", String::from_utf8(umask.stdout).unwrap()), "only the command's output");
        expect(
            &mediator,
            dialect,
            &["lock", "contact-sync", "--", "no-such-command"],
            127,
            "cannot run no-such-command",
        );
        expect(&mediator, dialect, &["lock", "contact-sync", "--", "/"], 126, "cannot run /");
        expect(&mediator, dialect, &["lock", "contact-sync", "--read-only", "--", "true"], 2, "read-only");
        expect(&mediator, dialect, &["lock", "no-sync", "--", "true"], 2, "no-sync");
        // Nobody kept it.
        expect(&mediator, dialect, &["lock", "contact-sync", "--wait", "0s", "--", "true"], 0, "");
    }
}

#[test]
fn signals_reach_the_command_under_the_lock() {
    for dialect in BOTH {
        let mediator = mediator();
        for (name, number) in [("TERM", Signal::TERM), ("INT", Signal::INT), ("HUP", Signal::HUP)] {
            let script = format!("trap 'kill $!; exit 9' {name}; sleep 1000 >/dev/null 2>&1 & echo ready; wait");
            let arguments = ["lock", "contact-sync", "--", "sh", "-c", &script];
            let mut locked = Started::reading_stdout(command(&mediator, dialect, &arguments));
            locked.wait_for("ready");
            signal(&locked.child, number);
            let (code, rest) = locked.end();
            assert_eq!(code, Some(9), "{dialect}, {name}: {rest}");
        }
    }
}

#[test]
fn a_lost_lock_ends_the_command() {
    for dialect in BOTH {
        let mediator = Mediator::start(&["--max-ttl", "1s", "--max-slots", "64"]);
        let sleeping = ["lock", "contact-sync", "--", "sh", "-c", "echo ready; exec sleep 1000"];
        let mut locked = Started::reading_stdout(command(&mediator, dialect, &sleeping));
        locked.wait_for("ready");
        let (code, rest) = locked.end();
        assert_eq!(code, Some(125), "{dialect}: {rest}");
        assert!(rest.contains("4011") && rest.contains("longer than the server allows"), "{dialect}: {rest}");
    }
}

#[test]
fn a_lock_is_held_for_no_longer_than_asked_for() {
    for dialect in BOTH {
        let mediator = mediator();
        let lock = ["lock", "contact-sync", "--ttl", "1s"];
        let mut held = Started::reading_stdout(command(&mediator, dialect, &lock));
        held.wait_for("CONTACT_SYNC is held");
        // In dgk the server takes it back, in mk we give it back.
        held.wait_for(if dialect == Dialect::Dgk { "CONTACT_SYNC is lost" } else { "CONTACT_SYNC is released" });
        let (code, rest) = held.end();
        assert_eq!(code, Some(125), "{dialect}: {rest}");
        assert!(rest.contains("the lock was lost"), "{dialect}: {rest}");
        let sleeping = [&lock[..], &["--", "sh", "-c", "echo ready; exec sleep 1000"]].concat();
        let mut locked = Started::reading_stdout(command(&mediator, dialect, &sleeping));
        locked.wait_for("ready");
        assert_eq!(locked.end().0, Some(125), "{dialect}: the command is ended");
    }
}

#[test]
fn a_command_ends_with_all_that_it_started_when_the_mediator_is_gone() {
    for dialect in BOTH {
        let mediator = mediator();
        let script = "(sleep 3; echo outlived) & echo ready; wait";
        let mut locking = command(&mediator, dialect, &["lock", "contact-sync", "--", "sh", "-c", script]);
        // Not in the foreground, even if the tests are.
        locking.process_group(0);
        let mut locked = Started::reading_stdout(locking);
        locked.wait_for("ready");
        kill_process(mediator.process(), Signal::KILL).unwrap();
        let (code, rest) = locked.end();
        assert_eq!(code, Some(125), "{dialect}: {rest}");
        assert!(rest.contains("the lock was lost") && !rest.contains("outlived"), "{dialect}: {rest}");
    }
}

#[test]
fn a_second_holder_waits_as_long_as_it_wants_to() {
    for dialect in BOTH {
        let mediator = mediator();
        let hold = ["lock", "contact-sync", "--json", "--device-id", MONITOR];
        let mut first = Started::reading_stdout(command(&mediator, dialect, &hold));
        first.wait_for("lock_acquired");
        for wait in ["0s", "300ms"] {
            let arguments = ["lock", "group-sync", "--wait", wait, "--", "echo", "ran"];
            let (stdout, stderr) = expect(&mediator, dialect, &arguments, 124, "CONTACT_SYNC");
            assert!(stdout.is_empty() && stderr.contains(MONITOR), "the holder is named: {stderr}");
        }
        // The same device a second time would cut the first one off.
        for second in [&["devices"][..], &["watch"], &["proxy", "--listen", "127.0.0.1:0"]] {
            let arguments = [second, &["--device-id", MONITOR]].concat();
            expect(&mediator, dialect, &arguments, 2, "quit that one first");
        }
        let arguments = ["lock", "group-sync", "--", "echo", "ran"];
        let mut second = Started::reading_stderr(command(&mediator, dialect, &arguments));
        second.wait_for("waiting");
        signal(&first.child, Signal::INT);
        let mut lines = String::new();
        first.lines.read_to_string(&mut lines).unwrap();
        assert!(json(&lines).iter().any(|line| line["event"] == "lock_released"), "{dialect}: {lines}");
        assert_eq!(first.end().0, Some(0), "{dialect}: interrupted as asked");
        let (code, rest) = second.end();
        assert_eq!((code, rest.contains("ran")), (Some(0), true), "{dialect}: {rest}");
    }
}

#[test]
fn waiting_for_the_lock_can_be_interrupted() {
    let mediator = mediator();
    let mut first = Started::reading_stdout(command(&mediator, Dialect::Dgk, &["lock", "contact-sync"]));
    first.wait_for("is held");
    let mut second =
        Started::reading_stderr(command(&mediator, Dialect::Dgk, &["lock", "group-sync", "--", "echo", "ran"]));
    second.wait_for("waiting");
    signal(&second.child, Signal::TERM);
    let (code, rest) = second.end();
    assert_eq!((code, rest.contains("ran")), (Some(143), false), "{rest}");
    signal(&first.child, Signal::TERM);
    assert_eq!(first.end().0, Some(0));
}

#[test]
fn shared_data_is_set_and_the_next_login_is_given_it() {
    let mediator = mediator();
    expect(&mediator, Dialect::Dgk, &["shared-data", "show"], 0, "no shared data");
    expect(&mediator, Dialect::Dgk, &["shared-data", "set", "--version", "3"], 6, "--yes");
    expect(&mediator, Dialect::Dgk, &["shared-data", "set", "--version", "3", "--yes", "--read-only"], 2, "read-only");
    expect(&mediator, Dialect::Dgk, &["shared-data", "show"], 0, "no shared data");
    expect(&mediator, Dialect::Dgk, &["shared-data", "set", "--version", "3", "--yes"], 0, "version 3");
    let (shown, _) = expect(&mediator, Dialect::Dgk, &["shared-data", "show", "--json"], 0, "");
    assert_eq!((&json(&shown)[0]["event"], &json(&shown)[0]["version"]), (&"shared_device_data".into(), &3.into()));
    // The first specification has another kind of data, and no version in it.
    expect(&mediator, Dialect::Mk, &["shared-data", "show"], 0, "no shared data");
    expect(&mediator, Dialect::Mk, &["shared-data", "set", "--version", "3", "--yes"], 2, "no version");
}

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
    let mediator = mediator();
    let mut probing = Started::reading_stdout(command(&mediator, Dialect::Dgk, &["probe", "-i", "10ms"]));
    probing.wait_for("seq=2");
    signal(&probing.child, Signal::INT);
    let (code, rest) = probing.end();
    assert_eq!(code, Some(0));
    assert!(rest.contains("min/avg/max/mdev"), "{rest}");
}

#[test]
fn a_login_that_fails_is_told_with_the_code_of_its_kind() {
    for dialect in BOTH {
        let mediator = Mediator::start(&["--max-slots", "1"]);
        other_device(&mediator, dialect, MONITOR, "the only one");
        let commands: [&[&str]; 5] = [
            &["devices"],
            &["drop", "--yes", "x"],
            &["lock", "contact-sync"],
            &["shared-data", "show"],
            &["probe", "-c", "1"],
        ];
        for arguments in commands {
            let (stdout, _) = expect(&mediator, dialect, arguments, 3, "all device slots are taken");
            assert!(arguments[0] == "probe" || stdout.is_empty(), "only data is written to standard output: {stdout}");
        }
        kill_process(mediator.process(), Signal::KILL).unwrap();
        for arguments in commands {
            expect(&mediator, dialect, arguments, 4, "127.0.0.1");
        }
    }
}
