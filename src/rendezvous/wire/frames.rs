//! [`FrameReader`]: puts frames together again that were cut and merged on the way.

use std::cmp::Ordering;

use bytes::{Buf, Bytes};

/// The bytes of a frame's length, little-endian.
pub(super) const LENGTH: usize = 4;
/// The bytes of a box's authenticator: no box is shorter.
pub(super) const TAG: usize = 16;
/// The most bytes of a box during the handshake.
pub const MAX_HANDSHAKE_FRAME: usize = 16 * 1024;
/// The most bytes of a box after the nomination.
pub const MAX_FRAME: usize = 100 * 1024 * 1024;

/// How much memory is taken on nothing but a length's word.
const FIRST_ROOM: usize = 64 * 1024;
/// How many times as much memory as there are bytes is taken next.
const GROWTH: usize = 4;
/// Once so much has come, all the rest gets its room at once: then at most this and a whole frame are there while the one
/// moves into the other.
const BELIEVED: usize = 16 * 1024 * 1024;

/// A length that no frame has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Too many bytes for this stage of the rendezvous.
    #[error("a frame has {length} bytes, more than the {limit} allowed")]
    TooLong {
        /// The length that its header names, in bytes.
        length: usize,
        /// The longest one that is taken here, in bytes.
        limit: usize,
    },
    /// Not even an authenticator.
    #[error("a frame of {0} bytes is too short to be sealed")]
    TooShort(usize),
}

/// Reads a stream of frames that may be cut anywhere.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// What of the next length has come.
    length: Vec<u8>,
    /// What of the next box has come, and how long it is to be.
    body: Option<(Vec<u8>, usize)>,
}

impl FrameReader {
    /// The next box, once it is whole; takes what belongs to it out of `input`. [`None`] means that `input` is used up.
    ///
    /// # Errors
    /// If the next frame says a length below an authenticator's or above `limit`. Nothing can be read after that.
    pub fn next_box(&mut self, input: &mut Bytes, limit: usize) -> Result<Option<Vec<u8>>, FrameError> {
        if self.body.is_none() {
            let missing = LENGTH.saturating_sub(self.length.len()).min(input.len());
            self.length.extend_from_slice(&input.split_to(missing));
            let Some(length) = self.length.first_chunk().copied().map(u32::from_le_bytes) else { return Ok(None) };
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length > limit {
                return Err(FrameError::TooLong { length, limit });
            }
            if length < TAG {
                return Err(FrameError::TooShort(length));
            }
            self.length.clear();
            self.body = Some((Vec::new(), length));
        }
        let Some((body, length)) = &mut self.body else { return Ok(None) };
        while body.len() < *length && input.has_remaining() {
            if body.len() == body.capacity() {
                body.reserve_exact(room(body.len(), *length) - body.len());
            }
            let part = (body.capacity().min(*length) - body.len()).min(input.len());
            body.extend_from_slice(&input.split_to(part));
        }
        match body.len().cmp(length) {
            Ordering::Less => Ok(None),
            _ => Ok(self.body.take().map(|(body, _)| body)),
        }
    }

    /// How many bytes of an unfinished frame are here.
    #[must_use]
    pub fn incomplete(&self) -> usize {
        self.body.as_ref().map_or(self.length.len(), |(body, _)| body.len())
    }
}

/// How much room is taken once so many bytes are there: in proportion to what has come, not to what is promised.
fn room(has: usize, length: usize) -> usize {
    let room = if has < BELIEVED { has.saturating_mul(GROWTH).max(FIRST_ROOM) } else { length };
    room.min(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framed(body: &[u8]) -> Vec<u8> {
        [&u32::try_from(body.len()).unwrap().to_le_bytes(), body].concat()
    }

    fn read(reader: &mut FrameReader, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut input = Bytes::copy_from_slice(bytes);
        std::iter::from_fn(|| reader.next_box(&mut input, MAX_FRAME).unwrap()).collect()
    }

    proptest! {
        #[test]
        fn frames_are_the_same_however_they_are_torn(
            lengths in prop::collection::vec(prop_oneof![16_usize..40, 16_usize..300_000], 0..6),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let frames: Vec<Vec<u8>> = lengths.iter().zip(0..).map(|(length, fill)| vec![fill; *length]).collect();
            let stream: Vec<u8> = frames.iter().flat_map(|frame| framed(frame)).collect();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            places.extend([0, stream.len()]);
            places.sort_unstable();
            let mut reader = FrameReader::default();
            let found: Vec<_> =
                places.windows(2).flat_map(|pair| read(&mut reader, &stream[pair[0]..pair[1]])).collect();
            prop_assert_eq!(found, frames);
            prop_assert_eq!(reader.incomplete(), 0);
        }
    }

    #[test]
    fn lengths_have_limits() {
        let read = |length: u32, limit| {
            FrameReader::default().next_box(&mut Bytes::copy_from_slice(&length.to_le_bytes()), limit)
        };
        assert_eq!(read(16, MAX_HANDSHAKE_FRAME), Ok(None));
        assert_eq!(read(16_384, MAX_HANDSHAKE_FRAME), Ok(None));
        assert_eq!(read(16_385, MAX_HANDSHAKE_FRAME), Err(FrameError::TooLong { length: 16_385, limit: 16_384 }));
        assert_eq!(read(104_857_600, MAX_FRAME), Ok(None));
        assert!(matches!(read(104_857_601, MAX_FRAME), Err(FrameError::TooLong { .. })));
        assert_eq!(read(15, MAX_FRAME), Err(FrameError::TooShort(15)));
        assert_eq!(read(0, MAX_FRAME), Err(FrameError::TooShort(0)));
    }

    /// The old room and the new one, whenever the one moves into the other.
    #[test]
    fn a_frame_takes_little_more_memory_than_it_has_bytes() {
        const MIB: usize = 1024 * 1024;
        for length in [FIRST_ROOM, MIB, 5 * MIB, 16 * MIB + 1, 20 * MIB, MAX_FRAME] {
            let (mut has, mut most) = (0_usize, 0_usize);
            while has < length {
                let next = room(has, length);
                assert!(has >= BELIEVED || next <= FIRST_ROOM.max(has * GROWTH), "a promise alone takes little");
                most = most.max(has + next);
                has = next;
            }
            assert!(most <= length + length.min(32 * MIB), "{length}: {most}");
        }
    }

    #[test]
    fn a_promised_length_takes_no_memory() {
        let mut reader = FrameReader::default();
        read(&mut reader, &100_000_000_u32.to_le_bytes());
        read(&mut reader, &[0; 100]);
        assert!(reader.body.as_ref().unwrap().0.capacity() <= FIRST_ROOM);
        read(&mut reader, &vec![0; FIRST_ROOM]);
        assert!(reader.body.as_ref().unwrap().0.capacity() <= GROWTH * FIRST_ROOM);
        assert_eq!(reader.incomplete(), FIRST_ROOM + 100);
    }
}
