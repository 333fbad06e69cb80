//! `d2mtop proxy` and `d2mtop mediator --chat-server` between a chat client and a chat server: real processes and sockets.

mod carrying;
mod ends;
mod listening;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::program::{self, LOG, Mediator, key_file};
use crate::support::schema;

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
