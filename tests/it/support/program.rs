//! The real binary as a script uses it: a mediator in a process of its own, key files, and `watch`.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex, Once};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT};

use super::schema;

pub const KEY: &str = "6f0cbb2c2f5ae3a4dd6c1b9d7e0f00112233445566778899aabbccddeeff0011";

/// The mediator's log in its home directory.
pub const LOG: &str = "mediator.out";

/// What whoever started the tests ignores, as a shell does for what runs in the background, the programs that are tested
/// would ignore, too. What is handled here begins anew in them.
fn heed_signals() {
    static HEEDED: Once = Once::new();
    HEEDED.call_once(|| {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        for signal in [SIGHUP, SIGINT, SIGQUIT].into_iter().filter(|signal| mask >> (signal - 1) & 1 == 1) {
            signal_hook::flag::register(signal, Arc::default()).expect("a handler");
        }
    });
}

/// d2mtop with a home directory of its own.
pub fn d2mtop(home: &Path, arguments: &[&str]) -> Command {
    heed_signals();
    let mut command = Command::new(env!("CARGO_BIN_EXE_d2mtop"));
    command.args(arguments).env_clear().env("HOME", home).env("TZ", "UTC").stdin(Stdio::null());
    // No bus, and so no keyring, unless a test brings one.
    command.env("XDG_RUNTIME_DIR", home);
    command
}

/// Runs d2mtop to its end. Whatever it printed does not have the key, and its events are as documented.
pub fn run(home: &Path, arguments: &[&str]) -> Output {
    checked(d2mtop(home, arguments).output().expect("d2mtop starts"))
}

/// What a command other than `mediator` printed, looked at.
pub fn checked(output: Output) -> Output {
    assert_no_key(&output.stdout);
    assert_no_key(&output.stderr);
    schema::assert_documented(&output.stdout, &schema::EVENTS);
    output
}

/// The tests' key is in nothing that the program printed.
pub fn assert_no_key(printed: &[u8]) {
    let text = String::from_utf8_lossy(printed).to_lowercase();
    assert!(!text.contains(KEY), "the key was printed");
}

pub fn key_file(directory: &Path) -> PathBuf {
    let path = directory.join("group.key");
    // Another program may be reading it.
    if fs::read_to_string(&path).is_ok_and(|text| text.trim() == KEY) {
        return path;
    }
    fs::write(&path, format!("{KEY}\n")).expect("a key file");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a private key file");
    path
}

/// A mediator in a process of its own; killed when dropped, and its log looked at.
pub struct Mediator {
    child: Child,
    log: Arc<Log>,
    logging: Option<JoinHandle<()>>,
    arguments: Vec<String>,
    pub port: u16,
    pub home: tempfile::TempDir,
}

/// What a mediator has logged so far.
#[derive(Default)]
struct Log {
    written: Mutex<Written>,
    changed: Condvar,
}

#[derive(Default)]
struct Written {
    text: String,
    /// Nothing more comes.
    is_whole: bool,
}

impl Log {
    /// Takes in what is logged, and puts it into the file; until the end.
    fn take(self: Arc<Self>, logged: ChildStdout, file: &Path) -> JoinHandle<()> {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(file).expect("a file");
        thread::spawn(move || {
            let mut logged = BufReader::new(logged);
            let mut line = String::new();
            while logged.read_line(&mut line).is_ok_and(|length| length > 0) {
                // Who is killed may leave a line half written.
                if line.ends_with('\n') {
                    file.write_all(line.as_bytes()).expect("the file takes it");
                    self.change(|written| written.text.push_str(&line));
                }
                line.clear();
            }
            self.change(|written| written.is_whole = true);
        })
    }

    fn change(&self, change: impl FnOnce(&mut Written)) {
        change(&mut self.written.lock().expect("nobody panicked"));
        self.changed.notify_all();
    }

    /// The log, as soon as it has this so many times.
    fn with(&self, words: &str, times: usize) -> String {
        let lacks = |written: &Written| written.text.matches(words).count() < times;
        let written = self.written.lock().expect("nobody panicked");
        let waits = |written: &mut Written| !written.is_whole && lacks(written);
        let waited = self.changed.wait_timeout_while(written, Duration::from_secs(60), waits);
        let (written, _) = waited.expect("nobody panicked");
        assert!(!lacks(&written), "the mediator does not log {words} {times} times: {}", written.text);
        written.text.clone()
    }
}

impl Mediator {
    pub fn start(arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let log = Arc::<Log>::default();
        let (child, logging) = Self::listen(home.path(), "127.0.0.1:0", arguments, &log);
        let first = log.with("\"event\":\"listening\"", 1);
        let first: Value = serde_json::from_str(first.lines().next().expect("a line")).expect("JSON");
        let port = first.get("port").and_then(Value::as_u64).and_then(|port| port.try_into().ok()).expect("a port");
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { child, log, logging: Some(logging), arguments, port, home }
    }

    fn listen(home: &Path, address: &str, arguments: &[&str], log: &Arc<Log>) -> (Child, JoinHandle<()>) {
        let mut command = d2mtop(home, &["mediator", "--listen", address]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().expect("the mediator starts");
        let logged = child.stdout.take().expect("a pipe");
        (child, Arc::clone(log).take(logged, &home.join(LOG)))
    }

    /// Starts one at the same place and with the same options, after the other has ended; the log goes on.
    pub fn restart(&mut self) {
        let address = format!("127.0.0.1:{}", self.port);
        self.log.change(|written| written.is_whole = false);
        let arguments: Vec<_> = self.arguments.iter().map(String::as_str).collect();
        let (child, logging) = Self::listen(self.home.path(), &address, &arguments, &self.log);
        (self.child, self.logging) = (child, Some(logging));
    }

    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}/", self.port)
    }

    pub fn process(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Waits until its log tells of this so many times, and returns it.
    pub fn await_logged(&self, event: &str, times: usize) -> String {
        self.log.with(&format!("\"event\":\"{event}\""), times)
    }

    /// Waits for its end, and that of its log.
    pub fn wait(&mut self) -> ExitStatus {
        let ended = self.child.wait().expect("the mediator ends");
        self.logging.take().map(JoinHandle::join).transpose().expect("its log is read");
        ended
    }
}

impl Drop for Mediator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        if thread::panicking() {
            return drop(self.child.wait());
        }
        self.wait();
        let log = self.log.written.lock().expect("nobody panicked");
        schema::assert_documented(log.text.as_bytes(), &schema::MEDIATOR_LOG);
    }
}
