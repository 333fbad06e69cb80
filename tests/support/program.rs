//! The real binary as a script uses it: a mediator in a process of its own, key files, and `watch`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT};

#[path = "schema.rs"]
#[allow(dead_code, reason = "shared with other tests, of which each uses a part")]
pub mod schema;

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
    fs::write(&path, format!("{KEY}\n")).expect("a key file");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a private key file");
    path
}

/// A mediator in a process of its own; killed when dropped, and its log looked at.
pub struct Mediator {
    child: Child,
    pub port: u16,
    pub home: tempfile::TempDir,
}

impl Mediator {
    pub fn start(arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let port_file = home.path().join("port");
        let child = d2mtop(home.path(), &["mediator", "--listen", "127.0.0.1:0", "--port-file"])
            .arg(&port_file)
            .args(arguments)
            .stdout(fs::File::create(home.path().join(LOG)).expect("a file"))
            .spawn()
            .expect("the mediator starts");
        let start = Instant::now();
        let port = loop {
            // The file appears whole, by being renamed.
            if let Some(port) = fs::read_to_string(&port_file).ok().and_then(|text| text.trim().parse().ok()) {
                break port;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "the mediator writes no port file");
            std::thread::yield_now();
        };
        Self { child, port, home }
    }

    /// Starts one that knows nothing at the same place; the log goes on.
    #[allow(dead_code, reason = "shared with other tests, of which each uses a part")]
    pub fn restart(&mut self) {
        let log = fs::OpenOptions::new().append(true).open(self.home.path().join(LOG)).expect("a log");
        let address = format!("127.0.0.1:{}", self.port);
        let mut anew = d2mtop(self.home.path(), &["mediator", "--listen", &address]);
        self.child = anew.stdout(log).spawn().expect("the mediator starts");
    }

    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}/", self.port)
    }

    pub fn process(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Waits until its log tells of this so many times.
    #[allow(dead_code, reason = "shared with other tests, of which each uses a part")]
    pub fn await_logged(&self, event: &str, times: usize) {
        let (wanted, start) = (format!("\"event\":\"{event}\""), Instant::now());
        while fs::read_to_string(self.home.path().join(LOG)).expect("a log").matches(&wanted).count() < times {
            assert!(start.elapsed() < Duration::from_secs(60), "the mediator tells of no {event}");
            std::thread::yield_now();
        }
    }

    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().expect("the mediator ends")
    }
}

impl Drop for Mediator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let (Ok(log), false) = (fs::read(self.home.path().join(LOG)), std::thread::panicking()) {
            schema::assert_documented(&log, &schema::MEDIATOR_LOG);
        }
    }
}
