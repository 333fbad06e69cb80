//! Data that all devices of a group share and get at every login.

use bytes::Bytes;
use prost::Message as _;

use crate::protocol::container::DecodeError;
use crate::protocol::dialect::Dialect;
use crate::protocol::keys::{GroupKeys, SealKey};
use crate::protocol::proto::{d2d, d2d_seed};
use crate::protocol::sealed::Sealable;

/// Shared device data. Today it is a version; the seed had device-management parameters, whose format is extinct.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedDeviceData {
    /// The lowest device-to-device version that every device must speak (`dgk`).
    pub version: u32,
    /// Device-management parameters, opaque (`mk`).
    pub mdm_parameters: Bytes,
}

impl Sealable for SharedDeviceData {
    fn key(keys: &GroupKeys) -> &SealKey {
        &keys.shared_device_data
    }

    fn encode(&self, dialect: Dialect) -> Vec<u8> {
        match dialect {
            Dialect::Mk => {
                d2d_seed::SharedDeviceData { padding: Bytes::new(), mdm_parameters: self.mdm_parameters.clone() }
                    .encode_to_vec()
            }
            Dialect::Dgk => d2d::SharedDeviceData { padding: Bytes::new(), version: self.version }.encode_to_vec(),
        }
    }

    fn decode(plain: Bytes, dialect: Dialect) -> Result<Self, DecodeError> {
        let malformed = |_| DecodeError::Malformed("shared device data");
        Ok(match dialect {
            Dialect::Mk => Self {
                version: 0,
                mdm_parameters: d2d_seed::SharedDeviceData::decode(plain).map_err(malformed)?.mdm_parameters,
            },
            Dialect::Dgk => Self {
                version: d2d::SharedDeviceData::decode(plain).map_err(malformed)?.version,
                mdm_parameters: Bytes::new(),
            },
        })
    }
}
