//! The one-shot commands, as scripts and people use them: real processes, a real mediator, exit codes.

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
#[path = "support/terminal.rs"]
#[allow(dead_code, reason = "shared with other tests, of which each uses a part")]
mod terminal;

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use d2mtop::protocol::Dialect;
use phone::phone_reflects;
use program::{Mediator, d2mtop, key_file, schema};
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
    command_at(mediator, &mediator.url(), dialect, arguments)
}

/// The same, for a server at this address.
fn command_at(mediator: &Mediator, url: &str, dialect: Dialect, arguments: &[&str]) -> Command {
    let split = arguments.iter().position(|argument| *argument == "--").unwrap_or(arguments.len());
    let (ours, theirs) = arguments.split_at(split);
    let (key, dialect) = (key_file(mediator.home.path()), dialect.to_string());
    let mut all = ours.to_vec();
    all.extend(["--url", url, "--key-file", key.to_str().unwrap(), "--dialect", &dialect]);
    all.extend(theirs);
    let mut command = d2mtop(mediator.home.path(), &all);
    command.env("PATH", "/usr/bin:/bin");
    command
}

fn run(mediator: &Mediator, dialect: Dialect, arguments: &[&str]) -> Output {
    program::checked(command(mediator, dialect, arguments).output().expect("d2mtop starts"))
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
    schema::lines(text.as_bytes())
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

/// Only a failing test waits this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The lines of an output, as they come.
fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            let line = line.unwrap() + "\n";
            program::assert_no_key(line.as_bytes());
            schema::assert_documented(line.as_bytes(), &schema::EVENTS);
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Everything until all who write there have ended.
fn rest_of(lines: &Receiver<String>) -> String {
    let mut rest = String::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => rest.push_str(&line),
            Err(RecvTimeoutError::Disconnected) => return rest,
            Err(RecvTimeoutError::Timeout) => panic!("somebody still writes after {rest}"),
        }
    }
}

/// A process whose output is read line by line.
struct Started {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Started {
    fn new(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { child, stdout: lines_of(stdout), stderr: lines_of(stderr) }
    }

    fn wait_for(&self, words: &str) -> String {
        self.wait_for_on(&self.stdout, words)
    }

    fn wait_for_remark(&self, words: &str) -> String {
        self.wait_for_on(&self.stderr, words)
    }

    fn wait_for_on(&self, lines: &Receiver<String>, words: &str) -> String {
        let mut all = String::new();
        loop {
            let line = lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("{error}: no {words:?} in {all}"));
            if line.contains(words) {
                return line;
            }
            all.push_str(&line);
        }
    }

    /// Its exit code, and what it still said on either stream.
    fn end(self) -> (Option<i32>, String) {
        let (code, stdout, stderr) = self.ended();
        (code, stdout + &stderr)
    }

    fn ended(mut self) -> (Option<i32>, String, String) {
        let (stdout, stderr) = (rest_of(&self.stdout), rest_of(&self.stderr));
        (self.child.wait().unwrap().code(), stdout, stderr)
    }
}

/// The same command, started by somebody who ignores a signal.
fn ignoring(signal: &str, command: &Command) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("trap '' {signal}; exec \"$@\""), "sh"]).arg(command.get_program());
    shell.args(command.get_args()).env_clear().stdin(Stdio::null());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell
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

/// A command with its connection, in the foreground of a terminal.
fn in_terminal(mediator: &Mediator, dialect: Dialect, arguments: &[&str]) -> Terminal {
    let command = command(mediator, dialect, arguments);
    let arguments: Vec<&str> = command.get_args().map(|argument| argument.to_str().unwrap()).collect();
    Terminal::start(&arguments, 24, 120, &[("PATH", "/usr/bin:/bin")])
}

