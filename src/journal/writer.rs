//! [`Journal`]: the one writer of a file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rand::RngCore as _;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};

use super::detail::Details;
use super::error::JournalError;
use super::file::{self, Writing};
use super::insert::{Filled, Insert};
use super::pseudonyms::Pseudonyms;
use super::waiting::{Delivered, Expected, MOST_EXPECTED, MOST_RECENT, Waiting};
use super::{Conversations, Options, Synchronous, code, nonces, prune, row, row_blob, schema, span};
use crate::group::ReflectedMessage;
use crate::os::database;
use crate::protocol::FINGERPRINT_KEY_LENGTH;
use crate::protocol::d2d::Detail;
use crate::protocol::{Millis, NonceFingerprinter, ReflectedId};

/// How long another program that reads the file may keep us from writing.
const PATIENCE: Duration = Duration::from_secs(2);

/// The bytes of a page. Twice the usual: half as many to look at, and the last one of a table is still written fast.
const PAGE: i64 = 8_192;

/// So many pages of new rows at most wait outside of the file proper, 32 MiB: beyond that a transaction has to stop and
/// put them there. Mostly that is done before, in a pause.
const MOST_PAGES_ASIDE: i64 = 4_096;

/// From so many bytes on a pause is used for that: a message that comes alone takes tens of kilobytes there.
const BYTES_ASIDE: i64 = 2 * 1024 * 1024;

/// What that file may keep of the disk when it is begun anew: less, so that its size tells how much waits.
const MOST_BYTES_KEPT: i64 = BYTES_ASIDE / 2;

/// The name of the fingerprints' key among the facts.
const FINGERPRINT_KEY: &str = "fingerprint_key";

/// Writes what was received. One a file; for a thread of its own, as every batch waits for the disk.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    connection: Connection,
    options: Options,
    fingerprinter: NonceFingerprinter,
    /// The number of the next row.
    next_row: u64,
    nonces: nonces::Tail,
    spans: span::SpanTail,
    details: Details,
    pseudonyms: Pseudonyms,
    rows: Vec<Filled>,
    waiting: Waiting,
    /// What is being written, in the order of receipt; to be waited for once it is durable.
    delivered: Vec<Delivered>,
    _writing: Writing,
}

/// A journal that is open, and what it remembers.
#[derive(Debug)]
pub struct Opened {
    pub journal: Journal,
    /// Fingerprints of all nonces ever seen.
    pub nonces: Vec<u64>,
    /// What they were made with.
    pub fingerprinter: NonceFingerprinter,
    /// What the server may deliver again: that is no replay, though its nonce is known.
    pub expected: Vec<Expected>,
    /// The newest message that was not ephemeral.
    pub last: Option<ReflectedId>,
    /// Where a damaged file was moved to; then this is a new one, and no nonce is known.
    pub set_aside: Option<PathBuf>,
}

/// What a file has, as far as a writer needs it.
struct Contents {
    connection: Connection,
    nonces: nonces::Tail,
    fingerprints: Vec<u64>,
    fingerprinter: NonceFingerprinter,
    spans: span::SpanTail,
    waiting: Waiting,
    last_row: u64,
    last: Option<ReflectedId>,
}

