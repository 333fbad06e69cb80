//! [`SelectedProfile`]: the profile that is opened, and what belongs to it only.

use std::path::Path;

use super::directories;
use super::error::ProfileError;
use super::journal::JournalSettings;
use super::kept_device;
use super::name::ProfileName;
use super::options::ConnectionOptions;
use super::profile_lock::{ProfileLock, ProfileLockError};
use super::record::{JoinMark, Record};
use super::secret_source::{SecretError, SecretSource};
use super::slot_memory::SlotMemory;
use super::store::{ProfileStore, ProfileStoreError};
use crate::protocol::DeviceId;

/// A profile that is opened. Its record has the device id that is kept for it, too.
pub(super) struct SelectedProfile {
    pub(super) name: ProfileName,
    pub(super) record: Record,
    store: ProfileStore,
    /// Why the record has no device id, though one is needed.
    pub(super) no_device_id: Option<ProfileError>,
    /// No option makes another group or mediator of it.
    is_own_group: bool,
}

impl SelectedProfile {
    /// The profile of that name, or the default one; [`None`] if the options name a mediator instead.
    pub(super) fn find(name: Option<&str>, options: &ConnectionOptions) -> Result<Option<Self>, ProfileError> {
        if name.is_none() && options.url.is_some() {
            return Ok(None);
        }
        let store = match (ProfileStore::of_user(), name) {
            (Err(ProfileStoreError::NoHome), None) => return Err(ProfileError::FirstRun),
            (store, _) => store?,
        };
        let profiles = store.read()?;
        let (name, record) = match name {
            Some(name) => profiles.find(name)?,
            None if profiles.is_empty() => return Err(ProfileError::FirstRun),
            None => profiles.find(profiles.default_name()?.as_str())?,
        };
        let (name, mut record) = (name.clone(), record.clone());
        if record.join == Some(JoinMark::Joining) {
            return Err(ProfileError::Joining(name));
        }
        record.device_id = kept_device::device_of(&name, &record);
        let mut no_device_id = None;
        if record.device_id.is_none() && options.device_id.is_none() {
            match kept_device::of_profile(&name) {
                Ok(made) => record.device_id = Some(made),
                Err(error) => no_device_id = Some(error),
            }
        }
        Ok(Some(Self { name, record, store, no_device_id, is_own_group: options.leave_the_group_to_the_profile() }))
    }

    /// What the paths in the record are relative to.
    pub(super) fn directory(&self) -> &Path {
        self.store.directory()
    }

    /// Where the profile's key is.
    pub(super) fn key_source(&self) -> Result<SecretSource, SecretError> {
        SecretSource::of(&self.name, &self.record, self.store.directory())
    }

    /// What is remembered of the slot, if the slot is the profile's.
    pub(super) fn slot_memory(&self, device: DeviceId) -> Option<SlotMemory> {
        self.is_own_slot(device).then(|| SlotMemory::read(&self.name, device, &self.record.mediator)).flatten()
    }

    /// Where the profile's journal is, if the slot is the profile's.
    pub(super) fn journal(&self, device: DeviceId) -> Option<JournalSettings> {
        let directory = directories::profile_state(&self.name).filter(|_| self.is_own_slot(device))?;
        Some(self.record.journal_settings(&directory))
    }

    /// Locks the profile for this program, if the device is the profile's: no other program is a rival of another device.
    pub(super) fn lock(&self, device: DeviceId) -> Result<Option<ProfileLock>, ProfileLockError> {
        if self.record.device_id == Some(device) { ProfileLock::take(&self.name) } else { Ok(None) }
    }

    fn is_own_slot(&self, device: DeviceId) -> bool {
        self.is_own_group && self.record.device_id == Some(device)
    }
}
