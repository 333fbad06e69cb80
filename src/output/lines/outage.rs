//! [`JournalOutage`]: says on standard error that the journal fails, where nobody asked for the line about it. Nothing is
//! acknowledged meanwhile, so somebody has to learn it.

use std::io::{self, Write as _};
use std::sync::mpsc::{SyncSender, sync_channel};

use super::{EventSelection, Queued, QueuedEvent, TimedEvent};
use crate::group::{Event, JournalState};

/// How many sentences may wait for a standard error that takes none.
const SENTENCES: usize = 16;

/// Whether the journal fails, as far as somebody was told.
#[derive(Debug)]
pub struct JournalOutage {
    sentences: SyncSender<String>,
    fails: bool,
}

impl JournalOutage {
    /// [`None`] where the line about it is printed.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn unless_printed(wanted: &EventSelection) -> io::Result<Option<Self>> {
        if wanted.wants("journal") {
            return Ok(None);
        }
        let (sentences, waiting) = sync_channel::<String>(SENTENCES);
        // On a thread of its own: a terminal that stands still must hold up nobody.
        std::thread::Builder::new().name("outage".to_owned()).spawn(move || {
            for sentence in waiting {
                let _ = writeln!(io::stderr(), "d2mtop: {sentence}");
            }
        })?;
        Ok(Some(Self { sentences, fails: false }))
    }

    /// Says it once, and once when it is over.
    pub fn take(&mut self, told: &QueuedEvent) {
        let Queued::Item(TimedEvent { event: Event::Journal(state), .. }) = told else { return };
        let sentence = match state {
            JournalState::Failed(why) if !self.fails => {
                format!("{why}. Nothing is acknowledged until the journal can be written; d2mtop keeps trying")
            }
            JournalState::Keeps if self.fails => {
                "the journal can be written again; what was held back is acknowledged now".to_owned()
            }
            _ => return,
        };
        self.fails = matches!(state, JournalState::Failed(_));
        let _ = self.sentences.try_send(sentence);
    }
}
