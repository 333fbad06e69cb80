//! `--on`: real commands, run by the real binary, in both dialects.

use crate::support::held;
use crate::support::noting;
use crate::support::phone;
use crate::support::program;
use crate::support::terminal;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use d2mtop::cli::MonitorArgs;
use d2mtop::group::Event;
use d2mtop::protocol::{Dialect, GroupKeys, GroupSecret, Millis};
use d2mtop::runtime::{EventSink, Monitors, Observers};
use held::Held;
use noting::{add_profile, noted, noting, watch};
use phone::phone_reflects;
use program::{Mediator, d2mtop, key_file, run};

/// Longer than anything takes on a busy machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

const DIALECTS: [Dialect; 2] = [Dialect::Mk, Dialect::Dgk];

/// OSC 9.
const NOTIFIED: &str = "\u{1b}]9;d2mtop: this device became leader\u{1b}\\";

fn logged(home: &Path) -> String {
    let files = fs::read_dir(home.join(".local/state/d2mtop")).unwrap();
    let paths = files.map(|file| file.unwrap().path()).filter(|path| path.is_file());
    paths.map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn a_new_device_runs_the_command_with_the_event_and_little_else() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        watch(&mediator, &[]);
        phone_reflects(&mediator, dialect, 0, "Pixel \"9\" $(touch x)");
        let (new_device, path) = noting(home, "new-device");
        let all = ["watch", "home", "--until-dry", "--on", &new_device, "--on", "new-device=env"];
        let output = d2mtop(home, &all).env("A_SECRET", "of mine").env("PATH", "/usr/bin:/bin").output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        program::assert_no_key(&output.stdout);

        let noted = noted(&path);
        assert_eq!(noted.len(), 1, "{noted:?}");
        assert_eq!(noted[0]["event"], "device_new", "the same as in NDJSON");
        assert_eq!(noted[0]["alert"], "new-device");
        assert_eq!(noted[0]["profile"], "home");
        assert_eq!(noted[0]["label"], "Pixel \"9\" $(touch x)", "{dialect}: no shell has read it");
        assert_eq!(noted[0]["suppressed"], 0);
        let log = logged(home);
        assert!(log.contains("D2MTOP_EVENT=new-device"), "what a command says is logged: {log}");
        assert!(log.contains("PATH=/usr/bin:/bin") && !log.contains("A_SECRET"), "{log}");
        program::assert_no_key(log.as_bytes());
    }
}

#[test]
fn the_end_of_a_connection_is_told_before_the_program_ends() {
    for dialect in DIALECTS {
        let mut mediator = Mediator::start(&[]);
        let home = mediator.home.path().to_owned();
        add_profile(&mediator, dialect);
        let (lost, lost_path) = noting(&home, "lost");
        let (close, close_path) = noting(&home, "close=1001");
        let (other, other_path) = noting(&home, "close=4113");
        let arguments = ["watch", "home", "--stay-leader", "--on", &lost, "--on", &close, "--on", &other];
        let mut watch = d2mtop(&home, &arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("queue_dry")));
        rustix::process::kill_process(mediator.process(), rustix::process::Signal::TERM).unwrap();
        mediator.wait();
        assert!(lines.any(|line| line.unwrap().contains("closed_by_server")));
        // The rest, or the program would write to nobody.
        lines.for_each(drop);
        watch.wait().unwrap();
        for path in [lost_path, close_path] {
            let noted = noted(&path);
            assert_eq!(noted.len(), 1, "{}", path.display());
            assert_eq!((&noted[0]["event"], &noted[0]["code"]), (&"disconnected".into(), &1001.into()));
        }
        assert!(!other_path.exists(), "another code is another event");
    }
}

#[test]
fn a_command_that_hangs_or_is_missing_holds_nothing_up_and_is_logged() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        let held = Held::create(home);
        let hang = format!("promoted={}", held.command());
        let (promoted, path) = noting(home, "promoted");
        let start = Instant::now();
        // Alone in the group, so the leader at once.
        let all = ["--stay-leader", "--on", &hang, "--on", "promoted=/nowhere/to be/found", "--on", "promoted=false"];
        let output = watch(&mediator, &[&all[..], &["--on", &promoted]].concat());
        assert!(start.elapsed() < PATIENCE, "nobody waits for it for ever");
        assert!(String::from_utf8_lossy(&output.stdout).contains("queue_dry"));
        assert_eq!(noted(&path).len(), 1, "the others run all the same");
        let log = logged(home);
        assert!(log.contains("/nowhere/to cannot be started: No such file"), "{log}");
        assert!(log.contains("false failed: exit status: 1"), "{log}");
        assert!(log.contains("1 commands still run at the end, and are ended"), "{log}");
        held.wait_until_it_runs();
        held.wait_until_nobody_is_left();
    }
}

