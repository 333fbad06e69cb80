//! [`LockFile`]: a file that one program has at a time, and that says which one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use super::private_files;

/// Longer than anybody looks.
const A_MOMENT: Duration = Duration::from_millis(50);

/// The file is ours until this is dropped, or the program ends in whatever way.
#[derive(Debug)]
pub struct LockFile {
    _file: File,
}

/// The file cannot be had.
#[derive(Debug)]
pub enum LockFileError {
    /// Another program has it; its process id, if it says.
    Held(Option<u32>),
    /// The file cannot be used.
    File(io::Error),
}

impl LockFile {
    /// Takes the file, which is made if it is missing.
    ///
    /// # Errors
    /// If another process has it, or the file system does not do it.
    pub fn take(path: &Path) -> Result<Self, LockFileError> {
        if let Some(directory) = path.parent() {
            private_files::make_directory(directory)?;
        }
        loop {
            let mut file = open(path)?;
            // Whoever only looks has it for a moment.
            let locked = file.try_lock().or_else(|_| {
                std::thread::sleep(A_MOMENT);
                file.try_lock()
            });
            match locked {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let mut text = String::new();
                    let _ = file.take(16).read_to_string(&mut text);
                    return Err(LockFileError::Held(text.trim().parse().ok()));
                }
                Err(TryLockError::Error(cause)) => return Err(cause.into()),
            }
            // Whoever had it may have removed it between our opening and our locking it.
            if fs::metadata(path).is_ok_and(|there| file.metadata().is_ok_and(|ours| there.ino() == ours.ino())) {
                // For the other program's words only: a full disk is no reason to have the file twice.
                let _ = file.set_len(0).and_then(|()| file.rewind());
                let _ = writeln!(file, "{}", std::process::id());
                return Ok(Self { _file: file });
            }
        }
    }
}

/// Opens a file to be locked, which is made if it is missing; never through a link, as it is written to.
///
/// # Errors
/// If the file system does not do it.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags).open(path)
}

impl From<io::Error> for LockFileError {
    fn from(cause: io::Error) -> Self {
        Self::File(cause)
    }
}

/// Who has it, for a sentence; nothing if that is not known.
#[must_use]
pub fn process(id: Option<u32>) -> String {
    id.map(|id| format!(" (process {id})")).unwrap_or_default()
}
