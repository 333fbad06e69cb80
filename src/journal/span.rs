//! When stretches of rows were received: what is looked for by time is found by them, without an index.

use std::ops::RangeInclusive;

use rusqlite::Connection;

use super::checksum;
use crate::os::database;
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

/// All spans. They only save reading: where one of them is not as it was written, none is relied on.
pub(super) struct Spans(Vec<RowSpan>);

impl SpanTail {
    /// Goes on with what the file has; what is not as it was written is made anew out of the rows.
    pub(super) fn load(connection: &Connection, rows: Option<RangeInclusive<u64>>) -> rusqlite::Result<Self> {
        let Some(rows) = rows else { return Ok(Self::default()) };
        if let Some(spans) = Spans::load(connection, rows)? {
            let durable = spans.0.last().copied().filter(|span| !span.is_full());
            return Ok(Self { durable, growing: durable });
        }
        match Self::make_anew(connection) {
            // Then what is looked for by time is looked for everywhere.
            Err(cause) if database::is_damage(&cause) => Ok(Self::default()),
            made => made,
        }
    }

    fn make_anew(connection: &Connection) -> rusqlite::Result<Self> {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute("DELETE FROM span", [])?;
        let mut made = Self::default();
        let mut statement = transaction.prepare("SELECT row, received_at FROM message ORDER BY row")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            made.push(row.get(0).map(i64::cast_unsigned)?, Millis(row.get(1).map(i64::cast_unsigned)?));
            if made.growing.is_some_and(RowSpan::is_full) {
                made.write(&transaction)?;
                made.committed();
            }
        }
        drop(rows);
        drop(statement);
        made.write(&transaction)?;
        transaction.commit()?;
        made.committed();
        Ok(made)
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
        let replace =
            "INSERT OR REPLACE INTO span (first_row, last_row, earliest, latest, checksum) VALUES (?, ?, ?, ?, ?)";
        let [first_row, last_row, earliest, latest] = span.numbers().map(u64::cast_signed);
        let values = [first_row, last_row, earliest, latest, i64::from(span.checksum())];
        connection.prepare_cached(replace)?.execute(values).map(drop)
    }

    pub(super) fn committed(&mut self) {
        self.growing = self.growing.filter(|span| !span.is_full());
        self.durable = self.growing;
    }

    pub(super) const fn rolled_back(&mut self) {
        self.growing = self.durable;
    }
}

impl RowSpan {
    const fn numbers(self) -> [u64; 4] {
        [self.first_row, self.last_row, self.earliest.0, self.latest.0]
    }

    fn checksum(self) -> u32 {
        checksum::of_numbers(self.numbers())
    }

    const fn is_full(self) -> bool {
        self.last_row - self.first_row + 1 >= ROWS
    }
}

impl Spans {
    /// Those of the file; [`None`] if they are not to be relied on: one is not as it was written, or they are not of all
    /// these rows.
    pub(super) fn load(connection: &Connection, rows: RangeInclusive<u64>) -> rusqlite::Result<Option<Self>> {
        match Self::read(connection) {
            Err(cause) if database::is_damage(&cause) => Ok(None),
            spans => Ok(spans?.filter(|spans| spans.has_all(&rows))),
        }
    }

    fn read(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let all = "SELECT first_row, last_row, earliest, latest, checksum FROM span ORDER BY first_row";
        let mut statement = connection.prepare_cached(all)?;
        let mut rows = statement.query([])?;
        let mut spans = Vec::new();
        while let Some(row) = rows.next()? {
            let number = |index: usize| row.get(index).map(i64::cast_unsigned);
            let (earliest, latest) = (Millis(number(2)?), Millis(number(3)?));
            let span = RowSpan { first_row: number(0)?, last_row: number(1)?, earliest, latest };
            if row.get::<_, Option<i64>>(4)? != Some(i64::from(span.checksum())) {
                return Ok(None);
            }
            spans.push(span);
        }
        Ok(Some(Self(spans)))
    }

    fn has_all(&self, rows: &RangeInclusive<u64>) -> bool {
        let touch =
            |pair: &[RowSpan]| matches!(pair, [span, next] if span.last_row.checked_add(1) == Some(next.first_row));
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else { return false };
        first.first_row <= *rows.start() && last.last_row >= *rows.end() && self.0.windows(2).all(touch)
    }

    /// The first row from which on none is missed that was received at this time or later; [`None`] if there is none.
    pub(super) fn first_since(&self, since: Millis) -> Option<u64> {
        self.0.iter().find(|span| span.latest >= since).map(|span| span.first_row)
    }

    /// The last row up to which none is missed that was received before this time.
    pub(super) fn last_before(&self, until: Millis) -> Option<u64> {
        self.0.iter().rfind(|span| span.earliest < until).map(|span| span.last_row)
    }
}
