//! Entries to bytes and back. What is read may be hostile: nothing is believed before its checksum, and nothing takes more
//! memory than an entry may have.

use std::io::{self, BufRead, Read as _};

use super::entry::{RecordEntry, RecordedInput};
use super::error::RecordFault;
use super::{MAGIC, VERSION};

/// The most bytes of an entry: a batch of frames is the largest.
const MOST_ENTRY: usize = 64 << 20;

/// The most bytes of any other entry, whose values take more memory than bytes.
const MOST_OTHER: usize = 8 << 20;

/// The bytes before the entries of a segment.
pub(super) const SEGMENT_HEAD: usize = MAGIC.len() + 2;

/// What a segment begins with.
pub(super) fn segment_head() -> [u8; SEGMENT_HEAD] {
    let mut head = [0; SEGMENT_HEAD];
    let bytes = MAGIC.into_iter().chain(VERSION.to_le_bytes());
    head.iter_mut().zip(bytes).for_each(|(target, byte)| *target = byte);
    head
}

/// An entry as it is written; [`None`] if it is larger than one may be.
#[must_use]
pub fn encode_entry(entry: &RecordEntry) -> Option<Vec<u8>> {
    let mut bytes = postcard::to_extend(entry, vec![0; 8]).ok()?;
    let length = bytes.len().checked_sub(8)?;
    if length > most(entry) {
        return None;
    }
    let (head, payload) = bytes.split_at_mut_checked(8)?;
    let prefix = u32::try_from(length).ok()?.to_le_bytes().into_iter().chain(crc32fast::hash(payload).to_le_bytes());
    head.iter_mut().zip(prefix).for_each(|(target, byte)| *target = byte);
    Some(bytes)
}

const fn most(entry: &RecordEntry) -> usize {
    if matches!(entry, RecordEntry::Input(_, RecordedInput::Frames(_))) { MOST_ENTRY } else { MOST_OTHER }
}

/// Reads the entries of a segment, one at a time.
#[derive(Debug)]
pub struct EntryReader<R> {
    input: R,
    offset: u64,
}

/// Where the entry begins that cannot be read, and its fault.
pub(super) type FaultAt = (u64, ReadFault);

/// Why an entry cannot be read.
#[derive(Debug)]
pub(super) enum ReadFault {
    Fault(RecordFault),
    Io(io::Error),
}

impl<R: BufRead> EntryReader<R> {
    /// Reads the head of a segment.
    ///
    /// # Errors
    /// If it is foreign, of another version, or not whole.
    pub(super) fn open(mut input: R) -> Result<Self, FaultAt> {
        let mut head = Vec::new();
        let read = input.by_ref().take(SEGMENT_HEAD as u64).read_to_end(&mut head);
        read.map_err(|cause| (0, ReadFault::Io(cause)))?;
        let fault = |fault| Err((0, ReadFault::Fault(fault)));
        match head.split_first_chunk() {
            Some((magic, version)) if *magic == MAGIC => match version.first_chunk().copied().map(u16::from_le_bytes) {
                Some(VERSION) => Ok(Self { input, offset: SEGMENT_HEAD as u64 }),
                Some(version) if version > VERSION => fault(RecordFault::Newer(version)),
                Some(version) => fault(RecordFault::Older(version)),
                None => fault(RecordFault::Truncated),
            },
            None if MAGIC.starts_with(&head) => fault(RecordFault::Truncated),
            _ => fault(RecordFault::Foreign),
        }
    }

    /// Where the next entry begins.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next entry; [`None`] at the end of the file.
    ///
    /// # Errors
    /// If the file ends within it, or it is not as it was written.
    pub(super) fn next(&mut self) -> Result<Option<RecordEntry>, FaultAt> {
        let offset = self.offset;
        let fault = |fault| (offset, ReadFault::Fault(fault));
        let mut head = Vec::new();
        let io = |cause| (offset, ReadFault::Io(cause));
        self.input.by_ref().take(8).read_to_end(&mut head).map_err(io)?;
        if head.is_empty() {
            return Ok(None);
        }
        let words: Option<([u8; 4], [u8; 4])> =
            head.split_first_chunk().and_then(|(length, rest)| Some((*length, *rest.first_chunk()?)));
        let (length, checksum) = words.ok_or_else(|| fault(RecordFault::Truncated))?;
        let (length, checksum) = (u32::from_le_bytes(length), u32::from_le_bytes(checksum));
        if length as usize > MOST_ENTRY {
            return Err(fault(RecordFault::TooLarge(length.into())));
        }
        // Grows with what is really there.
        let mut payload = Vec::new();
        self.input.by_ref().take(length.into()).read_to_end(&mut payload).map_err(io)?;
        if payload.len() < length as usize {
            return Err(fault(RecordFault::Truncated));
        }
        if crc32fast::hash(&payload) != checksum {
            return Err(fault(RecordFault::Checksum));
        }
        if payload.len() > MOST_OTHER && !may_be_frames(&payload) {
            return Err(fault(RecordFault::TooLarge(length.into())));
        }
        let (entry, rest) = postcard::take_from_bytes::<RecordEntry>(&payload)
            .map_err(|_| fault(RecordFault::Malformed("it is no entry of this format")))?;
        if !rest.is_empty() {
            return Err(fault(RecordFault::Malformed("there is more behind it")));
        }
        if payload.len() > most(&entry) {
            return Err(fault(RecordFault::TooLarge(length.into())));
        }
        self.offset += 8 + u64::from(length);
        Ok(Some(entry))
    }
}

