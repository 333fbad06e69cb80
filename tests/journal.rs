//! The journal under a real session: what the server saw acknowledged is in it, whatever happens to the program or the disk.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is a test; a panic is a failure"
)]

#[path = "support/phone.rs"]
mod phone;
#[path = "support/program.rs"]
#[allow(dead_code, reason = "shared with other tests, of which each uses a part")]
mod program;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use d2mtop::journal::History;
use d2mtop::protocol::{Dialect, SlotState};
use phone::{phone_reflects, phone_with_slot_reflects};
use program::{Mediator, d2mtop, key_file, run};
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
    let text = String::from_utf8(output.stdout).unwrap();
    let ids: Vec<u64> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_u64().expect("every row has an id"))
        .collect();
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
    fn start(home: &Path, arguments: &[&str]) -> Self {
        let mut command = d2mtop(home, &["watch", PROFILE]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn next(&mut self) -> Option<Value> {
        self.lines.next().map(|line| serde_json::from_str(&line.unwrap()).unwrap())
    }

    /// Reads until there is such an event.
    fn event(&mut self, event: &str) -> Value {
        std::iter::from_fn(|| self.next())
            .find(|line| line["event"] == event)
            .unwrap_or_else(|| panic!("the watch ended without {event}"))
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
            let mut watch = Watch::start(home, &[]);
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
