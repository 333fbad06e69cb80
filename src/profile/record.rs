//! [`Record`]: one profile as `profiles.toml` has it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, de};

use super::journal::{DEFAULT_JOURNAL_ROWS, JournalAge, JournalSettings, KeptConversations};
use super::proxy_setting::{KeepAlive, ProxySetting};
use super::secrets::KeyStoreKind;
use super::threema_servers::PRODUCTION;
use crate::protocol::{DeviceId, Dialect, ExhaustedPolicy, ExpirationPolicy, SpkiPin};
use crate::session::Presence;

/// One profile. Unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The protocol that the group speaks.
    #[serde(default)]
    pub dialect: StoredDialect,
    /// URL template of the mediator.
    pub mediator: String,
    /// The server group of the identity.
    pub server_group: String,
    /// What the other devices see; [`None`]: `d2mtop@HOST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// This device's own id; [`None`]: one is made at the first use, and kept in the state directory.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "device_id")]
    pub device_id: Option<DeviceId>,
    /// How long the slot is kept.
    #[serde(default)]
    pub slot: Slot,
    /// What the mediator should do when there is no slot.
    #[serde(default)]
    pub exhausted: Exhausted,
    /// The public keys that the mediator may have; empty: any with a good certificate.
    #[serde(default, with = "texts", skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<SpkiPin>,
    /// PEM file of the certificates to trust instead of the built-in ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// When to be connected.
    #[serde(default, with = "text")]
    pub presence: Presence,
    /// The proxy on the way to the mediator, or `none`; [`None`]: what the environment says. May have a password in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxySetting>,
    /// How long a connection is silent before a ping.
    #[serde(default, with = "text", skip_serializing_if = "is_default")]
    pub keep_alive: KeepAlive,
    /// The store of the group's key, if it is not in a key file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyLocation>,
    /// The key file, if the group's key is in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// Send nothing that changes the group.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// Keep a journal of what is received.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub journal: bool,
    /// What the journal keeps of the other side of a conversation.
    #[serde(default, skip_serializing_if = "is_default")]
    pub journal_conversations: KeptConversations,
    /// How long the journal keeps a message.
    #[serde(default, with = "text", skip_serializing_if = "is_default")]
    pub journal_age: JournalAge,
    /// How many messages the journal keeps at most; 0: no limit.
    #[serde(default = "journal_rows", skip_serializing_if = "is_journal_rows")]
    pub journal_rows: u64,
    /// The identity whose devices the group is of, if a join told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// How far the join is that the profile comes from; [`None`]: it is over, or there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<JoinMark>,
}

impl Record {
    /// A profile of dialect `dgk` at this mediator, all else as it is where nothing is said. It has no key yet.
    #[must_use]
    pub fn at(mediator: String, server_group: &str) -> Self {
        Self {
            dialect: StoredDialect::Dgk,
            mediator,
            server_group: server_group.to_owned(),
            label: None,
            device_id: None,
            slot: Slot::default(),
            exhausted: Exhausted::default(),
            pins: Vec::new(),
            ca: None,
            presence: Presence::default(),
            proxy: None,
            keep_alive: KeepAlive::default(),
            key: None,
            key_file: None,
            read_only: false,
            journal: yes(),
            journal_conversations: KeptConversations::default(),
            journal_age: JournalAge::default(),
            journal_rows: journal_rows(),
            identity: None,
            join: None,
        }
    }

    /// How the profile's journal is kept in this directory.
    #[must_use]
    pub fn journal_settings(&self, directory: &Path) -> JournalSettings {
        JournalSettings {
            path: directory.join("journal.sqlite"),
            conversations: self.journal_conversations,
            age: self.journal_age.0,
            rows: (self.journal_rows > 0).then_some(self.journal_rows),
        }
    }
}

const fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
const fn is_yes(value: &bool) -> bool {
    *value
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
const fn is_journal_rows(value: &u64) -> bool {
    *value == DEFAULT_JOURNAL_ROWS
}

const fn journal_rows() -> u64 {
    DEFAULT_JOURNAL_ROWS
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The URL template: `production` is short for that of the consumer and Work apps.
#[must_use]
pub fn expand_preset(mediator: &str) -> &str {
    match mediator {
        "production" => PRODUCTION,
        template => template,
    }
}

fn device_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DeviceId>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(de::Error::custom)
}

/// Which protocol, by its short name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoredDialect {
    #[default]
    Dgk,
    /// The first specification's.
    Mk,
}

impl From<StoredDialect> for Dialect {
    fn from(stored: StoredDialect) -> Self {
        match stored {
            StoredDialect::Dgk => Self::Dgk,
            StoredDialect::Mk => Self::Mk,
        }
    }
}

impl From<Dialect> for StoredDialect {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Dgk => Self::Dgk,
            Dialect::Mk => Self::Mk,
        }
    }
}

/// How long the mediator keeps our slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// Some minutes after disconnecting.
    #[default]
    Volatile,
    /// As long as possible.
    Persistent,
}

impl From<Slot> for ExpirationPolicy {
    fn from(slot: Slot) -> Self {
        match slot {
            Slot::Volatile => Self::Volatile,
            Slot::Persistent => Self::Persistent,
        }
    }
}

/// How far a profile is that came by a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JoinMark {
    /// The device may have a slot, and the device that brings it in does not count on it.
    Joining,
    /// The device has told the other one that it has its slot; nobody has looked since whether it was heard.
    Registered,
}

/// What the mediator should do when all slots are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exhausted {
    #[default]
    Reject,
    /// Drop the device that was away for the longest time.
    DropLeastRecent,
}

impl From<Exhausted> for ExhaustedPolicy {
    fn from(exhausted: Exhausted) -> Self {
        match exhausted {
            Exhausted::Reject => Self::Reject,
            Exhausted::DropLeastRecent => Self::DropLeastRecent,
        }
    }
}

/// A store of the group's key that has no path in the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyLocation {
    /// The keyring of the operating system.
    Keyring,
    /// A systemd credential.
    Credential,
    /// A file sealed with a passphrase.
    PassphraseFile,
}

impl From<KeyLocation> for KeyStoreKind {
    fn from(kept: KeyLocation) -> Self {
        match kept {
            KeyLocation::Keyring => Self::Keyring,
            KeyLocation::Credential => Self::SystemdCredential,
            KeyLocation::PassphraseFile => Self::PassphraseFile,
        }
    }
}

/// A value that is written as text.
mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Several values, each written as text.
mod texts {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(values: &[impl Display], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(de::Error::custom)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preset_is_a_template() {
        assert!(expand_preset("production").contains("{deviceGroupIdPrefix4}"));
        assert_eq!(expand_preset("wss://mediator.example/"), "wss://mediator.example/");
    }
}
