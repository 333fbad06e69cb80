//! The journal under a real session: what the server saw acknowledged is in it, whatever happens to the program or the disk.

use crate::support::phone;
use crate::support::program;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use d2mtop::journal::History;
use d2mtop::protocol::{Dialect, SlotState};
use phone::{phone_reflects, phone_with_slot_reflects};
use program::{Mediator, d2mtop, key_file, run, schema};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;

const PROFILE: &str = "lab";

fn add_profile(mediator: &Mediator, dialect: Dialect) {
    let key = key_file(mediator.home.path());
    let (url, dialect) = (mediator.url(), dialect.to_string());
    let mut arguments = vec!["profile", "add", PROFILE, "--mediator", &url, "--server-group", "01"];
    arguments.extend(["--dialect", &dialect, "--slot", "persistent", "--key-file", key.to_str().unwrap()]);
    let output = run(mediator.home.path(), &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The ids in the journal, each once.
fn journaled(home: &Path) -> BTreeSet<u64> {
    let output = run(home, &["history", PROFILE, "--json", "--limit", "1000000"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = schema::lines(&output.stdout);
    let ids: Vec<u64> = rows.iter().map(|row| row["id"].as_u64().expect("every row has an id")).collect();
    let once: BTreeSet<u64> = ids.iter().copied().collect();
    assert_eq!(once.len(), ids.len(), "each message is shown once");
    once
}

/// How many rows the journal has. Rows are numbered from 1, and each message has one.
fn rows(home: &Path) -> u64 {
    let path = home.join(".local/state/d2mtop/profiles").join(PROFILE).join(d2mtop::journal::FILE);
    History::open(&path).unwrap().bounds().unwrap().map_or(0, |(first, last)| last - first + 1)
}

/// A watch whose lines are read one at a time.
struct Watch {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Watch {
    fn start(home: &Path) -> Self {
        Self::of(d2mtop(home, &["watch", PROFILE]))
    }

    /// With files that may not grow beyond so many blocks of 512 bytes, until [`Watch::let_files_grow`].
    fn start_with_little_room(home: &Path, blocks: u32, only: &str) -> Self {
        let mut command = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -S -f {blocks}; exec \"$0\" \"$@\"");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_d2mtop"), "watch", PROFILE, "--stay-leader"]);
        command.args(["--only", only].iter().filter(|_| !only.is_empty()));
        command.env_clear().env("HOME", home).env("TZ", "UTC").env("XDG_RUNTIME_DIR", home).stdin(Stdio::null());
        Self::of(command)
    }

    fn let_files_grow(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let unlimited = rustix::process::Rlimit { current: None, maximum: None };
        rustix::process::prlimit(Some(pid), rustix::process::Resource::Fsize, unlimited).unwrap();
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn next(&mut self) -> Option<Value> {
        self.lines.next().map(|line| schema::lines(line.unwrap().as_bytes()).remove(0))
    }

    /// Reads until there is such an event.
    fn event(&mut self, event: &str) -> Value {
        std::iter::from_fn(|| self.next())
            .find(|line| line["event"] == event)
            .unwrap_or_else(|| panic!("the watch ended without {event}"))
    }

    /// Reads until the journal is in such a state.
    fn journal_is(&mut self, state: &str) -> Value {
        loop {
            let line = self.event("journal");
            if line["state"] == state {
                return line;
            }
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Two hundred times in all, over both dialects.
#[test]
fn killed_at_any_moment_everything_that_the_server_saw_acknowledged_is_in_the_journal() {
    const KILLS: u32 = 100;
    const MESSAGES: u64 = 4_000;
    for (dialect, seed) in [(Dialect::Mk, 1), (Dialect::Dgk, 2)] {
        let mut random = StdRng::seed_from_u64(seed);
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        assert!(run(home, &["watch", PROFILE, "--until-dry"]).status.success(), "the monitor takes a slot");
        let (mut sent, mut unacknowledged) = (0, 0);
        let mut cut_short = 0;
        for kill in 0..KILLS {
            if unacknowledged < 1_000 {
                if sent == 0 {
                    phone_reflects(&mediator, dialect, MESSAGES, "Pixel 9");
                } else {
                    phone_with_slot_reflects(SlotState::Existing, &mediator, dialect, MESSAGES, "Pixel 9");
                }
                sent += MESSAGES;
            }
            let kept = rows(home);
            let mut watch = Watch::start(home);
            // What the server still has for us is all that it has not seen acknowledged.
            unacknowledged = watch.event("logged_in")["queue_length"].as_u64().unwrap();
            let acknowledged = sent - unacknowledged;
            assert!(
                kept >= acknowledged,
                "{dialect}, kill {kill}: the server saw {acknowledged} acknowledged, the journal has {kept}"
            );
            for _ in 0..random.gen_range(0..300) {
                let Some(line) = watch.next().filter(|line| line["event"] != "queue_dry") else { break };
                assert_ne!(line["repeated_nonce"], true, "{dialect}, kill {kill}: a redelivery is taken for a replay");
            }
            watch.kill();
            cut_short += u32::from(unacknowledged > 0);
        }
        assert!(cut_short > KILLS / 2, "most were killed while they drained");
        assert!(run(home, &["watch", PROFILE, "--until-dry"]).status.success());
        let kept = journaled(home);
        assert!(kept.iter().zip(kept.iter().skip(1)).all(|(one, next)| one + 1 == *next), "in order, without a gap");
        assert_eq!(
            (kept.len() as u64, rows(home)),
            (sent, sent),
            "{dialect}: nothing is missing in the end, nor twice"
        );
    }
}

/// More comes than is held while the disk is full: that is fetched again.
#[test]
fn with_a_full_disk_nothing_is_acknowledged_and_with_room_again_nothing_is_missing() {
    const MESSAGES: u64 = 15_000;
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        assert!(run(home, &["watch", PROFILE, "--until-dry"]).status.success(), "the monitor takes a slot");
        phone_reflects(&mediator, dialect, MESSAGES, "Pixel 9");
        let mut watch = Watch::start_with_little_room(home, 1_500, "");
        let failed = watch.journal_is("failed");
        assert!(failed["words"].as_str().is_some_and(|words| words.contains("journal")), "in words: {failed}");
        let acknowledged_before = rows(home);
        assert!(acknowledged_before < MESSAGES, "some found no room: {acknowledged_before}");
        watch.let_files_grow();
        watch.journal_is("keeps");
        assert_eq!(watch.event("disconnected")["cause"], "journal_caught_up", "{dialect}");
        assert_eq!(watch.event("logged_in")["slot"], "existing");
        while rows(home) < MESSAGES {
            watch.event("acknowledged");
        }
        watch.kill();
        assert!(run(home, &["watch", PROFILE, "--until-dry"]).status.success(), "the last acknowledgements");
        assert_eq!(journaled(home).len() as u64, MESSAGES, "{dialect}: nothing is missing, nor twice");
        let again = run(home, &["watch", PROFILE, "--until-dry"]);
        let text = String::from_utf8(again.stdout).unwrap();
        assert!(text.contains("\"queue_length\":0"), "{dialect}: and the server has all acknowledgements: {text}");
    }
}

#[test]
fn a_journal_that_fails_is_told_on_standard_error_where_its_line_is_not_printed() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        add_profile(&mediator, dialect);
        assert!(run(home, &["watch", PROFILE, "--until-dry"]).status.success(), "the monitor takes a slot");
        phone_reflects(&mediator, dialect, 15_000, "Pixel 9");
        let mut watch = Watch::start_with_little_room(home, 1_500, "disconnected");
        let mut words = BufReader::new(watch.child.stderr.take().unwrap()).lines();
        let failed = words.next().expect("it says so").unwrap();
        assert!(failed.contains("Nothing is acknowledged until"), "{dialect}: {failed}");
        watch.let_files_grow();
        let over = words.next().expect("it says when it is over").unwrap();
        assert!(over.contains("can be written again"), "{dialect}, and the outage once: {over}");
        assert_eq!(watch.event("disconnected")["cause"], "journal_caught_up", "{dialect}: the lines are as asked for");
        watch.kill();
    }
}

#[test]
fn a_journal_that_cannot_be_had_is_told_before_anything_is_asked_of_the_server() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        a_journal_that_cannot_be_had_is_told(dialect);
    }
}

fn a_journal_that_cannot_be_had_is_told(dialect: Dialect) {
    let mediator = Mediator::start(&[]);
    let home = mediator.home.path();
    add_profile(&mediator, dialect);
    assert!(run(home, &["watch", PROFILE, "--until-dry"]).status.success());
    let path = home.join(".local/state/d2mtop/profiles").join(PROFILE).join(d2mtop::journal::FILE);
    let refused = |words: &str| {
        let output = run(home, &["watch", PROFILE, "--until-dry"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{said}");
        assert!(said.contains(words), "it says {words:?}: {said}");
    };
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    refused("locked by another program");
    drop(other);
    std::fs::rename(&path, path.with_extension("away")).unwrap();
    std::fs::create_dir(&path).unwrap();
    refused("journal");
    assert!(
        run(home, &["watch", PROFILE, "--until-dry", "--no-journal"]).status.success(),
        "without a journal it goes on"
    );
}
