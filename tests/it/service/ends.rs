//! How a service ends, and how it comes back: closes that wait for somebody, a mediator that was away, commands that take
//! no end.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use d2mtop::protocol::Dialect;
use rustix::process::{Signal, kill_process};
use serde_json::Value;

use super::held::Held;
use super::phone::phone_reflects;
use super::program::{Mediator, d2mtop, key_file, run};
use super::{DIALECTS, PATIENCE, Watch, add_profile};

/// A service whose slot is taken care of by nobody else.
fn service(mediator: &Mediator) -> Watch {
    started(mediator, &[])
}

fn started(mediator: &Mediator, more: &[&str]) -> Watch {
    let arguments = [&["watch", "home", "--reconnect", "always", "--stay-leader"], more].concat();
    let mut service = Watch::start(&mut d2mtop(mediator.home.path(), &arguments));
    service.wait_for("queue_dry");
    service
}

/// The close was told, and somebody has to decide.
fn needs_somebody(mut service: Watch, code: u16, advice: &str) {
    let last = service.wait_for("disconnected");
    assert_eq!((&last["code"], &last["next"]), (&code.into(), &"wait_for_user".into()), "{last}");
    let (ended, words) = service.end();
    assert_eq!(ended, Some(3), "{code}: {words}");
    assert!(words.contains(&code.to_string()) && words.contains(advice), "{words}");
}

/// Options of another program in the same group; it has a home of its own, as if it were on another machine.
fn elsewhere(mediator: &Mediator, dialect: Dialect, home: &Path, arguments: &[&str]) -> Option<i32> {
    let (key, url, dialect) = (key_file(home), mediator.url(), dialect.to_string());
    let connection = ["--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", &dialect, "--stay-leader"];
    run(home, &[arguments, &connection].concat()).status.code()
}

#[test]
fn a_close_that_waits_for_somebody_ends_a_service_with_3_also_after_the_login() {
    for dialect in DIALECTS {
        let other = tempfile::tempdir().unwrap();
        let mediator = Mediator::start(&["--queue-limit", "50"]);
        add_profile(&mediator, dialect);

        let twice = service(&mediator);
        let profiles = fs::read_to_string(mediator.home.path().join(".config/d2mtop/profiles.toml")).unwrap();
        let id = profiles.lines().find_map(|line| line.strip_prefix("device_id = \"")).expect("the profile has an id");
        let id = id.trim_end_matches('"');
        let same = ["watch", "--device-id", id, "--persistent", "--expect", "existing", "--until-dry"];
        assert_eq!(elsewhere(&mediator, dialect, other.path(), &same), Some(0), "{dialect}");
        needs_somebody(twice, 4112, "quit the other d2mtop");

        let dropped = service(&mediator);
        assert_eq!(elsewhere(&mediator, dialect, other.path(), &["drop", "before", "--yes"]), Some(0), "{dialect}");
        needs_somebody(dropped, 4113, "connect again as a new device");

        // To start it again is no decision: a machine does that, too.
        for command in ["watch", "devices", "proxy"] {
            let refused = run(mediator.home.path(), &[command, "home"]);
            let words = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert_eq!(refused.status.code(), Some(3), "{dialect}, {command}: {words}");
            assert!(words.contains("--expect new"), "{dialect}, {command}: {words}");
        }
        let examined = run(mediator.home.path(), &["doctor", "home"]);
        let words = String::from_utf8_lossy(&examined.stdout).into_owned();
        assert_eq!(examined.status.code(), Some(1), "{dialect}: {words}");
        assert!(words.contains("fail  login") && words.contains("--expect new"), "{dialect}: {words}");
        let full = started(&mediator, &["--expect", "new"]);
        full.signal(Signal::STOP);
        phone_reflects(&mediator, dialect, 60, "Pixel 9");
        full.signal(Signal::CONT);
        needs_somebody(full, 4114, "connect again as a new device");
        let again = run(mediator.home.path(), &["watch", "home", "--until-dry", "--expect", "new"]);
        assert_eq!(again.status.code(), Some(0));
        let logged_in = super::schema::lines(&again.stdout).into_iter().find(|line| line["event"] == "logged_in");
        assert_eq!(logged_in.expect("a login")["slot"], "new", "{dialect}");
    }
}

