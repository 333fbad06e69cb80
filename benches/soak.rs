//! Lets one session take in very many messages, and looks whether memory stays flat:
//! `cargo bench --bench soak -- --messages 10000000`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "all of it is a test; a panic is a failure"
)]

#[path = "session/logged_in.rs"]
mod logged_in;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use d2mtop::group::{Event, Group};
use d2mtop::protocol::d2d::{Composer, MessageDraft};
use d2mtop::protocol::{
    DeviceId, Dialect, GroupKeys, GroupSecret, MessageId, Millis, Nonce, Reflected, ReflectedHeader, ReflectedId,
    Sealed, ServerMessage,
};
use d2mtop::session::{Session, SessionInput, SessionOutput};

use logged_in::logged_in;

const BATCH: u64 = 256;
/// Messages come at this rate in the session's own time.
const PER_SECOND: u64 = 1_000;
const BEGIN: u64 = 1_700_000_000_000;
/// What allocators and histograms may add once all rings are full.
const SLACK_KIB: u64 = 16 * 1_024;

fn main() {
    // Enough to see that it works where all benchmarks are run.
    let messages = argument("--messages").unwrap_or(100_000);
    for dialect in [Dialect::Dgk, Dialect::Mk] {
        soak(dialect, messages);
    }
}

fn argument(name: &str) -> Option<u64> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments.next().map(|number| number.parse().expect("a number of messages"))
}

fn soak(dialect: Dialect, messages: u64) {
    let keys = Arc::new(GroupKeys::derive(dialect, &GroupSecret::new(&mut [1; 32])));
    let mut device = Device { session: logged_in(&keys, Millis(BEGIN)), group: Group::default(), acknowledged: 0 };
    let begin = Instant::now();
    let mut resident = Vec::new();
    let mut sent = 0;
    for tenth in 1..=10 {
        while sent < messages * tenth / 10 {
            let batch = BATCH.min(messages * tenth / 10 - sent);
            let frames = (sent..sent + batch).map(|number| reflected(dialect, &keys, number)).collect();
            sent += batch;
            device.take(Millis(BEGIN + sent * 1_000 / PER_SECOND), frames);
        }
        resident.push(resident_kib());
        let (seconds, resident) = (begin.elapsed().as_secs_f64(), resident.last().unwrap());
        println!("{dialect}: {sent} messages, {seconds:.1} s, {resident} KiB resident");
    }
    assert_eq!(device.acknowledged, messages, "each is acknowledged once");
    // The feed's ring is full after a tenth of two million messages; shorter runs only show that it works.
    if messages >= 2_000_000 {
        let (early, late) = (resident[1], resident[9]);
        assert!(late <= early + SLACK_KIB, "{dialect}: memory grew from {early} to {late} KiB");
    }
}

fn resident_kib() -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return 0 };
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident size");
    line.trim().trim_end_matches(" kB").parse().expect("a size")
}

struct Device {
    session: Session,
    group: Group,
    acknowledged: u64,
}

impl Device {
    /// What the driver does with a batch, with a disk and a socket that are done at once.
    fn take(&mut self, now: Millis, frames: Vec<Bytes>) {
        self.session.handle(now, SessionInput::Frames(frames));
        let mut outputs = VecDeque::new();
        loop {
            while let Some(output) = self.session.poll() {
                outputs.push_back(output);
            }
            let Some(output) = outputs.pop_front() else { break };
            match output {
                SessionOutput::Reflected { connection, messages } => {
                    let count = messages.len();
                    self.group.apply(now, &Event::Reflected(messages));
                    self.session.handle(now, SessionInput::Durable { connection, count });
                    self.session.handle(now, SessionInput::Flushed);
                }
                SessionOutput::Acknowledged(ids) => {
                    self.acknowledged += ids.len() as u64;
                    let waited = std::time::Duration::from_micros(200);
                    self.group.apply(now, &Event::Acknowledged { ids, waited });
                }
                SessionOutput::Event(event) => self.group.apply(now, &event),
                SessionOutput::Ping => self.session.handle(now, SessionInput::Pong),
                _ => {}
            }
        }
    }
}

fn reflected(dialect: Dialect, keys: &GroupKeys, number: u64) -> Bytes {
    let at = Millis(BEGIN + number * 1_000 / PER_SECOND);
    let draft = MessageDraft::text(MessageId(number), at, "see you at eight");
    let envelope = Composer::new(dialect, DeviceId(2 + number % 3)).incoming("ECHOECHO", draft, Nonce([4; 24]));
    let mut nonce = [0; 24];
    nonce[..8].copy_from_slice(&number.to_le_bytes());
    ServerMessage::Reflected(Reflected {
        id: ReflectedId(u32::try_from(number).expect("as many as there are ids")),
        ephemeral: false,
        timestamp: at,
        header: ReflectedHeader::default(),
        envelope: Sealed::seal(&envelope, keys, Nonce(nonce)),
    })
    .encode(dialect)
}
