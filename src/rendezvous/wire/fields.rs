//! Protobuf fields, read where they lie and written where they belong.
//!
//! Generated messages copy every field out of the buffer that is wiped, secrets among them.

use zeroize::Zeroizing;

use crate::protocol::DecodeError;

const MALFORMED: DecodeError = DecodeError::Malformed("protobuf message");

/// The value of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WireField<'a> {
    /// Any integer but the fixed ones.
    Varint(u64),
    Fixed64(u64),
    /// Bytes, text or a message.
    Bytes(&'a [u8]),
    Fixed32(u32),
}

impl<'a> WireField<'a> {
    pub(super) const fn bytes(self) -> Result<&'a [u8], DecodeError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(MALFORMED),
        }
    }

    pub(super) const fn varint(self) -> Result<u64, DecodeError> {
        match self {
            Self::Varint(number) => Ok(number),
            _ => Err(MALFORMED),
        }
    }

    pub(super) const fn fixed64(self) -> Result<u64, DecodeError> {
        match self {
            Self::Fixed64(number) => Ok(number),
            _ => Err(MALFORMED),
        }
    }
}

/// The fields of a message in their order, each with its number.
#[derive(Clone, Debug)]
pub(super) struct WireFields<'a>(pub(super) &'a [u8]);

impl<'a> WireFields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn field(&mut self) -> Option<(u32, WireField<'a>)> {
        let key = u32::try_from(self.varint()?).ok()?;
        let number = (key >> 3 > 0).then_some(key >> 3)?;
        let field = match key & 7 {
            0 => WireField::Varint(self.varint()?),
            1 => WireField::Fixed64(u64::from_le_bytes(*self.take(8)?.first_chunk()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                WireField::Bytes(self.take(length)?)
            }
            5 => WireField::Fixed32(u32::from_le_bytes(*self.take(4)?.first_chunk()?)),
            _ => return None,
        };
        Some((number, field))
    }
}

impl<'a> Iterator for WireFields<'a> {
    type Item = Result<(u32, WireField<'a>), DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(MALFORMED))
    }
}

/// A message being written. It never grows, so that no copy of a secret is left where it was before.
pub(super) struct WireWriter(Zeroizing<Vec<u8>>);

/// The most bytes that the number, type and length of one field take.
pub(super) const FIELD_HEAD: usize = 10;

impl WireWriter {
    /// A message of at most so many bytes.
    pub(super) fn with_room(most: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(most)))
    }

    fn push_varint(&mut self, mut value: u64) {
        loop {
            let low = u8::try_from(value & 0x7f).unwrap_or_default();
            value >>= 7;
            if value == 0 {
                return self.0.push(low);
            }
            self.0.push(low | 0x80);
        }
    }

    pub(super) fn varint(&mut self, number: u32, value: u64) {
        self.push_varint(u64::from(number) << 3);
        self.push_varint(value);
    }

    pub(super) fn fixed64(&mut self, number: u32, value: u64) {
        self.push_varint((u64::from(number) << 3) | 1);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.push_varint((u64::from(number) << 3) | 2);
        self.push_varint(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = WireWriter::with_room(100);
        writer.varint(1, 300);
        writer.fixed64(2, u64::MAX);
        writer.bytes(900, b"bytes");
        let written = writer.finish();
        let fields: Vec<_> = WireFields(&written).collect::<Result<_, _>>().unwrap();
        assert_eq!(
            fields,
            [(1, WireField::Varint(300)), (2, WireField::Fixed64(u64::MAX)), (900, WireField::Bytes(b"bytes"))]
        );
    }

    proptest! {
        #[test]
        fn anything_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            prop_assert!(WireFields(&bytes).count() <= bytes.len());
        }
    }
}
