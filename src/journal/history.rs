//! [`History`]: reads what a journal has, also while a session writes it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use super::error::JournalError;
use super::{code, file, row, schema, span};
use crate::group::Row;
use crate::group::names::Names;
use crate::protocol::d2d::{Conversation, Direction, Kind, Summary};
use crate::protocol::{DeviceId, MessageId, Millis, Pseudonym, PseudonymKey};
use crate::text::Clean;

/// How many rows are read at a time: no reader holds the file longer than that takes.
const PAGE: usize = 1_000;

/// How long a reader waits for a writer who holds the whole file, as when it is made.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads a journal.
#[derive(Debug)]
pub struct History {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
}

/// A message that was received at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Counts from 1 in the order of receipt.
    pub number: u64,
    /// The message. Its conversation and sender are there only if they are kept as they are.
    pub row: Row,
    /// When its acknowledgement left.
    pub acknowledged_at: Option<Millis>,
    /// What stands for its conversation.
    pub conversation: Option<Pseudonym>,
    /// What stands for who sent it, where the conversation does not say.
    pub sender: Option<Pseudonym>,
}

/// Which rows are looked for; those of which all is true.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Received then or later.
    pub since: Option<Millis>,
    /// Received before then.
    pub until: Option<Millis>,
    /// One of these; empty: any.
    pub kinds: Vec<Kind>,
    /// Reflected by this device.
    pub from: Option<DeviceId>,
    /// With whom.
    pub who: Option<Who>,
}

/// The other side of a conversation, in all ways in which it may be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    whole: Vec<Vec<u8>>,
    /// Beginnings: of a group's plain form only the id is known.
    begins: Vec<Vec<u8>>,
    /// The first hex digits of a pseudonym.
    pseudonym: Option<String>,
}

/// Which page of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// The last ones.
    LatestValueWriter,
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

impl Who {
    /// A contact by identity. Without the key it is found only where it is kept as it is.
    #[must_use]
    pub fn contact(identity: &Clean, key: Option<&PseudonymKey>) -> Self {
        let forms = code::forms(&Conversation::Contact(identity.clone()), key);
        let whole = forms.hashed.iter().map(|bytes| bytes.to_vec()).chain([forms.plain]).collect();
        Self { whole, ..Self::default() }
    }

    /// A group or distribution list by its id; a group whoever created it.
    #[must_use]
    pub fn id(id: MessageId, key: Option<&PseudonymKey>) -> Self {
        let list = code::forms(&Conversation::DistributionList(id), key);
        let group = code::forms(&Conversation::Group { id, creator: Clean::default() }, key);
        let hashed = list.hashed.iter().chain(&group.hashed).map(|bytes| bytes.to_vec());
        Self { whole: hashed.chain([list.plain]).collect(), begins: vec![group.plain], pseudonym: None }
    }

    /// What begins with these hex digits of a pseudonym.
    #[must_use]
    pub fn pseudonym(digits: &str) -> Option<Self> {
        let fits = (1..=16).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        fits.then(|| Self { pseudonym: Some(digits.to_ascii_uppercase()), ..Self::default() })
    }
}

