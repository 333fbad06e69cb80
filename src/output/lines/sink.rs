//! [`LineSink`]: standard output for commands that serve, and go on whether or not anybody reads.

use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::line_writer::LineWriter;
use super::queue::{EndOnDrop, LineQueue, Overflow, Queued};
use super::writer_thread::start_writer;
use crate::os::clock;
use crate::output::{Failure, Form};
use crate::protocol::Millis;

/// How long the end waits for the last lines to be written.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Something that makes so many lines.
struct UnformattedLines<T> {
    at: Millis,
    content: T,
    lines: usize,
}

/// Counts lines that are left out, whatever they are about.
struct CountLines<T>(PhantomData<T>);

impl<T> Overflow for CountLines<T> {
    type Item = UnformattedLines<T>;
    type LeftOut = u64;

    const ROOM: usize = 8_192;

    fn room_of(item: &Self::Item) -> usize {
        item.lines
    }

    fn leave_out(left_out: Option<u64>, item: &Self::Item) -> u64 {
        left_out.unwrap_or(0) + item.lines as u64
    }

    fn join(first: u64, then: u64) -> u64 {
        first + then
    }
}

/// Adds the lines of some content.
pub trait FormatLines<T>: Fn(&mut Form, &mut Vec<u8>, Millis, T) -> io::Result<()> {}

impl<T, F: Fn(&mut Form, &mut Vec<u8>, Millis, T) -> io::Result<()>> FormatLines<T> for F {}

/// Standard output on a thread of its own, which also formats the lines.
pub struct LineSink<T> {
    queue: EndOnDrop<CountLines<T>>,
    ended: oneshot::Receiver<io::Result<()>>,
}

impl<T: Send + 'static> LineSink<T> {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// If the system gives none, or there is no standard output.
    pub fn start(form: Form, format: impl FormatLines<T> + Send + 'static) -> io::Result<Self> {
        let queue = Arc::<LineQueue<CountLines<T>>>::default();
        let filled = Arc::clone(&queue);
        let ended = start_writer("lines", move |output| {
            let mut writer = LineWriter::new(form, output);
            write_all(&filled, &format, &mut writer);
            writer.end()
        })?;
        Ok(Self { queue: EndOnDrop(queue), ended })
    }

    /// Writes what makes one line. Never waits; what finds no room is left out and counted.
    pub fn write(&self, content: T) {
        self.write_many(content, 1);
    }

    /// Writes what makes so many lines.
    pub fn write_many(&self, content: T, lines: usize) {
        self.queue.0.push(UnformattedLines { at: clock::wall().into(), content, lines });
    }

    /// Waits for the last lines, but not for ever.
    ///
    /// # Errors
    /// If a line could not be written, although somebody reads.
    pub async fn end(self) -> Result<(), Failure> {
        drop(self.queue);
        match tokio::time::timeout(LAST_LINES, self.ended).await {
            Ok(Ok(ended)) => ended.map_err(Failure::Output),
            // It takes too long, or the thread has panicked.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }
}

fn write_all<T, W: io::Write>(
    queue: &LineQueue<CountLines<T>>,
    format: &impl FormatLines<T>,
    writer: &mut LineWriter<W>,
) {
    let mut formatted = Vec::new();
    while let Some(first) = queue.next() {
        let mut next = Some(first);
        while let Some(queued) = next {
            match queued {
                Queued::Item(UnformattedLines { at, content, lines }) => {
                    // Writing to memory cannot fail.
                    let _ = format(&mut writer.form, &mut formatted, at, content);
                    for line in formatted.split_inclusive(|byte| *byte == b'\n') {
                        writer.add(line);
                    }
                    formatted.clear();
                    queue.written(lines);
                }
                Queued::LeftOut(lines) => writer.add_left_out(lines),
            }
            next = queue.try_next();
        }
        writer.flush();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;
    use crate::output::ndjson::NamesInLines;

    #[test]
    fn what_makes_many_lines_takes_the_room_of_many() {
        let (printing, begin) = mpsc::channel::<()>();
        let begin = Mutex::new(begin);
        // Nothing is printed before all is told.
        let lines =
            LineSink::start(Form::Ndjson(NamesInLines::LeftOut), move |_: &mut Form, _: &mut Vec<u8>, _, _: usize| {
                let (Ok(()) | Err(_)) = begin.lock().unwrap().recv();
                Ok(())
            });
        let lines = lines.unwrap();
        for _ in 0..=CountLines::<usize>::ROOM / 256 {
            lines.write_many(256, 256);
        }
        assert_eq!(lines.queue.0.left_out(), Some(256), "the last one");
        drop(printing);
        crate::os::event_loop::event_loop().unwrap().block_on(lines.end()).unwrap();
    }
}
