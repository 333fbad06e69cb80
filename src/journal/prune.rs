//! Deletes what is older than it should get, a little at a time.

use rusqlite::{Connection, TransactionBehavior};

use super::Retention;
use crate::protocol::Millis;
use crate::protocol::ids::span_millis;

/// How many rows one step deletes at most.
const ROWS: u64 = 1_000;

/// How many pages one step gives back to the disk at most.
const PAGES: i64 = 100;

/// So many free pages are kept for the rows to come.
const SPARE_PAGES: i64 = 1_000;

pub(super) fn step(connection: &mut Connection, retention: Retention, now: Millis) -> rusqlite::Result<bool> {
    let end = end(connection, retention, now)?;
    if let Some(end) = end {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for delete in [
            "DELETE FROM message WHERE row <= ?",
            "DELETE FROM acknowledged WHERE last_row <= ? AND first_row <= ?1",
            "DELETE FROM span WHERE last_row <= ? AND first_row <= ?1",
        ] {
            transaction.prepare_cached(delete)?.execute([end.cast_signed()])?;
        }
        transaction.commit()?;
        return Ok(true);
    }
    let free: i64 = connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    if free <= SPARE_PAGES + PAGES {
        return Ok(false);
    }
    let mut vacuum = connection.prepare_cached(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let mut pages = vacuum.query([])?;
    while pages.next()?.is_some() {}
    Ok(true)
}

/// The last row of those that go now; [`None`] if all may stay. The newest stays in any case: the next number follows it.
fn end(connection: &Connection, retention: Retention, now: Millis) -> rusqlite::Result<Option<u64>> {
    let bounds = "SELECT (SELECT min(row) FROM message), (SELECT max(row) FROM message)";
    let (first, last): (Option<i64>, Option<i64>) =
        connection.prepare_cached(bounds)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(first), Some(last)) = (first.map(i64::cast_unsigned), last.map(i64::cast_unsigned)) else {
        return Ok(None);
    };
    let too_many = retention.rows.map_or(0, |rows| last.saturating_sub(rows));
    let too_old = match retention.age {
        Some(age) => last_older(connection, now.0.saturating_sub(span_millis(age)), (first + ROWS).min(last))?,
        None => 0,
    };
    let end = too_many.max(too_old).min(first + ROWS - 1).min(last - 1);
    Ok((end >= first).then_some(end))
}

/// The last row before the first one that was received at this time or later, or before the end of the stretch.
fn last_older(connection: &Connection, since: u64, stretch: u64) -> rusqlite::Result<u64> {
    let since = i64::try_from(since).unwrap_or(i64::MAX);
    let young = "SELECT min(row) FROM message WHERE row < ? AND received_at >= ?";
    let young: Option<i64> =
        connection.prepare_cached(young)?.query_row([stretch.cast_signed(), since], |row| row.get(0))?;
    Ok(young.map_or(stretch, i64::cast_unsigned) - 1)
}
