//! Files that are written whole, and that only their owner can read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rand::Rng as _;

use super::error::KeyStoreError;
use crate::profile::random::fresh_random;

/// Writes the parts into a new file of mode 0600 beside the path, and renames it to the path.
pub(super) fn write_privately(path: &Path, parts: &[&[u8]]) -> Result<(), KeyStoreError> {
    let failed = |cause| KeyStoreError::Write { path: path.to_owned(), cause };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    let temporary = beside(path);
    let written = write_new(&temporary, parts).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(failed)?;
    sync(directory);
    Ok(())
}

/// Removes the file. Returns whether there was one.
pub(super) fn remove(path: &Path) -> Result<bool, KeyStoreError> {
    match fs::remove_file(path) {
        Ok(()) => {
            path.parent().into_iter().for_each(sync);
            Ok(true)
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(KeyStoreError::Write { path: path.to_owned(), cause }),
    }
}

fn write_new(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    // `create_new` follows no link and opens no file that somebody else made.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    parts.iter().try_for_each(|part| file.write_all(part))?;
    file.sync_all()
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{:016x}.new", fresh_random().r#gen::<u64>()))
}

/// Makes the rename survive a power failure. Not every file system can sync a directory.
fn sync(directory: &Path) {
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
}
