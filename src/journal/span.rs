//! When stretches of rows were received: what is looked for by time is found by them, without an index.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::protocol::Millis;

/// How many rows a span has at least before the next one begins.
const ROWS: u64 = 1_024;

/// The span that still grows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SpanTail {
    durable: Option<RowSpan>,
    growing: Option<RowSpan>,
}

#[derive(Clone, Copy, Debug)]
struct RowSpan {
    first_row: u64,
    last_row: u64,
    earliest: Millis,
    latest: Millis,
}

impl SpanTail {
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let last = "SELECT first_row, last_row, earliest, latest FROM span ORDER BY first_row DESC LIMIT 1";
        let number = |row: &rusqlite::Row<'_>, index: usize| row.get(index).map(i64::cast_unsigned);
        let span = connection.query_row(last, [], |row| {
            let (earliest, latest) = (Millis(number(row, 2)?), Millis(number(row, 3)?));
            Ok(RowSpan { first_row: number(row, 0)?, last_row: number(row, 1)?, earliest, latest })
        });
        let durable = span.optional()?;
        Ok(Self { durable, growing: durable })
    }

    pub(super) fn push(&mut self, row: u64, received_at: Millis) {
        let span = self.growing.get_or_insert(RowSpan {
            first_row: row,
            last_row: row,
            earliest: received_at,
            latest: received_at,
        });
        span.last_row = row;
        span.earliest = span.earliest.min(received_at);
        span.latest = span.latest.max(received_at);
    }

    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let Some(span) = self.growing else { return Ok(()) };
        let replace = "INSERT OR REPLACE INTO span (first_row, last_row, earliest, latest) VALUES (?, ?, ?, ?)";
        let numbers = [span.first_row, span.last_row, span.earliest.0, span.latest.0].map(u64::cast_signed);
        connection.prepare_cached(replace)?.execute(numbers).map(drop)
    }

    pub(super) fn committed(&mut self) {
        self.growing = self.growing.filter(|span| span.last_row - span.first_row + 1 < ROWS);
        self.durable = self.growing;
    }

    pub(super) const fn rolled_back(&mut self) {
        self.growing = self.durable;
    }
}

/// The first row from which on none is missed that was received at this time or later; [`None`] if there is none.
pub(super) fn first_since(connection: &Connection, since: Millis) -> rusqlite::Result<Option<u64>> {
    bound(connection, "SELECT min(first_row) FROM span WHERE latest >= ?", since)
}

/// The last row up to which none is missed that was received before this time.
pub(super) fn last_before(connection: &Connection, until: Millis) -> rusqlite::Result<Option<u64>> {
    bound(connection, "SELECT max(last_row) FROM span WHERE earliest < ?", until)
}

fn bound(connection: &Connection, sql: &str, at: Millis) -> rusqlite::Result<Option<u64>> {
    let at = i64::try_from(at.0).unwrap_or(i64::MAX);
    let row: Option<i64> = connection.prepare_cached(sql)?.query_row(params![at], |row| row.get(0))?;
    Ok(row.map(i64::cast_unsigned))
}
