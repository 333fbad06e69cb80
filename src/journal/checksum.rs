//! Checksums of rows: the disk may give back a value that was never written, which the database does not see.

use std::hash::Hasher as _;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use siphasher::sip::SipHasher13;

use super::{code, row_blob};

/// True if a row of the table is as it was written, as far as that can be told. To be asked where rows are read, also for
/// those that a filter leaves out: what does not fit it may have done so before.
pub(super) const IS_INTACT: &str = "intact(message.row, received_at, marks, kind, author, conversation, message.detail, \
                                    rest)";

const COLUMNS: usize = 8;

/// What [`IS_INTACT`] asks for.
pub(super) fn teach(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("intact", 8, flags, |values| {
        let mut columns = [ValueRef::Null; COLUMNS];
        for (index, column) in columns.iter_mut().enumerate() {
            *column = values.get_raw(index);
        }
        let [.., rest] = &mut columns;
        let ValueRef::Blob(bytes) = *rest else { return Ok(false) };
        Ok(match row_blob::checksum(bytes) {
            row_blob::Checksum::None => true,
            row_blob::Checksum::Broken => false,
            row_blob::Checksum::Of(before, checksum) => {
                *rest = ValueRef::Blob(before);
                of_row(&columns) == checksum
            }
        })
    })
}

/// The checksum of a row's columns, in their order in the table.
pub(super) fn of_row(columns: &[ValueRef<'_>; COLUMNS]) -> u32 {
    let mut hasher = SipHasher13::new();
    for (index, column) in columns.iter().enumerate() {
        match column {
            ValueRef::Null => hasher.write(&[0]),
            // Set later, when the message comes again.
            ValueRef::Integer(marks) if index == 2 => hasher.write(&(marks & !code::REDELIVERED).to_le_bytes()),
            ValueRef::Integer(number) => {
                hasher.write(&[1]);
                hasher.write(&number.to_le_bytes());
            }
            ValueRef::Real(_) => hasher.write(&[2]),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                hasher.write(&[3]);
                hasher.write(&bytes.len().to_le_bytes());
                hasher.write(bytes);
            }
        }
    }
    short(hasher.finish())
}

/// The checksum of some numbers that belong together.
pub(super) fn of_numbers(numbers: [u64; 4]) -> u32 {
    let mut hasher = SipHasher13::new();
    for number in numbers {
        hasher.write(&number.to_le_bytes());
    }
    short(hasher.finish())
}

/// A flipped bit, and anything else by chance, is found all the same.
const fn short(hash: u64) -> u32 {
    (hash >> 32) as u32
}