/// The way to a mediator, which can be cut.
struct Way {
    address: SocketAddr,
    streams: Arc<Mutex<Option<Vec<TcpStream>>>>,
}

impl Way {
    fn open(address: SocketAddr, mediator: u16) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let streams = Arc::new(Mutex::new(Some(Vec::new())));
        let open = Arc::clone(&streams);
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let mut open = open.lock().unwrap();
                let Some(streams) = &mut *open else { return };
                let server = TcpStream::connect(("127.0.0.1", mediator)).unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    streams.push(from.try_clone().unwrap());
                    thread::spawn(move || {
                        // Its end is the end of the other direction, too.
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        Self { address, streams }
    }

    /// Nobody listens there any more when this returns.
    fn cut(self) -> SocketAddr {
        let streams = self.streams.lock().unwrap().take().unwrap();
        for stream in &streams {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the listener, which sees that it is over.
        let mut last = TcpStream::connect(self.address).unwrap();
        let _ = last.read(&mut [0]);
        self.address
    }
}

#[test]
fn a_service_comes_back_when_the_way_to_its_mediator_does_and_is_given_so_many_tries() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        add_profile(&mediator, dialect);
        let way = Way::open(([127, 0, 0, 1], 0).into(), mediator.port);
        let path = mediator.home.path().join(".config/d2mtop/profiles.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace(&mediator.url(), &format!("ws://{}/", way.address))).unwrap();
        let mut always = service(&mediator);
        let address = way.cut();
        assert_eq!(always.wait_for("disconnected")["next"], "retry", "{dialect}");
        assert_eq!(always.wait_for("disconnected")["cause"], "unreachable", "{dialect}");
        let way = Way::open(address, mediator.port);
        assert_eq!(always.wait_for("logged_in")["slot"], "existing", "{dialect}");
        always.wait_for("queue_dry");
        always.ends_soon("after it came back");

        let arguments = ["watch", "home", "--stay-leader", "--reconnect", "1"];
        let mut once = Watch::start(&mut d2mtop(mediator.home.path(), &arguments));
        once.wait_for("queue_dry");
        way.cut();
        assert_eq!(once.wait_for("disconnected")["next"], "retry", "the way is gone");
        let last = once.wait_for("disconnected");
        assert_eq!((&last["cause"], &last["next"]), (&"unreachable".into(), &"end".into()), "one try");
        assert_eq!(once.lines(), Vec::<Value>::new(), "and no more");
        let (code, words) = once.end();
        assert_eq!(code, Some(4));
        assert!(words.contains("nobody listens"), "{dialect}: it says why: {words}");
    }
    let home = tempfile::tempdir().unwrap();
    let unknown = run(home.path(), &["watch", "home", "--reconnect", "often"]);
    assert_eq!(unknown.status.code(), Some(2));
}

/// A mediator that has forgotten everything says so to whoever expects a slot; the first dialect has no such words.
#[test]
fn a_mediator_that_was_killed_and_starts_anew_takes_the_service_again_or_tells_that_it_has_forgotten_it() {
    for dialect in DIALECTS {
        let mut mediator = Mediator::start(&[]);
        add_profile(&mediator, dialect);
        let mut service = service(&mediator);
        kill_process(mediator.process(), Signal::KILL).unwrap();
        mediator.wait();
        assert_eq!(service.wait_for("disconnected")["next"], "retry", "{dialect}");
        mediator.restart();
        match dialect {
            Dialect::Mk => {
                service.wait_for("logged_in");
                service.ends_soon("after the mediator came back");
            }
            Dialect::Dgk => loop {
                let lost = service.wait_for("disconnected");
                if lost["next"] != "retry" {
                    assert_eq!(lost["code"], 4115, "{lost}");
                    let (code, words) = service.end();
                    assert_eq!(code, Some(3), "{words}");
                    assert!(words.contains("--expect"), "{words}");
                    break;
                }
            },
        }
    }
}

#[test]
fn the_time_ends_a_watch_well_also_while_it_is_away_but_not_if_it_never_was_there() {
    for dialect in DIALECTS {
        let mut mediator = Mediator::start(&[]);
        add_profile(&mediator, dialect);
        let arguments = ["watch", "home", "--stay-leader", "--reconnect", "always", "--for", "4s"];
        let mut watch = Watch::start(&mut d2mtop(mediator.home.path(), &arguments));
        watch.wait_for("queue_dry");
        kill_process(mediator.process(), Signal::KILL).unwrap();
        mediator.wait();
        assert_eq!(watch.wait_for("disconnected")["next"], "retry");
        let mut last = watch.lines();
        let last = last.pop().expect("the end is told");
        assert_eq!((&last["event"], &last["next"]), (&"disconnected".into(), &"end".into()), "{dialect}: {last}");
        assert_eq!(watch.end(), (Some(0), String::new()), "{dialect}: there was something to watch");
        let arguments = ["watch", "home", "--reconnect", "always", "--for", "1s"];
        let never = run(mediator.home.path(), &arguments);
        let words = String::from_utf8(never.stderr).unwrap();
        assert_eq!(never.status.code(), Some(4), "{dialect}: {words}");
        assert!(words.contains("no login"), "{dialect}: {words}");
    }
}

#[test]
fn a_command_that_takes_no_end_is_ended_by_a_signal_in_the_time_that_is_promised() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        add_profile(&mediator, dialect);
        let held = Held::create(mediator.home.path());
        let command = format!("promoted={}", held.command());
        let arguments = ["watch", "home", "--stay-leader", "--on", &command];
        let mut watch = Watch::start(&mut d2mtop(mediator.home.path(), &arguments));
        watch.wait_for("promoted");
        held.wait_until_it_runs();
        watch.ends_soon("while a command runs");
        held.wait_until_nobody_is_left();
    }
}

