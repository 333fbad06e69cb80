//! What a server sends.

use std::collections::BTreeMap;

use bytes::{Buf, BufMut, Bytes};

use super::device_entry::DeviceEntry;
use super::login::{ServerHello, ServerInfo};
use super::payload::{empty, exactly, parse, protobuf, raw};
use super::reflection::Reflected;
use crate::protocol::container::{self, DecodeError, PayloadType};
use crate::protocol::proto::d2m;
use crate::protocol::slot::{slot_state, slot_state_number};
use crate::protocol::{Challenge, DeviceId, Dialect, Millis, ReflectId, Sealed, TransactionScope};

/// What a server sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerMessage {
    /// Bytes from the chat server (0x00).
    Proxy(Bytes),
    /// The challenge (0x10).
    Hello(ServerHello),
    /// The login succeeded (0x12).
    Info(ServerInfo),
    /// All that waited has been sent (0x20).
    ReflectionQueueDry,
    /// This device is leader now (0x21).
    RolePromotedToLeader,
    /// All devices (0x31).
    DevicesInfo(BTreeMap<DeviceId, DeviceEntry>),
    /// The device was dropped (0x33).
    DropDeviceAck(DeviceId),
    /// The lock is ours (0x41).
    BeginTransactionAck,
    /// The commit is done, the lock released (0x43).
    CommitTransactionAck,
    /// The lock is another's (0x44).
    TransactionRejected {
        /// The device that holds the lock.
        holder: DeviceId,
        /// The scope of the holder's transaction.
        scope: Sealed<TransactionScope>,
    },
    /// Another's lock is released (0x45).
    TransactionEnded {
        /// The device that held the lock.
        holder: DeviceId,
        /// The scope of its transaction.
        scope: Sealed<TransactionScope>,
    },
    /// Stored in the queues of all other devices (0x81).
    ReflectAck {
        /// The id that the client gave the reflection.
        id: ReflectId,
        /// When it was stored.
        timestamp: Millis,
    },
    /// A message for this device (0x82).
    Reflected(Reflected),
}

impl ServerMessage {
    /// The container to send.
    #[must_use]
    pub fn encode(&self, dialect: Dialect) -> Bytes {
        match self {
            Self::Proxy(data) => raw(PayloadType::Proxy, data),
            Self::Hello(hello) => protobuf(
                PayloadType::ServerHello,
                &d2m::ServerHello {
                    version: hello.version,
                    esk: Bytes::copy_from_slice(&hello.ephemeral_key),
                    challenge: Bytes::copy_from_slice(&hello.challenge.0),
                },
            ),
            Self::Info(info) => protobuf(
                PayloadType::ServerInfo,
                &d2m::ServerInfo {
                    max_device_slots: info.max_device_slots,
                    device_slot_state: slot_state_number(info.slot_state),
                    encrypted_shared_device_data: info.shared_device_data.as_bytes().clone(),
                    // Seed clients skip fields they do not know, so these go out in both dialects.
                    current_time: info.current_time.map(|time| time.0),
                    reflection_queue_length: info.reflection_queue_length,
                },
            ),
            Self::ReflectionQueueDry => empty(PayloadType::ReflectionQueueDry),
            Self::RolePromotedToLeader => empty(PayloadType::RolePromotedToLeader),
            Self::DevicesInfo(devices) => {
                let augmented_device_info = devices.iter().map(|(id, entry)| (id.0, entry.to_proto())).collect();
                protobuf(PayloadType::DevicesInfo, &d2m::DevicesInfo { augmented_device_info })
            }
            Self::DropDeviceAck(id) => protobuf(PayloadType::DropDeviceAck, &d2m::DropDeviceAck { device_id: id.0 }),
            Self::BeginTransactionAck => empty(PayloadType::BeginTransactionAck),
            Self::CommitTransactionAck => empty(PayloadType::CommitTransactionAck),
            Self::TransactionRejected { holder, scope } => protobuf(
                PayloadType::TransactionRejected,
                &d2m::TransactionRejected { device_id: holder.0, encrypted_scope: scope.as_bytes().clone() },
            ),
            Self::TransactionEnded { holder, scope } => protobuf(
                PayloadType::TransactionEnded,
                &d2m::TransactionEnded { device_id: holder.0, encrypted_scope: scope.as_bytes().clone() },
            ),
            Self::ReflectAck { id, timestamp } => {
                let mut frame = container::begin(PayloadType::ReflectAck, 16);
                frame.put_u32_le(0);
                frame.put_u32_le(id.0);
                frame.put_u64_le(timestamp.0);
                frame.freeze()
            }
            Self::Reflected(reflected) => reflected.encode(dialect),
        }
    }

