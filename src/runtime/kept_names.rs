//! [`KeptNames`]: what conversations of a profile's group are called, from one run to the next.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::observers::Observer;
use crate::group::{ConversationNames, Event};
use crate::os::latest_value_writer::LatestValueWriter;
use crate::profile::NamesFile;
use crate::protocol::{GroupKeys, Millis};

/// How often they are written at most: many names may come one after the other.
const APART: Duration = Duration::from_secs(10);

/// What a join told, and what messages have told since; what is learnt is kept, without making the session wait for the disk.
#[derive(Debug)]
pub struct KeptNames {
    names: ConversationNames,
    /// What they were when they were written last.
    written: u64,
    written_at: Option<Instant>,
    writer: LatestValueWriter<ConversationNames>,
}

impl KeptNames {
    /// Reads the names. Where they cannot be read they are left alone, and conversations go by their ids: [`None`].
    #[must_use]
    pub fn open(file: NamesFile, keys: &Arc<GroupKeys>) -> Option<Self> {
        let names = file.known(keys).inspect_err(|error| tracing::warn!("{error}")).ok()?;
        let keys = Arc::clone(keys);
        let write = move |names: ConversationNames| {
            // Tried again with the next name.
            if let Err(error) = file.keep(&names, &keys) {
                tracing::warn!("cannot keep the names: {error}");
            }
        };
        let writer = LatestValueWriter::start("names", write).inspect_err(|error| tracing::warn!("{error}")).ok()?;
        Some(Self { written: names.revision(), names, written_at: None, writer })
    }

    /// The names as they are now.
    #[must_use]
    pub const fn names(&self) -> &ConversationNames {
        &self.names
    }

    fn write(&mut self) {
        if self.written != self.names.revision() {
            self.written = self.names.revision();
            self.written_at = Some(Instant::now());
            self.writer.write(self.names.clone());
        }
    }
}

impl Observer for KeptNames {
    fn observe(&mut self, _at: Millis, event: &Event) {
        if let Event::Reflected(messages) = event {
            // A replay tells what was so once.
            for message in messages.iter().filter(|message| !message.repeated_nonce) {
                if let Ok(summary) = &message.content {
                    self.names.learn(summary);
                }
            }
        }
        if self.written_at.is_none_or(|at| at.elapsed() >= APART) {
            self.write();
        }
    }
}

impl Drop for KeptNames {
    fn drop(&mut self) {
        self.write();
    }
}
