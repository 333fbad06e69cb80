//! What can go wrong with a mediator's store: what failed, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::os::database::Trouble;
use crate::os::lock_file::process;

/// The store could not do what it was asked. Nothing of that is stored; it can be asked again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory or a file in it cannot be had.
    #[error("--data {}: {cause}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
    /// Another process has the directory.
    #[error("--data {}: another mediator{} uses it; end that one first, or give another directory",
        directory.display(), process(*holder))]
    InUse {
        directory: PathBuf,
        /// The process id of the other one, if it says.
        holder: Option<u32>,
    },
    /// A later version made it.
    #[error("--data: {} is of a later d2mtop (schema {found}, this one knows {known}); install that one, or give another \
        directory", path.display())]
    Newer {
        /// The path of the file.
        path: PathBuf,
        /// The version of its schema.
        found: i64,
        /// The latest that is known here.
        known: i64,
    },
    /// What the file has is no mediator's, or not any more.
    #[error("--data: {} cannot be used: {words}. It stays as it is; move it away to begin anew, which loses what waits in it",
        path.display())]
    Damaged {
        /// The path of the file.
        path: PathBuf,
        /// How that showed.
        words: String,
    },
    /// No room is left.
    #[error("--data: no room for {}: the disk is full; free some", .0.display())]
    Full(PathBuf),
    /// The file system does not let us write.
    #[error("--data: cannot write {}: read-only or no permission; make it and its directory writable", .0.display())]
    ReadOnly(PathBuf),
    /// The file system lacks what a database needs.
    #[error("--data: the file system of {} cannot hold it (it has no shared memory); give a directory elsewhere",
        .0.display())]
    Unsuitable(PathBuf),
    /// Another program holds the file.
    #[error("--data: {} is locked by another program; close that one", .0.display())]
    Locked(PathBuf),
    /// Anything else that the database says.
    #[error("--data: {}: {cause}", path.display())]
    Database {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: rusqlite::Error,
    },
}

impl StoreError {
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

    /// Whether it may pass by itself, or by what somebody does while the mediator runs.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        !matches!(self, Self::Damaged { .. } | Self::Newer { .. })
    }
}
