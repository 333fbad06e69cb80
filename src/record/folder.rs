//! [`RecordFolder`]: the segments of a folder, their numbers and sizes, and who records there.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::EXTENSION;
use super::error::RecordError;
use crate::os::lock_file::{LockFile, LockFileError, process};
use crate::os::private_files;

/// The lock file, beside the segments.
const LOCK: &str = ".lock";

/// A folder that this process records to; several sessions may.
#[derive(Clone, Debug)]
pub struct RecordFolder(Arc<OpenFolder>);

#[derive(Debug)]
struct OpenFolder {
    path: PathBuf,
    limit: u64,
    run: [u8; 8],
    segments: Mutex<Segments>,
    /// Held as long as it is recorded.
    _lock: LockFile,
}

#[derive(Debug, Default)]
struct Segments {
    /// Those that nobody writes any more, with their bytes.
    closed: BTreeMap<u64, u64>,
    /// Those that are being written.
    open: BTreeMap<u64, u64>,
    /// The bytes of all of them.
    taken: u64,
    next: u64,
    sessions: u32,
}

/// There is no room for more although all that is older is gone.
#[derive(Debug)]
pub(super) struct LimitReached;

/// The file of a segment.
pub(super) fn segment_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.{EXTENSION}"))
}

/// The number of a segment's file.
pub(super) fn segment_number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(EXTENSION)?.strip_suffix('.')?;
    let is_number = name.len() >= 8 && name.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| name.parse().ok()).flatten()
}

/// The segments of a folder, in order; anything else in it is nobody's business.
pub(super) fn segments(folder: &Path) -> io::Result<BTreeMap<u64, PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if let Some(number) = segment_number(&path) {
            found.insert(number, path);
        }
    }
    Ok(found)
}

impl RecordFolder {
    /// Takes the folder, which is made if it is missing; what was recorded there before stays, as far as the limit in bytes
    /// lets it.
    ///
    /// # Errors
    /// If it cannot be used, or another process records there.
    pub fn open(path: &Path, limit: u64) -> Result<Self, RecordError> {
        let unusable = |cause| RecordError::File { path: path.to_owned(), cause };
        private_files::create_directory(path).map_err(unusable)?;
        let lock = LockFile::take(&path.join(LOCK)).map_err(|error| match error {
            LockFileError::Held(id) => RecordError::InUse { path: path.to_owned(), process: process(id) },
            LockFileError::File(cause) => unusable(cause),
        })?;
        let mut all = Segments::default();
        for (number, file) in segments(path).map_err(unusable)? {
            all.next = all.next.max(number + 1);
            let bytes = fs::metadata(file).map_err(unusable)?.len();
            all.closed.insert(number, bytes);
            all.taken += bytes;
        }
        all.next = all.next.max(1);
        let open =
            OpenFolder { path: path.to_owned(), limit, run: rand::random(), segments: Mutex::new(all), _lock: lock };
        Ok(Self(Arc::new(open)))
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Random bytes of this run.
    pub(super) fn run(&self) -> [u8; 8] {
        self.0.run
    }

    fn change<T>(&self, change: impl FnOnce(&mut Segments) -> T) -> T {
        change(&mut self.0.segments.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The number of one more session of this run.
    pub(super) fn session(&self) -> u32 {
        self.change(|all| {
            all.sessions += 1;
            all.sessions
        })
    }

    /// Begins a segment.
    pub(super) fn begin(&self) -> io::Result<(u64, File)> {
        let number = self.change(|all| {
            let number = all.next;
            all.next += 1;
            all.open.insert(number, 0);
            number
        });
        let mut options = OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(0o600).open(segment_path(&self.0.path, number));
        if opened.is_err() {
            self.change(|all| all.open.remove(&number));
        }
        Ok((number, opened?))
    }

    /// Makes room for so many bytes more of a segment, by deleting the oldest ones that nobody writes.
    pub(super) fn make_room(&self, number: u64, bytes: u64) -> Result<(), LimitReached> {
        let (gone, fits) = self.change(|all| {
            let mut gone = Vec::new();
            while all.taken + bytes > self.0.limit
                && let Some((oldest, freed)) = all.closed.pop_first()
            {
                all.taken -= freed;
                gone.push(oldest);
            }
            let fits = all.taken + bytes <= self.0.limit;
            if fits {
                all.taken += bytes;
                *all.open.entry(number).or_default() += bytes;
            }
            (gone, fits)
        });
        for oldest in gone {
            // One that somebody else has removed leaves as much room.
            let _ = fs::remove_file(segment_path(&self.0.path, oldest));
        }
        if fits { Ok(()) } else { Err(LimitReached) }
    }

    /// A segment is whole.
    pub(super) fn end(&self, number: u64) {
        self.change(|all| {
            if let Some(bytes) = all.open.remove(&number) {
                all.closed.insert(number, bytes);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_oldest_segments_make_room_and_nothing_else_is_touched() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("recording");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("notes.txt"), [0; 900]).unwrap();
        let folder = RecordFolder::open(&path, 1_000).unwrap();
        let number = |name: &str| segment_number(Path::new(name));
        assert_eq!((number("00000012.d2mrec"), number("12.d2mrec"), number("0000001x.d2mrec")), (Some(12), None, None));
        for expected in 1..=3_u64 {
            let (number, file) = folder.begin().unwrap();
            assert_eq!(number, expected);
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            folder.make_room(number, 400).unwrap();
            folder.end(number);
        }
        let left = |path: &Path| segments(path).unwrap().into_keys().collect::<Vec<_>>();
        assert_eq!(left(&path), [2, 3]);
        let (number, _file) = folder.begin().unwrap();
        folder.make_room(number, 900).unwrap();
        assert_eq!(left(&path), [4], "both had to go");
        assert!(folder.make_room(number, 101).is_err(), "it fills the limit alone");
        assert!(path.join("notes.txt").exists());
        assert!(matches!(RecordFolder::open(&path, 1), Err(RecordError::InUse { .. })));
        drop(folder);
        assert_eq!(RecordFolder::open(&path, 1_000).unwrap().begin().unwrap().0, 5, "numbers go on");
    }
}