impl Journal {
    /// Opens the file, or makes it. One that is damaged, or is no journal, is moved aside and a new one begun.
    ///
    /// # Errors
    /// If there can be no journal there: why, and what to do.
    pub fn open(path: &Path, options: Options, now: Millis) -> Result<Opened, JournalError> {
        let failed = |cause| JournalError::File { path: path.to_owned(), cause };
        let path = database::prepare(path).map_err(failed)?;
        let writing = Writing::take(&path)?;
        let (contents, set_aside) = match Contents::load(&path, options.synchronous, file::is_suspect(&path)) {
            Err(JournalError::Damaged { .. }) => {
                let aside = file::set_aside(&path, now).map_err(failed)?;
                let path = database::prepare(&path).map_err(failed)?;
                (Contents::load(&path, options.synchronous, false)?, Some(aside))
            }
            contents => (contents?, None),
        };
        file::clear_suspicion(&path).map_err(failed)?;
        let fingerprinter = contents.fingerprinter;
        let expected = contents.waiting.expected();
        let journal = Self {
            path,
            connection: contents.connection,
            options,
            fingerprinter,
            next_row: contents.last_row + 1,
            nonces: contents.nonces,
            spans: contents.spans,
            details: Details::default(),
            pseudonyms: Pseudonyms::default(),
            rows: Vec::new(),
            waiting: contents.waiting,
            delivered: Vec::new(),
            _writing: writing,
        };
        Ok(Opened { journal, nonces: contents.fingerprints, fingerprinter, expected, last: contents.last, set_aside })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes messages, in the order of receipt, in one transaction. When this returns they are durable.
    ///
    /// # Errors
    /// If they could not be written. Then none of them is, and they can be appended again.
    pub fn append<'a>(&mut self, messages: impl IntoIterator<Item = &'a ReflectedMessage>) -> Result<(), JournalError> {
        let next_row = self.next_row;
        self.delivered.clear();
        let written = self.write(messages);
        if written.is_ok() {
            self.nonces.committed();
            self.spans.committed();
            self.waiting.unwritten.clear();
            self.delivered.drain(..).for_each(|delivered| self.waiting.push(delivered));
        } else {
            self.next_row = next_row;
            self.nonces.rolled_back();
            self.spans.rolled_back();
            self.details.rolled_back();
        }
        written.map_err(|cause| file::failed(&self.path, cause))
    }

    /// The acknowledgements of the oldest `count` messages not yet acknowledged (ephemeral ones never are) left at this
    /// time, so long after the messages were read off the socket. Written with what is appended next.
    pub fn acknowledged(&mut self, count: usize, at: Millis, waited: Duration) {
        self.waiting.acknowledged(count, at, waited);
    }

    /// The connection ended: what is not acknowledged will be delivered again.
    pub fn disconnected(&mut self) {
        self.waiting.disconnected();
    }

    /// All that waited at the server has been appended: nothing of an earlier connection comes any more.
    pub fn caught_up(&mut self) {
        self.waiting.caught_up();
    }

    /// For a pause: writes the acknowledgements that are not yet written, and tidies up.
    ///
    /// # Errors
    /// If they could not be written. They are kept, and can be written later.
    pub fn flush(&mut self) -> Result<(), JournalError> {
        if !self.waiting.unwritten.is_empty() {
            self.append([])?;
        }
        if file::bytes_aside(&self.path) >= BYTES_ASIDE.cast_unsigned() {
            // As far as no reader hinders it; otherwise another time.
            let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
            return self
                .connection
                .query_row(checkpoint, [], |_| Ok(()))
                .map_err(|cause| JournalError::of(&self.path, cause));
        }
        Ok(())
    }

    /// Deletes some of what is older than it should get, and gives room back to the disk: one step of a few milliseconds.
    /// True if there is more to do.
    ///
    /// # Errors
    /// If it could not be deleted.
    pub fn prune(&mut self, now: Millis) -> Result<bool, JournalError> {
        prune::step(&mut self.connection, self.options.retention, now).map_err(|cause| file::failed(&self.path, cause))
    }

