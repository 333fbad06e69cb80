//! How many bytes a row of the feed takes, as the kernel counts them.
//!
//! The kernel counts for a process as a whole, so the test runs itself again in one where no other test is.

#![cfg(target_os = "linux")]
#[path = "../../benches/feed/rows.rs"]
mod rows;

use std::process::Command;
use std::sync::Arc;

use d2mtop::group::Group;
use d2mtop::protocol::{DeviceId, Dialect, GroupKeys, GroupSecret, NonceFingerprinter};
use d2mtop::session::{Config, Session};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

const ROWS: u32 = 500_000;

const MOST_BYTES: u64 = 100;

/// Of this process: the bytes in memory now, or the most that ever were.
fn resident(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|known| known.strip_prefix(line)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
}

/// Set in the process that measures.
const MEASURES: &str = "D2MTOP_TEST_MEASURES_MEMORY";

#[test]
fn a_row_or_a_nonce_takes_more_memory_than_it_may() {
    if std::env::var_os(MEASURES).is_none() {
        let mut process = Command::new(std::env::current_exe().unwrap());
        process.args(["--exact", "feed_memory::a_row_or_a_nonce_takes_more_memory_than_it_may", "--nocapture"]);
        let output = process.env(MEASURES, "").output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        println!("{told}");
        assert!(output.status.success() && told.contains("bytes a row"), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    measure();
}

fn measure() {
    // First, while nothing was freed that they could take; and kept, so that the rows cannot take theirs.
    let nonces = nonces();
    // What the first rows need once and for all is not theirs.
    let mut warm = Group::with_feed_rows(10_000);
    rows::fill(&mut warm, 20_000);
    let before = resident("VmRSS:");
    let mut group = Group::with_feed_rows(ROWS as usize);
    rows::fill(&mut group, ROWS);
    let kept = group.feed().len() as u64;
    assert!(kept >= u64::from(ROWS) - 1);
    let each = (resident("VmRSS:") - before) / kept;
    let peak = (resident("VmHWM:") - before) / kept;
    println!("{each} bytes a row, {peak} at the peak");
    assert!((80..=MOST_BYTES).contains(&each), "{each} bytes a row");
    assert!(peak <= MOST_BYTES, "{peak} bytes a row at the peak: it grew by copying");
    drop((warm, nonces));
}

/// Those of earlier runs, and those of this one.
fn nonces() -> (Session, Vec<u64>) {
    const NONCES: u64 = 1_000_000;
    const MOST_BYTES: u64 = 20;
    let mut random = StdRng::seed_from_u64(1);
    let keys = Arc::new(GroupKeys::derive(Dialect::Dgk, &GroupSecret::new(&mut [1; 32])));
    let session = || Session::new(Config::of(Arc::clone(&keys), DeviceId(1)), StdRng::seed_from_u64(1));
    let fingerprints: Vec<u64> = (0..NONCES).map(|_| random.r#gen()).collect();
    let before = resident("VmRSS:");
    let session = session().continuing(NonceFingerprinter::new([1; 16]), fingerprints.clone(), []);
    let each = (resident("VmRSS:") - before) / NONCES;
    println!("{each} bytes a nonce");
    assert!((8..=MOST_BYTES).contains(&each), "{each} bytes a nonce");
    (session, fingerprints)
}
