//! [`JournalHandle`]: makes received messages durable on a thread of its own, so that the disk and the socket work at the
//! same time.
//!
//! What has come together while the disk was busy is written in one transaction. When the journal cannot be written, the
//! messages go on unacknowledged, so that they are seen, and are tried again; what is too much to be held comes again from
//! the server once the journal works.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::thread::{JournalWriter, Work};
use crate::group::{Event, JournalState, ReflectedMessage};
use crate::journal::Journal;
use crate::protocol::Millis;
use crate::session::DeliveryInput;
use crate::text::Clean;

/// How many bytes of messages may be under way to the disk before no more are read off the socket. Bytes, as an envelope
/// may have a hundred or a million.
const MOST_IN_FLIGHT: usize = 4 << 20;

/// How long the end waits for the last word to be written.
const LAST_WORD: Duration = Duration::from_secs(1);

/// A journal on a thread of its own.
#[derive(Debug)]
pub struct JournalHandle {
    /// Dropped first at the end, which ends the writer.
    work: Option<Sender<Work>>,
    replies: UnboundedReceiver<DeliveryInput>,
    done: Receiver<()>,
    /// Bytes that were given to the journal and are not yet durable.
    in_flight: usize,
    path: PathBuf,
    set_aside: Option<Clean>,
    /// Its thread has ended, and that was told.
    is_gone: bool,
}

impl JournalHandle {
    /// Starts the thread. `set_aside`: under which name a damaged journal is kept, if one was found.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn start(journal: Journal, set_aside: Option<Clean>) -> io::Result<Self> {
        let path = journal.path().to_owned();
        let (work, incoming) = channel();
        let (tell, replies) = unbounded_channel();
        let (finished, done) = channel();
        std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            JournalWriter::new(journal, tell).run(&incoming);
            drop(finished);
        })?;
        Ok(Self { work: Some(work), replies, done, in_flight: 0, path, set_aside, is_gone: false })
    }

    /// The journal's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is to be told at the start.
    pub fn first_events(&mut self) -> impl Iterator<Item = Event> + use<> {
        [self.set_aside.take().map(Event::JournalSetAside), Some(Event::Journal(JournalState::Keeps))]
            .into_iter()
            .flatten()
    }

    fn send(&self, work: Work) {
        // A writer that is gone has told so by ending the other channel.
        let _ = self.work.as_ref().map(|sender| sender.send(work));
    }

    /// Gives messages to be made durable; they come back from [`JournalHandle::reply`] in the same order.
    pub fn store(&mut self, connection: u64, messages: Vec<ReflectedMessage>) {
        self.in_flight += bytes_of(&messages);
        self.send(Work::Store { connection, messages });
    }

    /// The acknowledgements of the oldest so many have left.
    pub fn acknowledged(&self, count: usize, at: Millis, waited: Duration) {
        self.send(Work::Acknowledged { count, at, waited });
    }

    /// All that waited at the server was given to be stored.
    pub fn caught_up(&self) {
        self.send(Work::CaughtUp);
    }

    /// The connection ended: what is not acknowledged comes again.
    pub fn disconnected(&self) {
        self.send(Work::Disconnected);
    }

    /// Whether the disk keeps up.
    #[must_use]
    pub const fn takes_more(&self) -> bool {
        self.in_flight < MOST_IN_FLIGHT
    }

    /// Waits for what the disk says; for ever once its thread is gone. May be dropped at any point.
    pub async fn reply(&mut self) -> DeliveryInput {
        match self.replies.recv().await {
            Some(reply) => {
                if let DeliveryInput::HandOn { messages, .. } = &reply {
                    self.in_flight -= bytes_of(messages).min(self.in_flight);
                }
                reply
            }
            None if self.is_gone => std::future::pending().await,
            None => {
                self.is_gone = true;
                DeliveryInput::Journal(Event::Journal(JournalState::Failed(Clean::literal(
                    "the journal's thread has ended; restart d2mtop",
                ))))
            }
        }
    }
}

impl Drop for JournalHandle {
    fn drop(&mut self) {
        self.work = None;
        // A disk that does not answer must not keep the program from ending.
        if self.done.recv_timeout(LAST_WORD) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the journal: the disk does not answer; what is not written was not acknowledged");
        }
    }
}

/// What messages take in memory, as far as it matters.
fn bytes_of(messages: &[ReflectedMessage]) -> usize {
    messages.iter().map(|message| size_of::<ReflectedMessage>() + message.envelope.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::test_message::message;
    use crate::journal::{Conversations, Options, Retention, Synchronous};

    fn journal_handle(directory: &Path) -> JournalHandle {
        let (conversations, retention) = (Conversations::None, Retention::default());
        let options = Options { conversations, retention, synchronous: Synchronous::Normal };
        let opened = Journal::open(&directory.join("journal.sqlite"), options, Millis(1)).unwrap();
        JournalHandle::start(opened.journal, None).unwrap()
    }

    #[tokio::test]
    async fn large_envelopes_hold_the_socket_back_by_their_bytes_and_small_ones_pass() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = journal_handle(directory.path());
        for _ in 0..4_096 {
            journal.store(1, vec![message(200)]);
        }
        assert!(journal.takes_more(), "a whole transaction of small ones fits");
        for _ in 0..256 {
            journal.store(1, vec![message(16_384)]);
        }
        assert!(!journal.takes_more(), "4 MiB are under way");
        let mut left = 4_096 + 256;
        while left > 0 {
            let DeliveryInput::HandOn { messages, durable: true, .. } = journal.reply().await else {
                panic!("it is written")
            };
            left -= messages.len();
        }
        assert_eq!(journal.in_flight, 0);
    }
}