#[test]
fn in_the_foreground_the_terminal_is_the_command_s() {
    for dialect in BOTH {
        let mediator = mediator();
        // Another group than the terminal's could not read from it.
        let script = "trap 'exit 9' INT; echo ready; read answer; echo \"heard $answer\"; sleep 1000";
        let mut terminal = in_terminal(&mediator, dialect, &["lock", "contact-sync", "--", "sh", "-c", script]);
        terminal.wait_for("ready");
        terminal.press("you\r");
        terminal.wait_for("heard you");
        terminal.press("\u{3}");
        assert_eq!(terminal.end().exit_code(), 9, "{dialect}: {}", terminal.contents());
        // Nobody kept it.
        expect(&mediator, dialect, &["lock", "contact-sync", "--wait", "0s", "--", "true"], 0, "");
    }
}

#[test]
fn what_was_ignored_at_the_start_stays_ignored_also_by_the_command() {
    for dialect in BOTH {
        let mediator = mediator();
        for (name, number) in [("HUP", Signal::HUP), ("INT", Signal::INT), ("QUIT", Signal::QUIT)] {
            let holding = command(&mediator, dialect, &["lock", "contact-sync"]);
            let held = Started::new(ignoring(name, &holding));
            held.wait_for("is held");
            signal(&held.child, number);
            expect(&mediator, dialect, &["lock", "group-sync", "--wait", "0s", "--", "true"], 124, "is held by");
            signal(&held.child, Signal::TERM);
            assert_eq!(held.end().0, Some(0), "{dialect}, {name}: SIGTERM still ends it");
            let script = format!("kill -{name} $$; echo survived");
            let running = command(&mediator, dialect, &["lock", "contact-sync", "--", "sh", "-c", &script]);
            let (code, rest) = Started::new(ignoring(name, &running)).end();
            assert_eq!((code, rest.contains("survived")), (Some(0), true), "{dialect}, {name}: {rest}");
        }
    }
}

#[test]
fn a_watch_outlives_the_terminal_that_nohup_took_it_from() {
    for dialect in BOTH {
        let mediator = mediator();
        let watching = Started::new(ignoring("HUP", &command(&mediator, dialect, &["watch", "--stay-leader"])));
        watching.wait_for("queue_dry");
        signal(&watching.child, Signal::HUP);
        other_device(&mediator, dialect, MONITOR, "Work laptop");
        signal(&watching.child, Signal::TERM);
        let (code, rest) = watching.end();
        assert_eq!(code, Some(0), "{dialect}: {rest}");
        assert!(!rest.contains("reload"), "{dialect}: not even the profile is read anew: {rest}");
    }
}

/// Waits for its end, but not for long: much less than a server that says nothing is waited for.
fn ends_soon(child: &mut Child) -> Option<i32> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(start.elapsed() < Duration::from_secs(10), "it does not end");
        std::thread::yield_now();
    }
}

#[test]
fn a_lock_that_waits_for_a_server_that_says_nothing_can_be_interrupted() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", silent.local_addr().unwrap());
    for dialect in BOTH {
        let mediator = mediator();
        let mut locking = Started::new(command_at(&mediator, &url, dialect, &["lock", "contact-sync"]));
        let _connection = silent.accept().unwrap();
        signal(&locking.child, Signal::TERM);
        assert_eq!(ends_soon(&mut locking.child), Some(143), "{dialect}: before the login");
        let mut held = Started::new(command(&mediator, dialect, &["lock", "contact-sync"]));
        held.wait_for("is held");
        kill_process(mediator.process(), Signal::STOP).unwrap();
        signal(&held.child, Signal::TERM);
        assert_eq!(ends_soon(&mut held.child), Some(125), "{dialect}: the commit is not confirmed");
    }
}

