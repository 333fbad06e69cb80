//! d2mtop as a service, and where the world around it is not as it should be: systemd's socket, signals, full disks, slow
//! readers, no home.

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
mod program;
#[path = "support/terminal.rs"]
#[allow(dead_code, reason = "shared with other tests, of which each uses a part")]
mod terminal;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use d2mtop::protocol::Dialect;
use program::{Mediator, d2mtop, key_file, run, schema};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use terminal::Terminal;

/// Longer than anything takes on a busy machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(40);

/// A watch whose lines are read one by one.
struct Watch {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Watch {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("watch starts");
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn wait_for(&mut self, event: &str) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "the watch ended before {event}");
            let [line] = <[Value; 1]>::try_from(schema::lines(line.as_bytes())).unwrap();
            if line["event"] == event {
                return line;
            }
        }
    }

    /// All that is still printed.
    fn lines(&mut self) -> Vec<Value> {
        let mut rest = Vec::new();
        self.lines.read_to_end(&mut rest).unwrap();
        schema::lines(&rest)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn end(mut self) -> (Option<i32>, String) {
        self.lines.read_to_end(&mut Vec::new()).unwrap();
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

fn add_profile(mediator: &Mediator, dialect: Dialect) {
    let key = key_file(mediator.home.path());
    let (url, dialect) = (mediator.url(), dialect.to_string());
    let mut arguments = vec!["profile", "add", "home", "--key-file", key.to_str().unwrap(), "--mediator", &url];
    arguments.extend(["--server-group", "01", "--dialect", &dialect, "--slot", "persistent", "--label", "before"]);
    let added = run(mediator.home.path(), &arguments);
    assert_eq!(added.status.code(), Some(0), "{}", String::from_utf8_lossy(&added.stderr));
}

fn next_word(socket: &UnixDatagram, wanted: &str) -> String {
    loop {
        let mut buffer = [0; 1_024];
        let count = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("systemd is not told {wanted}: {error}"));
        let told = String::from_utf8(buffer[..count].to_vec()).unwrap();
        if told.lines().any(|line| line.starts_with(wanted)) {
            return told;
        }
        assert!(!told.contains("STOPPING=1"), "told to stop before {wanted}");
    }
}

#[test]
fn systemd_is_told_of_login_life_reload_and_end() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        add_profile(&mediator, dialect);
        let path = mediator.home.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut command = d2mtop(mediator.home.path(), &["watch", "home", "--stay-leader"]);
        let mut watch = Watch::start(command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000"));
        let ready = next_word(&socket, "READY=1");
        watch.wait_for("logged_in");
        assert!(ready.contains("STATUS=logged in as"), "{ready}");
        next_word(&socket, "WATCHDOG=1");
        watch.signal(Signal::HUP);
        let reloading = next_word(&socket, "RELOADING=1");
        assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
        next_word(&socket, "READY=1");
        assert_eq!(watch.wait_for("reloaded")["changed"], false, "nothing has changed");
        watch.signal(Signal::TERM);
        next_word(&socket, "STOPPING=1");
        assert_eq!(watch.end(), (Some(0), String::new()), "{dialect}");
    }
}

#[test]
fn a_hangup_reads_the_profile_anew_and_keeps_the_old_one_if_it_cannot() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        let mut watch = Watch::start(&mut d2mtop(home, &["watch", "home", "--stay-leader"]));
        watch.wait_for("queue_dry");
        let logs = home.join(".local/state/d2mtop");
        let log = fs::read_dir(&logs).unwrap().map(|entry| entry.unwrap().path());
        let log = log.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "log")).unwrap();
        fs::rename(&log, logs.join("moved")).unwrap();

        let profiles = home.join(".config/d2mtop/profiles.toml");
        let text = fs::read_to_string(&profiles).unwrap();
        fs::write(&profiles, "nonsense = 1\n").unwrap();
        watch.signal(Signal::HUP);
        let words = watch.wait_for("reload_failed")["words"].to_string();
        assert!(words.contains("profiles.toml"), "{words}");

        fs::write(&profiles, text.replace("before", "after")).unwrap();
        watch.signal(Signal::HUP);
        assert_eq!(watch.wait_for("reloaded")["changed"], true);
        assert_eq!(watch.wait_for("disconnected")["cause"], "by_user", "it leaves politely, and only now");
        assert_eq!(watch.wait_for("logged_in")["slot"], "existing", "and comes back to its slot");
        let devices = watch.wait_for("devices");
        assert_eq!(devices["devices"][0]["label"], "after", "{dialect}: {devices}");
        let holder = run(home, &["watch", "home", "--until-dry"]);
        assert_eq!(holder.status.code(), Some(2), "the profile is still held");
        watch.signal(Signal::TERM);
        assert_eq!(watch.end().0, Some(0));
        let anew = fs::read_to_string(&log).expect("the log is made anew");
        assert!(anew.contains("read anew"), "{anew}");
    }
}