    /// Reads a container that a server sent.
    ///
    /// # Errors
    /// If it is no container, of an unknown type, of a type only clients send, or malformed.
    pub fn decode(frame: Bytes, dialect: Dialect) -> Result<Self, DecodeError> {
        let (payload_type, mut payload) = container::open(frame)?;
        Ok(match payload_type {
            PayloadType::Proxy => Self::Proxy(payload),
            PayloadType::ServerHello => {
                let message: d2m::ServerHello = parse(payload, "ServerHello")?;
                Self::Hello(ServerHello {
                    version: message.version,
                    ephemeral_key: exactly(&message.esk, "server key")?,
                    challenge: Challenge(exactly(&message.challenge, "challenge")?),
                })
            }
            PayloadType::ServerInfo => {
                let message: d2m::ServerInfo = parse(payload, "ServerInfo")?;
                Self::Info(ServerInfo {
                    max_device_slots: message.max_device_slots,
                    slot_state: slot_state(message.device_slot_state)?,
                    shared_device_data: Sealed::from_wire(message.encrypted_shared_device_data),
                    current_time: message.current_time.filter(|time| *time > 0).map(Millis),
                    reflection_queue_length: message.reflection_queue_length,
                })
            }
            PayloadType::ReflectionQueueDry => {
                parse::<d2m::ReflectionQueueDry>(payload, "ReflectionQueueDry")?;
                Self::ReflectionQueueDry
            }
            PayloadType::RolePromotedToLeader => {
                parse::<d2m::RolePromotedToLeader>(payload, "RolePromotedToLeader")?;
                Self::RolePromotedToLeader
            }
            PayloadType::DevicesInfo => {
                let message: d2m::DevicesInfo = parse(payload, "DevicesInfo")?;
                let devices = message.augmented_device_info.into_iter();
                Self::DevicesInfo(
                    devices.map(|(id, entry)| (DeviceId(id), DeviceEntry::from_proto(entry, dialect))).collect(),
                )
            }
            PayloadType::DropDeviceAck => {
                Self::DropDeviceAck(DeviceId(parse::<d2m::DropDeviceAck>(payload, "DropDeviceAck")?.device_id))
            }
            PayloadType::BeginTransactionAck => {
                parse::<d2m::BeginTransactionAck>(payload, "BeginTransactionAck")?;
                Self::BeginTransactionAck
            }
            PayloadType::CommitTransactionAck => {
                parse::<d2m::CommitTransactionAck>(payload, "CommitTransactionAck")?;
                Self::CommitTransactionAck
            }
            PayloadType::TransactionRejected => {
                let message: d2m::TransactionRejected = parse(payload, "TransactionRejected")?;
                Self::TransactionRejected {
                    holder: DeviceId(message.device_id),
                    scope: Sealed::from_wire(message.encrypted_scope),
                }
            }
            PayloadType::TransactionEnded => {
                let message: d2m::TransactionEnded = parse(payload, "TransactionEnded")?;
                Self::TransactionEnded {
                    holder: DeviceId(message.device_id),
                    scope: Sealed::from_wire(message.encrypted_scope),
                }
            }
            PayloadType::ReflectAck => {
                if payload.len() < 16 {
                    return Err(DecodeError::TooShort("ReflectAck"));
                }
                payload.advance(4);
                Self::ReflectAck { id: ReflectId(payload.get_u32_le()), timestamp: Millis(payload.get_u64_le()) }
            }
            PayloadType::Reflected => Self::Reflected(Reflected::decode(payload, dialect)?),
            other => return Err(DecodeError::WrongSide(other as u8)),
        })
    }
}
