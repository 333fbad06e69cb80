//! Whether a journal can be kept at a place, tried with a file beside it.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::error::JournalError;
use super::file;
use super::history::History;
use crate::os::database;

/// What a journal has, and how much room is left for more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// How many messages; [`None`] if there is no journal yet.
    pub messages: Option<u64>,
    pub free: u64,
    /// Whether damage was found in it since it was last looked through.
    pub is_suspect: bool,
}

/// Tries whether the file system lets a journal be written there, in a small file that is gone afterwards; and reads the one
/// that is there, which stays as it is.
///
/// # Errors
/// Why a session could keep none, or the one that is there cannot be read.
pub fn check(path: &Path) -> Result<Checked, JournalError> {
    let failed = |cause| JournalError::File { path: path.to_owned(), cause };
    let directory = path.parent().unwrap_or(Path::new("/"));
    crate::os::private_files::make_directory(directory).map_err(failed)?;
    let place = database::place(path).map_err(failed)?;
    try_place(&place)?;
    let free = rustix::fs::statvfs(directory).map_or(0, |there| there.f_bavail.saturating_mul(there.f_frsize));
    let messages = match History::open(path) {
        Err(JournalError::Missing(_)) => None,
        history => Some(history?.bounds()?.map_or(0, |(first, last)| last - first + 1)),
    };
    Ok(Checked { messages, free, is_suspect: file::is_suspect(&place) })
}

/// Writes a little, as a session would: also into shared memory, which not every file system has.
fn try_place(path: &Path) -> Result<(), JournalError> {
    let trial = Trial::beside(path);
    let written = (|| {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection = Connection::open_with_flags(&trial.0, flags)?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.execute_batch("CREATE TABLE trial (bytes BLOB); INSERT INTO trial VALUES (zeroblob(16384))")
    })();
    written.map_err(|cause| JournalError::of(path, cause))
}

/// A file that is gone when this is dropped.
struct Trial(PathBuf);

impl Trial {
    fn beside(path: &Path) -> Self {
        Self(path.with_file_name(format!(".trial-{:016x}.sqlite", rand::random::<u64>())))
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut name = self.0.clone().into_os_string();
            name.push(suffix);
            let _ = fs::remove_file(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_tried_and_left_as_it_was() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state/journal.sqlite");
        let checked = check(&path).unwrap();
        assert_eq!((checked.messages, checked.is_suspect), (None, false));
        assert!(checked.free > 0);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
        fs::write(&path, "no journal").unwrap();
        assert!(check(&path).unwrap_err().is_damage());
        let nowhere = Path::new("/proc/d2mtop/journal.sqlite");
        assert!(matches!(check(nowhere), Err(JournalError::File { .. })));
    }
}
