//! The four-byte container around every payload, its type numbers and its size limits.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The most bytes of one container, header included.
pub const MAX_CONTAINER: usize = 65_536;
/// The bytes of the container header: type and three reserved bytes.
pub const CONTAINER_HEADER: usize = 4;
/// The most bytes of a sealed envelope that can still be delivered: a payload less the sixteen-byte `Reflected` header.
pub const MAX_ENVELOPE_SEALED: usize = MAX_CONTAINER - CONTAINER_HEADER - 16;
/// The most bytes of an envelope before sealing, which adds a 24-byte nonce and a 16-byte authenticator.
pub const MAX_ENVELOPE_PLAIN: usize = MAX_ENVELOPE_SEALED - 40;

/// The type byte of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is the payload of the same name in the specification")]
pub enum PayloadType {
    Proxy = 0x00,
    ServerHello = 0x10,
    ClientHello = 0x11,
    ServerInfo = 0x12,
    ReflectionQueueDry = 0x20,
    RolePromotedToLeader = 0x21,
    GetDevicesInfo = 0x30,
    DevicesInfo = 0x31,
    DropDevice = 0x32,
    DropDeviceAck = 0x33,
    SetSharedDeviceData = 0x34,
    BeginTransaction = 0x40,
    BeginTransactionAck = 0x41,
    CommitTransaction = 0x42,
    CommitTransactionAck = 0x43,
    TransactionRejected = 0x44,
    TransactionEnded = 0x45,
    Reflect = 0x80,
    ReflectAck = 0x81,
    Reflected = 0x82,
    ReflectedAck = 0x83,
}

impl PayloadType {
    const ALL: [Self; 21] = [
        Self::Proxy,
        Self::ServerHello,
        Self::ClientHello,
        Self::ServerInfo,
        Self::ReflectionQueueDry,
        Self::RolePromotedToLeader,
        Self::GetDevicesInfo,
        Self::DevicesInfo,
        Self::DropDevice,
        Self::DropDeviceAck,
        Self::SetSharedDeviceData,
        Self::BeginTransaction,
        Self::BeginTransactionAck,
        Self::CommitTransaction,
        Self::CommitTransactionAck,
        Self::TransactionRejected,
        Self::TransactionEnded,
        Self::Reflect,
        Self::ReflectAck,
        Self::Reflected,
        Self::ReflectedAck,
    ];

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|known| *known as u8 == byte)
    }
}

/// Why bytes from the other side are not a message. Carries no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DecodeError {
    /// Fewer bytes than the layout needs.
    #[error("the {0} is too short")]
    TooShort(&'static str),
    /// More bytes than one container may have.
    #[error("the message has {0} bytes, more than the 65,536 allowed")]
    TooLong(usize),
    /// A type number that this side does not know.
    #[error("unknown message type 0x{0:02x}")]
    UnknownType(u8),
    /// A type that only the other side may send.
    #[error("message type 0x{0:02x} came from the wrong side")]
    WrongSide(u8),
    /// Not the protobuf message that the type promises.
    #[error("the {0} is malformed")]
    Malformed(&'static str),
    /// A field whose length the specification fixes has another.
    #[error("the field {0} has the wrong length")]
    WrongLength(&'static str),
    /// An enum value that the specification does not name.
    #[error("the field {0} has an unknown value")]
    UnknownValue(&'static str),
}

/// Splits a container into its type and payload. Reserved bytes are ignored, as the specification asks.
pub(super) fn open(mut frame: Bytes) -> Result<(PayloadType, Bytes), DecodeError> {
    if frame.len() > MAX_CONTAINER {
        return Err(DecodeError::TooLong(frame.len()));
    }
    if frame.len() < CONTAINER_HEADER {
        return Err(DecodeError::TooShort("container"));
    }
    let byte = frame.get_u8();
    frame.advance(CONTAINER_HEADER - 1);
    let payload_type = PayloadType::from_byte(byte).ok_or(DecodeError::UnknownType(byte))?;
    Ok((payload_type, frame))
}

/// Begins a container with room for a payload of `length` bytes.
pub(super) fn begin(payload_type: PayloadType, length: usize) -> BytesMut {
    let mut frame = BytesMut::with_capacity(CONTAINER_HEADER + length);
    put_header(&mut frame, payload_type);
    frame
}

/// Writes the header of a container.
pub(super) fn put_header(buffer: &mut BytesMut, payload_type: PayloadType) {
    // The three reserved bytes must be zero: one widespread client takes anything else for chat-server data.
    buffer.put_u32_le(u32::from(payload_type as u8));
}
