//! Which profile is opened, and what it adds to the options.

use super::{
    JournalSettings, ProfileError, ProfileLock, ProfileLockError, ProfileName, Record, SecretError, SecretSource,
    SlotMemory, Store, StoreError,
};
use crate::cli::{ConnectionArgs, DialectArg};
use crate::protocol::DeviceId;

/// A profile that is opened.
pub(super) struct Chosen {
    pub(super) name: ProfileName,
    pub(super) record: Record,
    store: Store,
    /// The connection is the profile's own: no option makes another group or mediator of it.
    is_own: bool,
}

impl Chosen {
    /// The profile of that name, or the default one; [`None`] if the options say a mediator instead.
    pub(super) fn by(name: Option<&str>, options: &ConnectionArgs) -> Result<Option<Self>, ProfileError> {
        if name.is_none() && options.url.is_some() {
            return Ok(None);
        }
        let store = match (Store::of_user(), name) {
            (Err(StoreError::NoHome), None) => return Err(ProfileError::FirstRun),
            (store, _) => store?,
        };
        let book = store.read()?;
        let (name, record) = match name {
            Some(name) => book.find(name)?,
            None if book.is_empty() => return Err(ProfileError::FirstRun),
            None => book.find(book.default_name()?.as_str())?,
        };
        let is_own = options.url.is_none()
            && options.key_file.is_none()
            && options.server_group.is_none()
            && options.dialect.is_none();
        Ok(Some(Self { name: name.clone(), record: record.clone(), store, is_own }))
    }

    /// The options, and what the profile says where they say nothing.
    pub(super) fn fill_in(&mut self, options: &ConnectionArgs) -> Result<ConnectionArgs, StoreError> {
        let own_id = match self.record.device_id {
            Some(id) => id,
            None => self.store.change(|book| book.device_id(&self.name))?,
        };
        self.record.device_id = Some(own_id);
        let record = &self.record;
        let mut filled_in = options.clone();
        filled_in.url.get_or_insert_with(|| super::record::expand_preset(&record.mediator).to_owned());
        filled_in.server_group.get_or_insert_with(|| record.server_group.clone());
        filled_in.dialect.get_or_insert(match record.dialect {
            super::record::StoredDialect::Mk => DialectArg::Mk,
            super::record::StoredDialect::Dgk => DialectArg::Dgk,
        });
        filled_in.device_id.get_or_insert_with(|| own_id.to_string());
        filled_in.label = filled_in.label.or_else(|| record.label.clone());
        filled_in.ca = filled_in.ca.or_else(|| record.ca.as_ref().map(|path| self.store.directory().join(path)));
        filled_in.presence.get_or_insert_with(|| record.presence.to_string());
        filled_in.proxy = filled_in.proxy.or_else(|| Some(record.proxy.as_ref()?.expose().to_owned()));
        filled_in.keep_alive.get_or_insert_with(|| record.keep_alive.to_string());
        if filled_in.pins.is_empty() {
            filled_in.pins = record.pins.iter().map(ToString::to_string).collect();
        }
        filled_in.persistent |= record.slot == super::record::Slot::Persistent;
        filled_in.read_only |= record.read_only;
        Ok(filled_in)
    }

    /// Where the profile's key is.
    pub(super) fn source(&self) -> Result<SecretSource, SecretError> {
        SecretSource::of(&self.name, &self.record, self.store.directory())
    }

    /// What is remembered of the slot, if the slot is the profile's.
    pub(super) fn memory(&self, device: DeviceId) -> Option<SlotMemory> {
        let is_own = self.is_own && self.record.device_id == Some(device);
        is_own.then(|| SlotMemory::read(&self.name, device, &self.record.mediator)).flatten()
    }

    /// Where the profile's journal is, if it keeps one, and the slot is the profile's.
    pub(super) fn journal(&self, device: DeviceId) -> Option<JournalSettings> {
        let is_own = self.is_own && self.record.device_id == Some(device);
        let directory = super::profile_state(&self.name).filter(|_| is_own && self.record.journal)?;
        Some(self.record.journal_settings(&directory))
    }

    /// Takes the profile for this program, if the device is the profile's: another device is nobody's rival.
    pub(super) fn hold(&self, device: DeviceId) -> Result<Option<ProfileLock>, ProfileLockError> {
        if self.record.device_id == Some(device) { ProfileLock::take(&self.name) } else { Ok(None) }
    }
}
