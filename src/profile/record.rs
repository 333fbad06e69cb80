//! What a profile says, as it stands in `profiles.toml`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::flavour::PRODUCTION;
use super::secrets::StoreKind;
use crate::protocol::{DeviceId, Dialect, ExhaustedPolicy, ExpirationPolicy};

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
    /// This device's own id; [`None`]: one is made at the first use, and kept.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "device_id")]
    pub device_id: Option<DeviceId>,
    /// How long the slot is kept.
    #[serde(default)]
    pub slot: Slot,
    /// What the mediator should do when there is no slot.
    #[serde(default)]
    pub exhausted: Exhausted,
    /// Public keys that the mediator must have, one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<Pin>,
    /// PEM file of the certificates to trust instead of the built-in ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// When to be connected.
    #[serde(default)]
    pub presence: Presence,
    /// What keeps the group's key, if it is not a key file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeptIn>,
    /// Where the group's key is, if it is in a key file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// Send nothing that changes the group.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

/// The URL template that people mean: `production` is short for the mediators of the consumer and Work apps.
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
    /// Today's.
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

/// What the mediator should do when all slots are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exhausted {
    /// Refuse us.
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

/// What keeps the group's key, where that is not a key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeptIn {
    /// The keyring of the operating system.
    Keyring,
    /// A systemd credential.
    Credential,
    /// A file sealed with a passphrase.
    PassphraseFile,
}

impl From<KeptIn> for StoreKind {
    fn from(kept: KeptIn) -> Self {
        match kept {
            KeptIn::Keyring => Self::Keyring,
            KeptIn::Credential => Self::SystemdCredential,
            KeptIn::PassphraseFile => Self::PassphraseFile,
        }
    }
}

/// When a session is connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Presence {
    /// Always, except when it would have to lead.
    #[default]
    Stay,
    /// For a visit, again and again after this time.
    Visit(Duration),
}

/// The text is no presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("presence is \"stay\", or \"visit=\" and a time from 1m on, such as \"visit=10m\"")]
pub struct NotAPresence;

impl FromStr for Presence {
    type Err = NotAPresence;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "stay" {
            return Ok(Self::Stay);
        }
        let every = text.strip_prefix("visit=").and_then(|every| humantime::parse_duration(every).ok());
        every.filter(|every| *every >= Duration::from_mins(1)).map(Self::Visit).ok_or(NotAPresence)
    }
}

impl TryFrom<String> for Presence {
    type Error = NotAPresence;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Presence> for String {
    fn from(presence: Presence) -> Self {
        presence.to_string()
    }
}

impl fmt::Display for Presence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stay => formatter.pad("stay"),
            Self::Visit(every) => {
                // Without the spaces between the units, so that it can be typed without quotes.
                let every = humantime::format_duration(*every).to_string().replace(' ', "");
                formatter.pad(&format!("visit={every}"))
            }
        }
    }
}

/// SHA-256 of a public key (`SubjectPublicKeyInfo`), in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pin(String);

/// The text is no pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pin is the SHA-256 of a public key in base64: 43 characters and a =")]
pub struct NotAPin;

impl Pin {
    /// The base64 text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Pin {
    type Err = NotAPin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_suffix('=').filter(|digits| digits.len() == 43).ok_or(NotAPin)?;
        let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
        // 43 digits are 258 bits: the last two say nothing, and must be zero.
        let ends_well = digits.ends_with(|last: char| "AEIMQUYcgkosw048".contains(last));
        if digits.bytes().all(is_digit) && ends_well { Ok(Self(text.to_owned())) } else { Err(NotAPin) }
    }
}

impl TryFrom<String> for Pin {
    type Error = NotAPin;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Pin> for String {
    fn from(pin: Pin) -> Self {
        pin.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presence_is_read_as_it_is_written() {
        for text in ["stay", "visit=10m", "visit=1h30m", "visit=90m"] {
            let presence: Presence = text.parse().unwrap();
            assert_eq!(presence.to_string().parse(), Ok(presence), "{text}");
        }
        for text in ["", "Stay", "visit", "visit=", "visit=soon", "visit=0s", "visit=59s", "visit=-1m"] {
            assert_eq!(text.parse::<Presence>(), Err(NotAPresence), "{text:?}");
        }
    }

    #[test]
    fn pins_have_32_bytes() {
        let pin = "vGQZ8hm2h+km+q7rnJ7kF9S17BwSY0rbhwjz6nIupf0=";
        assert_eq!(pin.parse::<Pin>().as_ref().map(Pin::as_str), Ok(pin));
        let url_safe = pin.replace('+', "-");
        let loose = pin.replace("f0=", "f1=");
        for text in ["", "=", "sha256/vGQZ8hm2h+km+q7rnJ7kF9S17BwSY0rbhwjz6nIupf0=", pin.trim_end_matches('=')] {
            assert_eq!(text.parse::<Pin>(), Err(NotAPin), "{text:?}");
        }
        assert_eq!(url_safe.parse::<Pin>(), Err(NotAPin));
        assert_eq!(loose.parse::<Pin>(), Err(NotAPin));
    }

    #[test]
    fn the_preset_is_a_template() {
        assert!(expand_preset("production").contains("{deviceGroupIdPrefix4}"));
        assert_eq!(expand_preset("wss://mediator.example/"), "wss://mediator.example/");
    }
}
