//! The three messages of a login.

use bytes::Bytes;

use super::payload::exactly;
use crate::protocol::proto::d2m;
use crate::protocol::slot::{expiration_policy, expiration_policy_number, slot_state};
use crate::protocol::{
    Challenge, ChallengeResponse, DecodeError, DeviceId, DeviceInfo, Dialect, ExhaustedPolicy, ExpirationPolicy,
    Millis, Sealed, SharedDeviceData, SlotState,
};

/// The server's first message: an authentication challenge (0x10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// The highest protocol version that the server speaks.
    pub version: u32,
    /// The server's ephemeral public key.
    pub ephemeral_key: [u8; 32],
    /// What the client has to box.
    pub challenge: Challenge,
}

/// The client's first message: the challenge's answer and what the device wants (0x11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// The chosen protocol version.
    pub version: u32,
    /// The answer to the challenge.
    pub response: ChallengeResponse,
    /// The id of the device that logs in.
    pub device_id: DeviceId,
    /// What to do when all slots are taken.
    pub exhausted_policy: ExhaustedPolicy,
    /// How long to keep the slot.
    pub expiration_policy: ExpirationPolicy,
    /// The slot state that the client expects; not on the wire in `mk`, where it reads as [`SlotState::New`].
    pub expected_slot_state: SlotState,
    /// Who this device is, for the other devices.
    pub device_info: Sealed<DeviceInfo>,
}

/// The server's answer to a good login (0x12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo {
    /// How many slots a group has, this device's included.
    pub max_device_slots: u32,
    /// Whether the slot is new.
    pub slot_state: SlotState,
    /// Data shared among the devices; empty if never set.
    pub shared_device_data: Sealed<SharedDeviceData>,
    /// The server's clock; seed servers do not give it.
    pub current_time: Option<Millis>,
    /// How many messages wait for this device; seed servers do not give it.
    pub reflection_queue_length: Option<u32>,
}

impl ClientHello {
    pub(super) fn to_proto(&self, dialect: Dialect) -> d2m::ClientHello {
        d2m::ClientHello {
            version: self.version,
            response: Bytes::copy_from_slice(&self.response.0),
            device_id: self.device_id.0,
            device_slots_exhausted_policy: match self.exhausted_policy {
                ExhaustedPolicy::Reject => 0,
                ExhaustedPolicy::DropLeastRecent => 1,
            },
            device_slot_expiration_policy: expiration_policy_number(Some(self.expiration_policy)),
            encrypted_device_info: self.device_info.as_bytes().clone(),
            expected_device_slot_state: match (dialect, self.expected_slot_state) {
                (Dialect::Dgk, SlotState::Existing) => Some(1),
                // The default, which today's clients leave out.
                (Dialect::Dgk, SlotState::New) | (Dialect::Mk, _) => None,
            },
        }
    }

    pub(super) fn from_proto(message: d2m::ClientHello, dialect: Dialect) -> Result<Self, DecodeError> {
        Ok(Self {
            version: message.version,
            response: ChallengeResponse(exactly(&message.response, "challenge response")?),
            device_id: DeviceId(message.device_id),
            exhausted_policy: match message.device_slots_exhausted_policy {
                0 => ExhaustedPolicy::Reject,
                1 => ExhaustedPolicy::DropLeastRecent,
                _ => return Err(DecodeError::UnknownValue("slots exhausted policy")),
            },
            expiration_policy: expiration_policy(message.device_slot_expiration_policy)
                .ok_or(DecodeError::UnknownValue("slot expiration policy"))?,
            expected_slot_state: if dialect.checks_slot_state() {
                slot_state(message.expected_device_slot_state.unwrap_or(0))?
            } else {
                SlotState::New
            },
            device_info: Sealed::from_wire(message.encrypted_device_info),
        })
    }
}
