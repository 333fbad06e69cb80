//! d2mtop as a service, and where the world around it is not as it should be: systemd's socket, signals, full disks, slow
//! readers, no home.

mod ends;
mod mediator;
mod readers;
mod reload;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use d2mtop::protocol::Dialect;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::phone;
use crate::support::program::{self, Mediator, d2mtop, key_file, run};
use crate::support::schema;
use crate::support::terminal::Terminal;

/// Longer than anything takes on a busy machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(40);

/// Within which a signal ends a watch, whatever happens.
const SOON: Duration = Duration::from_secs(2);

const DIALECTS: [Dialect; 2] = [Dialect::Mk, Dialect::Dgk];

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

    fn next_line(&mut self) -> Value {
        let mut line = String::new();
        assert!(self.lines.read_line(&mut line).unwrap() > 0, "the watch ended before what is waited for");
        let [line] = <[Value; 1]>::try_from(schema::lines(line.as_bytes())).unwrap();
        line
    }

    fn wait_for(&mut self, event: &str) -> Value {
        loop {
            let line = self.next_line();
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

    /// What it still prints is not read.
    fn ends_soon(&mut self, what: &str) {
        ends_soon(&mut self.child, what);
    }

    fn end(mut self) -> (Option<i32>, String) {
        self.lines.read_to_end(&mut Vec::new()).unwrap();
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

/// A signal ends it in the time that is promised.
fn ends_soon(child: &mut Child, what: &str) {
    let begin = Instant::now();
    let process = Pid::from_child(child);
    kill_process(process, Signal::TERM).unwrap();
    let (ended, waiting) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        if waiting.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            kill_process(process, Signal::KILL).unwrap();
        }
    });
    let code = child.wait().unwrap().code();
    drop(ended);
    assert!(begin.elapsed() < SOON, "{what}: a signal ended it after {:?}", begin.elapsed());
    assert_eq!(code, Some(0), "{what}");
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
    for dialect in DIALECTS {
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
fn only_prints_what_was_asked_for() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        add_profile(&mediator, dialect);
        let output = run(mediator.home.path(), &["watch", "home", "--until-dry", "--only", "logged_in,devices"]);
        let lines = schema::lines(&output.stdout);
        let names: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
        assert_eq!(names, ["logged_in", "devices"]);
        let unknown = run(mediator.home.path(), &["watch", "home", "--only", "logged_in,device"]);
        assert_eq!(unknown.status.code(), Some(2));
        let words = String::from_utf8(unknown.stderr).unwrap();
        assert!(words.contains("\"device\"") && words.contains("device_new"), "{words}");
    }
}

#[test]
fn a_signal_ends_a_watch_soon_although_nobody_reads_and_nobody_answers() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        add_profile(&mediator, dialect);
        assert_eq!(run(mediator.home.path(), &["watch", "home", "--until-dry"]).status.code(), Some(0));
        phone::phone_reflects(&mediator, dialect, 2_000, "Pixel 9");
        let mut watch = Watch::start(&mut d2mtop(mediator.home.path(), &["watch", "home"]));
        watch.wait_for("reflected");
        kill_process(mediator.process(), Signal::STOP).unwrap();
        watch.ends_soon(&dialect.to_string());
        kill_process(mediator.process(), Signal::CONT).unwrap();
    }
}

