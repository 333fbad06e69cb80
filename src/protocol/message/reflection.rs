//! Reflections on their way to the server and from it, and their acknowledgements: the payloads that are not protobuf.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::protocol::container::{self, CONTAINER_HEADER, DecodeError, PayloadType};
use crate::protocol::{Dialect, Envelope, Millis, ReflectId, ReflectedId, Sealed};

/// The flag of a reflection that only devices connected right now get, and that nobody acknowledges.
const EPHEMERAL: u16 = 0x0001;
const REFLECT_HEADER: u8 = 8;
const REFLECTED_HEADER: u8 = 16;

/// A message to be reflected to all other devices (0x80).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reflect {
    /// Echoed in the acknowledgement.
    pub id: ReflectId,
    /// Only for devices connected right now; not on the wire in `mk`.
    pub ephemeral: bool,
    /// The sealed envelope, passed on unchanged.
    pub envelope: Sealed<Envelope>,
}

/// A message out of the reflection queue (0x82).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reflected {
    /// Named in the acknowledgement.
    pub id: ReflectedId,
    /// Must not be acknowledged.
    pub ephemeral: bool,
    /// When the server stored it.
    pub timestamp: Millis,
    /// The header as it was read; what is written follows from the other fields.
    pub header: ReflectedHeader,
    /// What was reflected.
    pub envelope: Sealed<Envelope>,
}

/// What a Reflected header says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReflectedHeader {
    /// The length in bytes that it gives of itself; some servers write 8 for 16.
    pub length: u8,
    /// Its flags; in the seed's dialect reserved bytes.
    pub flags: u16,
}

impl Default for ReflectedHeader {
    fn default() -> Self {
        Self { length: REFLECTED_HEADER, flags: 0 }
    }
}

impl ReflectedHeader {
    /// The header as it is written in this dialect.
    #[must_use]
    pub fn of(ephemeral: bool, dialect: Dialect) -> Self {
        Self { length: REFLECTED_HEADER, flags: flags(ephemeral, dialect) }
    }
}

fn flags(ephemeral: bool, dialect: Dialect) -> u16 {
    if ephemeral && dialect.has_reflection_flags() { EPHEMERAL } else { 0 }
}

const fn is_ephemeral(flags: u16, dialect: Dialect) -> bool {
    dialect.has_reflection_flags() && flags & EPHEMERAL != 0
}

/// Splits a reflection into the part of its header that is known, and the envelope, which begins at `begin`.
fn reflection<const KNOWN: usize>(
    mut payload: Bytes,
    begin: u8,
    name: &'static str,
) -> Result<([u8; KNOWN], Bytes), DecodeError> {
    let begin = usize::from(begin);
    let header = *payload.first_chunk().ok_or(DecodeError::TooShort(name))?;
    if begin < KNOWN || begin > payload.len() {
        return Err(DecodeError::TooShort(name));
    }
    payload.advance(begin);
    Ok((header, payload))
}

impl Reflect {
    pub(super) fn encode(&self, dialect: Dialect) -> Bytes {
        let mut frame = container::begin(PayloadType::Reflect, usize::from(REFLECT_HEADER) + self.envelope.len());
        frame.put_u8(REFLECT_HEADER);
        frame.put_u8(0);
        frame.put_u16_le(flags(self.ephemeral, dialect));
        frame.put_u32_le(self.id.0);
        frame.put_slice(self.envelope.as_bytes());
        frame.freeze()
    }

    pub(super) fn decode(payload: Bytes, dialect: Dialect) -> Result<Self, DecodeError> {
        let length = payload.first().copied().unwrap_or_default();
        let (header, envelope) = reflection::<{ REFLECT_HEADER as usize }>(payload, length, "Reflect")?;
        let mut header = header.as_slice();
        header.advance(2);
        let flags = header.get_u16_le();
        Ok(Self {
            id: ReflectId(header.get_u32_le()),
            ephemeral: is_ephemeral(flags, dialect),
            envelope: Sealed::from_wire(envelope),
        })
    }
}

impl Reflected {
    pub(super) fn encode(&self, dialect: Dialect) -> Bytes {
        let mut frame = container::begin(PayloadType::Reflected, usize::from(REFLECTED_HEADER) + self.envelope.len());
        let header = ReflectedHeader::of(self.ephemeral, dialect);
        frame.put_u8(header.length);
        frame.put_u8(0);
        frame.put_u16_le(header.flags);
        frame.put_u32_le(self.id.0);
        frame.put_u64_le(self.timestamp.0);
        frame.put_slice(self.envelope.as_bytes());
        frame.freeze()
    }

    pub(super) fn decode(payload: Bytes, dialect: Dialect) -> Result<Self, DecodeError> {
        let length = payload.first().copied().unwrap_or_default();
        // The seed's own drawing says 8 where it means 16, and other clients take 16 whatever the byte says: so does this,
        // or a message that could be read would come again for ever.
        let begin = length.max(REFLECTED_HEADER);
        let (header, envelope) = reflection::<{ REFLECTED_HEADER as usize }>(payload, begin, "Reflected")?;
        let mut header = header.as_slice();
        header.advance(2);
        let flags = header.get_u16_le();
        Ok(Self {
            id: ReflectedId(header.get_u32_le()),
            ephemeral: is_ephemeral(flags, dialect),
            timestamp: Millis(header.get_u64_le()),
            header: ReflectedHeader { length, flags },
            envelope: Sealed::from_wire(envelope),
        })
    }
}

/// The containers that acknowledge these, in this order; all of them in one piece of memory.
pub fn acknowledgements(ids: &[ReflectedId]) -> impl Iterator<Item = Bytes> {
    const LENGTH: usize = CONTAINER_HEADER + 8;
    let mut memory = BytesMut::with_capacity(ids.len() * LENGTH);
    for id in ids {
        container::put_header(&mut memory, PayloadType::ReflectedAck);
        memory.put_u32_le(0);
        memory.put_u32_le(id.0);
    }
    let mut memory = memory.freeze();
    std::iter::from_fn(move || (!memory.is_empty()).then(|| memory.split_to(LENGTH)))
}
