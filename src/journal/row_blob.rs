//! What of a message nobody looks for, in one column: every column more costs as much as twenty bytes more.

use super::code;
use crate::group::ReflectedMessage;
use crate::protocol::d2d::{EnvelopeSummary, MessageType};
use crate::protocol::{MessageId, Millis, Nonce, OpenError, ReflectedHeader, ReflectedId};

/// Which of the parts that may be missing are there.
const NONCE: u8 = 1;
const TYPE: u8 = 1 << 1;
const MESSAGE_ID: u8 = 1 << 2;
const CREATED_AT: u8 = 1 << 3;
const ACTION: u8 = 1 << 4;
const SENDER: u8 = 1 << 5;
/// The last bytes are the row's checksum, which older rows have none of. Two bits, so that one alone never says so.
const CHECKED: u8 = 0b1100_0000;

const CHECKSUM_LENGTH: usize = 4;

/// What a blob says of its row.
pub(super) enum Checksum<'a> {
    /// It is from before there were checksums.
    None,
    /// Of what is before it.
    Of(&'a [u8], u32),
    /// That cannot be told.
    Broken,
}

/// The blob as it is read back.
pub(super) struct RowBlob<'a> {
    pub(super) id: ReflectedId,
    pub(super) stored_at: Millis,
    pub(super) size: u32,
    pub(super) header: ReflectedHeader,
    pub(super) nonce: Option<Nonce>,
    /// Kind, author, conversation and detail stand elsewhere.
    pub(super) content: Result<BlobSummary<'a>, OpenError>,
}

/// What only a message that could be read has.
pub(super) struct BlobSummary<'a> {
    pub(super) protocol_version: u32,
    pub(super) body_length: u32,
    pub(super) count: u32,
    pub(super) message_type: Option<MessageType>,
    pub(super) message_id: Option<MessageId>,
    pub(super) created_at: Option<Millis>,
    pub(super) action: Option<u8>,
    pub(super) sender: Option<&'a [u8]>,
}

/// Writes the blob, in the order in which [`read`] reads it.
pub(super) fn write(message: &ReflectedMessage, sender: Option<&[u8]>, out: &mut Vec<u8>) {
    out.clear();
    let summary = message.content.as_ref();
    let has = |bit: u8, is_there: bool| if is_there { bit } else { 0 };
    let of_summary = |is_there: fn(&EnvelopeSummary) -> bool| summary.is_ok_and(is_there);
    let parts = CHECKED
        | has(NONCE, message.nonce.is_some())
        | has(TYPE, of_summary(|summary| summary.message_type.is_some()))
        | has(MESSAGE_ID, of_summary(|summary| summary.message_id.is_some()))
        | has(CREATED_AT, of_summary(|summary| summary.created_at.is_some()))
        | has(ACTION, of_summary(|summary| summary.action.is_some()))
        | has(SENDER, sender.is_some());
    out.extend([parts, summary.err().map_or(0, |error| code::error(*error)), message.header.length]);
    out.extend(message.header.flags.to_le_bytes());
    out.extend(message.id.0.to_le_bytes());
    out.extend(message.size.to_le_bytes());
    out.extend(message.stored_at.0.to_le_bytes());
    extend(out, message.nonce.map(|nonce| nonce.0));
    if let Ok(summary) = summary {
        out.extend(summary.protocol_version.to_le_bytes());
        out.extend(summary.body_length.to_le_bytes());
        out.extend(summary.count.to_le_bytes());
        out.extend(summary.message_type.map(|message_type| message_type.0));
        extend(out, summary.message_id.map(|id| id.0.to_le_bytes()));
        extend(out, summary.created_at.map(|at| at.0.to_le_bytes()));
        out.extend(summary.action.map(code::action));
        out.extend(sender.unwrap_or_default());
    }
}

/// Completes what was written with the checksum of the row that it is of.
pub(super) fn seal(blob: &mut Vec<u8>, checksum: u32) {
    blob.extend(checksum.to_le_bytes());
}

/// The checksum of a sealed blob.
pub(super) fn checksum(bytes: &[u8]) -> Checksum<'_> {
    match (bytes.first().map(|parts| parts & CHECKED), bytes.split_last_chunk::<CHECKSUM_LENGTH>()) {
        (Some(0), _) => Checksum::None,
        (Some(CHECKED), Some((before, checksum))) => Checksum::Of(before, u32::from_le_bytes(*checksum)),
        _ => Checksum::Broken,
    }
}

fn extend<const LENGTH: usize>(out: &mut Vec<u8>, bytes: Option<[u8; LENGTH]>) {
    if let Some(bytes) = bytes {
        out.extend(bytes);
    }
}

/// Reads the blob; [`None`] if its bytes are not such a blob.
pub(super) fn read(bytes: &[u8]) -> Option<RowBlob<'_>> {
    let rest = &mut match checksum(bytes) {
        Checksum::None => bytes,
        Checksum::Of(before, _) => before,
        Checksum::Broken => return None,
    };
    let [parts, error, length] = take(rest)?;
    let has = |bit: u8| parts & bit != 0;
    Some(RowBlob {
        header: ReflectedHeader { length, flags: u16::from_le_bytes(take(rest)?) },
        id: ReflectedId(u32::from_le_bytes(take(rest)?)),
        size: u32::from_le_bytes(take(rest)?),
        stored_at: Millis(u64::from_le_bytes(take(rest)?)),
        nonce: if has(NONCE) { Some(Nonce(take(rest)?)) } else { None },
        content: match code::error_of(error) {
            Some(error) => Err(error),
            None => Ok(BlobSummary {
                protocol_version: u32::from_le_bytes(take(rest)?),
                body_length: u32::from_le_bytes(take(rest)?),
                count: u32::from_le_bytes(take(rest)?),
                message_type: if has(TYPE) { take(rest).map(|[code]| MessageType(code)) } else { None },
                message_id: if has(MESSAGE_ID) { Some(MessageId(u64::from_le_bytes(take(rest)?))) } else { None },
                created_at: if has(CREATED_AT) { Some(Millis(u64::from_le_bytes(take(rest)?))) } else { None },
                action: if has(ACTION) { take(rest).map(|[code]| code) } else { None },
                sender: has(SENDER).then_some(*rest),
            }),
        },
    })
}

fn take<const LENGTH: usize>(rest: &mut &[u8]) -> Option<[u8; LENGTH]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_were_cut_off_are_nothing() {
        // No part but the nonce, no error.
        let whole = [&[NONCE, 0, 16][..], &[0; 2 + 4 + 4 + 8 + 24 + 4 + 4 + 4]].concat();
        assert!(read(&whole).is_some());
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_none(), "{length} bytes");
        }
    }
}
