//! From a key to its frame while ten thousand messages a second come, in a real terminal: `cargo bench --bench keys`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "all of it is a measurement; a panic is a failure"
)]

mod keystrokes;

use keystrokes::{KEYS, RATE};

fn main() {
    let spans = keystrokes::spans();
    let at = |percent: usize| *spans.get((spans.len() * percent / 100).min(spans.len() - 1)).unwrap();
    println!(
        "key to frame at {RATE} messages a second, {KEYS} keys: p50 {:?}, p95 {:?}, p99 {:?}, max {:?}",
        at(50),
        at(95),
        at(99),
        at(100)
    );
}
