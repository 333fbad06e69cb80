//! [`Profile`]: a connection ready to be used, of a profile or of the options alone.

use std::path::PathBuf;
use std::sync::Arc;

use super::error::ProfileError;
use super::journal::JournalSettings;
use super::loaded_key::LoadedKey;
use super::name::ProfileName;
use super::options::ConnectionOptions;
use super::own_device::own_info;
use super::profile_lock::{ProfileLock, ProfileLockError};
use super::proxy_setting::ProxySetting;
use super::record::Record;
use super::secret_source::SecretError;
use super::secrets;
use super::selected::SelectedProfile;
use super::settings::ConnectionSettings;
use super::slot_memory::SlotMemory;
use crate::os::clock;
use crate::protocol::{ServerGroup, SlotState, SpkiPin};
use crate::session::{SessionConfig, SessionTiming, SlotExpectation};
use crate::text::Clean;

/// All that a session and its connection need, the key included.
#[derive(Debug)]
pub struct Profile {
    /// The mediator's URL template.
    pub base_url: String,
    /// The identity's server group.
    pub server_group: ServerGroup,
    /// PEM file of trust roots, if not the built-in ones.
    pub trust_roots: Option<PathBuf>,
    /// The keys that the mediator may have; empty: any with a good certificate.
    pub pins: Vec<SpkiPin>,
    /// Whether nothing of the mediator's certificate is checked.
    pub accept_any_certificate: bool,
    /// The proxy on the way, or `none`; [`None`]: what the environment says.
    pub proxy: Option<ProxySetting>,
    /// Who the session is.
    pub session: SessionConfig,
    /// The group's key, and where it was found.
    pub key: LoadedKey,
    /// The profile's name; [`None`] if the options alone make the connection.
    pub name: Option<ProfileName>,
    /// Keeps what is learned of the profile's slot.
    pub memory: Option<SlotMemory>,
    /// Where what is received is kept, if it is.
    pub journal: Option<JournalSettings>,
    /// Keeps other programs from opening the profile; to be held as long as the session runs.
    pub lock: Option<ProfileLock>,
    /// Whether another program has the profile open. Only [`Profile::examine`] and [`Profile::read_anew`] go on then.
    pub open_elsewhere: bool,
}

/// A profile that is looked at.
#[derive(Debug)]
pub struct Examined {
    /// What the options and the profile say; [`None`] if they do not fit together.
    pub settings: Option<ConnectionSettings>,
    /// What the profile says; [`None`] if it is none.
    pub record: Option<(ProfileName, Record)>,
    /// The connection that they make, or why they make none.
    pub opened: Result<Profile, ProfileError>,
}

/// What a profile is opened for.
#[derive(Clone, Copy)]
enum Purpose<'a> {
    /// To run a session: another program that has it open is an error.
    Session,
    /// To look at it only.
    Examination,
    /// To compare it with a session that runs with this key.
    Comparison(&'a LoadedKey),
}

impl Profile {
    /// Opens the profile of that name, or the default one, or the connection that the options alone make. An option goes
    /// before what the profile says.
    ///
    /// # Errors
    /// If something is missing or unusable: what, and what to do.
    pub fn from_options(name: Option<&str>, options: &ConnectionOptions) -> Result<Self, ProfileError> {
        let (settings, selected) = settings(name, options)?;
        Self::open(settings, selected, Purpose::Session)
    }

    /// The same for a command that only looks: a profile that is open elsewhere is no error. The settings and the record
    /// come back even if they make no connection.
    ///
    /// # Errors
    /// If there is no such profile, or neither a profile nor a mediator is given.
    pub fn examine(name: Option<&str>, options: &ConnectionOptions) -> Result<Examined, ProfileError> {
        let selected = SelectedProfile::find(name, options)?;
        let record = selected.as_ref().map(|selected| (selected.name.clone(), selected.record.clone()));
        match merged(selected.as_ref(), options) {
            Ok(settings) => {
                let opened = Self::open(settings.clone(), selected, Purpose::Examination);
                Ok(Examined { settings: Some(settings), record, opened })
            }
            Err(error) if record.is_none() => Err(error),
            Err(error) => Ok(Examined { settings: None, record, opened: Err(error) }),
        }
    }

