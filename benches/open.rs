//! What reading one reflected message costs, step by step and beside the bare cipher: `cargo bench --bench open`.

#![allow(clippy::unwrap_used, reason = "all of it is a test; a panic is a failure")]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use d2mtop::protocol::d2d::{Composer, MessageDraft};
use d2mtop::protocol::sealed::Sealable as _;
use d2mtop::protocol::{
    DeviceId, Dialect, Envelope, GroupKeys, GroupSecret, MessageId, Millis, Nonce, Reflected, ReflectedHeader,
    ReflectedId, Sealed, ServerMessage,
};
use dryoc::classic::crypto_secretbox::{crypto_secretbox_easy, crypto_secretbox_open_easy};

const NOW: Millis = Millis(1_700_000_000_000);
const SIZES: [usize; 2] = [200, 16 * 1024];

/// An incoming text whose sealed envelope has that many bytes.
fn envelope(dialect: Dialect, size: usize) -> Sealed<Envelope> {
    let keys = keys(dialect);
    let sealed = |length: usize| {
        let draft = MessageDraft::text(MessageId(0x0102_0304_0506_0708), NOW, &"x".repeat(length));
        let envelope = Composer::new(dialect, DeviceId(2)).padded(20).incoming("ECHOECHO", draft, Nonce([4; 24]));
        Sealed::seal(&envelope, &keys, Nonce([5; 24]))
    };
    let head = sealed(size).len() - size;
    let sealed = sealed(size - head);
    assert!(sealed.len().abs_diff(size) <= 2, "{} bytes instead of {size}", sealed.len());
    sealed
}

fn keys(dialect: Dialect) -> GroupKeys {
    GroupKeys::derive(dialect, &GroupSecret::new(&mut [1; 32]))
}

fn frame(dialect: Dialect, envelope: Sealed<Envelope>) -> Bytes {
    let header = ReflectedHeader::default();
    ServerMessage::Reflected(Reflected { id: ReflectedId(1), ephemeral: false, timestamp: NOW, header, envelope })
        .encode(dialect)
}

fn reflected(frame: &Bytes, dialect: Dialect) -> Reflected {
    match ServerMessage::decode(frame.clone(), dialect).unwrap() {
        ServerMessage::Reflected(reflected) => reflected,
        other => unreachable!("{other:?}"),
    }
}

fn cipher(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bare cipher");
    let (key, nonce) = ([1; 32], [2; 24]);
    for size in SIZES {
        let mut boxed = vec![0; size - 24];
        crypto_secretbox_easy(&mut boxed, &vec![3; size - 40], &nonce, &key).unwrap();
        let mut plain = vec![0; size - 40];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| crypto_secretbox_open_easy(&mut plain, black_box(&boxed), &nonce, &key).unwrap());
        });
    }
    group.finish();
}

fn steps(criterion: &mut Criterion) {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let keys = keys(dialect);
        let mut group = criterion.benchmark_group(dialect.to_string());
        for size in SIZES {
            let sealed = envelope(dialect, size);
            let plain = Bytes::from(sealed.open(&keys).unwrap().encode(dialect));
            let frame = frame(dialect, sealed.clone());
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_function(BenchmarkId::new("container", size), |bencher| {
                bencher.iter(|| reflected(black_box(&frame), dialect));
            });
            group.bench_function(BenchmarkId::new("open and decode", size), |bencher| {
                bencher.iter(|| black_box(&sealed).open(&keys).unwrap());
            });
            group.bench_function(BenchmarkId::new("decode and summary", size), |bencher| {
                bencher.iter(|| Envelope::decode(black_box(&plain).clone(), dialect).unwrap().summary());
            });
            group.bench_function(BenchmarkId::new("all", size), |bencher| {
                bencher.iter(|| reflected(black_box(&frame), dialect).envelope.open(&keys).unwrap().summary());
            });
        }
        group.finish();
    }
}

criterion_group!(benches, cipher, steps);
criterion_main!(benches);