#[test]
fn another_signal_ends_the_lock_at_once() {
    for dialect in BOTH {
        let mediator = mediator();
        let mut held = Started::new(command(&mediator, dialect, &["lock", "contact-sync"]));
        held.wait_for("is held");
        kill_process(mediator.process(), Signal::STOP).unwrap();
        // One that comes before the one before it was noticed is none.
        while held.child.try_wait().unwrap().is_none() {
            let _ = kill_process(Pid::from_child(&held.child), Signal::INT);
        }
        let (code, _, words) = held.ended();
        assert_eq!(code, Some(130), "{dialect}: {words}");
        assert!(words.contains("without waiting"), "{dialect}: {words}");
    }
}

/// A pipe that nobody reads, and that takes no more.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let (reader, mut writer) = std::io::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    while writer.write(&[b'\n'; 1]).is_ok() {}
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

#[test]
fn a_reader_who_does_not_read_keeps_nobody_from_ending() {
    for dialect in BOTH {
        for arguments in [
            &["probe", "-i", "10ms", "--stay-leader"][..],
            &["devices", "--watch-changes", "--every", "1s", "--stay-leader", "--json"],
        ] {
            let mediator = mediator();
            let (reader, writer) = full_pipe();
            let mut command = command(&mediator, dialect, arguments);
            let mut child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
            drop(command);
            let remarks = lines_of(child.stderr.take().unwrap());
            if arguments[0] == "probe" {
                remarks.recv_timeout(PATIENCE).expect("it is made leader");
            }
            // There is something to print now.
            other_device(&mediator, dialect, MONITOR, "Work laptop");
            signal(&child, Signal::TERM);
            let code = ends_soon(&mut child);
            assert_eq!(code, Some(0), "{dialect}, {arguments:?}: {}", rest_of(&remarks));
            drop(reader);
        }
    }
}

#[test]
fn a_reader_who_has_gone_ends_what_goes_on() {
    for dialect in BOTH {
        let mediator = mediator();
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = command(&mediator, dialect, &["probe", "-i", "10ms", "--stay-leader"]);
        let mut child = command.stdout(writer).spawn().unwrap();
        drop(command);
        let mut lines = BufReader::new(reader).lines();
        assert!(lines.any(|line| line.unwrap().contains("seq=1")));
        drop(lines);
        assert_eq!(ends_soon(&mut child), Some(0), "{dialect}");
    }
}

#[test]
fn a_profile_is_named_by_itself_or_by_an_option() {
    for dialect in BOTH {
        let mediator = mediator();
        let (home, key, url) = (mediator.home.path(), key_file(mediator.home.path()), mediator.url());
        let dialect = dialect.to_string();
        let mut add = vec!["profile", "add", "home", "--mediator", &url, "--server-group", "01"];
        add.extend(["--dialect", &dialect, "--key-file", key.to_str().unwrap()]);
        assert_eq!(program::run(home, &add).status.code(), Some(0));
        for option in ["-p", "--profile"] {
            assert_eq!(program::run(home, &["devices", option, "home"]).status.code(), Some(0), "{dialect}");
        }
        let commands = ["watch", "proxy", "devices", "probe", "doctor", "history", "shared-data show"];
        for command in commands {
            let command: Vec<&str> = command.split(' ').collect();
            let stderr = |more: &[&str]| {
                let output = program::run(home, &[&command[..], more].concat());
                assert_eq!(output.status.code(), Some(2), "{command:?} {more:?}");
                String::from_utf8(output.stderr).unwrap()
            };
            let words = stderr(&["-p", "nobody"]);
            assert!(words.contains("nobody"), "{command:?}: {words}");
            let words = stderr(&["home", "-p", "home"]);
            assert!(words.contains("cannot be used with"), "{command:?}: {words}");
        }
    }
}

