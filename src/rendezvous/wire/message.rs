//! What the two devices say to each other once they are alone.

use super::fields::WireFields;
use crate::protocol::DecodeError;

/// From the device that is in the group, read where it lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FromExisting<'a> {
    /// The data follows in the next message.
    Begin,
    /// A picture or the like, which we have no use for.
    BlobData,
    /// All that a new device needs, for [`super::EssentialData::read`].
    EssentialData(&'a [u8]),
}

/// From the new device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromNew {
    /// It has its slot.
    Registered,
}

impl<'a> FromExisting<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// If it is none of these, or more than one.
    pub fn read(plain: &'a [u8]) -> Result<Self, DecodeError> {
        let mut read = None;
        for field in WireFields(plain) {
            let (number, value) = field?;
            let message = match number {
                1 => Self::Begin,
                2 => Self::BlobData,
                3 => Self::EssentialData(value.bytes()?),
                _ => continue,
            };
            value.bytes()?;
            if read.replace(message).is_some() {
                return Err(DecodeError::Malformed("EdToNd"));
            }
        }
        read.ok_or(DecodeError::Malformed("EdToNd"))
    }

    /// The bytes of `Begin`.
    #[must_use]
    pub const fn begin() -> &'static [u8] {
        &[0x0a, 0]
    }
}

impl FromNew {
    /// Reads the message.
    ///
    /// # Errors
    /// If it is none of these.
    pub fn read(plain: &[u8]) -> Result<Self, DecodeError> {
        let mut read = Err(DecodeError::Malformed("NdToEd"));
        for field in WireFields(plain) {
            if let (1, value) = field? {
                value.bytes()?;
                read = Ok(Self::Registered);
            }
        }
        read
    }

    /// The message's bytes.
    #[must_use]
    pub const fn encode(self) -> &'static [u8] {
        match self {
            Self::Registered => &[0x0a, 0],
        }
    }
}