/// A pipe that takes nothing until somebody reads the empty lines that are in it.
pub(super) fn full_pipe() -> (io::PipeReader, Stdio) {
    let (reader, mut writer) = io::pipe().unwrap();
    let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
    rustix::fs::fcntl_setfl(&writer, flags | rustix::fs::OFlags::NONBLOCK).unwrap();
    for size in [4_096, 1] {
        while writer.write(&vec![b'\n'; size]).is_ok() {}
    }
    rustix::fs::fcntl_setfl(&writer, flags).unwrap();
    (reader, Stdio::from(writer))
}

/// Its session is over, and it waits for its reader alone.
fn waits_for_reader(watch: &Child) {
    let begin = Instant::now();
    let threads = || {
        let tasks = fs::read_dir(format!("/proc/{}/task", watch.id())).expect("it is there");
        tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok()).collect::<Vec<_>>()
    };
    let is_there = |name: &str| threads().iter().any(|thread| thread.trim() == name);
    while !is_there("session") {
        assert!(begin.elapsed() < PATIENCE, "no session: {:?}", threads());
        thread::yield_now();
    }
    while is_there("session") {
        assert!(begin.elapsed() < PATIENCE, "the session goes on: {:?}", threads());
        thread::yield_now();
    }
}

#[test]
fn a_watch_that_has_ended_and_waits_for_its_reader_hears_signals() {
    for dialect in DIALECTS {
        for (how, ends) in [("dry", vec!["--until-dry"]), ("time", vec!["--for", "1s"]), ("close", vec![])] {
            let mediator = Mediator::start(&[]);
            add_profile(&mediator, dialect);
            let path = mediator.home.path().join("notify");
            let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            let arguments = [&["watch", "home", "--stay-leader", "--only", "disconnected"], ends.as_slice()].concat();
            let (_reader, output) = full_pipe();
            let mut watch = d2mtop(mediator.home.path(), &arguments);
            let mut watch = watch.stdout(output).env("NOTIFY_SOCKET", &path).spawn().unwrap();
            super::next_word(&socket, "READY=1");
            if how == "close" {
                kill_process(mediator.process(), Signal::INT).unwrap();
            }
            waits_for_reader(&watch);
            assert_eq!(watch.try_wait().unwrap(), None, "{dialect}, {how}: it waits for its reader");
            super::ends_soon(&mut watch, &format!("{dialect}, {how}"));
        }
    }
}
