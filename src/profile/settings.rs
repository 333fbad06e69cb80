//! [`ConnectionSettings`]: the options of the command line, merged with what the profile says.

use std::path::{Path, PathBuf};

use rand::Rng as _;

use super::error::ProfileError;
use super::options::ConnectionOptions;
use super::own_device::default_label;
use super::proxy_setting::{KeepAlive, ProxySetting};
use super::random::fresh_random;
use super::record::{Record, expand_preset};
use crate::protocol::{DeviceId, Dialect, ExhaustedPolicy, ExpirationPolicy, ServerGroup, SlotState, SpkiPin};
use crate::session::{LeaderPolicy, Presence};
use crate::text::Clean;

/// The server group where nothing says one.
pub const DEFAULT_SERVER_GROUP: &str = "01";

/// All that a connection is made of, except the key and what is remembered of the slot.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a setting that does not depend on the others")]
pub struct ConnectionSettings {
    /// The mediator's URL template.
    pub base_url: String,
    /// The protocol that the group speaks.
    pub dialect: Dialect,
    /// The identity's server group.
    pub server_group: ServerGroup,
    /// This device's own id.
    pub device_id: DeviceId,
    /// What the other devices see this device called.
    pub label: Clean,
    /// Whether the mediator knows this device; [`None`]: what is remembered of the slot decides.
    pub expects: Option<SlotState>,
    /// How long the mediator keeps the slot.
    pub expiration_policy: ExpirationPolicy,
    /// What the mediator does when all slots are taken.
    pub exhausted_policy: ExhaustedPolicy,
    /// What happens when this device is promoted to leader.
    pub leader_policy: LeaderPolicy,
    /// When to be connected.
    pub presence: Presence,
    /// Whether nothing is sent that changes the group.
    pub read_only: bool,
    /// Whether a journal is kept, if there is a place for one.
    pub keeps_journal: bool,
    /// PEM file of trust roots, if not the built-in ones.
    pub trust_roots: Option<PathBuf>,
    /// The keys that the mediator may have; empty: any with a good certificate.
    pub pins: Vec<SpkiPin>,
    /// Whether nothing of the mediator's certificate is checked.
    pub accept_any_certificate: bool,
    /// The proxy on the way, or `none`; [`None`]: what the environment says.
    pub proxy: Option<ProxySetting>,
    /// How long a connection is silent before a ping.
    pub keep_alive: KeepAlive,
    /// The file with the group's key, if the profile's own key is not wanted.
    pub key_file: Option<PathBuf>,
    /// Whether the group's key itself is kept, to give it to another device.
    pub keeps_secret: bool,
    /// File descriptor to read the passphrase of a passphrase file from.
    pub passphrase_fd: Option<u32>,
}

