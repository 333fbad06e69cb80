//! What one reflected message costs on its way from the socket to the group model: `cargo bench`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is a test; a panic is a failure"
)]

#[path = "session/logged_in.rs"]
mod logged_in;

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use d2mtop::group::{Event, Group};
use d2mtop::protocol::d2d::{Composer, MessageDraft};
use d2mtop::protocol::{
    DeviceId, Dialect, GroupKeys, GroupSecret, MessageId, Millis, Nonce, Reflected, ReflectedHeader, ReflectedId,
    Sealed, ServerMessage,
};
use d2mtop::session::{SessionInput, SessionOutput};

use logged_in::logged_in;

const DIALECT: Dialect = Dialect::Dgk;
const BATCH: u32 = 256;
const NOW: Millis = Millis(1_700_000_000_000);

fn keys() -> Arc<GroupKeys> {
    Arc::new(GroupKeys::derive(DIALECT, &GroupSecret::new(&mut [1; 32])))
}

/// A batch as one read of the socket brings it; the text fills the envelope up to about `size` bytes.
fn batch(size: usize) -> Vec<Bytes> {
    let keys = keys();
    let text = "x".repeat(size.saturating_sub(120));
    let message = |number: u32| {
        let id = MessageId(u64::from(number));
        let draft = MessageDraft::text(id, NOW, &text);
        let envelope = Composer::new(DIALECT, DeviceId(2)).incoming("ECHOECHO", draft, Nonce([4; 24]));
        let mut nonce = [0; 24];
        nonce[..4].copy_from_slice(&number.to_le_bytes());
        ServerMessage::Reflected(Reflected {
            id: ReflectedId(number),
            ephemeral: false,
            timestamp: NOW,
            header: ReflectedHeader::default(),
            envelope: Sealed::seal(&envelope, &keys, Nonce(nonce)),
        })
        .encode(DIALECT)
    };
    (0..BATCH).map(message).collect()
}

fn drain(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("drain");
    group.throughput(Throughput::Elements(u64::from(BATCH)));
    for size in [200, 16 * 1024] {
        let frames = batch(size);
        group.bench_function(format!("{BATCH} messages of {size} bytes"), |bencher| {
            bencher.iter_batched(
                || (logged_in(&keys(), NOW), Group::default(), frames.clone()),
                |(mut session, mut model, frames)| {
                    session.handle(NOW, SessionInput::Frames(frames));
                    while let Some(output) = session.poll() {
                        match output {
                            SessionOutput::Reflected { connection, messages } => {
                                let count = messages.len();
                                model.apply(NOW, &Event::Reflected(messages));
                                session.handle(NOW, SessionInput::Durable { connection, count });
                            }
                            other => {
                                black_box(other);
                            }
                        }
                    }
                    (session, model)
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, drain);
criterion_main!(benches);