#[test]
fn a_watch_that_will_never_know_of_a_lock_says_so() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        add_profile(&mediator, dialect);
        for (event, warned) in [("lock-stuck=1m=true", true), ("lost=true", false)] {
            let output = watch(&mediator, &["--stay-leader", "--on", event]);
            let words = String::from_utf8(output.stderr).unwrap();
            assert_eq!(words.contains("--on lock-stuck never happens here"), warned, "{dialect}, {event}: {words}");
        }
    }
}

struct Counter(Arc<Mutex<usize>>);

impl EventSink for Counter {
    fn tell(&mut self, _at: Millis, _event: Event) {
        *self.0.lock().unwrap() += 1;
    }
}

#[test]
fn a_flood_of_events_runs_the_command_once_a_second_and_says_how_many_there_were() {
    let home = tempfile::tempdir().unwrap();
    let (promoted, path) = noting(home.path(), "promoted");
    let options = MonitorArgs { on: vec![promoted], ..MonitorArgs::default() };
    let monitors = Monitors::start(&options, None).unwrap();
    let keys = GroupKeys::derive(Dialect::Dgk, &GroupSecret::from_hex(program::KEY).unwrap());
    let told = Arc::new(Mutex::new(0));
    let mut observers = Observers::new(Counter(Arc::clone(&told))).with_all(monitors.observers("", &keys));
    let start = Instant::now();
    for at in 0..10_000 {
        observers.tell(Millis(at), Event::Promoted);
    }
    let elapsed = start.elapsed();
    assert!(elapsed < Duration::from_secs(1), "the session waited: {elapsed:?}");
    drop(monitors);
    assert_eq!(*told.lock().unwrap(), 10_000, "every event is handed on");
    let noted = noted(&path);
    assert!((1..=3).contains(&noted.len()), "{noted:?}");
    let told: u64 = noted.iter().map(|line| line["suppressed"].as_u64().unwrap() + 1).sum();
    assert_eq!(told, 10_000, "none is forgotten");
}

#[test]
fn an_event_that_does_not_exist_is_refused_with_those_that_do() {
    let home = tempfile::tempdir().unwrap();
    for command in ["watch", "demo"] {
        let more: &[&str] = if command == "demo" { &["--headless"] } else { &["--url", "ws://127.0.0.1:9/"] };
        let key = key_file(home.path());
        let key: &[&str] = if command == "demo" { &[] } else { &["--key-file", key.to_str().unwrap()] };
        let output = run(home.path(), &[&[command, "--on", "newdevice=true"], more, key].concat());
        assert_eq!(output.status.code(), Some(2));
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(words.contains(d2mtop::alerts::Trigger::LIST), "{words}");
    }
}

#[test]
fn the_dashboard_rings_and_notifies_if_asked_and_not_in_quiet_hours() {
    // From an hour ago to an hour before that: tomorrow, however late it is.
    let hour = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() / 3_600;
    let quiet_now = format!("{:02}:00-{:02}:00", (hour + 23) % 24, (hour + 22) % 24);
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let key = key_file(mediator.home.path());
        let (url, dialect) = (mediator.url(), dialect.to_string());
        let connection = ["--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", &dialect, "--stay-leader"];
        for (more, rings) in [
            (&["--bell", "--notify", "--utc"][..], true),
            (&["--bell", "--notify", "--utc", "--quiet-hours", &quiet_now], false),
            (&["--utc"], false),
        ] {
            let mut terminal = terminal::Terminal::start(&[&connection[..], more].concat(), 30, 100, &[]);
            terminal.wait_for("leader");
            if rings {
                terminal.wait_for_written(NOTIFIED);
            }
            terminal.press("?");
            terminal.wait_for("Keys");
            terminal.press("\u{3}");
            assert_eq!(terminal.end().exit_code(), 0);
            let written = String::from_utf8_lossy(&terminal.raw).into_owned();
            assert_eq!(written.contains(NOTIFIED), rings, "{dialect} {more:?}");
            assert_eq!(written.contains('\u{7}'), rings, "{dialect} {more:?}");
        }
        for (more, words) in [
            (&["--quiet-hours", "at night", "--bell"][..], "two different times of the day"),
            (&["--quiet-hours", "22:00-07:00"], "--bell|--notify"),
        ] {
            let mut wrong = terminal::Terminal::start(&[more, &connection].concat(), 30, 100, &[]);
            assert_eq!(wrong.end().exit_code(), 2, "{more:?}: {}", wrong.contents());
            assert!(wrong.contents().contains(words), "{more:?}: {}", wrong.contents());
        }
    }
}