impl ConnectionSettings {
    /// Merges the options with a profile. An option goes before the profile, and the profile before a default. Paths of
    /// the profile are relative to the directory of the profiles.
    ///
    /// # Errors
    /// If something is missing or unusable.
    pub(super) fn merge(options: &ConnectionOptions, profile: Option<(&Record, &Path)>) -> Result<Self, ProfileError> {
        let record = profile.map(|(record, _)| record);
        let base_url = match (&options.url, record) {
            (Some(url), _) => url.clone(),
            (None, Some(record)) => expand_preset(&record.mediator).to_owned(),
            (None, None) => return Err(ProfileError::FirstRun),
        };
        let dialect = options.dialect.or_else(|| record.map(|record| record.dialect.into())).unwrap_or(Dialect::Dgk);
        let server_group =
            options.server_group.as_deref().or_else(|| record.map(|record| record.server_group.as_str()));
        let server_group = ServerGroup::parse(server_group.unwrap_or(DEFAULT_SERVER_GROUP), dialect)?;
        let expiration_policy = match record {
            _ if options.persistent => ExpirationPolicy::Persistent,
            Some(record) => record.slot.into(),
            None => ExpirationPolicy::Volatile,
        };
        let device_id = match options.device_id.or_else(|| record.and_then(|record| record.device_id)) {
            Some(id) => id,
            None if options.persistent => return Err(ProfileError::NoDeviceId),
            None => DeviceId(fresh_random().r#gen()),
        };
        let label = options.label.clone().or_else(|| Some(Clean::new(record?.label.as_deref()?)));
        let ca = || profile.and_then(|(record, directory)| Some(directory.join(record.ca.as_ref()?)));
        let pins = if options.pins.is_empty() { record.map_or(&[][..], |record| &record.pins) } else { &options.pins };
        Ok(Self {
            base_url,
            dialect,
            server_group,
            device_id,
            label: label.unwrap_or_else(default_label),
            expects: options.expects,
            expiration_policy,
            exhausted_policy: record.map_or(ExhaustedPolicy::Reject, |record| record.exhausted.into()),
            leader_policy: if options.stay_leader { LeaderPolicy::Stay } else { LeaderPolicy::GiveUp },
            presence: options.presence.or_else(|| record.map(|record| record.presence)).unwrap_or(Presence::Stay),
            read_only: options.read_only || record.is_some_and(|record| record.read_only),
            keeps_journal: !options.no_journal && record.is_some_and(|record| record.journal),
            trust_roots: options.trust_roots.clone().or_else(ca),
            pins: pins.to_vec(),
            accept_any_certificate: options.accept_any_certificate,
            proxy: options.proxy.clone().or_else(|| record?.proxy.clone()),
            keep_alive: options.keep_alive.or_else(|| Some(record?.keep_alive)).unwrap_or_default(),
            key_file: options.key_file.clone(),
            keeps_secret: options.keeps_secret,
            passphrase_fd: options.passphrase_fd,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = r#"
        mediator = "production"
        server_group = "5e"
        dialect = "mk"
        label = "desk"
        device_id = "0700000000000000"
        slot = "persistent"
        exhausted = "drop-least-recent"
        presence = "visit=10m"
        proxy = "socks5h://127.0.0.1"
        keep_alive = "40s"
        ca = "roots.pem"
        read_only = true
    "#;

    fn record(text: &str) -> Record {
        toml_edit::de::from_str(text).unwrap()
    }

    fn merged(options: &ConnectionOptions, text: &str) -> ConnectionSettings {
        ConnectionSettings::merge(options, Some((&record(text), Path::new("/profiles")))).unwrap()
    }

    #[test]
    fn what_no_option_says_is_the_profiles() {
        let settings = merged(&ConnectionOptions::default(), PROFILE);
        assert!(settings.base_url.contains("{deviceGroupIdPrefix4}"), "{}", settings.base_url);
        assert_eq!((settings.dialect, settings.server_group.as_str()), (Dialect::Mk, "5e"));
        assert_eq!((settings.device_id, settings.label.to_string()), (DeviceId(7), "desk".to_owned()));
        assert_eq!(settings.expiration_policy, ExpirationPolicy::Persistent);
        assert_eq!(settings.exhausted_policy, ExhaustedPolicy::DropLeastRecent);
        assert_eq!(settings.presence.to_string(), "visit=10m");
        assert_eq!(settings.trust_roots.as_deref(), Some(Path::new("/profiles/roots.pem")));
        assert_eq!(settings.proxy.as_ref().map(ProxySetting::expose), Some("socks5h://127.0.0.1"));
        assert_eq!(settings.keep_alive.to_string(), "40s");
        assert!(settings.read_only && settings.keeps_journal && settings.key_file.is_none());
    }

    #[test]
    fn an_option_goes_before_the_profile() {
        let options = ConnectionOptions {
            url: Some("wss://other.example/".to_owned()),
            server_group: Some("77".to_owned()),
            dialect: Some(Dialect::Dgk),
            device_id: Some(DeviceId(8)),
            label: Some(Clean::new("lap")),
            expects: Some(SlotState::Existing),
            no_journal: true,
            stay_leader: true,
            presence: Some(Presence::Stay),
            trust_roots: Some("other.pem".into()),
            pins: vec![SpkiPin([1; 32])],
            proxy: Some(ProxySetting::new("none".to_owned())),
            keep_alive: Some(KeepAlive::default()),
            ..ConnectionOptions::default()
        };
        let settings = merged(&options, PROFILE);
        assert_eq!((settings.base_url.as_str(), settings.server_group.as_str()), ("wss://other.example/", "77"));
        assert_eq!((settings.dialect, settings.device_id), (Dialect::Dgk, DeviceId(8)));
        assert_eq!((settings.label.to_string().as_str(), settings.expects), ("lap", Some(SlotState::Existing)));
        assert_eq!((settings.leader_policy, settings.presence), (LeaderPolicy::Stay, Presence::Stay));
        assert_eq!(settings.trust_roots.as_deref(), Some(Path::new("other.pem")));
        assert_eq!(settings.pins, [SpkiPin([1; 32])]);
        assert_eq!(settings.proxy.as_ref().map(ProxySetting::expose), Some("none"));
        assert_eq!(settings.keep_alive, KeepAlive::default());
        assert!(!settings.keeps_journal);
        // A switch can be given, but not taken back.
        assert!(settings.read_only && settings.expiration_policy == ExpirationPolicy::Persistent);
    }

    #[test]
    fn the_server_group_is_read_in_the_dialect_that_counts() {
        let options = ConnectionOptions { dialect: Some(Dialect::Mk), ..ConnectionOptions::default() };
        let record = record("mediator = \"wss://m.example/\"\nserver_group = \"xyz\"");
        let merged = ConnectionSettings::merge(&options, Some((&record, Path::new(""))));
        assert!(matches!(merged, Err(ProfileError::ServerGroup(_))), "{merged:?}");
        assert!(ConnectionSettings::merge(&ConnectionOptions::default(), Some((&record, Path::new("")))).is_ok());
    }

    #[test]
    fn without_a_profile_there_are_defaults() {
        let url = Some("wss://m.example/".to_owned());
        let options = ConnectionOptions { url: url.clone(), ..ConnectionOptions::default() };
        let settings = ConnectionSettings::merge(&options, None).unwrap();
        assert_eq!((settings.dialect, settings.server_group.as_str()), (Dialect::Dgk, DEFAULT_SERVER_GROUP));
        assert_eq!(settings.expiration_policy, ExpirationPolicy::Volatile);
        assert!(settings.label.to_string().starts_with("d2mtop@") && !settings.keeps_journal);
        assert_ne!(settings.device_id, ConnectionSettings::merge(&options, None).unwrap().device_id, "it is random");
        let persistent = ConnectionOptions { url, persistent: true, ..ConnectionOptions::default() };
        assert!(matches!(ConnectionSettings::merge(&persistent, None), Err(ProfileError::NoDeviceId)));
        assert!(matches!(ConnectionSettings::merge(&ConnectionOptions::default(), None), Err(ProfileError::FirstRun)));
    }
}
