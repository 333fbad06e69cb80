//! [`LineWriter`]: each line is written whole, or counted as missing.

use std::io::{self, Write};

use serde_json::json;

use crate::os::clock;
use crate::output::ndjson;
use crate::output::sentences::Form;
use crate::output::words::remark;

/// After how many bytes lines are written.
const TOGETHER: usize = 16 * 1024;

/// Writes lines to an output that may fail, and recover.
pub struct LineWriter<W> {
    pub form: Form,
    output: W,
    unwritten: Vec<u8>,
    /// The lines that `unwritten` is made of.
    lines: Vec<UnwrittenLine>,
    /// How many lines could not be written since the last line that says so.
    lost: u64,
    /// The first error.
    failed: Option<io::Error>,
}

struct UnwrittenLine {
    ends_at: usize,
    /// How many lines are missing without it; none if its beginning is written.
    stands_for: u64,
}

impl<W: Write> LineWriter<W> {
    pub const fn new(form: Form, output: W) -> Self {
        Self { form, output, unwritten: Vec::new(), lines: Vec::new(), lost: 0, failed: None }
    }

    /// Adds a line with its end. Before it comes how many lines are missing.
    pub fn add(&mut self, line: &[u8]) {
        self.add_left_out(0);
        self.unwritten.extend_from_slice(line);
        self.lines.push(UnwrittenLine { ends_at: self.unwritten.len(), stands_for: 1 });
        if self.unwritten.len() >= TOGETHER {
            self.flush();
        }
    }

    /// Adds how many lines are missing here, besides those that could not be written.
    pub fn add_left_out(&mut self, lines: u64) {
        let lines = lines + std::mem::take(&mut self.lost);
        if lines > 0 {
            let line = ndjson::line(clock::wall().into(), "left_out", json!({ "lines": lines }));
            // Writing to memory cannot fail.
            let _ = self.form.line(&mut self.unwritten, &line);
            self.lines.push(UnwrittenLine { ends_at: self.unwritten.len(), stands_for: lines });
        }
    }

    /// Writes what was added. A line that cannot be written is missing; the rest of a begun line is kept.
    pub fn flush(&mut self) {
        let mut rest = self.unwritten.as_slice();
        let error = loop {
            if rest.is_empty() {
                break None;
            }
            match self.output.write(rest) {
                Ok(0) => break Some(io::ErrorKind::WriteZero.into()),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Some(error),
            }
        };
        let written = self.unwritten.len() - rest.len();
        match error {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.give_up(written);
                self.note(error);
            }
            // All is written; or nobody reads any more, which is no reason to stop serving.
            _ => {
                self.unwritten.clear();
                self.lines.clear();
            }
        }
    }

    /// Keeps the rest of the line that is begun, and counts the others.
    fn give_up(&mut self, written: usize) {
        let mut kept = Vec::new();
        let mut begins_at = 0;
        for UnwrittenLine { ends_at, stands_for } in self.lines.drain(..) {
            if stands_for == 0 || begins_at < written {
                kept.extend_from_slice(self.unwritten.get(begins_at.max(written)..ends_at).unwrap_or_default());
            } else {
                self.lost += stands_for;
            }
            begins_at = ends_at;
        }
        self.lines.extend((!kept.is_empty()).then_some(UnwrittenLine { ends_at: kept.len(), stands_for: 0 }));
        self.unwritten = kept;
    }

    fn note(&mut self, error: io::Error) {
        if self.failed.is_none() {
            remark(&format!(
                "cannot write to standard output: {error}; going on, and counting the lines that are missing"
            ));
            self.failed = Some(error);
        }
    }

    /// Writes the last of it, and what is missing at the end.
    ///
    /// # Errors
    /// The first thing that went wrong.
    pub fn end(mut self) -> io::Result<()> {
        self.add_left_out(0);
        self.flush();
        self.failed.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::output::ndjson::NamesInLines;

    /// Takes so many bytes, and then nothing until somebody makes room.
    struct Disk {
        room: usize,
        written: Vec<u8>,
    }

    impl Write for &mut Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.room);
            if count == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= count;
            self.written.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_tears_no_line_and_what_is_missing_is_counted() {
        // With room for so many bytes at first; then none, twice; then enough.
        for room in [0, 1, 7, 8, 9, 20, 39] {
            let mut disk = Disk { room, written: Vec::new() };
            let mut writer = LineWriter::new(Form::Ndjson(NamesInLines::LeftOut), &mut disk);
            let mut number = 0;
            for room in [None, None, Some(1_000), None] {
                writer.output.room = room.unwrap_or(writer.output.room);
                for _ in 0..3 {
                    writer.add(format!("{}\n", json!({ "n": number })).as_bytes());
                    number += 1;
                }
                writer.flush();
            }
            writer.add_left_out(2);
            assert_eq!(writer.end().unwrap_err().kind(), io::ErrorKind::StorageFull);
            let text = String::from_utf8(disk.written).unwrap();
            let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let (told, printed): (Vec<_>, Vec<_>) = lines.partition(|line| line["event"] == "left_out");
            let missing: u64 = told.iter().map(|line| line["lines"].as_u64().unwrap()).sum();
            assert_eq!(printed.len() as u64 + missing, number + 2, "{room}: {text}");
            assert_eq!(told.last().unwrap()["lines"], 2, "{room}: what is missing at the end is told there");
        }
    }

    #[test]
    fn a_reader_who_has_gone_is_no_failure() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut writer = LineWriter::new(Form::Ndjson(NamesInLines::LeftOut), writer);
        writer.add(b"{}\n");
        writer.flush();
        writer.add_left_out(1);
        assert!(writer.end().is_ok());
    }
}
