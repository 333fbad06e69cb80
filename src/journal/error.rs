//! What can go wrong with a journal: what failed, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// The journal could not do what it was asked. Nothing of that is stored; it can be asked again.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file or its directory cannot be had.
    #[error("the journal {}: {cause}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
    /// There is none.
    #[error("no journal yet at {}; it begins with the first session of the profile", .0.display())]
    Missing(PathBuf),
    /// Another process writes it.
    #[error("the journal {} is written by another d2mtop; quit that one first", .0.display())]
    InUse(PathBuf),
    /// A later version made it.
    #[error("the journal {} is of a later d2mtop (schema {found}, this one knows {known}); install that one, or move \
        the file away", path.display())]
    Newer {
        /// The path of the file.
        path: PathBuf,
        /// The version of its schema.
        found: i64,
        /// The latest that is known here.
        known: i64,
    },
    /// No room is left.
    #[error("no room for the journal {}: the disk is full; free some, or shorten journal_age or journal_rows of the \
        profile", .0.display())]
    Full(PathBuf),
    /// The file system does not let us write.
    #[error("cannot write the journal {}: read-only or no permission; make it and its directory writable, or say \
        --no-journal", .0.display())]
    ReadOnly(PathBuf),
    /// The file system lacks what a database needs.
    #[error("the file system of the journal {} cannot hold it (it has no shared memory); say --no-journal, or set \
        XDG_STATE_HOME to a directory elsewhere", .0.display())]
    Unsuitable(PathBuf),
    /// Another program holds the file.
    #[error("the journal {} is locked by another program; close that one", .0.display())]
    Locked(PathBuf),
    /// What the file has is no journal, or not any more.
    #[error("the journal {0} is damaged ({words}); restart d2mtop to set it aside and begin a new one; \
        `sqlite3 {0} .recover` prints what is left in it", path.display())]
    Damaged {
        /// The path of the file.
        path: PathBuf,
        /// How that showed.
        words: String,
    },
    /// Anything else that the database says.
    #[error("the journal {}: {cause}", path.display())]
    Database {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: rusqlite::Error,
    },
}

impl JournalError {
    pub(super) fn of(path: &Path, cause: rusqlite::Error) -> Self {
        let path = path.to_owned();
        if is_damage(&cause) {
            return Self::Damaged { path, words: words(&cause).to_owned() };
        }
        match cause.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(path),
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Self::ReadOnly(path),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked(path),
            // Where no room can be had for shared memory, the database speaks of input and output only.
            Some(ErrorCode::SystemIoFailure) if is_full(&path) => Self::Full(path),
            Some(ErrorCode::SystemIoFailure) if is_of_shared_memory(&cause) => Self::Unsuitable(path),
            _ => Self::Database { path, cause },
        }
    }

    /// Whether the file is of no use any more.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

/// Whether this says that the file has not what it should have.
pub(super) fn is_damage(cause: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    let is_gutted = |words: &str| words.starts_with("no such table") || words.starts_with("no such column");
    match cause {
        Error::InvalidColumnType(..)
        | Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::Utf8Error(..) => true,
        Error::SqlInputError { msg, .. } => is_gutted(msg),
        Error::SqliteFailure(_, Some(words)) if is_gutted(words) => true,
        _ => matches!(cause.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)),
    }
}

/// What the damage is.
pub(super) fn words(cause: &rusqlite::Error) -> &'static str {
    match cause.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "its first page is not that of a database",
        Some(ErrorCode::DatabaseCorrupt) => "a page of it cannot be read",
        Some(_) => "a table of it is missing",
        None => "a row of it cannot be read",
    }
}

fn is_full(path: &Path) -> bool {
    let directory = path.parent().unwrap_or(path);
    rustix::fs::statvfs(directory).is_ok_and(|there| there.f_blocks > 0 && there.f_bavail == 0)
}

fn is_of_shared_memory(cause: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_IOERR_SHMLOCK, SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMOPEN, SQLITE_IOERR_SHMSIZE};
    let codes = [SQLITE_IOERR_SHMLOCK, SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMOPEN, SQLITE_IOERR_SHMSIZE];
    cause.sqlite_error().is_some_and(|error| codes.contains(&error.extended_code))
}
