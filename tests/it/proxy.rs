//! `d2mtop proxy` and `d2mtop mediator --chat-server` between a chat client and a chat server: real processes and sockets.

use crate::support::program;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use program::{LOG, Mediator, key_file, run, schema};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Only a failing test waits this long.
const PATIENCE: Duration = Duration::from_secs(60);
const DIALECTS: [&str; 2] = ["mk", "dgk"];
const LOGIN: usize = 144 + 61;

/// A proxy in a process of its own; killed when dropped.
struct Proxy {
    child: Child,
    lines: mpsc::Receiver<Value>,
    seen: Vec<Value>,
    port: u16,
}

/// A proxy with its connection.
fn proxy(mediator: &Mediator, dialect: &str, more: &[&str]) -> Command {
    let key = key_file(mediator.home.path());
    let url = mediator.url();
    let connection = ["proxy", "--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", dialect];
    program::d2mtop(mediator.home.path(), &[&connection[..], more].concat())
}

impl Proxy {
    /// Alone in its group, it has led and left.
    fn start(mediator: &Mediator, dialect: &str) -> Self {
        let mut proxy = Self::start_with(mediator, dialect, &[]);
        assert_eq!(proxy.until("disconnected")["cause"], "leader_role");
        proxy
    }

    fn start_with(mediator: &Mediator, dialect: &str, more: &[&str]) -> Self {
        let mut child = proxy(mediator, dialect, more).stdout(Stdio::piped()).spawn().expect("the proxy starts");
        let lines = read_lines(child.stdout.take().unwrap());
        let mut proxy = Self { child, lines, seen: Vec::new(), port: 0 };
        proxy.port = proxy.until("listening")["port"].as_u64().unwrap().try_into().unwrap();
        proxy
    }

    /// The next line of that event.
    fn until(&mut self, event: &str) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {event} after {:?}", self.seen));
            self.seen.push(line.clone());
            if line["event"] == event {
                return line;
            }
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    fn end(&mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_lines(output: ChildStdout) -> mpsc::Receiver<Value> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            let line = line.unwrap();
            let value = schema::lines(line.as_bytes()).remove(0);
            if sender.send(value).is_err() {
                return;
            }
        }
    });
    lines
}

/// A chat server for so many connections, one after another.
fn chat_server(connections: usize, serve: impl Fn(TcpStream) + Send + 'static) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = std::thread::spawn(move || {
        for _ in 0..connections {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            serve(stream);
        }
    });
    (address, serving)
}

/// The server's side of the login.
fn welcome(stream: &mut TcpStream) {
    stream.read_exact(&mut [0; 48]).unwrap();
    stream.write_all(&[1; 80]).unwrap();
    stream.read_exact(&mut [0; LOGIN]).unwrap();
    stream.write_all(&[2; 32]).unwrap();
}

/// The client's side of the login, torn.
fn log_in(stream: &mut TcpStream) {
    stream.write_all(&[3; 20]).unwrap();
    stream.write_all(&[3; 28]).unwrap();
    let mut hello = [0; 80];
    stream.read_exact(&mut hello).unwrap();
    assert_eq!(hello, [1; 80]);
    stream.write_all(&[4; 100]).unwrap();
    stream.write_all(&[4; LOGIN - 100]).unwrap();
    let mut acknowledgement = [0; 32];
    stream.read_exact(&mut acknowledgement).unwrap();
    assert_eq!(acknowledgement, [2; 32]);
}

/// Sends everything back, a few bytes at a time at first.
fn echo(mut stream: TcpStream) {
    welcome(&mut stream);
    let mut buffer = [0; 5_000];
    let mut most = 1;
    while let Ok(read) = stream.read(&mut buffer[..most]) {
        if read == 0 || stream.write_all(&buffer[..read]).is_err() {
            return;
        }
        most = (most + 1).min(buffer.len());
    }
}

fn boxes(count: usize) -> Vec<u8> {
    let one = |number: usize| {
        let length = 20 + number * 997 % 8_000;
        [&u16::try_from(length).unwrap().to_le_bytes()[..], &vec![u8::try_from(number % 251).unwrap(); length]].concat()
    };
    (0..count).flat_map(one).collect()
}

fn mediator_with(address: &str) -> Mediator {
    Mediator::start(&["--chat-server", address])
}

/// A proxy to a chat server that says everything again, with a client that is logged in there.
fn with_client(dialect: &str) -> (Mediator, Proxy, TcpStream) {
    let (address, _serving) = chat_server(1, echo);
    let mediator = mediator_with(&address);
    let proxy = Proxy::start(&mediator, dialect);
    let mut stream = proxy.connect();
    log_in(&mut stream);
    (mediator, proxy, stream)
}

