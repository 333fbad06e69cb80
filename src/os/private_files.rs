//! Files that only their owner may read, each written whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// More than any of our files has; a larger one is not ours.
const MOST_BYTES: u64 = 1 << 20;

/// Makes the directory if it is missing, and closes it to others.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    if fs::metadata(path)?.mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// What the file says; [`None`] if there is none. A file that others could have written is refused.
pub fn read(path: &Path) -> io::Result<Option<String>> {
    // Without waiting: a pipe in the file's place must not stop the program.
    let flags = rustix::fs::OFlags::NONBLOCK.bits();
    let file = match OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    // Of the open file, so that it cannot be exchanged in between.
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("it belongs to another user"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(io::Error::other("others can write to it; chmod 600 mends that"));
    }
    let mut text = String::new();
    file.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("it is too large"));
    }
    Ok(Some(text))
}

/// Puts the bytes in the place of the file, readable by its owner only. A link in that place is not followed: whoever put
/// it there may not decide what is overwritten, and whoever wants it should not lose it.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::other("it has no name"));
    };
    make_directory(directory)?;
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(io::Error::other("it is a symbolic link; put the file itself there"));
    }
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{:016x}", rand::random::<u64>()));
    let temporary = directory.join(temporary);
    let written = write_new(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    // So that the name survives a power failure, too; not every file system can.
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    Ok(())
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn what_is_written_is_private_and_whole_and_leaves_nothing_behind() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("config/d2mtop");
        let path = directory.join("file");
        for text in ["first, which is longer", "second"] {
            replace(&path, text.as_bytes()).unwrap();
            assert_eq!(read(&path).unwrap().as_deref(), Some(text));
        }
        assert_eq!((mode(&path), mode(&directory)), (0o600, 0o700));
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        assert_eq!(read(&directory.join("missing")).unwrap(), None);
    }

    #[test]
    fn a_link_is_not_followed_when_writing() {
        let home = tempfile::tempdir().unwrap();
        let (victim, path) = (home.path().join("victim"), home.path().join("d2mtop/file"));
        fs::write(&victim, "precious").unwrap();
        make_directory(path.parent().unwrap()).unwrap();
        symlink(&victim, &path).unwrap();
        assert!(replace(&path, b"new").unwrap_err().to_string().contains("symbolic link"));
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }

    #[test]
    fn what_others_could_have_written_is_not_believed() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        fs::write(&path, "text").unwrap();
        for (bits, believed) in [(0o600, true), (0o644, true), (0o664, false), (0o602, false)] {
            fs::set_permissions(&path, Permissions::from_mode(bits)).unwrap();
            assert_eq!(read(&path).is_ok(), believed, "mode {bits:o}");
        }
        assert!(read(home.path()).is_err(), "a directory is no file");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, vec![b'x'; usize::try_from(MOST_BYTES).unwrap() + 1]).unwrap();
        assert!(read(&path).is_err(), "too large");
    }
}
