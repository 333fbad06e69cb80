//! Files that only their owner may read, each written whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// More than any of our files has; a larger one is not ours.
const MOST_BYTES: u64 = 1 << 20;

/// Makes the directory if it is missing, and closes it to others.
///
/// # Errors
/// If the file system does not do it.
pub fn make_directory(path: &Path) -> io::Result<()> {
    create_directory(path)?;
    close_to_others(path, 0o700)
}

/// Makes the directory, private, if it is missing; one that is there stays as it is.
///
/// # Errors
/// If the file system does not do it.
pub fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Gives the file or directory these permissions if others have any.
///
/// # Errors
/// If the file system does not do it.
pub fn close_to_others(path: &Path, mode: u32) -> io::Result<()> {
    if fs::metadata(path)?.mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// Whether others than the owner can read the file.
#[must_use]
pub fn is_readable_by_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o044 != 0)
}

/// What the file says; [`None`] if there is none. A file that others could have written is refused.
///
/// # Errors
/// If it cannot be read, is too large, is no text, or is not the user's alone to write.
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
    if !may_decide(metadata.uid(), rustix::process::geteuid().as_raw()) {
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

/// Why a file is not as private as the secret in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Its mode lets others read or write it.
    Mode(u32),
    /// It belongs to another user.
    Owner,
}

/// What makes an open file less private than a secret wants; of a pipe, nothing is asked.
#[must_use]
pub fn exposure(metadata: &fs::Metadata) -> Option<Exposure> {
    let mode = metadata.mode() & 0o777;
    match metadata.is_file() {
        true if mode & 0o077 != 0 => Some(Exposure::Mode(mode)),
        true if metadata.uid() != rustix::process::geteuid().as_raw() => Some(Exposure::Owner),
        _ => None,
    }
}

/// Reads so many bytes at most, into a buffer that wipes itself and never grows.
///
/// # Errors
/// If the file cannot be read.
pub fn read_secret(file: &File, most: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; most]);
    let (mut filled, mut file) = (0, file);
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Puts the bytes in the place of the file, readable by its owner only, and closes its directory to others. A link in that
/// place is not followed: whoever put it there may not decide what is overwritten, and whoever wants it should not lose it.
///
/// # Errors
/// If the file system does not do it, or there is a link.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    make_directory(parent(path))?;
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(io::Error::other("it is a symbolic link; put the file itself there"));
    }
    put(path, &[bytes])
}

/// Writes the parts, one after the other, into a new file of mode 0600 beside the path, then puts it in the path's place. A
/// directory that is missing is made private; one that is there stays as it is.
///
/// # Errors
/// If the file system does not do it.
pub fn put(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let directory = parent(path);
    create_directory(directory)?;
    let temporary = temporary_of(path)?;
    let written = write_new(&temporary, parts).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync(directory);
    Ok(())
}

/// A file that is written bit by bit, and is in its place only when it is whole.
#[derive(Debug)]
pub struct NewFile {
    file: BufWriter<File>,
    temporary: PathBuf,
    is_finished: bool,
}

impl NewFile {
    /// Begins a file of mode 0600 beside the path, whose directory has to be there.
    ///
    /// # Errors
    /// If the file system does not do it, or the path has no name.
    pub fn beside(path: &Path) -> io::Result<Self> {
        let temporary = temporary_of(path)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        Ok(Self { file: BufWriter::new(file), temporary, is_finished: false })
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Puts the file in its place; in that of another one only if that is wanted.
    ///
    /// # Errors
    /// If the file system does not do it, or there is a file that must stay.
    pub fn finish(mut self, path: &Path, overwrite: bool) -> io::Result<()> {
        self.file.flush()?;
        if overwrite {
            fs::rename(&self.temporary, path)?;
            self.is_finished = true;
            return Ok(());
        }
        // Fails if there is a file meanwhile, unlike a rename; the other name goes when this is dropped.
        fs::hard_link(&self.temporary, path)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_finished {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Removes the file; tells whether there was one.
///
/// # Errors
/// If the file system does not do it.
pub fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => {
            sync(parent(path));
            Ok(true)
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(cause),
    }
}

/// Removes what somebody who was killed meanwhile has left of writing this file; to be called by whoever alone writes it.
pub fn remove_unfinished(path: &Path) {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return };
    let is_left = |file: &str| {
        let middle =
            file.strip_prefix('.').and_then(|file| file.strip_prefix(name)).and_then(|file| file.strip_prefix('.'));
        let digits = middle.and_then(|file| file.strip_suffix(".new"));
        digits.is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    for entry in fs::read_dir(parent(path)).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_left) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A private file with what is of use only for a while, and a secret: it is removed when this is dropped.
#[derive(Debug)]
pub struct PassingFile {
    path: PathBuf,
    is_there: bool,
}

impl PassingFile {
    /// Nothing is written yet.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path, is_there: false }
    }

    /// Where it is, or will be.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes it, in the place of what it was.
    ///
    /// # Errors
    /// If the file system does not do it, or there is a file that this has not written.
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.is_there {
            return put(&self.path, &[bytes]);
        }
        // What is removed at the end must be ours: a file that was there before is somebody's.
        if fs::symlink_metadata(&self.path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is there already"));
        }
        put(&self.path, &[bytes])?;
        self.is_there = true;
        Ok(())
    }
}

impl Drop for PassingFile {
    fn drop(&mut self) {
        if self.is_there {
            // There is nobody to tell; whoever has the file may remove it, too.
            let _ = remove(&self.path);
        }
    }
}

/// A name beside the path that nobody has.
fn temporary_of(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{:016x}.new", rand::random::<u64>()));
    Ok(parent(path).join(temporary))
}

/// Whether what this user writes is to be believed. Root can do everything anyway, and owns what a configuration manager
/// has put there.
const fn may_decide(owner: u32, user: u32) -> bool {
    owner == user || owner == 0
}

fn write_new(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    // Never through a link or into a file that somebody else made.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    parts.iter().try_for_each(|part| file.write_all(part))?;
    file.sync_all()
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// So that the change of names outlives a power failure; not every file system can.
pub fn sync(directory: &Path) {
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
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
    fn what_a_killed_writer_left_goes_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let left = [".key.0123456789abcdef.new", ".key.0123.new", ".other.key.0123456789abcdef.new", "key"];
        for name in left {
            fs::write(home.path().join(name), "x").unwrap();
        }
        remove_unfinished(&home.path().join("key"));
        let mut stays: Vec<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        stays.sort();
        assert_eq!(stays, [".key.0123.new", ".other.key.0123456789abcdef.new", "key"]);
    }

    #[test]
    fn a_passing_file_goes_and_takes_no_other_with_it() {
        let home = tempfile::tempdir().unwrap();
        let (path, other) = (home.path().join("passing"), home.path().join("other"));
        let mut passing = PassingFile::new(path.clone());
        assert!(!path.exists());
        for text in ["first", "second"] {
            passing.put(text.as_bytes()).unwrap();
            assert_eq!((read(&path).unwrap().as_deref(), mode(&path)), (Some(text), 0o600));
        }
        drop(passing);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
        fs::write(&other, "precious").unwrap();
        assert_eq!(PassingFile::new(other.clone()).put(b"new").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
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
    fn root_may_write_for_a_user_and_nobody_else_may() {
        assert!(may_decide(1_000, 1_000) && may_decide(0, 1_000) && may_decide(0, 0));
        assert!(!may_decide(1_001, 1_000) && !may_decide(1_000, 0));
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
