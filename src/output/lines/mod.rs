//! Lines on standard output for commands that serve: whoever reads it slowly, or not at all, does not hold them up.

mod line_writer;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Failure;
use super::sentences::Form;
use crate::os::clock;
use crate::protocol::Millis;
use line_writer::LineWriter;

/// How many lines may wait for a slow reader before lines are left out.
const LINES: usize = 8_192;
/// How long the end waits for the last lines to be written.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Standard output on a thread of its own, which also makes lines of what is to be told.
pub struct LineSink<T> {
    waiting: SyncSender<Entry<T>>,
    /// How many lines the entries make that are told and not yet printed.
    unprinted: Arc<AtomicUsize>,
    /// Says how the printing ended. Shared by nobody; the lock makes the rest of it shareable.
    ended: Mutex<Receiver<io::Result<()>>>,
    /// How many lines found no room since that was last told.
    left_out: Arc<AtomicU64>,
}

/// Adds the lines of what was told.
pub trait Write<T>: Fn(&mut Form, &mut Vec<u8>, Millis, T) -> io::Result<()> {}

impl<T, W: Fn(&mut Form, &mut Vec<u8>, Millis, T) -> io::Result<()>> Write<T> for W {}

enum Entry<T> {
    Told { at: Millis, told: T, lines: usize },
    LeftOut(u64),
}

impl<T: Send + 'static> LineSink<T> {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// If the system gives none, or there is no standard output.
    pub fn start(form: Form, write: impl Write<T> + Send + 'static) -> io::Result<Self> {
        let mut paper = LineWriter::new(form, line_writer::standard_output()?);
        let (sender, waiting) = mpsc::sync_channel(LINES);
        let (ending, ended) = mpsc::channel();
        let (unprinted, left_out) = (Arc::<AtomicUsize>::default(), Arc::<AtomicU64>::default());
        let (printing, unsaid) = (Arc::clone(&unprinted), Arc::clone(&left_out));
        std::thread::Builder::new().name("lines".to_owned()).spawn(move || {
            print(&waiting, &printing, &write, &mut paper);
            // What found no room at last has nothing after it that would tell.
            let _ = ending.send(paper.end(unsaid.swap(0, Ordering::Relaxed)));
        })?;
        Ok(Self { waiting: sender, unprinted, ended: Mutex::new(ended), left_out })
    }

    /// Tells what makes one line. Never waits; what finds no room is left out and counted.
    pub fn write(&self, told: T) {
        self.write_many(told, 1);
    }

    /// Tells what makes so many lines.
    pub fn write_many(&self, told: T, lines: usize) {
        let left_out = self.left_out.swap(0, Ordering::Relaxed);
        let counted = left_out == 0 || self.waiting.try_send(Entry::LeftOut(left_out)).is_ok();
        if !counted || !self.try_send(told, lines) {
            let again = if counted { 0 } else { left_out };
            self.left_out.fetch_add(again + lines as u64, Ordering::Relaxed);
        }
    }

    fn try_send(&self, told: T, lines: usize) -> bool {
        let unprinted = self.unprinted.fetch_add(lines, Ordering::Relaxed);
        let entry = Entry::Told { at: clock::wall().into(), told, lines };
        let is_sent = unprinted + lines <= LINES && self.waiting.try_send(entry).is_ok();
        if !is_sent {
            self.unprinted.fetch_sub(lines, Ordering::Relaxed);
        }
        is_sent
    }

    /// Waits for the last lines, but not for ever.
    ///
    /// # Errors
    /// If a line could not be written, although somebody reads.
    pub fn end(self) -> Result<(), Failure> {
        drop(self.waiting);
        let ended = self.ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        // It may also take too long.
        ended.recv_timeout(LAST_LINES).unwrap_or(Ok(())).map_err(Failure::Output)
    }
}

fn print<T>(
    waiting: &Receiver<Entry<T>>,
    unprinted: &AtomicUsize,
    write: &impl Write<T>,
    paper: &mut LineWriter<File>,
) {
    let mut written = Vec::new();
    while let Ok(first) = waiting.recv() {
        let mut next = Some(first);
        while let Some(entry) = next {
            match entry {
                Entry::Told { at, told, lines } => {
                    // Writing to memory cannot fail.
                    let _ = write(&mut paper.form, &mut written, at, told);
                    for line in written.split_inclusive(|byte| *byte == b'\n') {
                        paper.add(line);
                    }
                    written.clear();
                    unprinted.fetch_sub(lines, Ordering::Relaxed);
                }
                Entry::LeftOut(lines) => paper.add_left_out(lines),
            }
            next = waiting.try_recv().ok();
        }
        paper.flush();
    }
}

/// Whoever waits for the file finds it whole: it appears by being renamed.
pub fn write_port(path: &Path, port: u16) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    std::fs::write(&temporary, format!("{port}\n"))?;
    std::fs::rename(&temporary, path).inspect_err(|_| {
        // The error that counts is the one of the renaming.
        let _ = std::fs::remove_file(&temporary);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_many_lines_takes_the_room_of_many() {
        let (printing, begin) = mpsc::channel::<()>();
        let begin = Mutex::new(begin);
        // Nothing is printed before all is told.
        let lines = LineSink::start(Form::Ndjson, move |_: &mut Form, _: &mut Vec<u8>, _, _: usize| {
            let (Ok(()) | Err(_)) = begin.lock().unwrap().recv();
            Ok(())
        });
        let lines = lines.unwrap();
        for _ in 0..=LINES / 256 {
            lines.write_many(256, 256);
        }
        assert_eq!(lines.left_out.load(Ordering::Relaxed), 256, "the last one");
        drop(printing);
        lines.end().unwrap();
    }

    #[test]
    fn the_port_file_appears_whole_and_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("port");
        std::fs::write(&path, "an older one, which was longer").unwrap();
        write_port(&path, 4711).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "4711\n");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(write_port(&directory.path().join("none").join("port"), 1).is_err());
    }
}