/// What the mediator logged, after a good end.
fn log_of(mut mediator: Mediator) -> Vec<Value> {
    kill_process(mediator.process(), Signal::TERM).unwrap();
    assert_eq!(mediator.wait().code(), Some(0));
    schema::MEDIATOR_LOG.lines(&std::fs::read(mediator.home.path().join(LOG)).unwrap())
}

fn is_at_its_end(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    // A reset is an end, too.
    stream.read_to_end(&mut rest).map_or_else(|error| error.kind() == std::io::ErrorKind::ConnectionReset, |_| true)
}

#[test]
fn a_chat_client_and_its_server_hear_each_other_one_frame_a_message() {
    const FRAMES: usize = 300;
    for dialect in DIALECTS {
        let (address, serving) = chat_server(2, echo);
        let mediator = mediator_with(&address);
        let mut proxy = Proxy::start(&mediator, dialect);
        for client in 0..2 {
            let mut stream = proxy.connect();
            log_in(&mut stream);
            let sent = boxes(FRAMES);
            let (mut writer, all) = (stream.try_clone().unwrap(), sent.clone());
            let writing =
                std::thread::spawn(move || all.chunks(1_234).for_each(|chunk| writer.write_all(chunk).unwrap()));
            let mut came = vec![0; sent.len()];
            stream.read_exact(&mut came).unwrap();
            assert!(came == sent, "{dialect}: what came back is not what was sent");
            writing.join().unwrap();
            drop(stream);
            let told = proxy.until("client_disconnected");
            assert_eq!(told["by"], "client", "{dialect}, client {client}: {told}");
            for count in ["frames_to_server", "frames_from_server"] {
                assert_eq!(told[count], FRAMES + 2, "{dialect}, client {client}: {told}");
            }
        }
        assert_eq!(proxy.end(), Some(0));
        serving.join().unwrap();
        let log = log_of(mediator);
        let ends: Vec<_> = log.iter().filter(|line| line["event"] == "chat_closed").collect();
        assert_eq!(ends.len(), 2, "{dialect}: each client has a connection of its own: {log:?}");
        for end in ends {
            assert_eq!(end["frames_to_server"], FRAMES + 2, "{dialect}: {end}");
            assert_eq!(end["frames_from_server"], FRAMES + 2, "{dialect}: {end}");
        }
    }
}

#[test]
fn a_leader_stays_as_long_as_a_client_is_there() {
    for dialect in DIALECTS {
        let (_mediator, mut proxy, mut stream) = with_client(dialect);
        proxy.until("promoted");
        // Longer than a promotion would otherwise be kept.
        proxy.until("devices");
        stream.write_all(&boxes(1)).unwrap();
        stream.read_exact(&mut [0; 22]).unwrap();
        drop(stream);
        let given_up = proxy.until("role_given_up");
        assert!(given_up["back_at"].is_u64(), "{dialect}");
        assert_eq!(given_up["promotions_in_a_row"], 1, "{dialect}: whoever served a client starts over: {given_up}");
    }
}

#[test]
fn a_client_that_comes_while_the_role_is_given_up_is_served_all_the_same() {
    for dialect in DIALECTS {
        for moment in ["connecting", "logged_in", "queue_dry", "promoted", "role_given_up", "disconnected"] {
            let (address, _serving) = chat_server(1, echo);
            let mediator = mediator_with(&address);
            let mut proxy = Proxy::start_with(&mediator, dialect, &[]);
            proxy.until(moment);
            let mut stream = proxy.connect();
            log_in(&mut stream);
            drop(stream);
            assert_eq!(proxy.until("client_disconnected")["by"], "client", "{dialect}, {moment}: {:?}", proxy.seen);
        }
    }
}

#[test]
fn what_was_carried_is_told_also_when_a_signal_ends_it() {
    for dialect in DIALECTS {
        let (_mediator, mut proxy, mut stream) = with_client(dialect);
        assert_eq!(proxy.end(), Some(0), "{dialect}");
        assert!(is_at_its_end(&mut stream), "{dialect}");
        let told = proxy.until("client_disconnected");
        assert_eq!((&told["by"], &told["words"]), (&"proxy".into(), &"d2mtop ends".into()), "{dialect}: {told}");
        for (count, carried) in [("bytes_to_server", 48 + LOGIN), ("bytes_from_server", 80 + 32)] {
            assert_eq!(told[count], carried, "{dialect}: {told}");
        }
        let end = proxy.until("disconnected");
        assert_eq!((&end["cause"], &end["next"]), (&"by_user".into(), &"end".into()), "{dialect}: {end}");
    }
}