#[test]
fn a_service_comes_back_to_a_mediator_that_was_away() {
    let mut mediator = Mediator::start(&[]);
    add_profile(&mediator, Dialect::Dgk);
    let mut always =
        Watch::start(&mut d2mtop(mediator.home.path(), &["watch", "home", "--stay-leader", "--reconnect", "1"]));
    always.wait_for("queue_dry");
    kill_process(mediator.process(), Signal::INT).unwrap();
    mediator.wait();
    assert_eq!(always.wait_for("disconnected")["next"], "retry", "the mediator left");
    let last = always.wait_for("disconnected");
    assert_eq!((&last["cause"], &last["next"]), (&"unreachable".into(), &"end".into()), "one try");
    assert_eq!(always.lines(), Vec::<Value>::new(), "and no more");
    assert_eq!(always.end().0, Some(4));
    let unknown = run(mediator.home.path(), &["watch", "home", "--reconnect", "often"]);
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn only_prints_what_was_asked_for() {
    let mediator = Mediator::start(&[]);
    add_profile(&mediator, Dialect::Dgk);
    let output = run(mediator.home.path(), &["watch", "home", "--until-dry", "--only", "logged_in,devices"]);
    let lines = schema::lines(&output.stdout);
    let names: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["logged_in", "devices"]);
    let unknown = run(mediator.home.path(), &["watch", "home", "--only", "logged_in,device"]);
    assert_eq!(unknown.status.code(), Some(2));
    let words = String::from_utf8(unknown.stderr).unwrap();
    assert!(words.contains("\"device\"") && words.contains("device_new"), "{words}");
}

#[test]
fn a_signal_ends_a_watch_soon_although_nobody_reads_and_nobody_answers() {
    let mediator = Mediator::start(&[]);
    add_profile(&mediator, Dialect::Dgk);
    assert_eq!(run(mediator.home.path(), &["watch", "home", "--until-dry"]).status.code(), Some(0));
    phone::phone_reflects(&mediator, Dialect::Dgk, 2_000, "Pixel 9");
    let mut watch = Watch::start(&mut d2mtop(mediator.home.path(), &["watch", "home"]));
    watch.wait_for("reflected");
    kill_process(mediator.process(), Signal::STOP).unwrap();
    let begin = Instant::now();
    watch.signal(Signal::TERM);
    assert_eq!(watch.child.wait().unwrap().code(), Some(0));
    let took = begin.elapsed();
    kill_process(mediator.process(), Signal::CONT).unwrap();
    assert!(took < Duration::from_secs(3), "two seconds, and one for a busy machine: {took:?}");
}

#[test]
fn a_slow_reader_gets_all_of_what_was_not_left_out() {
    const COUNT: u64 = 3_000;
    let mediator = Mediator::start(&[]);
    add_profile(&mediator, Dialect::Dgk);
    assert_eq!(run(mediator.home.path(), &["watch", "home", "--until-dry"]).status.code(), Some(0));
    phone::phone_reflects(&mediator, Dialect::Dgk, COUNT, "Pixel 9");
    let mut watch = Watch::start(&mut d2mtop(mediator.home.path(), &["watch", "home", "--until-dry"]));
    watch.wait_for("logged_in");
    // Nothing is read until everything is acknowledged: the phone sees that the monitor is gone.
    let mut probe = d2mtop(mediator.home.path(), &["watch", "home", "--until-dry"]);
    let held = probe.output().unwrap();
    assert_eq!(held.status.code(), Some(2), "it waits for its reader");
    let lines = watch.lines();
    assert_eq!(watch.child.wait().unwrap().code(), Some(0));
    let printed = lines.iter().filter(|line| line["event"] == "reflected").count() as u64;
    let left_out: u64 = lines.iter().filter_map(|line| line["messages"].as_u64()).sum();
    assert_eq!(printed + left_out, COUNT, "what is not there is counted");
}

#[test]
fn a_full_disk_is_named_and_the_messages_are_not_lost() {
    let mediator = Mediator::start(&[]);
    add_profile(&mediator, Dialect::Dgk);
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let help = [&["--help"][..], &["watch", "--help"], &["--version"]];
    let data = [&["watch", "home"][..], &["demo", "--headless"], &["man"], &["completions", "bash"]];
    for arguments in help.into_iter().chain(data) {
        let output = d2mtop(mediator.home.path(), arguments).stdout(full()).stderr(Stdio::piped()).output().unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {words}");
        assert!(words.contains("cannot write to standard output: No space left"), "{arguments:?}: {words}");
    }
}

