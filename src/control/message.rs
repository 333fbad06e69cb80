//! What is asked and answered on the control socket: an object of JSON a line.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as DeserializeError};

use crate::mediator::{DeviceStatus, GroupPrefixes, GroupStatus, LockStatus, MediatorStatus, StoredGroup, pseudonym};
use crate::protocol::ids::span_millis;
use crate::protocol::{DeviceGroupId, DeviceId, ExpirationPolicy, Millis};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "lowercase", deny_unknown_fields)]
pub enum ControlRequest {
    /// All groups with their devices.
    Status {},
    /// To take a device's slot and queue away.
    Drop {
        #[serde(with = "group_id")]
        group: DeviceGroupId,
        #[serde(with = "text")]
        device: DeviceId,
    },
    /// To take all slots of a group away, and what it shares.
    Forget {
        #[serde(with = "group_id")]
        group: DeviceGroupId,
    },
    /// To give groups away into a file.
    Export {
        #[serde(with = "text")]
        prefixes: GroupPrefixes,
        file: PathBuf,
    },
    /// To take the groups of a file in.
    Import { file: PathBuf },
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ControlAnswer {
    Status(MediatorReport),
    /// It is done, and stored.
    Done(OperationTally),
    /// Nothing was done, for the reason that these words say.
    Error(String),
}

/// What was done, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationTally {
    pub groups: usize,
    pub devices: usize,
    /// Messages that waited.
    pub messages: usize,
    /// What these took of the queues' bytes.
    pub bytes: usize,
}

/// A mediator and all its groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediatorReport {
    /// Whether logins are taken.
    pub ready: bool,
    /// The groups that are served.
    #[serde(with = "text")]
    pub prefixes: GroupPrefixes,
    /// Those that were moved to another mediator; null if none were.
    #[serde(with = "optional_text")]
    pub moved: Option<GroupPrefixes>,
    pub groups: Vec<GroupReport>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupReport {
    /// By which the log and people name it: the first eight digits of its id.
    pub group: String,
    #[serde(with = "group_id")]
    pub id: DeviceGroupId,
    #[serde(with = "optional_text")]
    pub leader: Option<DeviceId>,
    pub lock: Option<LockReport>,
    pub devices: Vec<DeviceReport>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockReport {
    #[serde(with = "text")]
    pub holder: DeviceId,
    /// How long it may be held still.
    pub left_ms: u64,
    /// Messages that are reflected under it.
    pub messages: usize,
    pub bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceReport {
    #[serde(with = "text")]
    pub device: DeviceId,
    /// The number of its connection in the log, while it is connected.
    pub connection: Option<u64>,
    pub volatile: bool,
    /// When it last logged in, in milliseconds since 1970.
    pub last_login: u64,
    pub last_disconnect: Option<u64>,
    /// Messages that wait for it.
    pub messages: usize,
    /// What they take of its queue's bytes.
    pub bytes: usize,
}

impl From<MediatorStatus> for MediatorReport {
    fn from(status: MediatorStatus) -> Self {
        Self {
            ready: status.ready,
            prefixes: status.prefixes,
            moved: Some(status.moved).filter(|moved| !moved.is_empty()),
            groups: status.groups.into_iter().map(Into::into).collect(),
        }
    }
}

impl OperationTally {
    /// What groups have in all.
    #[must_use]
    pub fn of(groups: &[StoredGroup]) -> Self {
        let slots = || groups.iter().flat_map(|group| group.slots.values());
        Self {
            groups: groups.len(),
            devices: slots().count(),
            messages: slots().map(|slot| slot.messages).sum(),
            bytes: slots().map(|slot| slot.bytes).sum(),
        }
    }
}

impl From<GroupStatus> for GroupReport {
    fn from(status: GroupStatus) -> Self {
        let lock = |LockStatus { holder, left, messages, bytes }| LockReport {
            holder,
            left_ms: span_millis(left),
            messages,
            bytes,
        };
        Self {
            group: pseudonym(&status.id),
            id: status.id,
            leader: status.leader,
            lock: status.lock.map(lock),
            devices: status.devices.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<DeviceStatus> for DeviceReport {
    fn from(status: DeviceStatus) -> Self {
        Self {
            device: status.device,
            connection: status.connection.map(|connection| connection.0),
            volatile: status.policy == ExpirationPolicy::Volatile,
            last_login: status.last_login.0,
            last_disconnect: status.last_disconnect.map(|Millis(at)| at),
            messages: status.messages,
            bytes: status.bytes,
        }
    }
}

mod text {
    use super::{Deserialize, Deserializer, Display, FromStr, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

mod optional_text {
    use super::{Deserialize, Deserializer, Display, FromStr, Serialize, Serializer};

    #[allow(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ToString::to_string).serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
    }
}

mod group_id {
    use super::{Deserialize, DeserializeError as _, Deserializer, DeviceGroupId, Serializer};

    pub(super) fn serialize<S: Serializer>(group: &DeviceGroupId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(group)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DeviceGroupId, D::Error> {
        let mut id = [0; 32];
        hex::decode_to_slice(String::deserialize(deserializer)?, &mut id)
            .map_err(|_| D::Error::custom("a group's id has 64 hex digits"))?;
        Ok(DeviceGroupId(id))
    }
}
