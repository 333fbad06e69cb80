//! Finds when rows were acknowledged.

use std::time::Duration;

use rusqlite::Connection;

use crate::protocol::Millis;

/// When, and so long after it was read.
type AcknowledgedAt = (Millis, Duration);

/// Finds when rows were acknowledged. Neighbours mostly were so together, and cost one look.
pub(super) struct Acknowledgements<'a> {
    connection: &'a Connection,
    /// The rows that are known, and what is known of them.
    known: Option<(u64, u64, Option<AcknowledgedAt>)>,
}

impl<'a> Acknowledgements<'a> {
    pub(super) const fn of(connection: &'a Connection) -> Self {
        Self { connection, known: None }
    }

    pub(super) fn find(&mut self, row: u64) -> rusqlite::Result<Option<AcknowledgedAt>> {
        if let Some((first, last, acknowledged)) = self.known
            && (first..=last).contains(&row)
        {
            return Ok(acknowledged);
        }
        let sql = "SELECT first_row, last_row, at, waited_us FROM acknowledged WHERE first_row <= ?
            ORDER BY first_row DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = statement.query([row.cast_signed()])?;
        let mut known = (row, row, None);
        if let Some(range) = found.next()? {
            let number = |index: usize| range.get(index).map(i64::cast_unsigned);
            let (first, last) = (number(0)?, number(1)?);
            if (first..=last).contains(&row) {
                known = (first, last, Some((Millis(number(2)?), Duration::from_micros(number(3)?))));
            }
        }
        self.known = Some(known);
        Ok(known.2)
    }
}
