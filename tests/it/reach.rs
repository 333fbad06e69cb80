//! The way to a mediator: proxies, load balancers, and web servers that are none.

mod balancers;
mod certificates;
mod dry;
pub mod proxies;
mod web;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::certificates::{Authority, Validity};
use crate::support::program::{Mediator, checked, d2mtop, key_file};

/// A mediator with TLS at `localhost`, and who vouches for it.
pub struct Encrypted {
    pub mediator: Mediator,
    pub authority: Authority,
}

impl Encrypted {
    pub fn start() -> Self {
        let authority = Authority::new();
        let leaf = authority.leaf("localhost", Validity::Now);
        let (certificate, key) = (leaf.certificate.to_str().unwrap(), leaf.key.to_str().unwrap());
        let mediator = Mediator::start(&["--tls-cert", certificate, "--tls-key", key]);
        Self { mediator, authority }
    }

    pub fn home(&self) -> &Path {
        self.mediator.home.path()
    }

    /// A command with what it needs to log in there.
    pub fn command(&self, command: &str, dialect: &str, arguments: &[&str]) -> Command {
        let key = key_file(self.home());
        let (url, ca) = (format!("wss://localhost:{}/", self.mediator.port), self.authority.file());
        let mut all = vec![command, "--url", &url, "--ca", ca.to_str().unwrap()];
        all.extend(["--key-file", key.to_str().unwrap(), "--dialect", dialect]);
        all.extend(arguments);
        d2mtop(self.home(), &all)
    }
}

/// What a command printed on both outputs, and its exit code.
pub fn printed(command: &mut Command) -> (String, Option<i32>) {
    let Output { stdout, stderr, status } = checked(command.output().expect("it starts"));
    (String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap(), status.code())
}

/// A server of the test's own: each connection is served on a thread; the port.
pub fn serve(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    port
}

/// Reads the head of a request.
pub fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        bytes.extend(byte);
    }
    String::from_utf8(bytes).unwrap()
}

/// Passes bytes on in both directions until one side ends.
pub fn relay(near: TcpStream, far: TcpStream) {
    let (near_again, far_again) = (near.try_clone().unwrap(), far.try_clone().unwrap());
    let there = thread::spawn(move || pump(near, far));
    pump(far_again, near_again);
    there.join().unwrap();
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
}

/// A port that nobody listens at, for a program that is told its port.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program that somebody else wrote; killed when dropped.
pub struct Foreign(Child);

impl Foreign {
    /// Starts it, and waits until it listens; [`None`], and a word about it, where it is not installed.
    pub fn start(program: &str, arguments: &[&str], port: u16) -> Option<Self> {
        let path = ["/usr/bin", "/usr/sbin"].map(|directory| Path::new(directory).join(program));
        let Some(path) = path.iter().find(|path| path.exists()) else {
            eprintln!("{program} is not installed: not tried with it");
            return None;
        };
        let mut command = Command::new(path);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = Self(command.spawn().expect("it starts"));
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "{program} does not listen");
            thread::yield_now();
        }
        Some(started)
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = (self.0.kill(), self.0.wait());
    }
}

/// Answers a request and hangs up.
pub fn answer(mut stream: TcpStream, answer: &str) {
    head(&mut stream);
    let _ = stream.write_all(answer.as_bytes());
}
