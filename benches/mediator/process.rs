//! A server in a process of its own, and what it takes.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// Killed when dropped.
pub struct Process {
    child: Child,
    pub port: u16,
    _configuration: Option<tempfile::TempDir>,
}

impl Process {
    pub fn mediator(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_d2mtop"));
        command.arg("mediator").args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let first: serde_json::Value = serde_json::from_str(&line).expect("it listens");
        // Somebody reads the log, as always.
        thread::spawn(move || {
            let mut rest = Vec::new();
            log.read_to_end(&mut rest)
        });
        let port = first["port"].as_u64().unwrap().try_into().unwrap();
        Self { child, port, _configuration: None }
    }

    /// A broker without bounds and persistence; [`None`] where there is none.
    pub fn broker() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let configuration = directory.path().join("mosquitto.conf");
        let lines = "allow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\n";
        fs::write(&configuration, format!("listener {port} 127.0.0.1\n{lines}")).unwrap();
        let mut command = Command::new("mosquitto");
        command.arg("-c").arg(&configuration).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().ok()?;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            thread::sleep(Duration::from_millis(10));
        }
        Some(Self { child, port, _configuration: Some(directory) })
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.child.id())).unwrap()
    }

    /// The processor time since its start.
    pub fn cpu(&self) -> Duration {
        let stat = self.file("stat");
        let (_, after_name) = stat.rsplit_once(')').unwrap();
        let ticks: u64 =
            after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// The bytes that it has in memory.
    pub fn resident(&self) -> u64 {
        let status = self.file("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
