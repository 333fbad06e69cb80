//! What a row costs to receive, to expand, to filter: `cargo bench --bench feed`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is a test; a panic is a failure"
)]

#[path = "feed/rows.rs"]
mod rows;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use d2mtop::group::filter::{FilterMoment, ROWS_AT_ONCE};
use d2mtop::group::{Filter, FilterMatches, Group};
use d2mtop::protocol::Millis;
use rows::{BATCH, batch, fill};

const MILLION: u32 = 1_000_000;

const FILTERS: [&str; 6] =
    ["kind:file", "from:0100", "conversation:IDENT007", "size>1k !kind:text", "ack>1ms", "IDENT007"];

fn receive(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("receive and acknowledge");
    group.throughput(Throughput::Elements(u64::from(BATCH)));
    // The smaller ring is full, so that each row pushes one out.
    for (name, rows) in [("into a growing ring", 100_000_000), ("into a full ring", 10_000)] {
        let mut model = Group::with_feed_rows(rows);
        fill(&mut model, 20_000);
        let mut next = 20_000;
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || {
                    next = (next + BATCH) % 1_000_000_000;
                    batch(next)
                },
                |events| {
                    for event in &events {
                        model.apply(Millis(1_700_000_000_000), event);
                    }
                    events
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn filter(criterion: &mut Criterion) {
    let mut model = Group::with_feed_rows(MILLION as usize);
    fill(&mut model, MILLION);
    let mut group = criterion.benchmark_group("filter a million rows");
    group.sample_size(10);
    for text in FILTERS {
        let filter = Filter::parse(text).unwrap();
        group.bench_function(format!("first page of {text}"), |bencher| {
            bencher.iter(|| {
                let mut matches = FilterMatches::new(filter.clone(), FilterMoment::default());
                while matches.is_behind(&model) && matches.len() < 50 {
                    matches.advance(&model, ROWS_AT_ONCE);
                }
                black_box(matches.len())
            });
        });
        group.bench_function(format!("one slice of {text}"), |bencher| {
            bencher.iter(|| FilterMatches::new(filter.clone(), FilterMoment::default()).advance(&model, ROWS_AT_ONCE));
        });
        group.bench_function(format!("all of {text}"), |bencher| {
            bencher.iter(|| {
                let mut matches = FilterMatches::new(filter.clone(), FilterMoment::default());
                matches.advance(&model, usize::MAX);
                black_box(matches.len())
            });
        });
    }
    group.finish();
    let mut number = 0;
    criterion.bench_function("expand a row", |bencher| {
        bencher.iter(|| {
            number = (number + 7_919) % u64::from(MILLION);
            model.feed().get(number)
        });
    });
}

criterion_group!(benches, receive, filter);
criterion_main!(benches);