impl History {
    /// Opens the file to be read.
    ///
    /// # Errors
    /// If there is none, or it is none of ours.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let failed = |cause| JournalError::File { path: path.to_owned(), cause };
        let path = match file::place(path).and_then(|path| fs::symlink_metadata(&path).map(|_| path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(JournalError::Missing(path.to_owned()));
            }
            found => found.map_err(failed)?,
        };
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let of = |cause| JournalError::of(&path, cause);
        let connection = Connection::open_with_flags(&path, flags).map_err(of)?;
        connection.busy_timeout(PATIENCE).map_err(of)?;
        connection.pragma_update(None, "trusted_schema", false).map_err(of)?;
        match schema::look(&connection, schema::STEPS).map_err(of)? {
            schema::Found::Ours if schema::version(&connection).map_err(of)? == 0 => Err(JournalError::Missing(path)),
            schema::Found::Ours => Ok(Self { path, connection }),
            schema::Found::Foreign => {
                Err(JournalError::Damaged { path, words: "it is the database of another program".to_owned() })
            }
            schema::Found::Newer(found) => {
                let known = i64::try_from(schema::STEPS.len()).unwrap_or(i64::MAX);
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
    /// If the file cannot be read.
    pub fn page(&self, query: &Query, within: Within, count: usize) -> Result<Vec<HistoryRow>, JournalError> {
        self.read_page(query, within, count).map_err(|cause| file::failed(&self.path, cause))
    }

    /// The numbers of the oldest and the newest row; [`None`] if there is none.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn bounds(&self) -> Result<Option<(u64, u64)>, JournalError> {
        let sql = "SELECT (SELECT min(row) FROM message), (SELECT max(row) FROM message)";
        let bounds: (Option<i64>, Option<i64>) = self
            .connection
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(|cause| file::failed(&self.path, cause))?;
        Ok(bounds.0.zip(bounds.1).map(|(first, last)| (first.cast_unsigned(), last.cast_unsigned())))
    }

    fn read_page(&self, query: &Query, within: Within, count: usize) -> rusqlite::Result<Vec<HistoryRow>> {
        let Some(condition) = Condition::of(&self.connection, query)? else { return Ok(Vec::new()) };
        let (first, last, order) = match within {
            Within::LatestValueWriter => (0, u64::MAX, "DESC"),
            Within::Before(row) => (0, row.saturating_sub(1), "DESC"),
            Within::After(row) => (row.saturating_add(1), u64::MAX, "ASC"),
        };
        let count = Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
        let condition = condition.between(first, last);
        let sql = format!("{} WHERE {} ORDER BY row {order} LIMIT ?", row::SELECT, condition.sql);
        let values = condition.all_values().chain([count]);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows: Vec<HistoryRow> =
            statement.query_map(params_from_iter(values), row::read)?.collect::<Result<_, _>>()?;
        if order == "DESC" {
            rows.reverse();
        }
        let mut acknowledgements = Acknowledgements::of(&self.connection);
        for row in &mut rows {
            if let Some((at, waited)) = acknowledgements.find(row.number)? {
                row.acknowledged_at = Some(at);
                row.row.acknowledged_after = Some(waited);
            }
        }
        Ok(rows)
    }
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

/// A query in the words of the database.
pub(super) struct Condition {
    pub(super) sql: String,
    values: Vec<Value>,
    /// The rows that can be meant. As one pair of bounds, since the database uses only one of several.
    first: u64,
    last: u64,
}

impl Condition {
    /// [`None`] if no row can be meant.
    pub(super) fn of(connection: &Connection, query: &Query) -> rusqlite::Result<Option<Self>> {
        let mut condition =
            Self { sql: "row BETWEEN ? AND ?".to_owned(), values: Vec::new(), first: 0, last: u64::MAX };
        let time = |at: Millis| Value::Integer(i64::try_from(at.0).unwrap_or(i64::MAX));
        if let Some(since) = query.since {
            let Some(row) = span::first_since(connection, since)? else { return Ok(None) };
            condition.first = row;
            condition.add("received_at >= ?", [time(since)]);
        }
        if let Some(until) = query.until {
            let Some(row) = span::last_before(connection, until)? else { return Ok(None) };
            condition.last = row;
            condition.add("received_at < ?", [time(until)]);
        }
        if !query.kinds.is_empty() {
            let kinds = query.kinds.iter().map(|kind| Value::Integer(code::kind(*kind)));
            condition.add_any("kind = ?", kinds);
        }
        if let Some(from) = query.from {
            condition.add("author = ?", [Value::Integer(from.0.cast_signed())]);
        }
        if let Some(who) = &query.who {
            condition.add_who(who);
        }
        Ok(Some(condition))
    }

    /// Narrowed to these rows.
    fn between(self, first: u64, last: u64) -> Self {
        Self { first: self.first.max(first), last: self.last.min(last), ..self }
    }

    /// The values of the question marks.
    pub(super) fn all_values(self) -> impl Iterator<Item = Value> {
        let bound = |row: u64| Value::Integer(row.min(i64::MAX as u64).cast_signed());
        [bound(self.first), bound(self.last)].into_iter().chain(self.values)
    }

    fn add(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    fn add_any(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        let values: Vec<Value> = values.into_iter().collect();
        let any = vec![sql; values.len()].join(" OR ");
        self.add(&format!("({any})"), values);
    }

    fn add_who(&mut self, who: &Who) {
        let mut any = vec!["0"];
        let mut values = Vec::new();
        for bytes in &who.whole {
            any.push("conversation = ?");
            values.push(Value::Blob(bytes.clone()));
        }
        for bytes in &who.begins {
            any.push("substr(conversation, 1, 9) = ?");
            values.push(Value::Blob(bytes.clone()));
        }
        if let Some(digits) = &who.pseudonym {
            any.push("conversation > x'80' AND hex(substr(conversation, 2)) LIKE ?");
            values.push(Value::Text(format!("{digits}%")));
        }
        let any = any.join(" OR ");
        self.add(&format!("({any})"), values);
    }
}

/// When, and so long after it was read.
type Acknowledged = (Millis, Duration);

/// Finds when rows were acknowledged. Neighbours mostly were so together, and cost one look.
pub(super) struct Acknowledgements<'a> {
    connection: &'a Connection,
    /// The rows that are known, and what is known of them.
    known: Option<(u64, u64, Option<Acknowledged>)>,
}

impl<'a> Acknowledgements<'a> {
    pub(super) const fn of(connection: &'a Connection) -> Self {
        Self { connection, known: None }
    }

    pub(super) fn find(&mut self, row: u64) -> rusqlite::Result<Option<Acknowledged>> {
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

impl HistoryRow {
    /// The row as people read it: where only a pseudonym is kept, `#` and its first digits stand for the name.
    #[must_use]
    pub fn shown(&self) -> Row {
        let mut row = self.row.clone();
        if let Ok(summary) = &mut row.content {
            if let Some(pseudonym) = self.conversation {
                summary.conversation = Some(Conversation::Contact(stand_in(pseudonym, summary)));
            }
            if let Some(pseudonym) = self.sender {
                summary.sender = Some(Clean::new(&short(pseudonym)));
            }
        }
        row
    }

    /// What it says, or why that cannot be read.
    #[must_use]
    pub fn sentence(&self) -> Clean {
        self.shown().sentence(&Names::none())
    }
}

fn short(pseudonym: Pseudonym) -> String {
    format!("#{pseudonym:.8}")
}

/// Says what a name would say: "text from group #1f3c90ab", "new contact #1f3c90ab".
fn stand_in(pseudonym: Pseudonym, summary: &Summary) -> Clean {
    let is_group = summary.message_type.is_some_and(|message_type| message_type.name().starts_with("group "));
    let what = if is_group && summary.direction() != Direction::Sync { "group " } else { "" };
    Clean::new(&format!("{what}{}", short(pseudonym)))
}
