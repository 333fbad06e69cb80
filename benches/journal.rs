//! What keeping and looking up costs: appending batches, and a million rows read in the ways that people ask for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is a test; a panic is a failure"
)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use d2mtop::group::ReflectedMessage;
use d2mtop::journal::{History, Journal, Opened, Options, Query, Retention, Synchronous, Who, Within};
use d2mtop::protocol::d2d::{Composer, Envelope, MessageDraft};
use d2mtop::protocol::{
    DeviceId, Dialect, GroupKeys, GroupSecret, MessageId, Millis, Nonce, PseudonymKey, ReflectedHeader, ReflectedId,
    Sealed,
};
use d2mtop::text::Clean;

const BATCH: u32 = 1_000;
const ROWS: u32 = 1_000_000;
const START: Millis = Millis(1_790_000_000_000);

fn keys() -> GroupKeys {
    GroupKeys::derive(Dialect::Dgk, &GroupSecret::new(&mut [1; 32]))
}

fn options(synchronous: Synchronous) -> Options {
    Options { synchronous, ..Options::hashed(PseudonymKey::of(&keys())) }
}

/// Of this thread, in the program and the kernel: a disk that is waited for does not count.
fn processor_time() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).try_into().unwrap()
}

/// Messages of which only id, nonce and time differ; one a second.
fn batch(template: &ReflectedMessage, start: u32, count: u32, out: &mut Vec<ReflectedMessage>) {
    out.resize(count as usize, template.clone());
    for (number, message) in (start..).zip(out) {
        let mut nonce = [0; 24];
        nonce[..4].copy_from_slice(&number.to_le_bytes());
        message.id = ReflectedId(number);
        message.nonce = Some(Nonce(nonce));
        message.received_at = Millis(START.0 + u64::from(number) * 1_000);
        message.stored_at = Millis(message.received_at.0 - 300);
    }
}

fn template() -> ReflectedMessage {
    let draft = MessageDraft::text(MessageId(7), START, "some words, which are not kept");
    let envelope: Envelope = Composer::new(Dialect::Dgk, DeviceId(2)).incoming("ECHOECHO", draft, Nonce([4; 24]));
    let sealed = Sealed::seal(&envelope, &keys(), Nonce([5; 24]));
    ReflectedMessage {
        id: ReflectedId(0),
        stored_at: START,
        received_at: START,
        size: u32::try_from(sealed.len()).unwrap(),
        header: ReflectedHeader::default(),
        ephemeral: false,
        redelivered: false,
        repeated_nonce: false,
        nonce: sealed.nonce(),
        content: sealed.open(&keys()).map(|envelope| envelope.summary()),
        unknown_fields: Vec::new(),
        envelope: sealed,
    }
}

fn append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append");
    group.sample_size(30);
    let template = template();
    for synchronous in [Synchronous::Full, Synchronous::Normal] {
        for count in [256, 1_024, 4_096] {
            group.throughput(Throughput::Elements(u64::from(count)));
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("journal.sqlite");
            let mut journal = Journal::open(&path, options(synchronous), START).unwrap().journal;
            let (mut next, mut messages, mut processor) = (0, Vec::new(), Duration::ZERO);
            group.bench_function(format!("{count} messages, {synchronous:?}"), |bencher| {
                bencher.iter_custom(|rounds| {
                    let mut spent = Duration::ZERO;
                    for _ in 0..rounds {
                        batch(&template, next, count, &mut messages);
                        next += count;
                        let (start, begun) = (std::time::Instant::now(), processor_time());
                        journal.append(&messages).unwrap();
                        journal.acknowledged(messages.len(), START, Duration::from_millis(2));
                        spent += start.elapsed();
                        processor += processor_time().saturating_sub(begun);
                    }
                    spent
                });
            });
            if next > 0 {
                println!("{count} messages, {synchronous:?}: {:?} of the processor a message", processor / next);
            }
        }
    }
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.sqlite");
    let mut journal = Journal::open(&path, options(Synchronous::Normal), START).unwrap().journal;
    let (template, mut messages) = (template(), Vec::new());
    for start in (0..ROWS).step_by(BATCH as usize) {
        batch(&template, start, BATCH, &mut messages);
        journal.append(&messages).unwrap();
        journal.acknowledged(messages.len(), START, Duration::from_millis(2));
    }
    journal.flush().unwrap();
    drop(journal);

    let mut group = criterion.benchmark_group("a million rows");
    group.sample_size(10);
    group.bench_function("opened, with all nonces", |bencher| {
        bencher.iter(|| {
            let Opened { nonces, .. } = Journal::open(&path, options(Synchronous::Full), START).unwrap();
            assert_eq!(nonces.len(), ROWS as usize);
        });
    });
    let history = History::open(&path).unwrap();
    let all = Query::default();
    group.bench_function("the newest 20", |bencher| {
        bencher.iter(|| black_box(history.page(&all, Within::Newest, 20).unwrap()));
    });
    group.bench_function("100 in the middle", |bencher| {
        bencher.iter(|| black_box(history.page(&all, Within::Before(u64::from(ROWS) / 2), 100).unwrap()));
    });
    let since = Query { since: Some(Millis(START.0 + 500_000_000)), ..Query::default() };
    group.bench_function("20 since the middle", |bencher| {
        bencher.iter(|| black_box(history.page(&since, Within::After(0), 20).unwrap()));
    });
    let nobody = Who::contact(&Clean::literal("NOBODY00"), Some(&PseudonymKey::of(&keys())));
    let nobody = Query { who: Some(nobody), ..Query::default() };
    group.bench_function("a conversation that nobody had", |bencher| {
        bencher.iter(|| black_box(history.page(&nobody, Within::Newest, 20).unwrap()));
    });
    group.bench_function("figures of all", |bencher| {
        bencher.iter(|| black_box(history.stats(&all, |at| i64::try_from(at.0 / 86_400_000).unwrap()).unwrap()));
    });
    // Last, as it deletes. Every step finds rows to delete, and the file grows no smaller than the benchmark needs.
    let few = Options { retention: Retention { age: None, rows: Some(1) }, ..options(Synchronous::Full) };
    let mut journal = Journal::open(&path, few, START).unwrap().journal;
    group.bench_function("a step of pruning", |bencher| {
        bencher.iter(|| assert!(journal.prune(START).unwrap(), "there is more to prune"));
    });
    group.finish();
}

criterion_group!(benches, append, read);
criterion_main!(benches);