#[test]
fn what_was_carried_is_told_also_when_the_device_is_dropped() {
    for dialect in DIALECTS {
        let (address, _serving) = chat_server(1, echo);
        let mediator = mediator_with(&address);
        let device = "1111111111111111";
        let mut proxy = Proxy::start_with(&mediator, dialect, &["--device-id", device]);
        let mut stream = proxy.connect();
        log_in(&mut stream);
        let key = key_file(mediator.home.path());
        let url = mediator.url();
        let drop = ["drop", device, "--yes", "--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", dialect];
        let dropped = run(mediator.home.path(), &drop);
        assert_eq!(dropped.status.code(), Some(0), "{dialect}: {}", String::from_utf8_lossy(&dropped.stderr));
        let told = proxy.until("client_disconnected");
        assert_eq!((&told["by"], &told["frames_to_server"]), (&"mediator".into(), &2.into()), "{dialect}: {told}");
        assert_eq!(proxy.child.wait().unwrap().code(), Some(3), "{dialect}: somebody has to decide");
    }
}

#[test]
fn the_chat_server_s_end_is_told_in_words() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (closing, _serving) = chat_server(8, |mut stream| stream.read_exact(&mut [0; 48]).unwrap());
    let (babbling, _babbling) = chat_server(8, |mut stream| {
        stream.read_exact(&mut [0; 48]).unwrap();
        stream.write_all(&[0xff; 114]).unwrap();
        let _ = stream.read(&mut [0]);
    });
    for dialect in DIALECTS {
        for (address, code, words) in [
            (&closing, 4000, "the chat server closed its connection"),
            (&closed, 4001, "the mediator could not reach the chat server"),
            (&babbling, 4009, "internal error towards the chat server"),
        ] {
            let mediator = mediator_with(address);
            let mut proxy = Proxy::start(&mediator, dialect);
            let mut stream = proxy.connect();
            stream.write_all(&[3; 48]).unwrap();
            assert!(is_at_its_end(&mut stream), "{dialect}, {code}: the client is cut off");
            let told = loop {
                let told = proxy.until("disconnected");
                if told["cause"] == "closed_by_server" {
                    break told;
                }
            };
            assert_eq!(told["code"], code, "{dialect}: {told}");
            let told_words = told["words"].as_str().unwrap();
            assert!(told_words.contains(words), "{dialect}: {told}");
            assert_eq!(
                told_words.matches("chat server").count(),
                if code == 4009 { 2 } else { 1 },
                "{dialect}: {told}"
            );
            assert_eq!(told["next"], "retry", "{dialect}: {told}");
            assert_eq!(proxy.until("client_disconnected")["by"], "mediator", "{dialect}, {code}");
        }
    }
}

#[test]
fn a_second_client_is_refused_and_the_first_goes_on() {
    for dialect in DIALECTS {
        let (address, _serving) = chat_server(1, echo);
        let mediator = mediator_with(&address);
        let mut proxy = Proxy::start(&mediator, dialect);
        let mut first = proxy.connect();
        log_in(&mut first);
        let mut second = proxy.connect();
        assert!(is_at_its_end(&mut second));
        proxy.until("client_refused");
        first.write_all(&boxes(1)).unwrap();
        first.read_exact(&mut [0; 22]).unwrap();
    }
}

#[test]
fn half_a_frame_goes_nowhere() {
    for dialect in DIALECTS {
        let (sender, heard) = mpsc::channel();
        let (address, _serving) = chat_server(1, move |mut stream| {
            welcome(&mut stream);
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).unwrap();
            sender.send(rest).unwrap();
        });
        let mediator = mediator_with(&address);
        let mut proxy = Proxy::start(&mediator, dialect);
        let mut stream = proxy.connect();
        log_in(&mut stream);
        let whole = boxes(2);
        stream.write_all(&whole).unwrap();
        stream.write_all(&[100, 0, 7, 7, 7]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(proxy.until("client_disconnected")["incomplete_bytes"], 5);
        assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), whole, "all whole frames arrive, also the last");
    }
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    for dialect in DIALECTS {
        let (address, _serving) = chat_server(1, |mut stream| {
            welcome(&mut stream);
            let frame = [&60_000_u16.to_le_bytes()[..], &vec![7; 60_000]].concat();
            while stream.write_all(&frame).is_ok() {}
        });
        let mediator = mediator_with(&address);
        let mut proxy = Proxy::start(&mediator, dialect);
        let mut stream = proxy.connect();
        log_in(&mut stream);
        let told = proxy.until("client_disconnected");
        assert!(told["words"].as_str().unwrap().contains("does not read"), "{told}");
    }
}

