//! What a client sends.

use std::time::Duration;

use bytes::{Buf, Bytes};

use super::login::ClientHello;
use super::payload::{empty, parse, protobuf, raw};
use super::reflection::{Reflect, acknowledgements};
use crate::protocol::container::{self, DecodeError, PayloadType};
use crate::protocol::proto::d2m;
use crate::protocol::{DeviceId, Dialect, ReflectedId, Sealed, SharedDeviceData, TransactionScope};

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage {
    /// Bytes for the chat server (0x00).
    Proxy(Bytes),
    /// Answers the challenge and names the device (0x11).
    Hello(ClientHello),
    /// Asks for the list of all devices (0x30).
    GetDevicesInfo,
    /// Asks to drop a device (0x32).
    DropDevice(DeviceId),
    /// Sets the data shared among the devices (0x34).
    SetSharedDeviceData(Sealed<SharedDeviceData>),
    /// Asks for the group's lock (0x40). No `ttl` means the server's maximum; not on the wire in `mk`.
    BeginTransaction {
        /// What the lock is for.
        scope: Sealed<TransactionScope>,
        /// For how long at most, in whole seconds.
        ttl: Option<Duration>,
    },
    /// Commits what was reflected under the lock and releases it (0x42).
    CommitTransaction,
    /// Asks for a reflection to all other devices (0x80).
    Reflect(Reflect),
    /// Acknowledges a reflected message (0x83).
    ReflectedAck(ReflectedId),
}

impl ClientMessage {
    /// The container to send.
    #[must_use]
    pub fn encode(&self, dialect: Dialect) -> Bytes {
        match self {
            Self::Proxy(data) => raw(PayloadType::Proxy, data),
            Self::Hello(hello) => protobuf(PayloadType::ClientHello, &hello.to_proto(dialect)),
            Self::GetDevicesInfo => empty(PayloadType::GetDevicesInfo),
            Self::DropDevice(id) => protobuf(PayloadType::DropDevice, &d2m::DropDevice { device_id: id.0 }),
            Self::SetSharedDeviceData(data) => protobuf(
                PayloadType::SetSharedDeviceData,
                &d2m::SetSharedDeviceData { encrypted_shared_device_data: data.as_bytes().clone() },
            ),
            Self::BeginTransaction { scope, ttl } => {
                let seconds = ttl.map(|ttl| u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX));
                let ttl = if dialect.limits_transactions() { seconds } else { None };
                let message = d2m::BeginTransaction { encrypted_scope: scope.as_bytes().clone(), ttl };
                protobuf(PayloadType::BeginTransaction, &message)
            }
            Self::CommitTransaction => empty(PayloadType::CommitTransaction),
            Self::Reflect(reflect) => reflect.encode(dialect),
            Self::ReflectedAck(id) => acknowledgements(&[*id]).next().unwrap_or_default(),
        }
    }

    /// Reads a container that a client sent.
    ///
    /// # Errors
    /// If it is no container, of an unknown type, of a type only servers send, or malformed.
    pub fn decode(frame: Bytes, dialect: Dialect) -> Result<Self, DecodeError> {
        let (payload_type, mut payload) = container::open(frame)?;
        Ok(match payload_type {
            PayloadType::Proxy => Self::Proxy(payload),
            PayloadType::ClientHello => Self::Hello(ClientHello::from_proto(parse(payload, "ClientHello")?, dialect)?),
            PayloadType::GetDevicesInfo => {
                parse::<d2m::GetDevicesInfo>(payload, "GetDevicesInfo")?;
                Self::GetDevicesInfo
            }
            PayloadType::DropDevice => {
                Self::DropDevice(DeviceId(parse::<d2m::DropDevice>(payload, "DropDevice")?.device_id))
            }
            PayloadType::SetSharedDeviceData => {
                let message: d2m::SetSharedDeviceData = parse(payload, "SetSharedDeviceData")?;
                Self::SetSharedDeviceData(Sealed::from_wire(message.encrypted_shared_device_data))
            }
            PayloadType::BeginTransaction => {
                let message: d2m::BeginTransaction = parse(payload, "BeginTransaction")?;
                let ttl = message.ttl.filter(|seconds| *seconds > 0).map(|seconds| Duration::from_secs(seconds.into()));
                Self::BeginTransaction {
                    scope: Sealed::from_wire(message.encrypted_scope),
                    ttl: if dialect.limits_transactions() { ttl } else { None },
                }
            }
            PayloadType::CommitTransaction => {
                parse::<d2m::CommitTransaction>(payload, "CommitTransaction")?;
                Self::CommitTransaction
            }
            PayloadType::Reflect => Self::Reflect(Reflect::decode(payload, dialect)?),
            PayloadType::ReflectedAck => {
                if payload.len() < 8 {
                    return Err(DecodeError::TooShort("ReflectedAck"));
                }
                // Reserved, and not zero with every client.
                payload.advance(4);
                Self::ReflectedAck(ReflectedId(payload.get_u32_le()))
            }
            other => return Err(DecodeError::WrongSide(other as u8)),
        })
    }
}
