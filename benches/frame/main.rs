//! What a frame costs, with few rows and with a million, and what a filter costs: `cargo bench --bench frame`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is a test; a panic is a failure"
)]

mod filled;

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use d2mtop::group::Group;
use d2mtop::tui::Canvas;
use filled::{NOW, SIZE, group, press, settings, work};

const ROWS: [(&str, u32); 2] = [("1 k", 1_000), ("1 M", 1_000_000)];

fn frames(criterion: &mut Criterion) {
    for (name, rows) in ROWS {
        let group = group(rows);
        for (state, keys) in [("following", "4"), ("filtered", "4/kind:text from:0200\n"), ("far up", "4g")] {
            let mut canvas = Canvas::new(settings(), SIZE);
            canvas.draw(&group, NOW);
            press(&mut canvas, &group, keys);
            work(&mut canvas, &group);
            criterion.bench_function(&format!("frame 120x40, {name} rows, {state}"), |bencher| {
                bencher.iter(|| black_box(canvas.draw(&group, NOW)).area);
            });
        }
        slices(name, &group);
    }
}

/// How long the first page of a filter takes, and the longest that a frame can have to wait for a slice of it.
fn slices(name: &str, group: &Group) {
    for filter in ["from:0200", "echo0039", "nobody"] {
        let mut canvas = Canvas::new(settings(), SIZE);
        canvas.draw(group, NOW);
        press(&mut canvas, group, "4/");
        let began = Instant::now();
        press(&mut canvas, group, filter);
        canvas.draw(group, NOW);
        let first = began.elapsed();
        let mut longest = first;
        loop {
            let slice = Instant::now();
            let more = canvas.work(group).more;
            longest = longest.max(slice.elapsed());
            if !more {
                break;
            }
        }
        println!(
            "filter {filter:?}, {name} rows: typed and drawn {first:?}, longest wait {longest:?}, all {:?}",
            began.elapsed()
        );
    }
}

criterion_group!(benches, frames);
criterion_main!(benches);
