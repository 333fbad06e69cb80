//! What can go wrong with a journal: what failed, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::os::database::Trouble;

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
        let trouble = Trouble::of(path, &cause);
        let path = path.to_owned();
        match trouble {
            Trouble::Damage(words) => Self::Damaged { path, words: words.to_owned() },
            Trouble::Full => Self::Full(path),
            Trouble::ReadOnly => Self::ReadOnly(path),
            Trouble::Locked => Self::Locked(path),
            Trouble::Unsuitable => Self::Unsuitable(path),
            Trouble::Other => Self::Database { path, cause },
        }
    }

    /// Whether the file is of no use any more.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}
