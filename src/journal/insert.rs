//! [`Insert`]: writes rows, several a statement. To begin and end a statement costs as much as the row itself.

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Statement};

use super::{checksum, code, row_blob};
use crate::group::ReflectedMessage;

/// How many rows a statement has, if there are as many.
const ROWS: usize = 16;

const COLUMNS: usize = 8;

/// With `FAIL` a statement that fails leaves what it did, so that nothing need be noted to undo it: the transaction is
/// undone as a whole.
const INTO: &str =
    "INSERT OR FAIL INTO message (row, received_at, marks, kind, author, conversation, detail, rest) VALUES ";

const VALUES: &str = "(?, ?, ?, ?, ?, ?, ?, ?)";

/// Inserts rows into a transaction.
pub(super) struct Insert<'a> {
    many: CachedStatement<'a>,
    one: CachedStatement<'a>,
    filled: usize,
    rows: &'a mut Vec<Filled>,
}

/// A row that waits for its statement; its room is used again.
#[derive(Debug, Default)]
pub(super) struct Filled {
    row: i64,
    received_at: i64,
    marks: i64,
    kind: Option<i64>,
    author: Option<i64>,
    /// Empty if nothing is kept.
    pub(super) conversation: Vec<u8>,
    detail: Option<i64>,
    pub(super) rest: Vec<u8>,
}

impl Filled {
    /// Takes the parts that are written as they are.
    pub(super) fn fill(&mut self, row: u64, message: &ReflectedMessage, detail: Option<i64>) {
        let summary = message.content.as_ref().ok();
        self.row = row.cast_signed();
        self.received_at = message.received_at.0.cast_signed();
        self.kind = summary.map(|summary| code::kind(summary.kind));
        self.author = summary.and_then(|summary| Some(summary.author?.0.cast_signed()));
        self.detail = detail;
        self.marks = 0;
        for (set, bit) in [
            (message.ephemeral, code::EPHEMERAL),
            (message.repeated_nonce, code::REPEATED_NONCE),
            (message.redelivered, code::REDELIVERED),
        ] {
            self.marks |= if set { bit } else { 0 };
        }
    }

    /// Completes the row, once all of its parts are there.
    pub(super) fn seal(&mut self) {
        let number = |number: Option<i64>| number.map_or(ValueRef::Null, ValueRef::Integer);
        let checksum = checksum::of_row(&[
            ValueRef::Integer(self.row),
            ValueRef::Integer(self.received_at),
            ValueRef::Integer(self.marks),
            number(self.kind),
            number(self.author),
            self.kept_conversation().map_or(ValueRef::Null, ValueRef::Blob),
            number(self.detail),
            ValueRef::Blob(&self.rest),
        ]);
        row_blob::seal(&mut self.rest, checksum);
    }

    fn kept_conversation(&self) -> Option<&[u8]> {
        Some(self.conversation.as_slice()).filter(|bytes| !bytes.is_empty())
    }

    fn bind(&self, statement: &mut Statement<'_>, place: usize) -> rusqlite::Result<()> {
        let first = place * COLUMNS + 1;
        statement.raw_bind_parameter(first, self.row)?;
        statement.raw_bind_parameter(first + 1, self.received_at)?;
        statement.raw_bind_parameter(first + 2, self.marks)?;
        statement.raw_bind_parameter(first + 3, self.kind)?;
        statement.raw_bind_parameter(first + 4, self.author)?;
        statement.raw_bind_parameter(first + 5, self.kept_conversation())?;
        statement.raw_bind_parameter(first + 6, self.detail)?;
        statement.raw_bind_parameter(first + 7, self.rest.as_slice())
    }
}

impl<'a> Insert<'a> {
    /// `rows`: room that is used again and again.
    pub(super) fn prepare(connection: &'a Connection, rows: &'a mut Vec<Filled>) -> rusqlite::Result<Self> {
        rows.resize_with(ROWS, Filled::default);
        let many = format!("{INTO}{}", [VALUES; ROWS].join(", "));
        let (many, one) = (connection.prepare_cached(&many)?, connection.prepare_cached(&format!("{INTO}{VALUES}"))?);
        Ok(Self { many, one, filled: 0, rows })
    }

    /// Inserts a row that this fills.
    pub(super) fn push(&mut self, fill: impl FnOnce(&mut Filled)) -> rusqlite::Result<()> {
        if let Some(row) = self.rows.get_mut(self.filled) {
            fill(row);
            self.filled += 1;
        }
        if self.filled == ROWS {
            for (place, row) in self.rows.iter().enumerate() {
                row.bind(&mut self.many, place)?;
            }
            self.many.raw_execute()?;
            self.filled = 0;
        }
        Ok(())
    }

    /// Inserts what is left.
    pub(super) fn finish(mut self) -> rusqlite::Result<()> {
        for row in self.rows.iter().take(self.filled) {
            row.bind(&mut self.one, 0)?;
            self.one.raw_execute()?;
        }
        Ok(())
    }
}
