//! How fast a queue is drained, end to end over a real socket: `cargo bench --bench drain [-- --messages N --runs N]`.
//!
//! One process serves a stream that was encoded before; each client runs in a process of its own, so that its processor
//! time and its memory are its own:
//!
//! - `receive`: a bare tokio-tungstenite loop that receives the stream and does nothing with it;
//! - `floor`: one thread that parses, opens and decodes in place, with one write of acknowledgements a read;
//! - `d2mtop`: the session with its driver and the group model, without a journal;
//! - `journal`: the same with the journal.
//!
//! Then the messages come at a steady 10,000 a second, with the journal, and the latency of acknowledgements is told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "all of it is a measurement; a panic is a failure"
)]

mod clients;
mod measure;
mod server;
mod stream;

use measure::{measure, start_server};

/// The sealed envelopes' sizes, in bytes, and how many of each are drained.
const STREAMS: [(usize, u32); 2] = [(200, 1_000_000), (16 * 1024, 60_000)];
const CLIENTS: [&str; 4] = ["receive", "floor", "d2mtop", "journal"];

/// How many messages a second come when latency is measured, and how many in all.
const STEADY: (u32, u32) = (10_000, 100_000);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if !measure::serves(&arguments) {
        compare(number(&arguments, "--messages"), number(&arguments, "--runs").unwrap_or(3));
    }
}

fn number(options: &[&str], name: &str) -> Option<u32> {
    let place = options.iter().position(|option| *option == name)?;
    options.get(place + 1)?.parse().ok()
}

fn compare(messages: Option<u32>, runs: u32) {
    println!(
        "{:>9} {:>9}  {:<8} {:>11} {:>7} {:>14} {:>9}",
        "size", "messages", "client", "messages/s", "of", "CPU s/100,000", "peak MiB"
    );
    for (size, usual) in STREAMS {
        let messages = messages.map_or(usual, |messages| if size > 1_000 { messages / 16 } else { messages });
        let (mut server, port) = start_server(size, messages, 0);
        let mut floor = None;
        for client in CLIENTS {
            // The quickest run: what else the machine does can only slow it down.
            let figures = (0..runs)
                .map(|_| measure(client, port, messages))
                .min_by(|one, other| one.seconds.total_cmp(&other.seconds))
                .unwrap();
            let rate = f64::from(messages) / figures.seconds;
            if client == "floor" {
                floor = Some(rate);
            }
            let of_floor = floor.map_or(String::new(), |floor| format!("{:.2}", rate / floor));
            println!(
                "{size:>9} {messages:>9}  {client:<8} {rate:>11.0} {of_floor:>7} {:>14.3} {:>9.1}",
                figures.processor_seconds / f64::from(messages) * 100_000.0,
                figures.peak_kib as f64 / 1_024.0,
            );
        }
        server.kill().unwrap();
        server.wait().unwrap();
    }
    let (rate, messages) = STEADY;
    let (mut server, port) = start_server(STREAMS[0].0, messages, rate);
    let [half, most, all] = measure("journal", port, messages).acknowledged_us;
    println!(
        "{rate} messages a second with the journal: acknowledged after {half} us p50, {most} us p99, {all} us max"
    );
    server.kill().unwrap();
    server.wait().unwrap();
}
