//! [`Recording`]: the sessions of a folder, and their entries in order.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::codec::{EntryReader, FaultAt, ReadFault};
use super::entry::{RecordEntry, SegmentStart};
use super::error::{RecordError, RecordFault};
use super::folder::segments;

/// What a folder has.
#[derive(Debug)]
pub struct Recording {
    /// In the order in which they began.
    pub sessions: Vec<RecordedSession>,
    /// Segments of which not even the beginning is whole: a recorder was killed just then.
    pub cut_short: Vec<RecordError>,
}

/// The segments of one session.
#[derive(Clone, Debug)]
pub struct RecordedSession {
    /// What its oldest segment begins with.
    pub start: SegmentStart,
    paths: VecDeque<PathBuf>,
}

/// The entries of a session, one at a time, through all its segments.
#[derive(Debug)]
pub struct SessionEntries {
    left: VecDeque<PathBuf>,
    reader: Option<(PathBuf, EntryReader<BufReader<File>>)>,
    segment: Option<u32>,
}

fn error(path: &Path, (offset, fault): FaultAt) -> RecordError {
    let path = path.to_owned();
    match fault {
        ReadFault::Fault(fault) => RecordError::Faulty { path, offset, fault },
        ReadFault::Io(cause) => RecordError::File { path, cause },
    }
}

fn open(path: &Path) -> Result<EntryReader<BufReader<File>>, RecordError> {
    let file = File::open(path).map_err(|cause| RecordError::File { path: path.to_owned(), cause })?;
    EntryReader::open(BufReader::new(file)).map_err(|fault| error(path, fault))
}

fn start(path: &Path) -> Result<SegmentStart, RecordError> {
    let mut reader = open(path)?;
    let offset = reader.offset();
    let fault = |fault| Err(RecordError::Faulty { path: path.to_owned(), offset, fault });
    match reader.next().map_err(|fault| error(path, fault))? {
        Some(RecordEntry::Start(start)) => Ok(*start),
        Some(_) => fault(RecordFault::Malformed("a segment begins with what it carried over")),
        None => fault(RecordFault::Truncated),
    }
}

impl Recording {
    /// Looks at the beginning of every segment.
    ///
    /// # Errors
    /// If there is none, or one is not what it should be. One that is cut short at its beginning is left out.
    pub fn open(folder: &Path) -> Result<Self, RecordError> {
        let found = segments(folder).map_err(|cause| RecordError::File { path: folder.to_owned(), cause })?;
        if found.is_empty() {
            return Err(RecordError::Empty(folder.to_owned()));
        }
        let mut recording = Self { sessions: Vec::new(), cut_short: Vec::new() };
        for path in found.into_values() {
            let start = match start(&path) {
                Ok(start) => start,
                Err(cut @ RecordError::Faulty { fault: RecordFault::Truncated, .. }) => {
                    recording.cut_short.push(cut);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let same = |session: &&mut RecordedSession| {
                (session.start.run, session.start.session) == (start.run, start.session)
            };
            match recording.sessions.iter_mut().find(same) {
                Some(session) => session.paths.push_back(path),
                None => recording.sessions.push(RecordedSession { start, paths: VecDeque::from([path]) }),
            }
        }
        Ok(recording)
    }
}

impl RecordedSession {
    /// Its entries, from the beginning.
    #[must_use]
    pub fn entries(&self) -> SessionEntries {
        SessionEntries { left: self.paths.clone(), reader: None, segment: None }
    }
}

impl SessionEntries {
    /// The next entry, and where it is; [`None`] at the end.
    ///
    /// # Errors
    /// If it cannot be read. Nothing comes after that.
    pub fn read(&mut self) -> Result<Option<(PathBuf, u64, RecordEntry)>, RecordError> {
        let next = self.step();
        if next.is_err() {
            (self.reader, self.left) = (None, VecDeque::new());
        }
        next
    }

    fn step(&mut self) -> Result<Option<(PathBuf, u64, RecordEntry)>, RecordError> {
        loop {
            let Some((path, reader)) = &mut self.reader else {
                let Some(path) = self.left.pop_front() else { return Ok(None) };
                let reader = open(&path)?;
                self.reader = Some((path, reader));
                continue;
            };
            let offset = reader.offset();
            let Some(entry) = reader.next().map_err(|fault| error(path, fault))? else {
                self.reader = None;
                continue;
            };
            if let RecordEntry::Start(start) = &entry {
                let expected = self.segment.map_or(start.segment, |segment| segment.saturating_add(1));
                if start.segment != expected {
                    let (path, fault) = (path.clone(), RecordFault::OutOfOrder);
                    return Err(RecordError::Faulty { path, offset, fault });
                }
                self.segment = Some(start.segment);
            } else if self.segment.is_none() {
                let fault = RecordFault::Malformed("a segment begins with what it carried over");
                return Err(RecordError::Faulty { path: path.clone(), offset, fault });
            }
            return Ok(Some((path.clone(), offset, entry)));
        }
    }
}
