//! [`Store`]: the profiles in `profiles.toml`. What people wrote around them (comments, order) is kept.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rand::Rng as _;
use serde::{Deserialize, Serialize};

mod edit;

use super::name::ProfileName;
use super::proxy_setting::ProxySetting;
use super::record::Record;
use super::secret_source::SecretSource;
use crate::os::private_files;
use crate::protocol::DeviceId;
use crate::text::Clean;

const FILE: &str = "profiles.toml";

/// The profiles cannot be used, or not as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no place for them.
    #[error(
        "no home directory: HOME is not set, or names none that is there; it (or XDG_CONFIG_HOME) says where profiles are kept"
    )]
    NoHome,
    /// The file system says no.
    #[error("cannot {verb} {}: {cause}", path.display())]
    File {
        /// `read` or `write`.
        verb: &'static str,
        /// What.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file says something that is not understood.
    #[error("{}:{line}: {what}", path.display())]
    NotUnderstood {
        /// Which file.
        path: PathBuf,
        /// Where in it.
        line: usize,
        /// What is wrong.
        what: Clean,
    },
    /// There is no profile of that name.
    #[error("there is no profile {name}; {}", known(names))]
    NoSuchProfile {
        /// The name.
        name: Clean,
        /// Those that there are.
        names: Vec<ProfileName>,
    },
    /// There is one of that name already.
    #[error("there is a profile {0} already; choose another name, or remove it first: d2mtop profile remove {0}")]
    Exists(ProfileName),
    /// Several, and none is the default.
    #[error("which profile? {}; d2mtop profile default NAME chooses one for good", known(.0))]
    NoDefault(Vec<ProfileName>),
}

fn known(names: &[ProfileName]) -> String {
    if names.is_empty() {
        return "there is none yet: d2mtop profile add --help".to_owned();
    }
    let names: Vec<&str> = names.iter().map(ProfileName::as_str).collect();
    format!("there are: {}", names.join(", "))
}

/// All profiles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// The one that opens without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<ProfileName>,
    #[serde(default, rename = "profile")]
    profiles: BTreeMap<ProfileName, Record>,
}