/// Whether a payload begins as a batch of frames does: an input, two numbers, and the kind.
fn may_be_frames(payload: &[u8]) -> bool {
    type Head = (u8, u64, u64, u8);
    let frames =
        RecordEntry::Input(super::entry::Moment { wall: 0, precise: 0 }, RecordedInput::Frames(bytes::Bytes::new()));
    let kinds =
        |bytes: &[u8]| postcard::take_from_bytes::<Head>(bytes).ok().map(|((entry, _, _, input), _)| (entry, input));
    let expected = postcard::to_stdvec(&frames).ok().as_deref().and_then(kinds);
    expected.is_some() && kinds(payload) == expected
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::entry::Moment;

    fn entries() -> Vec<RecordEntry> {
        let at = Moment { wall: 1_700_000_000_000, precise: 5_000_000_000 };
        let frames = super::super::input::join_frames(&[bytes::Bytes::from_static(b"\x21\0\0\0")]);
        [RecordedInput::Timer, RecordedInput::Frames(frames), RecordedInput::HandOn { durable: true }]
            .map(|input| RecordEntry::Input(at, input))
            .to_vec()
    }

    fn segment() -> Vec<u8> {
        let bytes = entries().iter().flat_map(|entry| encode_entry(entry).unwrap()).collect::<Vec<_>>();
        [segment_head().to_vec(), bytes].concat()
    }

    /// What can be read, and the fault at the end.
    fn read(bytes: &[u8]) -> (Vec<RecordEntry>, Option<(u64, RecordFault)>) {
        let fault = |(offset, fault): FaultAt| match fault {
            ReadFault::Fault(fault) => Some((offset, fault)),
            ReadFault::Io(cause) => panic!("{cause}"),
        };
        let mut reader = match EntryReader::open(bytes) {
            Ok(reader) => reader,
            Err(error) => return (Vec::new(), fault(error)),
        };
        let mut entries = Vec::new();
        loop {
            match reader.next() {
                Ok(Some(entry)) => entries.push(entry),
                Ok(None) => return (entries, None),
                Err(error) => return (entries, fault(error)),
            }
        }
    }

    #[test]
    fn what_is_whole_is_read_wherever_the_file_ends_and_the_rest_is_named_with_its_place() {
        let whole = segment();
        assert_eq!(read(&whole), (entries(), None));
        for length in 0..whole.len() {
            let (read, fault) = read(&whole[..length]);
            assert_eq!(read, entries()[..read.len()], "{length} bytes");
            match fault {
                Some((offset, RecordFault::Truncated)) => assert!(offset <= length as u64),
                None => assert!(read.len() < entries().len() && length > 0, "it ends between two entries"),
                other => panic!("{length} bytes: {other:?}"),
            }
        }
    }

    #[test]
    fn what_is_foreign_newer_or_older_is_told_apart() {
        let mut newer = segment();
        newer[8] = 2;
        assert_eq!(read(&newer).1, Some((0, RecordFault::Newer(2))));
        newer[8] = 0;
        assert_eq!(read(&newer).1, Some((0, RecordFault::Older(0))));
        for foreign in [b"SQLite format 3\0".as_slice(), b"D2MREC\n\n\x01\0", b"\0"] {
            assert_eq!(read(foreign).1, Some((0, RecordFault::Foreign)));
        }
        assert_eq!(read(b"").1, Some((0, RecordFault::Truncated)));
    }

    #[test]
    fn an_entry_that_says_it_is_large_takes_no_memory_for_what_is_not_there() {
        let mut huge = segment_head().to_vec();
        huge.extend(u32::MAX.to_le_bytes());
        huge.extend([0; 4]);
        assert_eq!(read(&huge).1, Some((10, RecordFault::TooLarge(u32::MAX.into()))));
        let mut claims = segment_head().to_vec();
        claims.extend(u32::try_from(MOST_ENTRY).unwrap().to_le_bytes());
        claims.extend([0; 12]);
        assert_eq!(read(&claims).1, Some((10, RecordFault::Truncated)));
    }

    #[test]
    fn only_a_batch_of_frames_may_be_large() {
        let at = Moment { wall: 1, precise: 1 };
        let large = bytes::Bytes::from(vec![0; MOST_OTHER + 1]);
        let frames = RecordEntry::Input(at, RecordedInput::Frames(large));
        let bytes = [segment_head().to_vec(), encode_entry(&frames).unwrap()].concat();
        assert_eq!(read(&bytes), (vec![frames], None));
        let words = RecordEntry::Input(at, RecordedInput::Broken("x".repeat(MOST_OTHER + 1)));
        assert_eq!(encode_entry(&words), None);
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_noticed(at in 10_usize..40, bit in 0_u8..8) {
            let mut bytes = segment();
            let at = at.min(bytes.len() - 1);
            bytes[at] ^= 1 << bit;
            let (read, fault) = read(&bytes);
            prop_assert!(fault.is_some() && read.len() < entries().len());
        }

        #[test]
        fn anything_at_all_is_an_error_at_most(bytes: Vec<u8>) {
            let _ = read(&bytes);
            let _ = read(&[segment_head().to_vec(), bytes].concat());
        }

        #[test]
        fn anything_behind_a_right_checksum_is_an_error_at_most(payload: Vec<u8>) {
            let mut bytes = segment_head().to_vec();
            bytes.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
            bytes.extend(crc32fast::hash(&payload).to_le_bytes());
            bytes.extend(&payload);
            if let (_, Some((offset, _))) = read(&bytes) {
                prop_assert_eq!(offset, 10);
            }
        }
    }
}