#[test]
fn the_mediator_s_end_is_the_client_s_end_and_not_the_proxy_s() {
    for dialect in DIALECTS {
        let (mediator, mut proxy, mut stream) = with_client(dialect);
        kill_process(mediator.process(), Signal::KILL).unwrap();
        assert!(is_at_its_end(&mut stream));
        assert_eq!(proxy.until("client_disconnected")["by"], "mediator");
        proxy.until("connecting");
        assert_eq!(proxy.end(), Some(0));
    }
}

#[test]
fn what_cannot_be_used_is_said_before_anything_listens() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&["--max-slots", "1"]);
        let key = key_file(mediator.home.path());
        let (url, key) = (mediator.url(), key.to_str().unwrap());
        let connection = ["proxy", "--url", &url, "--key-file", key, "--dialect", dialect];
        for (more, words) in [
            (&["--read-only"][..], "--read-only"),
            (&["--dangerously-accept-any-certificate"], "even-unattended"),
            (&["--listen", "nowhere"], "--listen"),
        ] {
            let output = run(mediator.home.path(), &[&connection[..], more].concat());
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{more:?}: {stderr}");
            assert!(stderr.contains(words), "{more:?}: {stderr}");
        }
        let output = run(mediator.home.path(), &["mediator", "--chat-server", "nowhere"]);
        assert_eq!(output.status.code(), Some(2), "no port is named");
        let taken = format!("127.0.0.1:{}", mediator.port);
        let output = run(mediator.home.path(), &[&connection[..], &["--listen", &taken]].concat());
        assert_eq!(output.status.code(), Some(1), "the address is taken");
        let watch = ["watch", "--url", &url, "--key-file", key, "--dialect", dialect, "--until-dry"];
        let watch = [&watch[..], &["--persistent", "--device-id", "1111111111111111"]].concat();
        assert_eq!(run(mediator.home.path(), &watch).status.code(), Some(0), "{dialect}: it takes the only slot");
        let refused = run(mediator.home.path(), &connection);
        let words = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(3), "{dialect}: the login is refused: {words}");
        assert!(words.contains("4111") && words.contains("drop a device"), "{dialect}: {words}");
    }
}

#[test]
fn an_address_that_others_can_reach_is_warned_about() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let mut proxy = Proxy::start_with(&mediator, dialect, &["--listen", "0.0.0.0:0"]);
        let warning = proxy.seen.iter().find(|line| line["event"] == "warning").expect("a warning before it listens");
        assert_eq!(warning["warning"], "not_loopback", "{dialect}: {warning}");
        assert_eq!(proxy.end(), Some(0));
        let mut proxy = Proxy::start(&mediator, dialect);
        assert!(!proxy.seen.iter().any(|line| line["event"] == "warning"), "{dialect}: {:?}", proxy.seen);
        assert_eq!(proxy.end(), Some(0));
    }
}

/// A command that serves, and whose output nothing can be written to; ended when it has listened, and somebody was served.
fn serves_with_a_full_disk(mut command: Command, home: &std::path::Path, serve: impl FnOnce(u16)) {
    let port_file = home.join("full.port");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut child = command.arg("--port-file").arg(&port_file).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    let mut words = BufReader::new(child.stderr.take().unwrap());
    let mut first = String::new();
    words.read_line(&mut first).unwrap();
    assert!(first.contains("cannot write to standard output: No space left"), "{first}");
    serve(std::fs::read_to_string(&port_file).unwrap().trim().parse().unwrap());
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let mut rest = String::new();
    words.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{first}{rest}");
    assert_eq!(rest.matches("No space left").count(), 1, "only once more, at the end: {rest}");
}

#[test]
fn who_serves_goes_on_with_a_full_disk_and_says_so() {
    for dialect in DIALECTS {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        let key = key_file(home);
        let log_in = |port: u16| {
            let url = format!("ws://127.0.0.1:{port}/");
            let watch = ["watch", "--url", &url, "--key-file", key.to_str().unwrap(), "--dialect", dialect];
            assert_eq!(run(home, &[&watch[..], &["--until-dry"]].concat()).status.code(), Some(0), "{dialect}");
        };
        serves_with_a_full_disk(program::d2mtop(home, &["mediator"]), home, log_in);
        let connect = |port: u16| drop(TcpStream::connect(("127.0.0.1", port)).unwrap());
        serves_with_a_full_disk(proxy(&mediator, dialect, &[]), home, connect);
    }
}