    /// The profile of a session that runs, as it is now. The key is loaded again only if it is to come from elsewhere, and
    /// nobody is asked for a passphrase.
    ///
    /// # Errors
    /// If something is missing or unusable: what, and what to do.
    pub fn read_anew(name: &ProfileName, options: &ConnectionOptions, key: &LoadedKey) -> Result<Self, ProfileError> {
        let (settings, selected) = settings(Some(name.as_str()), options)?;
        Self::open(settings, selected, Purpose::Comparison(key))
    }

    fn open(
        settings: ConnectionSettings,
        mut selected: Option<SelectedProfile>,
        purpose: Purpose<'_>,
    ) -> Result<Self, ProfileError> {
        let no_device_id = selected.as_mut().and_then(|selected| selected.no_device_id.take());
        let selected = selected.as_ref();
        let made = no_device_id.map_or_else(|| Self::make(settings, selected, purpose), Err);
        made.map_err(|cause| of_profile(selected, cause))
    }

    fn make(
        settings: ConnectionSettings,
        selected: Option<&SelectedProfile>,
        purpose: Purpose<'_>,
    ) -> Result<Self, ProfileError> {
        // Whether or not the passphrase is needed: no command that we start is to have it.
        settings.passphrase_fd.into_iter().for_each(secrets::keep_from_children);
        let device_id = settings.device_id;
        let lock = selected.map_or(Ok(None), |selected| selected.lock(device_id));
        let open_elsewhere = !matches!(purpose, Purpose::Session) && matches!(lock, Err(ProfileLockError::Held { .. }));
        let lock = if open_elsewhere { None } else { lock? };
        let loaded = if let Purpose::Comparison(key) = purpose { Some(key) } else { None };
        let key = LoadedKey::load(&settings, selected, loaded)?;
        let mut memory = selected.and_then(|selected| selected.slot_memory(device_id));
        if let Some(memory) = &mut memory {
            memory.set_expiration_policy(settings.expiration_policy);
        }
        let expects = match (settings.expects, &memory) {
            (Some(state), _) => SlotExpectation::Only(state),
            (None, Some(memory)) => memory.expects(clock::wall().into()),
            (None, None) => SlotExpectation::Only(SlotState::New),
        };
        let journal = selected.filter(|_| settings.keeps_journal).and_then(|selected| selected.journal(device_id));
        let session = SessionConfig {
            keys: Arc::clone(&key.keys),
            device_id,
            device_info: own_info(settings.label),
            expects,
            expiration_policy: settings.expiration_policy,
            exhausted_policy: settings.exhausted_policy,
            leader_policy: settings.leader_policy,
            presence: settings.presence,
            read_only: settings.read_only,
            identity: selected.and_then(|selected| selected.record.identity.as_deref()).map(Clean::new),
            timing: SessionTiming { ping_interval: settings.keep_alive.0, ..SessionTiming::default() },
        };
        Ok(Self {
            base_url: settings.base_url,
            server_group: settings.server_group,
            trust_roots: settings.trust_roots,
            pins: settings.pins,
            accept_any_certificate: settings.accept_any_certificate,
            proxy: settings.proxy,
            session,
            key,
            name: selected.map(|selected| selected.name.clone()),
            memory,
            journal,
            lock,
            open_elsewhere,
        })
    }
}

/// Selects the profile, if it is one, and merges the options with it.
fn settings(
    name: Option<&str>,
    options: &ConnectionOptions,
) -> Result<(ConnectionSettings, Option<SelectedProfile>), ProfileError> {
    let selected = SelectedProfile::find(name, options)?;
    let settings = merged(selected.as_ref(), options)?;
    Ok((settings, selected))
}

fn merged(selected: Option<&SelectedProfile>, options: &ConnectionOptions) -> Result<ConnectionSettings, ProfileError> {
    let profile = selected.map(|selected| (&selected.record, selected.directory()));
    ConnectionSettings::merge(options, profile).map_err(|cause| of_profile(selected, cause))
}

/// Says of which profile the error is, unless the error says so itself.
fn of_profile(selected: Option<&SelectedProfile>, cause: ProfileError) -> ProfileError {
    let is_named = matches!(cause, ProfileError::Lock(_) | ProfileError::Secret(SecretError::Nowhere(_)));
    match selected.filter(|_| !is_named) {
        Some(selected) => ProfileError::Of { name: selected.name.clone(), cause: Box::new(cause) },
        None => cause,
    }
}