    fn write<'a>(&mut self, messages: impl IntoIterator<Item = &'a ReflectedMessage>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        self.waiting.write(&transaction)?;
        let mut insert = Insert::prepare(&transaction, &mut self.rows)?;
        let mut sender = Vec::new();
        for message in messages {
            let fingerprint = message.nonce.as_ref().map(|nonce| self.fingerprinter.of(nonce));
            let key = fingerprint.filter(|_| !message.ephemeral);
            let key = key.map(|fingerprint| Expected { id: message.id, fingerprint });
            if let Some(known) = key.and_then(|key| self.waiting.known(key)) {
                let again = "UPDATE message SET marks = marks | ? WHERE row = ?";
                transaction.prepare_cached(again)?.execute([code::REDELIVERED, known.row.cast_signed()])?;
                self.delivered.push(known);
                continue;
            }
            let row = self.next_row;
            let detail = match message.content.as_ref().ok().and_then(|summary| summary.detail.as_ref()) {
                // Nearly every size is another one, and there is room for some thousand words.
                None | Some(Detail::Media(_)) => None,
                Some(detail) => self.details.number(&transaction, &detail.words())?,
            };
            let (how, known) = (&self.options.conversations, &mut self.pseudonyms);
            insert.push(|filled| {
                filled.fill(row, message, detail);
                conversation_of(message, how, known, &mut filled.conversation);
                row_blob::write(message, sender_of(message, how, known, &mut sender), &mut filled.rest);
                filled.seal();
            })?;
            if let Some(fingerprint) = fingerprint.filter(|_| !message.repeated_nonce) {
                self.nonces.push(fingerprint);
            }
            self.spans.push(row, message.received_at);
            self.next_row += 1;
            if !message.ephemeral {
                self.delivered.push(Delivered { row, key, acknowledged: false });
            }
        }
        insert.finish()?;
        self.nonces.write(&transaction)?;
        self.spans.write(&transaction)?;
        transaction.commit()
    }

    #[cfg(test)]
    pub(super) fn database(&self) -> &Connection {
        &self.connection
    }
}

/// Writes with whom; nothing if nothing is kept of it.
fn conversation_of(message: &ReflectedMessage, how: &Conversations, known: &mut Pseudonyms, out: &mut Vec<u8>) {
    match message.content.as_ref().ok().and_then(|summary| summary.conversation.as_ref()) {
        Some(conversation) => code::conversation(how, conversation, known, out),
        None => out.clear(),
    }
}

fn sender_of<'a>(
    message: &ReflectedMessage,
    how: &Conversations,
    known: &mut Pseudonyms,
    out: &'a mut Vec<u8>,
) -> Option<&'a [u8]> {
    let sender = message.content.as_ref().ok()?.sender.as_ref()?;
    code::sender(how, sender, known, out).then_some(out.as_slice())
}

impl Contents {
    /// `is_suspect` reads all of the file, which takes long if it is large; otherwise damage may show only later.
    fn load(path: &Path, synchronous: Synchronous, is_suspect: bool) -> Result<Self, JournalError> {
        let damaged = |words: &str| JournalError::Damaged { path: path.to_owned(), words: words.to_owned() };
        let failed = |cause: rusqlite::Error| match JournalError::of(path, cause) {
            // A table or value that should be there is not.
            JournalError::Database { cause, .. } if !is_of_the_system(&cause) => damaged(&cause.to_string()),
            error => error,
        };
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        match database::look(&connection, &schema::SCHEMA).map_err(failed)? {
            database::Found::Ours => {}
            database::Found::Foreign => return Err(damaged("it is the database of another program")),
            database::Found::Newer(found) => {
                let known = i64::try_from(schema::SCHEMA.steps.len()).unwrap_or(i64::MAX);
                return Err(JournalError::Newer { path: path.to_owned(), found, known });
            }
        }
        configure(&connection, synchronous).map_err(failed)?;
        if is_suspect {
            look_through(&connection).map_err(failed)?.map_or(Ok(()), |words| Err(damaged(&words)))?;
        }
        database::migrate(&mut connection, &schema::SCHEMA).map_err(failed)?;
        let (nonces, fingerprints) = nonces::Tail::load(&connection).map_err(failed)?;
        let key = fingerprint_key(&connection, fingerprints.is_empty()).map_err(failed)?;
        let fingerprinter = NonceFingerprinter::new(key);
        let last_row = number(&connection, "SELECT coalesce(max(row), 0) FROM message").map_err(failed)?;
        let first_row = number(&connection, "SELECT coalesce(min(row), 0) FROM message").map_err(failed)?;
        let rows = (last_row > 0).then_some(first_row..=last_row);
        let spans = span::SpanTail::load(&connection, rows).map_err(failed)?;
        let last = "SELECT rest FROM message WHERE marks & 1 = 0 ORDER BY row DESC LIMIT 1";
        let last = connection.query_row(last, [], |row| Ok(row::blob(row, 0)?.id)).optional().map_err(failed)?;
        let mut waiting = Waiting::default();
        waiting.expect(left_waiting(&connection, &fingerprinter, last_row).map_err(failed)?);
        Ok(Self { connection, nonces, fingerprints, fingerprinter, spans, waiting, last_row, last })
    }
}

