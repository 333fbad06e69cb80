//! [`LatestValueWriter`]: writes the newest of what it is given, on a thread of its own, so that nobody waits for the disk.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How long the end waits for the last word to be written.
const LAST_WORD: Duration = Duration::from_millis(700);

/// Takes values to be written; at its end the last one is, if the disk answers.
#[derive(Debug)]
pub struct LatestValueWriter<T> {
    what: &'static str,
    /// Dropped first at the end, which ends the writer.
    writer: Option<Sender<T>>,
    written: Receiver<()>,
}

impl<T: Send + 'static> LatestValueWriter<T> {
    /// Starts the thread; `what` names it.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn start(what: &'static str, mut write: impl FnMut(T) + Send + 'static) -> io::Result<Self> {
        let (writer, values) = channel();
        let (done, written) = channel();
        std::thread::Builder::new().name(what.to_owned()).spawn(move || {
            while let Ok(value) = values.recv() {
                write(values.try_iter().last().unwrap_or(value));
            }
            drop(done);
        })?;
        Ok(Self { what, writer: Some(writer), written })
    }

    /// Writes this value, unless a newer one comes before the writer is at it.
    pub fn write(&self, value: T) {
        // A writer that is gone has panicked, and that was told.
        let _ = self.writer.as_ref().map(|writer| writer.send(value));
    }
}

impl<T> Drop for LatestValueWriter<T> {
    fn drop(&mut self) {
        self.writer = None;
        // A disk that does not answer must not keep the program from ending.
        if self.written.recv_timeout(LAST_WORD) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("{}: cannot be kept, as the disk does not answer", self.what);
        }
    }
}
