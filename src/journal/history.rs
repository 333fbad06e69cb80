//! [`History`]: reads what a journal has, also while a session writes it.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use super::acknowledgements::Acknowledgements;
use super::error::JournalError;
use super::query::{Condition, Query};
use super::row::{self, HistoryRow};
use super::span::Spans;
use super::{checksum, file, schema};
use crate::os::database;

/// How many rows are read at a time: no reader holds the file longer than that takes.
const PAGE: usize = 1_000;

/// How long a reader waits for a writer who holds the whole file, as when it is made.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads a journal.
#[derive(Debug)]
pub struct History {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    /// The rows that were passed over.
    pub(super) unreadable: RefCell<Vec<RangeInclusive<u64>>>,
}

/// Which page of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    Newest,
    /// The last ones before this row.
    Before(u64),
    /// The first ones after this row.
    After(u64),
}

/// The rows of a query, oldest first, read page by page.
#[derive(Debug)]
pub struct Rows<'a> {
    history: &'a History,
    query: Query,
    after: u64,
    page: std::vec::IntoIter<HistoryRow>,
    is_over: bool,
}

impl History {
    /// Opens the file to be read.
    ///
    /// # Errors
    /// If there is none, or it is none of ours.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let failed = |cause| JournalError::File { path: path.to_owned(), cause };
        let path = match database::place(path).and_then(|path| fs::symlink_metadata(&path).map(|_| path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(JournalError::Missing(path.to_owned()));
            }
            found => found.map_err(failed)?,
        };
        let of = |cause| file::failed(&path, cause);
        let (connection, found) = match look(&path, false) {
            // Readers share memory with the writer, in a file that a full or read-only disk has no room for. Where no
            // writer left anything behind, the file alone has everything.
            Err(cause) if !database::is_damage(&cause) && file::is_whole(&path) => look(&path, true).map_err(of)?,
            looked => looked.map_err(of)?,
        };
        match found {
            database::Found::Ours if database::version(&connection).map_err(of)? == 0 => {
                let sql = "SELECT count(*) FROM sqlite_schema";
                let tables: i64 = connection.query_row(sql, [], |row| row.get(0)).map_err(of)?;
                if tables == 0 {
                    return Err(JournalError::Missing(path));
                }
                file::suspect(&path);
                Err(JournalError::Damaged { path, words: "its first page does not say its version".to_owned() })
            }
            database::Found::Ours => Ok(Self { path, connection, unreadable: RefCell::default() }),
            database::Found::Foreign => {
                Err(JournalError::Damaged { path, words: "it is the database of another program".to_owned() })
            }
            database::Found::Newer(found) => {
                let known = i64::try_from(schema::SCHEMA.steps.len()).unwrap_or(i64::MAX);
                Err(JournalError::Newer { path, found, known })
            }
        }
    }

    /// All rows of the query, oldest first.
    #[must_use]
    pub fn rows(&self, query: Query) -> Rows<'_> {
        Rows { history: self, query, after: 0, page: Vec::new().into_iter(), is_over: false }
    }

    /// At most so many rows of the query, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read. Single rows that cannot are passed over, see [`Self::unreadable`].
    pub fn page(&self, query: &Query, within: Within, count: usize) -> Result<Vec<HistoryRow>, JournalError> {
        let rows = self.read_page(query, within, count).map_err(|cause| file::failed(&self.path, cause))?;
        if rows.is_empty() {
            self.check_empty()?;
        }
        Ok(rows)
    }

    /// The numbers of the oldest and the newest row; [`None`] if there is none.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn bounds(&self) -> Result<Option<(u64, u64)>, JournalError> {
        self.numbers().map_err(|cause| file::failed(&self.path, cause))
    }

    fn read_page(&self, query: &Query, within: Within, count: usize) -> rusqlite::Result<Vec<HistoryRow>> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let Some(condition) = self.condition(query)? else { return Ok(Vec::new()) };
        let (first, last, order) = match within {
            Within::Newest => (0, u64::MAX, "DESC"),
            Within::Before(row) => (0, row.saturating_sub(1), "DESC"),
            Within::After(row) => (row.saturating_add(1), u64::MAX, "ASC"),
        };
        let condition = condition.between(first, last);
        let found = match self.read_rows(&condition, order, count, true) {
            Err(cause) if database::is_damage(&cause) => None,
            Err(cause) => return Err(cause),
            Ok(mut rows) => {
                if order == "DESC" {
                    rows.reverse();
                }
                let numbers: Vec<u64> = rows.iter().map(|row| row.number).collect();
                self.are_all(&numbers, condition.bounds(), order == "DESC", count)?.then_some(rows)
            }
        };
        let mut rows = if let Some(rows) = found {
            rows
        } else {
            file::suspect(&self.path);
            let read = |first: u64, last: u64, with_others: bool| {
                self.read_rows(&condition.clone().between(first, last), "ASC", usize::MAX, with_others)
            };
            self.salvage(condition.bounds(), order == "DESC", count, &read)?
        };
        let mut acknowledgements = Acknowledgements::of(&self.connection);
        for row in &mut rows {
            match acknowledgements.find(row.number) {
                Ok(Some((at, waited))) => {
                    row.acknowledged_at = Some(at);
                    row.row.acknowledged_after = Some(waited);
                }
                Ok(None) => {}
                // A row without its acknowledgement is better than none.
                Err(cause) if database::is_damage(&cause) => file::suspect(&self.path),
                Err(cause) => return Err(cause),
            }
        }
        Ok(rows)
    }

    /// The query, narrowed to the rows that can be meant. [`None`] if there is none.
    pub(super) fn condition(&self, query: &Query) -> rusqlite::Result<Option<Condition>> {
        if query.since.is_none() && query.until.is_none() {
            return Ok(Condition::of(query, None));
        }
        let Some((lowest, highest)) = self.numbers()? else { return Ok(None) };
        let spans = Spans::load(&self.connection, lowest..=highest)?;
        if spans.is_none() {
            file::suspect(&self.path);
        }
        Ok(Condition::of(query, spans.as_ref()))
    }

    fn read_rows(
        &self,
        condition: &Condition,
        order: &str,
        count: usize,
        with_others: bool,
    ) -> rusqlite::Result<Vec<HistoryRow>> {
        let count = Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
        let sql = format!("{} WHERE {} ORDER BY row {order} LIMIT ?", row::select(with_others), condition.sql());
        let values = condition.clone().all_values().chain([count]);
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_map(params_from_iter(values), row::read)?.collect()
    }
}

/// Opens the file, as one that nobody changes if nobody can, and looks what it is.
fn look(path: &Path, unchanging: bool) -> rusqlite::Result<(Connection, database::Found)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = if unchanging {
        let uri = format!("file:{}?immutable=1", file::uri_path(path));
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?
    } else {
        Connection::open_with_flags(path, flags)?
    };
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    checksum::teach(&connection)?;
    let found = database::look(&connection, &schema::SCHEMA)?;
    Ok((connection, found))
}

impl Iterator for Rows<'_> {
    type Item = Result<HistoryRow, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.len() == 0 && !self.is_over {
            match self.history.page(&self.query, Within::After(self.after), PAGE) {
                Ok(page) => {
                    self.is_over = page.len() < PAGE;
                    self.after = page.last().map_or(self.after, |row| row.number);
                    self.page = page.into_iter();
                }
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
            }
        }
        self.page.next().map(Ok)
    }
}