const fn is_of_the_system(cause: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{FileLockingProtocolFailed, OperationInterrupted, OutOfMemory, SystemIoFailure};
    matches!(
        cause,
        rusqlite::Error::SqliteFailure(failure, _)
            if matches!(
                failure.code,
                SystemIoFailure | OutOfMemory | OperationInterrupted | FileLockingProtocolFailed
            )
    )
}

fn configure(connection: &Connection, synchronous: Synchronous) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    // Before the first table is made: later it has no effect.
    connection.pragma_update(None, "page_size", PAGE)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    let synchronous = match synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", MOST_PAGES_ASIDE)?;
    connection.pragma_update_and_check(None, "journal_size_limit", MOST_BYTES_KEPT, |_| Ok(()))?;
    // The file may have been made by somebody else.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)
}

/// What is wrong with the file, if anything is.
fn look_through(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let found: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    Ok((found != "ok").then_some(found))
}

fn fingerprint_key(connection: &Connection, may_be_new: bool) -> rusqlite::Result<[u8; FINGERPRINT_KEY_LENGTH]> {
    let read = "SELECT value FROM fact WHERE name = ?";
    let key = connection.query_row(read, [FINGERPRINT_KEY], |row| row.get(0)).optional()?;
    match key {
        None if may_be_new => {
            let mut key = [0; FINGERPRINT_KEY_LENGTH];
            rand::rngs::OsRng.fill_bytes(&mut key);
            connection.execute("INSERT INTO fact (name, value) VALUES (?, ?)", params![FINGERPRINT_KEY, key])?;
            Ok(key)
        }
        key => key.ok_or(rusqlite::Error::QueryReturnedNoRows),
    }
}

/// What the last run left to be delivered again: what was not acknowledged, and what was acknowledged last.
fn left_waiting(
    connection: &Connection,
    fingerprinter: &NonceFingerprinter,
    last_row: u64,
) -> rusqlite::Result<Vec<Delivered>> {
    let acknowledged = number(connection, "SELECT coalesce(max(last_row), 0) FROM acknowledged")?.min(last_row);
    let after = acknowledged.saturating_sub(MOST_RECENT as u64).max(last_row.saturating_sub(MOST_EXPECTED as u64));
    let mut statement =
        connection.prepare("SELECT row, rest FROM message WHERE row > ? AND marks & 1 = 0 ORDER BY row")?;
    let rows = statement.query_map([after.cast_signed()], |found| {
        let (row, rest) = (found.get(0).map(i64::cast_unsigned)?, row::blob(found, 1)?);
        let fingerprint = rest.nonce.map(|nonce| fingerprinter.of(&nonce));
        let key = fingerprint.map(|fingerprint| Expected { id: rest.id, fingerprint });
        Ok(Delivered { row, key, acknowledged: row <= acknowledged })
    })?;
    rows.collect()
}

fn number(connection: &Connection, sql: &str) -> rusqlite::Result<u64> {
    connection.query_row(sql, [], |row| row.get(0)).map(i64::cast_unsigned)
}
