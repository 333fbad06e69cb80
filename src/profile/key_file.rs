//! The key file: 64 hex digits, private to its owner.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::os::private_files::{self, Exposure};
use crate::protocol::GroupSecret;

/// More than 64 digits, a line end and some space; a larger file is no key file.
const MOST_BYTES: usize = 256;

/// The key file cannot be used. Its message never contains any of it.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("cannot read the key file {path}: {cause}")]
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
    /// Its mode lets others read it.
    #[error("the key file {path} can be read by others (mode {mode:03o}); run: chmod 600 {path}")]
    NotPrivate {
        /// The path of the file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It belongs to another user.
    #[error("the key file {path} belongs to another user; use a copy of your own")]
    NotOurs {
        /// The path of the file.
        path: PathBuf,
    },
    /// It does not hold a key.
    #[error("the key file {path} does not hold a key: it must have 64 hex digits and nothing else")]
    NotAKey {
        /// The path of the file.
        path: PathBuf,
    },
}

/// Reads the group's secret. Buffers are wiped.
///
/// # Errors
/// If it cannot be read, others could, or it is no key.
pub fn read(path: &Path) -> Result<GroupSecret, KeyFileError> {
    let named = || path.to_owned();
    let unreadable = |cause| KeyFileError::Unreadable { path: named(), cause };
    let file = File::open(path).map_err(unreadable)?;
    // Metadata of the open file: the path could name another file by now.
    match private_files::exposure(&file.metadata().map_err(unreadable)?) {
        Some(Exposure::Mode(mode)) => return Err(KeyFileError::NotPrivate { path: named(), mode }),
        Some(Exposure::Owner) => return Err(KeyFileError::NotOurs { path: named() }),
        None => {}
    }
    read_open(&file, path)
}

/// Reads the group's secret from an open file, without a check of owner and mode.
pub(super) fn read_open(file: &File, path: &Path) -> Result<GroupSecret, KeyFileError> {
    let named = || path.to_owned();
    let unreadable = |cause| KeyFileError::Unreadable { path: named(), cause };
    let bytes = private_files::read_secret(file, MOST_BYTES).map_err(unreadable)?;
    let not_a_key = || KeyFileError::NotAKey { path: named() };
    let text = std::str::from_utf8(&bytes).map_err(|_| not_a_key())?;
    GroupSecret::from_hex(text.trim()).map_err(|_| not_a_key())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        (directory, path)
    }

    #[test]
    fn a_private_file_with_64_digits_is_read() {
        let (_directory, path) = file(&format!("{}\n", "0f".repeat(32)), 0o600);
        assert!(read(&path).is_ok());
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_cure() {
        let (_directory, path) = file(&"0f".repeat(32), 0o640);
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("mode 640") && error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_it() {
        for text in ["", "0f0f", "not hex at all", &"0f".repeat(33), &"0".repeat(1_000)] {
            let (_directory, path) = file(text, 0o600);
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains("64 hex digits"), "{error}");
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("/nonexistent/key")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/key"), "{error}");
    }
}
