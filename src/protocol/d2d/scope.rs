//! What a transaction is for.

use std::fmt;

use bytes::Bytes;
use prost::Message as _;

use crate::protocol::container::DecodeError;
use crate::protocol::dialect::Dialect;
use crate::protocol::keys::{GroupKeys, SealKey};
use crate::protocol::proto::d2d;
use crate::protocol::sealed::Sealable;

/// What the group's lock is held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the scope of the same name in the specification")]
pub enum TransactionScope {
    UserProfileSync,
    ContactSync,
    GroupSync,
    DistributionListSync,
    SettingsSync,
    MdmParameterSync,
    NewDeviceSync,
    DropDevice,
    WorkSyncDelta,
    /// A number that no specification names.
    Unknown(i32),
}

impl TransactionScope {
    /// All named scopes, in the order of their numbers today.
    pub const ALL: [Self; 9] = [
        Self::UserProfileSync,
        Self::ContactSync,
        Self::GroupSync,
        Self::DistributionListSync,
        Self::SettingsSync,
        Self::MdmParameterSync,
        Self::NewDeviceSync,
        Self::DropDevice,
        Self::WorkSyncDelta,
    ];

    /// The number on the wire. The seed's list ends at 4; soon after, 5 was linking a new device, which today is 6.
    /// Scopes that came later keep today's number, which a seed peer shows as unknown.
    const fn number(self, dialect: Dialect) -> i32 {
        match (self, dialect) {
            (Self::UserProfileSync, _) => 0,
            (Self::ContactSync, _) => 1,
            (Self::GroupSync, _) => 2,
            (Self::DistributionListSync, _) => 3,
            (Self::SettingsSync, _) => 4,
            (Self::MdmParameterSync, Dialect::Dgk) | (Self::NewDeviceSync, Dialect::Mk) => 5,
            (Self::NewDeviceSync, Dialect::Dgk) | (Self::MdmParameterSync, Dialect::Mk) => 6,
            (Self::DropDevice, _) => 7,
            (Self::WorkSyncDelta, _) => 8,
            (Self::Unknown(number), _) => number,
        }
    }

    fn from_number(number: i32, dialect: Dialect) -> Self {
        Self::ALL.into_iter().find(|scope| scope.number(dialect) == number).unwrap_or(Self::Unknown(number))
    }
}

impl fmt::Display for TransactionScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::UserProfileSync => "USER_PROFILE_SYNC",
            Self::ContactSync => "CONTACT_SYNC",
            Self::GroupSync => "GROUP_SYNC",
            Self::DistributionListSync => "DISTRIBUTION_LIST_SYNC",
            Self::SettingsSync => "SETTINGS_SYNC",
            Self::MdmParameterSync => "MDM_PARAMETER_SYNC",
            Self::NewDeviceSync => "NEW_DEVICE_SYNC",
            Self::DropDevice => "DROP_DEVICE",
            Self::WorkSyncDelta => "WORK_SYNC_DELTA",
            Self::Unknown(number) => return formatter.pad(&format!("scope {number}")),
        };
        formatter.pad(name)
    }
}

impl Sealable for TransactionScope {
    fn key(keys: &GroupKeys) -> &SealKey {
        &keys.transaction_scope
    }

    fn encode(&self, dialect: Dialect) -> Vec<u8> {
        d2d::TransactionScope { scope: self.number(dialect) }.encode_to_vec()
    }

    /// Reads all three encodings in use: nothing (scope 0), a protobuf message, and one raw byte. One byte is never a
    /// whole protobuf field, so the length tells them apart.
    fn decode(plain: Bytes, dialect: Dialect) -> Result<Self, DecodeError> {
        if let [number] = plain.as_ref() {
            return Ok(Self::from_number(i32::from(*number), dialect));
        }
        let message = d2d::TransactionScope::decode(plain).map_err(|_| DecodeError::Malformed("transaction scope"))?;
        Ok(Self::from_number(message.scope, dialect))
    }
}
