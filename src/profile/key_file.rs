//! The key file: 64 hex digits, private to its owner.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::protocol::GroupSecret;

/// More than 64 digits, a line end and some space; a larger file is no key file.
const MOST_BYTES: usize = 256;

/// The key file cannot be used. Its message never contains any of it.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("cannot read the key file {path}: {cause}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Its mode lets others read it.
    #[error("the key file {path} can be read by others (mode {mode:03o}); run: chmod 600 {path}")]
    NotPrivate {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It belongs to another user.
    #[error("the key file {path} belongs to another user; use a copy of your own")]
    NotOurs {
        /// Which file.
        path: PathBuf,
    },
    /// It does not hold a key.
    #[error("the key file {path} does not hold a key: it must have 64 hex digits and nothing else")]
    NotAKey {
        /// Which file.
        path: PathBuf,
    },
}

/// Reads the group's secret. Buffers are wiped.
pub(super) fn read(path: &Path) -> Result<GroupSecret, KeyFileError> {
    let named = || path.to_owned();
    let unreadable = |cause| KeyFileError::Unreadable { path: named(), cause };
    let file = File::open(path).map_err(unreadable)?;
    // Metadata of the open file: the path could name another file by now.
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_file() {
        let mode = metadata.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::NotPrivate { path: named(), mode });
        }
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(KeyFileError::NotOurs { path: named() });
        }
    }
    read_open(file, path)
}

/// Reads the group's secret from an open file, without a check of owner and mode.
pub(super) fn read_open(file: File, path: &Path) -> Result<GroupSecret, KeyFileError> {
    let named = || path.to_owned();
    let unreadable = |cause| KeyFileError::Unreadable { path: named(), cause };
    let mut bytes = Zeroizing::new([0_u8; MOST_BYTES]);
    let mut filled = 0;
    let mut file = file.take(MOST_BYTES as u64);
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest).map_err(unreadable)? {
            0 => break,
            count => filled += count,
        }
    }
    let not_a_key = || KeyFileError::NotAKey { path: named() };
    let text = bytes.get(..filled).and_then(|bytes| std::str::from_utf8(bytes).ok()).ok_or_else(not_a_key)?;
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
