//! [`Remembering`]: an observer that keeps what is learned of the own slot, without making the session wait for the disk.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use bytes::Bytes;

use super::driver::Observer;
use crate::group::Event;
use crate::profile::SlotMemory;
use crate::protocol::Millis;

/// How long the end waits for the last word to be written.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Hands every event on, and notes what it says of our slot.
#[derive(Debug)]
pub struct Remembering<O> {
    observer: O,
    notes: Option<Notes>,
}

#[derive(Debug)]
struct Notes {
    memory: SlotMemory,
    /// Dropped first at the end, which ends the writer.
    writer: Option<Sender<SlotMemory>>,
    written: Receiver<()>,
}

impl<O: Observer> Remembering<O> {
    /// Remembers nothing without a memory.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn new(observer: O, memory: Option<SlotMemory>) -> io::Result<Self> {
        let notes = memory.map(Notes::new).transpose()?;
        Ok(Self { observer, notes })
    }
}

impl<O: Observer> Observer for Remembering<O> {
    fn tell(&mut self, at: Millis, event: Event) {
        if let Some(notes) = &mut self.notes
            && notes.memory.learn(at, &event)
            && let Some(writer) = &notes.writer
        {
            let _ = writer.send(notes.memory.clone());
        }
        self.observer.tell(at, event);
    }

    fn proxied(&mut self, frame: Bytes) {
        self.observer.proxied(frame);
    }
}

impl Notes {
    fn new(memory: SlotMemory) -> io::Result<Self> {
        let (writer, notes) = channel();
        let (done, written) = channel();
        std::thread::Builder::new().name("slot memory".to_owned()).spawn(move || {
            write(&notes);
            drop(done);
        })?;
        Ok(Self { memory, writer: Some(writer), written })
    }
}

fn write(notes: &Receiver<SlotMemory>) {
    while let Ok(memory) = notes.recv() {
        // Only the newest counts.
        let newest = notes.try_iter().last().unwrap_or(memory);
        if let Err(error) = newest.write() {
            tracing::warn!("cannot remember the slot: {error}");
        }
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        self.writer = None;
        // A disk that does not answer must not keep the program from ending.
        if self.written.recv_timeout(LAST_WORD) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("cannot remember the slot: the disk does not answer");
        }
    }
}