impl Book {
    /// All names and what they stand for, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&ProfileName, &Record)> {
        self.profiles.iter()
    }

    /// Whether there is no profile.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.profiles.is_empty()
    }

    fn names(&self) -> Vec<ProfileName> {
        self.profiles.keys().cloned().collect()
    }

    fn missing(&self, name: &str) -> StoreError {
        StoreError::NoSuchProfile { name: Clean::new(name), names: self.names() }
    }

    /// The profile that a person named.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn find(&self, name: &str) -> Result<(&ProfileName, &Record), StoreError> {
        name.parse().ok().and_then(|name| self.profiles.get_key_value(&name)).ok_or_else(|| self.missing(name))
    }

    /// The name of the profile that opens without a name: the chosen one, or the only one.
    ///
    /// # Errors
    /// If there are several and none is chosen, or the chosen one does not exist.
    pub fn default_name(&self) -> Result<&ProfileName, StoreError> {
        match (&self.default, self.profiles.keys().next()) {
            (Some(name), _) => self.find(name.as_str()).map(|(name, _)| name),
            (None, Some(only)) if self.profiles.len() == 1 => Ok(only),
            (None, _) => Err(StoreError::NoDefault(self.names())),
        }
    }

    /// Adds a profile.
    ///
    /// # Errors
    /// If there is one of that name, or one whose name differs in capitals only.
    pub fn add(&mut self, name: ProfileName, record: Record) -> Result<(), StoreError> {
        if let Some(like) = self.profiles.keys().find(|other| other.is_like(&name)) {
            return Err(StoreError::Exists(like.clone()));
        }
        self.profiles.insert(name, record);
        Ok(())
    }

    /// Gives a profile another name; the default stays what it is.
    ///
    /// # Errors
    /// If there is no such profile, or the new name is taken.
    pub fn rename(&mut self, from: &ProfileName, to: ProfileName) -> Result<(), StoreError> {
        let record = self.remove_only(from)?;
        self.add(to.clone(), record)?;
        if self.default.as_ref() == Some(from) {
            self.default = Some(to);
        }
        Ok(())
    }

    /// Chooses the profile that opens without a name.
    ///
    /// # Errors
    /// If there is no such profile.
    pub fn set_default(&mut self, name: &ProfileName) -> Result<(), StoreError> {
        self.find(name.as_str())?;
        self.default = Some(name.clone());
        Ok(())
    }

    /// Takes a profile out; if it was the default, there is none any more.
    ///
    /// # Errors
    /// If there is no such profile.
    pub fn remove(&mut self, name: &ProfileName) -> Result<Record, StoreError> {
        let record = self.remove_only(name)?;
        self.default.take_if(|default| default == name);
        Ok(record)
    }

    /// Says where the profile's key is now.
    ///
    /// # Errors
    /// If there is no such profile.
    pub fn set_key(&mut self, name: &ProfileName, source: &SecretSource) -> Result<(), StoreError> {
        let missing = self.missing(name.as_str());
        source.note_in(self.profiles.get_mut(name).ok_or(missing)?);
        Ok(())
    }

    fn remove_only(&mut self, name: &ProfileName) -> Result<Record, StoreError> {
        self.profiles.remove(name).ok_or_else(|| self.missing(name.as_str()))
    }

    /// The profile's device id; made at random if it has none yet.
    ///
    /// # Errors
    /// If there is no such profile.
    pub fn device_id(&mut self, name: &ProfileName) -> Result<DeviceId, StoreError> {
        let missing = self.missing(name.as_str());
        let record = self.profiles.get_mut(name).ok_or(missing)?;
        Ok(*record.device_id.get_or_insert_with(|| DeviceId(super::fresh_random().r#gen())))
    }
}

/// Where the profiles are kept.
#[derive(Clone, Debug)]
pub struct Store {
    directory: PathBuf,
}

impl Store {
    /// In the user's configuration directory.
    ///
    /// # Errors
    /// If there is no home directory.
    pub fn of_user() -> Result<Self, StoreError> {
        super::place::config_directory().map(Self::at).ok_or(StoreError::NoHome)
    }

    /// In this directory.
    #[must_use]
    pub const fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.join(FILE)
    }

    /// Reads all profiles; none if there is no file.
    ///
    /// # Errors
    /// If the file cannot be read or understood.
    pub fn read(&self) -> Result<Book, StoreError> {
        let book = self.read_text().and_then(|text| self.parse(&text))?;
        let has_password = |record: &Record| record.proxy.as_ref().is_some_and(ProxySetting::has_password);
        if book.profiles.values().any(has_password) && private_files::is_readable_by_others(&self.path()) {
            let cause =
                io::Error::other("others can read it, and it has the password of a proxy; chmod 600 mends that");
            return Err(StoreError::File { verb: "read", path: self.path(), cause });
        }
        Ok(book)
    }

    /// Changes the profiles: reads them, lets `change` work on them, and writes them if it did not fail. Two programs that
    /// change them do so one after the other.
    ///
    /// # Errors
    /// If the change fails, or the file cannot be read, understood or written.
    pub fn change<T>(&self, change: impl FnOnce(&mut Book) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let unwritable = |cause| StoreError::File { verb: "write", path: self.path(), cause };
        private_files::make_directory(&self.directory).map_err(unwritable)?;
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
            private_files::replace(&self.path(), text.as_bytes()).map_err(unwritable)?;
        }
        Ok(result)
    }

    fn read_text(&self) -> Result<String, StoreError> {
        let path = self.path();
        let text = private_files::read(&path).map_err(|cause| StoreError::File { verb: "read", path, cause })?;
        Ok(text.unwrap_or_default())
    }

    fn parse(&self, text: &str) -> Result<Book, StoreError> {
        toml_edit::de::from_str(text).map_err(|error| self.not_understood(text, error.span(), error.message()))
    }

    fn not_understood(&self, text: &str, span: Option<std::ops::Range<usize>>, what: &str) -> StoreError {
        let before = span.and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let what = Clean::new(&what.trim().replace('\n', "; "));
        StoreError::NotUnderstood { path: self.path(), line, what }
    }
}

#[cfg(test)]
mod tests;
