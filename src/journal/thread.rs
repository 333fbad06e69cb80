//! The journal's thread: one transaction for what has come together, and what to do while it cannot be written.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;

use crate::group::{Event, JournalState, ReflectedMessage, to_acknowledge};
use crate::journal::{Journal, JournalError};
use crate::os::clock;
use crate::protocol::{Millis, Sealed};
use crate::session::{DeliveryInput, SessionInput};
use crate::text::Clean;

/// The most messages that one transaction takes.
const MOST_IN_TRANSACTION: usize = 4_096;

/// The most messages that are held while the journal cannot be written.
const MOST_HELD: usize = 10_000;

/// How long after a failure the journal is tried again; doubles up to the longest.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// How long after the last message the times of acknowledgements are written.
const FLUSH_AFTER: Duration = Duration::from_secs(1);

/// How often old rows are looked for.
const PRUNE_EVERY: Duration = Duration::from_secs(3_600);

pub(super) enum Work {
    Store { connection: u64, messages: Vec<ReflectedMessage> },
    Acknowledged { count: usize, at: Millis, waited: Duration },
    CaughtUp,
    Disconnected,
}

struct ReceivedBatch {
    connection: u64,
    messages: Vec<ReflectedMessage>,
}

/// The journal cannot be written at the moment.
struct WriteTrouble {
    /// Handed on, and to be made durable all the same.
    held: VecDeque<ReceivedBatch>,
    /// On which connection messages came that are not held.
    missed: Option<u64>,
    /// Between two tries.
    pause: Duration,
    retry_at: Instant,
}

pub(super) struct JournalWriter {
    journal: Journal,
    tell: UnboundedSender<DeliveryInput>,
    trouble: Option<WriteTrouble>,
    /// When times of acknowledgements are to be written that wait for the next message.
    flush_at: Option<Instant>,
    /// When old rows are looked for.
    prune_at: Instant,
}

impl JournalWriter {
    pub(super) fn new(journal: Journal, tell: UnboundedSender<DeliveryInput>) -> Self {
        Self { journal, tell, trouble: None, flush_at: None, prune_at: Instant::now() }
    }

