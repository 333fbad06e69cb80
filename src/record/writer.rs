//! The thread that writes a session's segments: what is whole is on the disk as soon as there is nothing more to write.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::codec::{SEGMENT_HEAD, encode_entry, segment_head};
use super::entry::{RecordEntry, RecordedInput};
use super::folder::{LimitReached, RecordFolder};
use crate::text::Clean;

/// How many bytes may wait for the disk.
const MOST_WAITING: usize = 64 << 20;

/// How long what waits for the disk is waited for at the end.
const LAST_WORD: Duration = Duration::from_secs(10);

/// The memory that an entry takes besides its frames.
const ENTRY: usize = 512;

/// Gives entries to the thread. Never waits for the disk.
#[derive(Debug)]
pub(super) struct EntryWriter {
    entries: Option<Sender<RecordEntry>>,
    waiting: Arc<AtomicUsize>,
    ended: Arc<Mutex<Option<Clean>>>,
    /// Ends with the thread.
    done: Receiver<()>,
}

fn size(entry: &RecordEntry) -> usize {
    match entry {
        RecordEntry::Input(_, RecordedInput::Frames(frames)) => ENTRY + frames.len(),
        RecordEntry::Followed(followed) => ENTRY + 64 * followed.deeds.len(),
        _ => ENTRY,
    }
}

impl EntryWriter {
    /// Starts the thread.
    pub(super) fn start(folder: RecordFolder) -> io::Result<Self> {
        let (entries, incoming) = channel();
        let (waiting, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(None)));
        let (left, why) = (Arc::clone(&waiting), Arc::clone(&ended));
        let (finished, done) = channel();
        std::thread::Builder::new().name("recorder".to_owned()).spawn(move || {
            let _finished: Sender<()> = finished;
            let words = match (SegmentWriter { folder, segment: None }).run(&incoming, &left) {
                Ok(()) => return,
                Err(stopped) => stopped,
            };
            *why.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
        })?;
        Ok(Self { entries: Some(entries), waiting, ended, done })
    }

    /// Gives an entry on, unless nothing more is written.
    pub(super) fn write(&mut self, entry: RecordEntry) {
        let Some(entries) = &self.entries else { return };
        if self.waiting.fetch_add(size(&entry), Ordering::Relaxed) > MOST_WAITING {
            let words = Clean::literal("the disk is too slow for what comes");
            self.ended.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(words);
            self.entries = None;
        } else if entries.send(entry).is_err() {
            self.entries = None;
        }
    }

    /// Why nothing more is written, told once.
    pub(super) fn take_end(&self) -> Option<Clean> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for EntryWriter {
    fn drop(&mut self) {
        // Of what is stopped nothing is waited for: the session goes on. Nor does a disk that does not answer keep the
        // program from ending.
        if self.entries.take().is_some() && self.done.recv_timeout(LAST_WORD) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the recording: the disk does not answer; its end is missing");
        }
    }
}

struct SegmentWriter {
    folder: RecordFolder,
    segment: Option<(u64, BufWriter<File>)>,
}

impl SegmentWriter {
    fn run(mut self, incoming: &Receiver<RecordEntry>, waiting: &AtomicUsize) -> Result<(), Clean> {
        while let Ok(first) = incoming.recv() {
            let mut next = Some(first);
            while let Some(entry) = next {
                waiting.fetch_sub(size(&entry), Ordering::Relaxed);
                self.write(&entry)?;
                next = incoming.try_recv().ok();
            }
            // Nothing waits: what is whole can be read, whatever becomes of us.
            self.flush()?;
        }
        self.end()
    }

    fn write(&mut self, entry: &RecordEntry) -> Result<(), Clean> {
        if matches!(entry, RecordEntry::Start(_)) {
            self.end()?;
            let (number, mut file) = self.folder.begin().map_err(|cause| unwritten(&cause))?;
            self.folder.make_room(number, SEGMENT_HEAD as u64).map_err(|LimitReached| full())?;
            file.write_all(&segment_head()).map_err(|cause| unwritten(&cause))?;
            self.segment = Some((number, BufWriter::with_capacity(1 << 16, file)));
        }
        let Some((number, file)) = &mut self.segment else { return Ok(()) };
        let Some(bytes) = encode_entry(entry) else {
            return Err(Clean::literal("more came at once than an entry can have"));
        };
        if self.folder.make_room(*number, bytes.len() as u64).is_err() {
            self.flush()?;
            return Err(full());
        }
        file.write_all(&bytes).map_err(|cause| unwritten(&cause))
    }

    fn flush(&mut self) -> Result<(), Clean> {
        self.segment.as_mut().map_or(Ok(()), |(_, file)| file.flush()).map_err(|cause| unwritten(&cause))
    }

    fn end(&mut self) -> Result<(), Clean> {
        self.flush()?;
        if let Some((number, _)) = self.segment.take() {
            self.folder.end(number);
        }
        Ok(())
    }
}

fn full() -> Clean {
    Clean::literal("this connection alone fills --record-limit")
}

fn unwritten(cause: &io::Error) -> Clean {
    Clean::new(&format!("it cannot be written: {cause}"))
}
