//! [`Profiles`]: all profiles of `profiles.toml`, and the default one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::ProfileStoreError;
use crate::profile::name::ProfileName;
use crate::profile::record::{JoinMark, Record};
use crate::profile::secret_source::SecretSource;
use crate::text::Clean;

/// All profiles, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profiles {
    /// The one that opens without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) default: Option<ProfileName>,
    #[serde(default, rename = "profile")]
    pub(super) profiles: BTreeMap<ProfileName, Record>,
}

impl Profiles {
    /// All profiles, sorted by name.
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

    fn missing(&self, name: &str) -> ProfileStoreError {
        ProfileStoreError::NoSuchProfile { name: Clean::new(name), names: self.names() }
    }

    /// The profile that a person named.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn find(&self, name: &str) -> Result<(&ProfileName, &Record), ProfileStoreError> {
        name.parse().ok().and_then(|name| self.profiles.get_key_value(&name)).ok_or_else(|| self.missing(name))
    }

    /// The name of the profile that opens without a name: the chosen one, or the only one.
    ///
    /// # Errors
    /// If there are several and none is chosen, or the chosen one does not exist.
    pub fn default_name(&self) -> Result<&ProfileName, ProfileStoreError> {
        match (&self.default, self.profiles.keys().next()) {
            (Some(name), _) => self.find(name.as_str()).map(|(name, _)| name),
            (None, Some(only)) if self.profiles.len() == 1 => Ok(only),
            (None, _) => Err(ProfileStoreError::NoDefault(self.names())),
        }
    }

    /// Adds a profile.
    ///
    /// # Errors
    /// If there is one of that name, or one whose name differs in capitals only.
    pub fn add(&mut self, name: ProfileName, record: Record) -> Result<(), ProfileStoreError> {
        if let Some(like) = self.profiles.keys().find(|other| other.is_like(&name)) {
            return Err(ProfileStoreError::Exists(like.clone()));
        }
        self.profiles.insert(name, record);
        Ok(())
    }

    /// Gives a profile another name; the default stays what it is.
    ///
    /// # Errors
    /// If there is no such profile, or the new name is taken.
    pub fn rename(&mut self, from: &ProfileName, to: ProfileName) -> Result<(), ProfileStoreError> {
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
    pub fn set_default(&mut self, name: &ProfileName) -> Result<(), ProfileStoreError> {
        self.find(name.as_str())?;
        self.default = Some(name.clone());
        Ok(())
    }

    /// Removes a profile; if it was the default, there is none any more.
    ///
    /// # Errors
    /// If there is no such profile.
    pub fn remove(&mut self, name: &ProfileName) -> Result<Record, ProfileStoreError> {
        let record = self.remove_only(name)?;
        self.default.take_if(|default| default == name);
        Ok(record)
    }

    /// Notes where the profile's key is.
    ///
    /// # Errors
    /// If there is no such profile.
    pub fn set_key(&mut self, name: &ProfileName, source: &SecretSource) -> Result<(), ProfileStoreError> {
        let missing = self.missing(name.as_str());
        source.note_in(self.profiles.get_mut(name).ok_or(missing)?);
        Ok(())
    }

    /// Notes how far the join is that the profile comes from; [`None`] once it is over.
    ///
    /// # Errors
    /// If there is no such profile.
    pub fn set_join(&mut self, name: &ProfileName, join: Option<JoinMark>) -> Result<(), ProfileStoreError> {
        let missing = self.missing(name.as_str());
        self.profiles.get_mut(name).ok_or(missing)?.join = join;
        Ok(())
    }

    fn remove_only(&mut self, name: &ProfileName) -> Result<Record, ProfileStoreError> {
        self.profiles.remove(name).ok_or_else(|| self.missing(name.as_str()))
    }
}