    pub(super) fn run(mut self, incoming: &Receiver<Work>) {
        loop {
            // What came is taken first, but what is due is not put off by it.
            match incoming.recv_timeout(self.due().saturating_duration_since(Instant::now())) {
                Ok(first) => self.take(first, incoming),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.do_what_is_due(Instant::now());
        }
        if self.flush_at.is_some()
            && let Err(error) = self.journal.flush()
        {
            tracing::warn!("{error}");
        }
    }

    fn due(&self) -> Instant {
        match &self.trouble {
            Some(trouble) => trouble.retry_at,
            None => self.flush_at.map_or(self.prune_at, |flush_at| flush_at.min(self.prune_at)),
        }
    }

    fn tell(&self, reply: DeliveryInput) {
        // Nobody listens any more when the session has ended.
        let _ = self.tell.send(reply);
    }

    /// Takes all that has come, so that it makes one transaction.
    fn take(&mut self, first: Work, incoming: &Receiver<Work>) {
        let mut batches = Vec::new();
        let mut size = 0;
        let mut next = Some(first);
        while let Some(work) = next {
            match work {
                Work::Store { connection, messages } => {
                    size += messages.len();
                    batches.push(ReceivedBatch { connection, messages });
                }
                Work::Acknowledged { count, at, waited } => {
                    self.journal.acknowledged(count, at, waited);
                    self.flush_at.get_or_insert_with(|| Instant::now() + FLUSH_AFTER);
                }
                Work::CaughtUp => {
                    self.store(std::mem::take(&mut batches));
                    size = 0;
                    // What is held has yet to be recognised.
                    if self.trouble.is_none() {
                        self.journal.caught_up();
                    }
                }
                Work::Disconnected => {
                    self.store(std::mem::take(&mut batches));
                    size = 0;
                    self.journal.disconnected();
                    if let Some(trouble) = &mut self.trouble {
                        // All of it comes again by itself.
                        trouble.held.clear();
                        trouble.missed = None;
                    }
                }
            }
            next = if size < MOST_IN_TRANSACTION { incoming.try_recv().ok() } else { None };
        }
        self.store(batches);
    }

    fn store(&mut self, batches: Vec<ReceivedBatch>) {
        if batches.is_empty() {
            return;
        }
        if self.trouble.is_some() {
            return self.hold(batches);
        }
        match append(&mut self.journal, batches.iter()) {
            Ok(()) => {
                self.flush_at = None;
                for ReceivedBatch { connection, messages } in batches {
                    self.tell(DeliveryInput::HandOn { connection, messages, durable: true });
                }
            }
            Err(error) => {
                self.fail(&error);
                self.hold(batches);
            }
        }
    }

    /// Hands messages on that cannot be made durable now, and holds them as long as there is room: not after some were
    /// not held, as they are made durable in order.
    fn hold(&mut self, batches: Vec<ReceivedBatch>) {
        for ReceivedBatch { connection, messages } in batches {
            if let Some(trouble) = &mut self.trouble {
                let held: usize = trouble.held.iter().map(|batch| batch.messages.len()).sum();
                if trouble.missed.is_none() && held + messages.len() <= MOST_HELD {
                    let messages = messages.iter().map(without_envelope).collect();
                    trouble.held.push_back(ReceivedBatch { connection, messages });
                } else {
                    trouble.missed = Some(connection);
                }
            }
            self.tell(DeliveryInput::HandOn { connection, messages, durable: false });
        }
    }

    fn do_what_is_due(&mut self, now: Instant) {
        if let Some(trouble) = &self.trouble {
            if now >= trouble.retry_at {
                self.try_again();
            }
            return;
        }
        if self.flush_at.take_if(|at| now >= *at).is_some()
            && let Err(error) = self.journal.flush()
        {
            self.flush_at = Some(now);
            return self.fail(&error);
        }
        if now >= self.prune_at {
            let more = self.journal.prune(clock::wall().into()).unwrap_or_else(|error| {
                tracing::warn!("{error}");
                false
            });
            self.prune_at = if more { now } else { now + PRUNE_EVERY };
        }
    }

    fn fail(&mut self, error: &JournalError) {
        tracing::error!("{error}");
        self.tell(DeliveryInput::Journal(Event::Journal(JournalState::Failed(Clean::new(&error.to_string())))));
        self.trouble = Some(WriteTrouble {
            held: VecDeque::new(),
            missed: None,
            pause: FIRST_RETRY,
            retry_at: Instant::now() + FIRST_RETRY,
        });
    }

    fn try_again(&mut self) {
        let Some(mut trouble) = self.trouble.take() else { return };
        match append(&mut self.journal, trouble.held.iter()) {
            Ok(()) => {
                for ReceivedBatch { connection, messages } in trouble.held {
                    let count = to_acknowledge(&messages);
                    self.tell(DeliveryInput::Session(SessionInput::Durable { connection, count }));
                }
                self.tell(DeliveryInput::JournalWorks { redeliver: trouble.missed });
            }
            Err(error) => {
                tracing::debug!("{error}");
                trouble.pause = (trouble.pause * 2).min(LONGEST_RETRY);
                trouble.retry_at = Instant::now() + trouble.pause;
                self.trouble = Some(trouble);
            }
        }
    }
}

/// A message as the journal needs it: without the envelope, and so without the memory that it shares with its neighbours.
fn without_envelope(message: &ReflectedMessage) -> ReflectedMessage {
    ReflectedMessage { envelope: Sealed::from_wire(Bytes::new()), ..message.clone() }
}

fn append<'a>(journal: &mut Journal, batches: impl Iterator<Item = &'a ReceivedBatch>) -> Result<(), JournalError> {
    // Also with nothing to append: it tells whether the journal can be written again.
    journal.append(batches.flat_map(|batch| &batch.messages))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::test_message::message;

    #[test]
    fn what_is_held_for_the_journal_pins_no_envelope() {
        let whole = message(16_384);
        let held = without_envelope(&whole);
        assert_eq!(held.envelope.len(), 0);
        assert_eq!(ReflectedMessage { envelope: whole.envelope.clone(), ..held }, whole, "the rest is the same");
    }
}