/// Runs d2mtop without HOME and TERM, and with this as all that it may find in their place; its code, and what it said on
/// standard output and error.
fn homeless(place: (&str, &Path), arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = d2mtop(place.1, arguments);
    command.env_clear().env(place.0, place.1);
    // The system knows a home without HOME, where the tests have no business.
    for (variable, directory) in [("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state")] {
        command.env(variable, place.1.join(directory));
    }
    let output = command.output().unwrap();
    program::assert_no_key(&output.stderr);
    (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn without_home_and_terminal_every_command_does_what_it_can_and_says_what_it_needs() {
    const NO_LOG: &str = "going on without a log";
    // Each start without a profile takes a slot of its own.
    let mediator = Mediator::start(&["--max-slots", "64"]);
    let key = key_file(mediator.home.path());
    let (url, key) = (mediator.url(), key.to_str().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let at = |command: &[&'static str], rest: &[&'static str]| -> Vec<String> {
        let options = ["--url", &url, "--key-file", key, "--stay-leader"].map(str::to_owned);
        command
            .iter()
            .map(|word| (*word).to_owned())
            .chain(options)
            .chain(rest.iter().map(|word| (*word).to_owned()))
            .collect()
    };
    let plain = |words: &[&str]| -> Vec<String> { words.iter().map(|word| (*word).to_owned()).collect() };
    let connecting = [
        (at(&["watch"], &["--until-dry"]), 0, "\"logged_in\""),
        (at(&["doctor"], &[]), 0, "login"),
        (at(&["devices"], &[]), 0, "this device"),
        (at(&["drop", "ffffffff", "--yes"], &[]), 5, ""),
        (at(&["lock", "contact-sync"], &["--", "echo", "under the lock"]), 0, "under the lock"),
        (at(&["shared-data", "show"], &[]), 0, "no shared data"),
        (at(&["probe", "-c", "1"], &[]), 0, "1 of 1 answered"),
    ];
    let others = [
        (plain(&["demo", "--headless", "--until-dry"]), 0, "\"queue_dry\"", NO_LOG),
        (plain(&["mediator", "--handshake-timeout", "0s"]), 2, "", "longer than 0s"),
        (plain(&["watch", "home"]), 2, "", "profile"),
        (plain(&["proxy", "home"]), 2, "", "profile"),
        (plain(&["history", "home"]), 2, "", "profile"),
        (plain(&["profile", "show", "home"]), 2, "", "profile"),
        (plain(&["profile", "sample"]), 0, "mediator =", NO_LOG),
        (plain(&["completions", "zsh"]), 0, "#compdef d2mtop", ""),
        (plain(&["man", "watch"]), 0, ".TH", ""),
        (plain(&["man", "profile", "add"]), 0, ".TH", ""),
        (plain(&["man", "shared-data show"]), 0, "d2mtop shared\\-data show [OPTIONS] [PROFILE]", ""),
        (plain(&["man", "nonsense"]), 2, "", "no command is called"),
        (plain(&[]), 2, "", "profile"),
    ];
    let connecting = connecting.into_iter().map(|(arguments, code, printed)| (arguments, code, printed, NO_LOG));
    for (arguments, code, printed, said) in connecting.chain(others) {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        for (place, has_log) in [(("HOME", Path::new("/dev/null")), false), (("LANG", directory.path()), true)] {
            let (ended, output, words) = homeless(place, &arguments);
            assert_eq!(ended, Some(code), "{arguments:?}: {words}");
            assert!(output.contains(printed), "{arguments:?} prints {printed:?}: {output}");
            assert!(!words.contains("panicked"), "{arguments:?}: {words}");
            // Nothing can be made in what is no directory, whoever one is; it is said, and is no reason not to go on.
            let expected = if said == NO_LOG { has_log != words.contains(NO_LOG) } else { words.contains(said) };
            assert!(expected, "{arguments:?} says {said:?}: {words}");
        }
    }
}

#[test]
fn a_home_that_is_not_there_is_not_made_but_directories_that_are_named_are() {
    let mediator = Mediator::start(&["--max-slots", "64"]);
    let directory = tempfile::tempdir().unwrap();
    let key = key_file(mediator.home.path());
    let (url, key) = (mediator.url(), key.to_str().unwrap());
    let missing = directory.path().join("missing");
    let look = ["devices", "--url", &url, "--key-file", key];
    let add = ["profile", "add", "home", "--mediator", &url, "--server-group", "01", "--key-file", key];
    for home in [missing.as_path(), Path::new("missing")] {
        let run = |arguments: &[&str], variables: &[(&str, &Path)]| {
            let mut command = d2mtop(home, arguments);
            command.current_dir(directory.path()).envs(variables.iter().copied()).output().unwrap()
        };
        assert_eq!(run(&look, &[]).status.code(), Some(0), "{home:?}");
        let refused = run(&add, &[]);
        let words = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{home:?}: {words}");
        assert!(words.contains("no home directory"), "{home:?}: {words}");
        assert!(!missing.exists(), "{home:?} was not made");
    }
    let (config, state) = (missing.join("config"), missing.join("state"));
    let named: [(&str, &Path); 2] = [("XDG_CONFIG_HOME", &config), ("XDG_STATE_HOME", &state)];
    for arguments in [&add[..], &["devices", "home"]] {
        let output = d2mtop(&missing, arguments).envs(named).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(state.is_dir() && config.join("d2mtop/profiles.toml").is_file());
}

#[test]
fn a_profile_that_is_open_stays_connected_when_others_try_to_open_it() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        let mut first = Watch::start(&mut d2mtop(home, &["watch", "home", "--stay-leader"]));
        first.wait_for("queue_dry");
        let who = format!("(process {})", first.child.id());
        let second = run(home, &["watch", "home"]);
        let words = String::from_utf8(second.stderr).unwrap();
        assert_eq!(second.status.code(), Some(7));
        assert!(words.contains(&who), "{words}");
        let mut dashboard = Terminal::start(&["home"], 24, 80, &[("HOME", home.to_str().unwrap())]);
        assert_eq!(dashboard.end().exit_code(), 7);
        let screen = dashboard.contents().replace('\n', "");
        assert!(screen.contains(&first.child.id().to_string()), "{screen}");
        first.signal(Signal::TERM);
        let last = first.wait_for("disconnected");
        assert_eq!(last["cause"], "by_user", "until then it stayed: {last}");
        assert_eq!(first.end().0, Some(0));
    }
}

#[test]
fn a_credential_of_systemd_opens_a_profile() {
    for dialect in DIALECTS {
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

const MEDIATOR_UNIT: (&str, &str) =
    ("d2mtop-mediator.service", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/d2mtop-mediator.service")));

const UNITS: [(&str, &str); 3] = [
    MEDIATOR_UNIT,
    ("d2mtop@.service", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/d2mtop@.service"))),
    ("d2mtop-user@.service", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/d2mtop-user@.service"))),
];

#[test]
fn the_units_start_what_exists() {
    let home = tempfile::tempdir().unwrap();
    for (name, unit) in UNITS.into_iter().filter(|unit| *unit != MEDIATOR_UNIT) {
        let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        let (_, arguments) = start.split_once(' ').unwrap();
        let events = unit.lines().find_map(|line| line.strip_prefix("Environment=EVENTS=")).unwrap();
        let arguments = arguments.replace("%L", home.path().to_str().unwrap()).replace("$EVENTS", events);
        // The profile of that name is all that is missing.
        let output = run(home.path(), &arguments.split(' ').collect::<Vec<_>>());
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(words.contains("no profile"), "{name}: {words}");
    }
}

#[test]
fn the_mediators_unit_starts_it() {
    let home = tempfile::tempdir().unwrap();
    let start = MEDIATOR_UNIT.1.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let (_, arguments) = start.split_once(' ').unwrap();
    let port_file = home.path().join("port");
    let more = format!("--port-file {}", port_file.display());
    let state = home.path().to_str().unwrap();
    let arguments = arguments.replace("$LISTEN", "127.0.0.1:0").replace("$MORE", &more).replace("%S", state);
    let mut child =
        d2mtop(home.path(), &arguments.split(' ').collect::<Vec<_>>()).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("\"event\":\"listening\""), "{first}");
    ends_soon(&mut child, "the mediator");
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