/// Runs d2mtop without HOME and TERM, and with this as all that it may find in their place.
fn homeless(place: (&str, &Path), arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = d2mtop(place.1, arguments);
    command.env_clear().env(place.0, place.1);
    // The system knows a home without HOME, where the tests have no business.
    for (variable, directory) in [("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state")] {
        command.env(variable, place.1.join(directory));
    }
    let output = command.output().unwrap();
    program::assert_no_key(&output.stderr);
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn without_home_and_terminal_every_command_says_what_it_needs() {
    let mediator = Mediator::start(&[]);
    let key = key_file(mediator.home.path());
    let (url, key) = (mediator.url(), key.to_str().unwrap());
    let directory = tempfile::tempdir().unwrap();
    for (arguments, code, words) in [
        (vec!["watch", "--url", &url, "--key-file", key, "--until-dry"], 0, "log"),
        (vec!["doctor", "--url", &url, "--key-file", key], 0, "log"),
        (vec!["demo", "--headless", "--for", "1s"], 0, "log"),
        (vec!["mediator", "--handshake-timeout", "0s"], 2, "longer than 0s"),
        (vec!["watch", "home"], 2, "profile"),
        (vec!["profile", "sample"], 0, "log"),
        (vec!["completions", "zsh"], 0, ""),
        (vec!["man", "watch"], 0, ""),
        (vec!["man", "profile", "add"], 0, ""),
        (vec!["man", "nonsense"], 2, "no command is called"),
        (vec![], 2, ""),
    ] {
        // Nothing can be made there, whoever one is.
        let (ended, said) = homeless(("HOME", Path::new("/dev/null")), &arguments);
        assert_eq!(ended, Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words) && !said.contains("panicked"), "{arguments:?}: {said}");
        let (ended, said) = homeless(("LANG", directory.path()), &arguments);
        assert_eq!(ended, Some(code), "{arguments:?}: {said}");
        assert!(!said.contains("going on without a log"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_profile_that_is_open_stays_connected_when_others_try_to_open_it() {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    add_profile(&mediator, Dialect::Dgk);
    let mut first = Watch::start(&mut d2mtop(home, &["watch", "home", "--stay-leader"]));
    first.wait_for("queue_dry");
    let who = format!("(process {})", first.child.id());
    let second = run(home, &["watch", "home"]);
    let words = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert!(words.contains(&who), "{words}");
    let mut dashboard = Terminal::start(&["home"], 24, 80, &[("HOME", home.to_str().unwrap())]);
    assert_eq!(dashboard.end().exit_code(), 2);
    let screen = dashboard.contents().replace('\n', "");
    assert!(screen.contains(&first.child.id().to_string()), "{screen}");
    first.signal(Signal::TERM);
    let last = first.wait_for("disconnected");
    assert_eq!(last["cause"], "by_user", "until then it stayed: {last}");
    assert_eq!(first.end().0, Some(0));
}

#[test]
fn a_credential_of_systemd_opens_a_profile() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        let (url, dialect) = (mediator.url(), dialect.to_string());
        let mut arguments = vec!["profile", "add", "home", "--credential", "--mediator", &url, "--dialect", &dialect];
        arguments.extend(["--server-group", "01"]);
        let added = run(home, &arguments);
        let words = String::from_utf8(added.stdout).unwrap();
        assert!(added.status.success() && words.contains("d2mtop-home"), "{words}");
        let credentials = home.join("credentials");
        fs::create_dir(&credentials).unwrap();
        fs::rename(key_file(home), credentials.join("d2mtop-home")).unwrap();
        let watch = |home: &Path| d2mtop(home, &["watch", "home", "--until-dry"]);
        assert_eq!(watch(home).output().unwrap().status.code(), Some(2), "there is none without systemd");
        let output = watch(home).env("CREDENTIALS_DIRECTORY", &credentials).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(schema::lines(&output.stdout).iter().any(|line| line["event"] == "logged_in"));
    }
}

const UNITS: [(&str, &str); 2] = [
    ("d2mtop@.service", include_str!("../assets/d2mtop@.service")),
    ("d2mtop-user@.service", include_str!("../assets/d2mtop-user@.service")),
];

#[test]
fn the_units_start_what_exists() {
    let home = tempfile::tempdir().unwrap();
    for (name, unit) in UNITS {
        let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        let (_, arguments) = start.split_once(' ').unwrap();
        let arguments = arguments.replace("%L", home.path().to_str().unwrap());
        // The profile of that name is all that is missing.
        let output = run(home.path(), &arguments.split(' ').collect::<Vec<_>>());
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(words.contains("no profile"), "{name}: {words}");
    }
}

#[test]
fn systemd_accepts_the_units_and_calls_them_safe() {
    let directory = tempfile::tempdir().unwrap();
    for (name, unit) in UNITS {
        // One that exists here, in place of the one that is installed.
        let program = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")?.split(' ').next()).unwrap();
        let path = directory.path().join(name);
        fs::write(&path, unit.replace(program, env!("CARGO_BIN_EXE_d2mtop"))).unwrap();
        let analyze = |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).arg(&path).output();
        let Ok(verified) = analyze(&["verify", "--man=no"]) else {
            eprintln!("not run: there is no systemd-analyze here");
            return;
        };
        let words = String::from_utf8_lossy(&verified.stderr).into_owned();
        assert!(verified.status.success() && !words.contains(name), "{name}: {words}");
        // What needs root is not for a user's own units.
        let most = if name.contains("user") { "80" } else { "15" };
        let security = analyze(&["security", "--offline=yes", "--threshold", most]).unwrap();
        let table = String::from_utf8_lossy(&security.stdout).into_owned();
        assert!(security.status.success(), "{name}: {}", table.lines().last().unwrap_or_default());
    }
}
