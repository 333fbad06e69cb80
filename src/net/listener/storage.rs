//! The way to the store, and what to do while that takes no more.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::log::LogLine;
use crate::mediator::{
    Change, Fetch, Mediator, MediatorInput, MediatorTime, StoreReply, StoreRequest, StoredState, Transfer,
};

/// From how many bytes on the way to the store nothing more is read from clients.
const MOST_UNSTORED: usize = 16 * 1024 * 1024;
/// What a change takes besides its envelope, about.
const CHANGE_OVERHEAD: usize = 128;
/// How long the end waits for the last commit.
const LAST_COMMIT: Duration = Duration::from_secs(5);

/// A store that somebody runs: what it has, and both ways to it.
pub struct StoreLink {
    /// What an earlier run has left.
    pub restored: StoredState,
    /// What is to be stored, in this order.
    pub requests: std::sync::mpsc::Sender<StoreRequest>,
    /// What is stored, or could not be.
    pub replies: mpsc::UnboundedReceiver<StoreReply>,
}

impl fmt::Debug for StoreLink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StoreLink").field("groups", &self.restored.groups.len()).finish_non_exhaustive()
    }
}

/// A batch on its way.
struct Unstored {
    batch: u64,
    bytes: usize,
    submitted: Instant,
    round: Round,
}

/// What clients sent that is handled together.
#[derive(Clone, Copy, Default)]
pub(super) struct Round {
    messages: usize,
    began: Option<Instant>,
}

impl Round {
    /// One more message was taken.
    pub(super) fn count(&mut self) {
        self.messages += 1;
        self.began.get_or_insert_with(Instant::now);
    }

    fn told(self, log: &mut impl FnMut(LogLine)) {
        if let Some(began) = self.began {
            log(LogLine::Answered { messages: self.messages, took: began.elapsed() });
        }
    }
}

/// The listener's end. Without a store nothing ever happens here.
#[derive(Default)]
pub(super) struct Storage {
    ways: Option<(std::sync::mpsc::Sender<StoreRequest>, mpsc::UnboundedReceiver<StoreReply>)>,
    /// Batches that are on their way, and what each takes.
    unstored: VecDeque<Unstored>,
    bytes: usize,
    stalled_since: Option<Instant>,
    /// How long it was stalled in all: for so long the machine's clock stood still.
    stalled: Duration,
    pub(super) has_failed: bool,
}

impl Storage {
    /// Has the machine take in what the store has, and tells that.
    pub(super) fn begin(link: StoreLink, mediator: &mut Mediator, now: MediatorTime) -> (Self, LogLine) {
        let StoreLink { restored, requests, replies } = link;
        let slots = || restored.groups.iter().flat_map(|group| group.slots.values());
        let (groups, devices) = (restored.groups.len(), slots().count());
        let messages = slots().map(|slot| slot.messages).sum();
        mediator.restore(now, restored);
        let storage = Self { ways: Some((requests, replies)), ..Self::default() };
        (storage, LogLine::Restored { groups, devices, messages })
    }

    /// Hands on what has changed.
    pub(super) fn submit(&mut self, mediator: &mut Mediator, round: Round, log: &mut impl FnMut(LogLine)) {
        let Some(batch) = mediator.take_batch() else { return round.told(log) };
        let bytes = batch.changes.iter().map(bytes_of).sum();
        self.unstored.push_back(Unstored { batch: batch.number, bytes, submitted: Instant::now(), round });
        self.bytes += bytes;
        self.ask(StoreRequest::Batch(batch));
    }

    pub(super) fn fetch(&self, fetch: Fetch) {
        self.ask(StoreRequest::Fetch(fetch));
    }

    /// Has groups moved; whether there is a store to do it.
    pub(super) fn transfer(&self, transfer: Transfer) -> bool {
        self.ask(StoreRequest::Transfer(transfer));
        self.ways.is_some()
    }

    fn ask(&self, request: StoreRequest) {
        if let Some((requests, _)) = &self.ways {
            // A store that has ended says so.
            let _ = requests.send(request);
        }
    }

    /// Whether what clients send can be taken.
    pub(super) const fn has_room(&self) -> bool {
        self.bytes < MOST_UNSTORED && self.is_well()
    }

    /// Whether it stores.
    pub(super) const fn is_well(&self) -> bool {
        self.stalled_since.is_none() && !self.has_failed
    }

    /// How long the machine's clock stood still.
    pub(super) fn stood_still(&self) -> Duration {
        self.stalled + self.stalled_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// The next that the store tells; never, without one.
    pub(super) async fn next(&mut self) -> StoreReply {
        let reply = match &mut self.ways {
            Some((_, replies)) if !self.has_failed => replies.recv().await,
            _ => std::future::pending().await,
        };
        reply.unwrap_or_else(|| StoreReply::Failed("the store has ended".to_owned()))
    }

    /// Takes a reply in. What the machine has to know of it comes back.
    pub(super) fn take(&mut self, reply: StoreReply, log: &mut impl FnMut(LogLine)) -> Option<MediatorInput> {
        match reply {
            StoreReply::Committed { batch } => {
                while let Some(stored) = self.unstored.pop_front_if(|unstored| unstored.batch <= batch) {
                    self.bytes -= stored.bytes;
                    log(LogLine::Committed { took: stored.submitted.elapsed() });
                    stored.round.told(log);
                }
                if let Some(since) = self.stalled_since.take() {
                    self.stalled += since.elapsed();
                    log(LogLine::StoreRecovered);
                }
                Some(MediatorInput::Committed { batch })
            }
            StoreReply::Fetched { connection, messages } => Some(MediatorInput::Fetched { connection, messages }),
            // Taken where it is waited for.
            StoreReply::Transferred { .. } => None,
            StoreReply::Stalled(words) => {
                self.stalled_since = Some(Instant::now());
                log(LogLine::StoreStalled { words });
                None
            }
            StoreReply::Failed(words) => {
                self.has_failed = true;
                log(LogLine::StoreFailed { words });
                None
            }
        }
    }

    /// The next reply as long as the end has to wait for one.
    pub(super) async fn last(&mut self, since: Instant) -> Option<StoreReply> {
        if self.unstored.is_empty() || !self.is_well() {
            return None;
        }
        tokio::time::timeout_at(since + LAST_COMMIT, self.next()).await.ok()
    }
}

fn bytes_of(change: &Change) -> usize {
    let envelope = match change {
        Change::Message { envelope, .. } => envelope.len(),
        _ => 0,
    };
    envelope + CHANGE_OVERHEAD
}
