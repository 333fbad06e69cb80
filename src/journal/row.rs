//! A row of the file, written and read.

use rusqlite::{CachedStatement, params};

use super::code::{self, Shape, Side};
use super::history::HistoryRow;
use crate::group::feed::Marks;
use crate::group::{ReflectedMessage, Row};
use crate::protocol::d2d::{Conversation, MessageType, Summary};
use crate::protocol::{DeviceId, MessageId, Millis, Nonce, Pseudonym, ReflectedHeader, ReflectedId};
use crate::text::Clean;

pub(super) const INSERT: &str = "
    INSERT INTO message (row, id, received_at, stored_at, size, header, marks, nonce, error, kind, author, version,
        conversation, type, message_id, created_at, action, body_length, count, sender, detail)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// In the order in which [`read`] reads them.
pub(super) const SELECT: &str = "
    SELECT row, id, received_at, stored_at, size, header, marks, nonce, error, kind, author, version, conversation, type,
        message_id, created_at, action, body_length, count, sender, words
    FROM message LEFT JOIN detail ON detail.number = message.detail";

/// What stands for the parts of a message that are not written as they are.
pub(super) struct Written<'a> {
    pub(super) row: u64,
    pub(super) conversation: Option<&'a [u8]>,
    pub(super) sender: Option<&'a [u8]>,
    pub(super) detail: Option<i64>,
}

pub(super) fn insert(
    statement: &mut CachedStatement<'_>,
    message: &ReflectedMessage,
    written: &Written<'_>,
) -> rusqlite::Result<()> {
    let header = i64::from(message.header.length) | i64::from(message.header.flags) << 8;
    let mut marks = 0;
    for (set, bit) in [
        (message.ephemeral, code::EPHEMERAL),
        (message.repeated_nonce, code::REPEATED_NONCE),
        (message.redelivered, code::REDELIVERED),
    ] {
        marks |= if set { bit } else { 0 };
    }
    let summary = message.content.as_ref().ok();
    let changed = statement.execute(params![
        written.row.cast_signed(),
        message.id.0,
        message.received_at.0.cast_signed(),
        message.stored_at.0.cast_signed(),
        message.size,
        header,
        marks,
        message.nonce.as_ref().map(|nonce| nonce.0.as_slice()),
        message.content.as_ref().err().map(|error| code::error(*error)),
        summary.map(|summary| code::kind(summary.kind)),
        summary.and_then(|summary| Some(summary.author?.0.cast_signed())),
        summary.map(|summary| summary.protocol_version),
        written.conversation,
        summary.and_then(|summary| Some(summary.message_type?.0)),
        summary.and_then(|summary| Some(summary.message_id?.0.cast_signed())),
        summary.and_then(|summary| Some(summary.created_at?.0.cast_signed())),
        summary.and_then(|summary| Some(code::action(summary.action?))),
        summary.map(|summary| summary.body_length),
        summary.map(|summary| summary.count),
        written.sender,
        written.detail,
    ])?;
    debug_assert_eq!(changed, 1, "a row is one row");
    Ok(())
}

/// Reads a row; when it was acknowledged stands elsewhere.
pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<HistoryRow> {
    let number = |index: usize| row.get(index).map(i64::cast_unsigned);
    let header = number(5)?;
    let marks: i64 = row.get(6)?;
    let (mut conversation, mut sender) = (None, None);
    let content = match row.get::<_, Option<i64>>(8)? {
        Some(error) => Err(code::error_of(error)),
        None => Ok(summary(row, &mut conversation, &mut sender)?),
    };
    Ok(HistoryRow {
        number: number(0)?,
        acknowledged_at: None,
        conversation,
        sender,
        row: Row {
            id: ReflectedId(row.get(1)?),
            received_at: Millis(number(2)?),
            stored_at: Millis(number(3)?),
            size: row.get(4)?,
            acknowledged_after: None,
            header: header_of(header),
            nonce: row.get_ref(7)?.as_blob_or_null()?.and_then(|bytes| bytes.first_chunk().copied()).map(Nonce),
            content,
            marks: Marks {
                ephemeral: marks & code::EPHEMERAL != 0,
                repeated_nonce: marks & code::REPEATED_NONCE != 0,
                redelivered: marks & code::REDELIVERED != 0,
                gap: None,
            },
        },
    })
}

fn header_of(code: u64) -> ReflectedHeader {
    let [length, low, high, ..] = code.to_le_bytes();
    ReflectedHeader { length, flags: u16::from_le_bytes([low, high]) }
}

fn summary(
    row: &rusqlite::Row<'_>,
    conversation: &mut Option<Pseudonym>,
    sender: &mut Option<Pseudonym>,
) -> Result<Summary, rusqlite::Error> {
    let number = |index: usize| row.get(index).map(|value: Option<i64>| value.map(i64::cast_unsigned));
    let mut summary = Summary {
        name: None,
        author: number(10)?.map(DeviceId),
        protocol_version: row.get(11)?,
        kind: code::kind_of(row.get(9)?),
        conversation: None,
        message_type: row.get::<_, Option<u8>>(13)?.map(MessageType),
        message_id: number(14)?.map(MessageId),
        created_at: number(15)?.map(Millis),
        action: row.get::<_, Option<i64>>(16)?.and_then(code::action_of),
        body_length: row.get(17)?,
        count: row.get(18)?,
        sender: None,
        nickname: None,
        detail: row.get_ref(20)?.as_str_or_null()?.map(Clean::new),
    };
    match side(row, 12)? {
        Some(Side::Plain(with)) => summary.conversation = Some(with),
        Some(Side::Hashed(with, _)) => *conversation = Some(with),
        None => {}
    }
    match side(row, 19)? {
        Some(Side::Plain(Conversation::Contact(identity))) => summary.sender = Some(identity),
        Some(Side::Hashed(identity, Shape::Contact)) => *sender = Some(identity),
        _ => {}
    }
    Ok(summary)
}

fn side(row: &rusqlite::Row<'_>, index: usize) -> rusqlite::Result<Option<Side>> {
    Ok(row.get_ref(index)?.as_blob_or_null()?.and_then(code::side))
}
