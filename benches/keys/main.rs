//! From a key to its frame while ten thousand messages a second come, in a real terminal: `cargo bench --bench keys`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "all of it is a measurement; a panic is a failure"
)]

mod keystrokes;

use keystrokes::RATE;

fn main() {
    let spans = keystrokes::spans();
    let [half, most, nearly_all, all] = [50, 95, 99, 100].map(|percent| keystrokes::percentile(&spans, percent));
    let keys = spans.len();
    println!(
        "key to frame at {RATE} messages a second, {keys} keys: p50 {half:?}, p95 {most:?}, p99 {nearly_all:?}, max {all:?}"
    );
}