#[test]
fn a_passphrase_s_descriptor_is_not_the_command_s() {
    for dialect in BOTH {
        let mediator = mediator();
        let passphrase = mediator.home.path().join("passphrase");
        std::fs::write(&passphrase, "correct horse\n").unwrap();
        let lock = ["lock", "contact-sync", "--passphrase-fd", "3", "--", "sh", "-c", "cat <&3; echo ended"];
        let locking = command(&mediator, dialect, &lock);
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "exec \"$@\" 3<\"$HOME/passphrase\"", "sh"]).arg(locking.get_program());
        shell.args(locking.get_args()).env_clear().stdin(Stdio::null());
        shell.envs(locking.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let (_, rest) = Started::new(shell).end();
        assert!(!rest.contains("horse"), "{dialect}: {rest}");
        assert!(rest.contains('3'), "{dialect}: the shell says that there is none: {rest}");
    }
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
            let locked = Started::new(command(&mediator, dialect, &arguments));
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
        let locked = Started::new(command(&mediator, dialect, &sleeping));
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
        let held = Started::new(command(&mediator, dialect, &lock));
        held.wait_for("CONTACT_SYNC is held");
        // In dgk the server takes it back, in mk we give it back.
        held.wait_for(if dialect == Dialect::Dgk { "CONTACT_SYNC is lost" } else { "CONTACT_SYNC is released" });
        let (code, rest) = held.end();
        assert_eq!(code, Some(125), "{dialect}: {rest}");
        assert!(rest.contains("the lock was lost"), "{dialect}: {rest}");
        let sleeping = [&lock[..], &["--", "sh", "-c", "echo ready; exec sleep 1000"]].concat();
        let locked = Started::new(command(&mediator, dialect, &sleeping));
        locked.wait_for("ready");
        assert_eq!(locked.end().0, Some(125), "{dialect}: the command is ended");
    }
}

#[test]
fn a_command_ends_with_all_that_it_started_when_the_mediator_is_gone() {
    for dialect in BOTH {
        let mediator = mediator();
        // Whoever outlives it keeps our end of the pipe from its end.
        let script = "sleep 1000 & echo ready; wait";
        let mut locking = command(&mediator, dialect, &["lock", "contact-sync", "--", "sh", "-c", script]);
        // Not in the foreground, even if the tests are.
        locking.process_group(0);
        let locked = Started::new(locking);
        locked.wait_for("ready");
        kill_process(mediator.process(), Signal::KILL).unwrap();
        let (code, rest) = locked.end();
        assert_eq!(code, Some(125), "{dialect}: {rest}");
        assert!(rest.contains("the lock was lost"), "{dialect}: {rest}");
    }
}

#[test]
fn a_second_holder_waits_as_long_as_it_wants_to() {
    for dialect in BOTH {
        let mediator = mediator();
        let hold = ["lock", "contact-sync", "--json", "--device-id", MONITOR];
        let first = Started::new(command(&mediator, dialect, &hold));
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
        let second = Started::new(command(&mediator, dialect, &arguments));
        second.wait_for_remark("waiting");
        signal(&first.child, Signal::INT);
        let (code, lines, _) = first.ended();
        assert!(json(&lines).iter().any(|line| line["event"] == "lock_released"), "{dialect}: {lines}");
        assert_eq!(code, Some(0), "{dialect}: interrupted as asked");
        let (code, rest) = second.end();
        assert_eq!((code, rest.contains("ran")), (Some(0), true), "{dialect}: {rest}");
    }
}

#[test]
fn waiting_for_the_lock_can_be_interrupted() {
    for dialect in BOTH {
        let mediator = mediator();
        let first = Started::new(command(&mediator, dialect, &["lock", "contact-sync"]));
        first.wait_for("is held");
        let second = Started::new(command(&mediator, dialect, &["lock", "group-sync", "--", "echo", "ran"]));
        second.wait_for_remark("waiting");
        signal(&second.child, Signal::TERM);
        let (code, rest) = second.end();
        assert_eq!((code, rest.contains("ran")), (Some(143), false), "{dialect}: {rest}");
        signal(&first.child, Signal::TERM);
        assert_eq!(first.end().0, Some(0), "{dialect}");
    }
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
