//! The file itself: private, no link, one writer, and set aside when it is of no use.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat};

use super::error::JournalError;
use crate::os::lock_file;
use crate::protocol::Millis;

/// The note that damage was found, next to the file.
const SUSPECT: &str = ".suspect";

/// Keeps other writers away as long as it lives. In a file of its own: the database's locks on its own file would be lost.
#[derive(Debug)]
pub(super) struct Writing {
    _file: File,
}

impl Writing {
    pub(super) fn take(path: &Path) -> Result<Self, JournalError> {
        let failed = |cause| JournalError::File { path: path.to_owned(), cause };
        let file = lock_file::open(&with(path, ".lock")).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(JournalError::InUse(path.to_owned())),
            Err(TryLockError::Error(cause)) => Err(failed(cause)),
        }
    }

    /// The same, as soon as no other writer is there.
    pub(super) fn wait(path: &Path) -> Result<Self, JournalError> {
        let failed = |cause| JournalError::File { path: path.to_owned(), cause };
        let file = lock_file::open(&with(path, ".lock")).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// Moves a damaged file, and the database's own files with it, out of the way of a new one.
pub(super) fn set_aside(path: &Path, now: Millis) -> io::Result<PathBuf> {
    let time = i64::try_from(now.0).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
    let time = time.to_rfc3339_opts(SecondsFormat::Secs, true).replace(':', "");
    let mut aside = with(path, &format!(".damaged-{time}"));
    // Twice in a second, or the clock went back: what is there already stays.
    for number in 2.. {
        if fs::symlink_metadata(&aside).is_err() {
            break;
        }
        aside = with(path, &format!(".damaged-{time}-{number}"));
    }
    fs::rename(path, &aside)?;
    for suffix in ["-wal", "-shm"] {
        match fs::rename(with(path, suffix), with(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

/// What the database says. If that is damage, a note is left, so that the whole file is looked through when it is opened
/// next: opening alone reads little of it.
pub(super) fn failed(path: &Path, cause: rusqlite::Error) -> JournalError {
    let error = JournalError::of(path, cause);
    if error.is_damage() {
        suspect(path);
    }
    error
}

/// Leaves the note. Where none can be left, the damage shows again, and the next one is tried.
pub(super) fn suspect(path: &Path) {
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    let _ = options.create(true).append(true).mode(0o600).custom_flags(flags).open(with(path, SUSPECT));
}

/// Whether nothing of the file stands in the database's own files next to it.
pub(super) fn is_whole(path: &Path) -> bool {
    fs::metadata(with(path, "-wal")).map_or_else(|error| error.kind() == io::ErrorKind::NotFound, |wal| wal.len() == 0)
}

/// The bytes of the database's own file next to it, in which new pages wait.
pub(super) fn bytes_aside(path: &Path) -> u64 {
    fs::metadata(with(path, "-wal")).map_or(0, |wal| wal.len())
}

/// The path as it stands in the URI of a database.
pub(super) fn uri_path(path: &Path) -> String {
    use std::fmt::Write as _;
    use std::os::unix::ffi::OsStrExt as _;
    let mut uri = String::new();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            // Writing into memory cannot fail.
            let _ = write!(uri, "%{byte:02x}");
        }
    }
    uri
}

/// Whether damage was found in the file since it was last looked through.
pub(super) fn is_suspect(path: &Path) -> bool {
    fs::symlink_metadata(with(path, SUSPECT)).is_ok()
}

/// Takes the note away: the file was looked through, or is a new one.
pub(super) fn clear_suspicion(path: &Path) -> io::Result<()> {
    match fs::remove_file(with(path, SUSPECT)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
