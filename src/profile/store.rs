//! [`ProfileStore`]: the profiles in `profiles.toml`. Comments and order in that file are kept.

use crate::os::private_files;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

mod edit;
mod error;
mod profiles;

pub use error::ProfileStoreError;
pub use profiles::Profiles;

use super::directories;
use super::proxy_setting::ProxySetting;
use super::record::Record;
use crate::text::Clean;

const FILE: &str = "profiles.toml";

/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

/// The file `profiles.toml` in a directory.
#[derive(Clone, Debug)]
pub struct ProfileStore {
    directory: PathBuf,
}

impl ProfileStore {
    /// The names of the user's profiles; none where they cannot be read.
    #[must_use]
    pub fn names_of_user() -> Vec<Clean> {
        let profiles = Self::of_user().and_then(|store| store.read());
        let name = |(name, _): (&super::ProfileName, &Record)| Clean::new(name.as_str());
        profiles.map(|profiles| profiles.iter().map(name).collect()).unwrap_or_default()
    }

    /// In the user's configuration directory.
    ///
    /// # Errors
    /// If there is no home directory.
    pub fn of_user() -> Result<Self, ProfileStoreError> {
        directories::config_directory().map(Self::at).ok_or(ProfileStoreError::NoHome)
    }

    /// In this directory.
    #[must_use]
    pub const fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.join(FILE)
    }

    /// Reads all profiles; none if there is no file.
    ///
    /// # Errors
    /// If the file cannot be read or understood.
    pub fn read(&self) -> Result<Profiles, ProfileStoreError> {
        let profiles = self.read_text().and_then(|text| self.parse(&text))?;
        let has_password = |record: &Record| record.proxy.as_ref().is_some_and(ProxySetting::has_password);
        if profiles.profiles.values().any(has_password) && private_files::is_readable_by_others(&self.path()) {
            let cause =
                io::Error::other("others can read it, and it has the password of a proxy; chmod 600 mends that");
            return Err(ProfileStoreError::File { verb: "read", path: self.path(), cause });
        }
        Ok(profiles)
    }

    /// Reads the profiles, lets `change` work on them, and writes them if it did not fail. A file lock lets two processes
    /// change them one after the other.
    ///
    /// # Errors
    /// If the change fails, or the file cannot be read, understood or written.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut Profiles) -> Result<T, ProfileStoreError>,
    ) -> Result<T, ProfileStoreError> {
        let unwritable = |cause| ProfileStoreError::File { verb: "write", path: self.path(), cause };
        private_files::create_directory(&self.directory).map_err(unwritable)?;
        let lock = File::open(&self.directory).map_err(unwritable)?;
        lock.lock().map_err(unwritable)?;
        let text = self.read_text()?;
        let before = self.parse(&text)?;
        let mut after = before.clone();
        let result = change(&mut after)?;
        if after != before {
            let edited = edit::edited(&text, &before, &after).filter(|edited| self.parse(edited).ok() == Some(after));
            let by_hand = || unwritable(io::Error::other("it is written in a way that only a person can change"));
            let text = edited.ok_or_else(by_hand)?;
            self.write_text(&text).map_err(unwritable)?;
        }
        Ok(result)
    }

    /// A link is followed: people keep the file elsewhere, as with their other settings. It stays a link.
    fn write_text(&self, text: &str) -> io::Result<()> {
        let path = self.path();
        if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink()) {
            return private_files::put(&end_of_links(&path)?, &[text.as_bytes()]);
        }
        private_files::replace(&path, text.as_bytes())
    }

    fn read_text(&self) -> Result<String, ProfileStoreError> {
        let path = self.path();
        let text = private_files::read(&path).map_err(|cause| ProfileStoreError::File { verb: "read", path, cause })?;
        Ok(text.unwrap_or_default())
    }

    fn parse(&self, text: &str) -> Result<Profiles, ProfileStoreError> {
        toml_edit::de::from_str(text).map_err(|error| self.not_understood(text, error.span(), error.message()))
    }

    fn not_understood(&self, text: &str, span: Option<std::ops::Range<usize>>, what: &str) -> ProfileStoreError {
        let before = span.and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let what = Clean::new(&what.trim().replace('\n', "; "));
        ProfileStoreError::NotUnderstood { path: self.path(), line, what }
    }
}

/// Where the last link leads, whether or not there is a file.
fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    let mut end = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&end) {
            Ok(next) => end = end.parent().unwrap_or(Path::new("/")).join(next),
            // It is none.
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::NotFound) => {
                return Ok(end);
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("it is a link that leads in a circle"))
}

#[cfg(test)]
mod tests;
