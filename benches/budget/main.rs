//! What d2mtop must keep to, all in under five minutes, beside a reference that is measured in the same run:
//! `cargo bench --bench budget`. The limits stand in `benches/budget/limits.toml`; what is over its limit is named, and the
//! run fails. Only on a machine that does nothing else does it tell anything.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "all of it is a measurement; a panic is a failure"
)]

#[path = "../drain/clients.rs"]
mod clients;
#[path = "../frame/filled.rs"]
mod filled;
#[path = "../keys/keystrokes.rs"]
mod keystrokes;
#[path = "../drain/measure.rs"]
mod measure;
#[path = "../drain/server.rs"]
mod server;
#[path = "../drain/stream.rs"]
mod stream;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use d2mtop::tui::Canvas;
use measure::Figures;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use toml_edit::DocumentMut;

const LIMITS: &str = include_str!("limits.toml");

/// The quickest of so many runs counts: what else the machine does can only slow it down.
const RUNS: u32 = 3;

/// Envelopes of so many bytes, and how many of them.
const STREAMS: [(usize, u32); 2] = [(200, 300_000), (16 * 1024, 20_000)];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if measure::serves(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        return ExitCode::SUCCESS;
    }
    let began = Instant::now();
    let mut figures = Vec::new();
    for (size, messages) in STREAMS {
        drained(&mut figures, size, messages);
    }
    figures.push(("frame".to_owned(), frame()));
    let keys = keystrokes::spans();
    let late = keystrokes::percentile(&keys, 99).as_secs_f64() * 1_000.0;
    figures.push((format!("key-at-{}-p99-ms", keystrokes::RATE), late));

    let limits: DocumentMut = LIMITS.parse().expect("the limits are TOML");
    let mut is_kept = true;
    for (name, figure) in &figures {
        let limit = |bound: &str| limits.get(name).and_then(|limit| limit.get(bound)?.as_float());
        let (least, most) = (limit("least"), limit("most"));
        assert!(least.is_some() || most.is_some(), "{name} has no limit");
        let is_over = least.is_some_and(|least| *figure < least) || most.is_some_and(|most| *figure > most);
        let bounds = [least.map(|least| format!("{least} or more")), most.map(|most| format!("{most} or less"))];
        let bounds: Vec<String> = bounds.into_iter().flatten().collect();
        println!("{} {name:<28} {figure:>8.2}   {}", if is_over { "OVER" } else { "  ok" }, bounds.join(", "));
        is_kept &= !is_over;
    }
    println!("measured in {:?}", began.elapsed());
    if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Beside the least that one thread can do: messages a second, processor time of a message, and the memory at its most.
fn drained(figures: &mut Vec<(String, f64)>, size: usize, messages: u32) {
    let (mut server, port) = measure::start_server(size, messages, 0);
    let best = |client: &str| {
        let runs = (0..RUNS).map(|_| measure::measure(client, port, messages));
        runs.min_by(|one, other| one.seconds.total_cmp(&other.seconds)).unwrap()
    };
    let floor = best("floor");
    for client in ["d2mtop", "journal"] {
        let Figures { seconds, processor_seconds, peak_kib, .. } = best(client);
        figures.push((format!("drain-{size}-{client}-rate"), floor.seconds / seconds));
        figures.push((format!("drain-{size}-{client}-cpu"), processor_seconds / floor.processor_seconds));
        figures.push((format!("drain-{size}-{client}-mib"), peak_kib as f64 / 1_024.0));
    }
    server.kill().unwrap();
    server.wait().unwrap();
}

/// A frame with a filter over a thousand rows, beside filling its cells with letters.
fn frame() -> f64 {
    let group = filled::group(1_000);
    let mut canvas = Canvas::new(filled::settings(), filled::SIZE);
    canvas.draw(&group, filled::NOW);
    filled::press(&mut canvas, &group, "4/kind:text from:0200\n");
    filled::work(&mut canvas, &group);
    let ours = quickest(|| {
        black_box(canvas.draw(&group, filled::NOW).area);
    });
    let (width, height) = filled::SIZE;
    let line = "x".repeat(usize::from(width));
    let bare = quickest(|| {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        for y in 0..height {
            buffer.set_stringn(0, y, &line, usize::from(width), Style::new());
        }
        black_box(buffer.area);
    });
    ours / bare
}

/// The seconds of a thousand, in the quickest of ten times.
fn quickest(mut run: impl FnMut()) -> f64 {
    let mut once = || {
        let began = Instant::now();
        (0..1_000).for_each(|_| run());
        began.elapsed().as_secs_f64()
    };
    (0..10).map(|_| once()).fold(f64::INFINITY, f64::min)
}
