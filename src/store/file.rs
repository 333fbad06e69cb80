//! [`Store`]: the one writer of a directory.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, params};

use super::error::StoreError;
use super::schema::SCHEMA;
use crate::mediator::{Fetch, GroupPrefixes, StoredGroup, StoredMessage, StoredSlot, StoredState};
use crate::os::database::{self, Found};
use crate::os::lock_file::{LockFile, LockFileError};
use crate::protocol::{DeviceGroupId, DeviceId, ExpirationPolicy, Millis, Sealed};

/// The file in the directory.
const FILE: &str = "mediator.sqlite";
/// The file that says which process uses the directory.
const LOCK: &str = "lock";
/// How long another program that reads the file may keep us from writing.
const PATIENCE: Duration = Duration::from_secs(2);
/// The bytes of a page.
const PAGE: i64 = 8_192;
/// So many pages at most wait outside of the file proper, 32 MiB: beyond that a transaction has to stop and put them there.
const MOST_PAGES_ASIDE: i64 = 4_096;
/// How many KiB of the file are kept in memory.
const CACHE: i64 = 16 * 1024;
/// From so many unused pages on some are given back to the disk.
const UNUSED_PAGES: i64 = 1_024;

/// Writes what a mediator has promised to keep. For a thread of its own, as every batch waits for the disk.
#[derive(Debug)]
pub struct Store {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    pub(super) known: Known,
    _lock: LockFile,
}

/// Where groups and slots are, and the counts of queues.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) groups: HashMap<DeviceGroupId, i64>,
    pub(super) slots: HashMap<(DeviceGroupId, DeviceId), SlotRow>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct SlotRow {
    pub(super) number: i64,
    pub(super) next: u64,
    pub(super) messages: usize,
    pub(super) bytes: usize,
    /// Whether the counts have changed since they were written.
    pub(super) is_dirty: bool,
}

impl Store {
    /// Opens the store of a directory, or makes it; and what it has, but for the messages.
    ///
    /// # Errors
    /// If there can be none, or what is there cannot be used; then it stays as it is.
    pub fn open(directory: &Path) -> Result<(Self, StoredState), StoreError> {
        let path = directory.join(FILE);
        let failed = |cause| StoreError::File { path: path.clone(), cause };
        let lock = LockFile::take(&directory.join(LOCK)).map_err(|error| match error {
            LockFileError::Held(holder) => StoreError::InUse { directory: directory.to_owned(), holder },
            LockFileError::File(cause) => failed(cause),
        })?;
        let path = database::prepare(&path).map_err(failed)?;
        let (connection, known, state) = open(&path)?;
        Ok((Self { path, connection, known, _lock: lock }, state))
    }

    /// What is known of groups and slots, as it stands in the file.
    pub(super) fn reload(&mut self) -> rusqlite::Result<()> {
        self.known = load(&self.connection)?.0;
        Ok(())
    }

    /// Reads messages of a queue.
    pub(super) fn fetch(&self, fetch: &Fetch) -> rusqlite::Result<Vec<StoredMessage>> {
        let Fetch { group, device, from, messages, bytes, .. } = fetch;
        let Some(slot) = self.known.slots.get(&(*group, *device)) else { return Ok(Vec::new()) };
        let sql =
            "SELECT number, timestamp, envelope FROM message WHERE slot = ? AND number >= ? ORDER BY number LIMIT ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        let most = i64::try_from(*messages).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![slot.number, from.cast_signed(), most])?;
        let (mut taken, mut room) = (Vec::new(), *bytes);
        while let Some(row) = rows.next()? {
            let message = StoredMessage {
                number: unsigned(row, 0)?,
                timestamp: Millis(unsigned(row, 1)?),
                envelope: sealed(row, 2)?,
            };
            let length = message.envelope.len();
            if !taken.is_empty() && length > room {
                break;
            }
            room = room.saturating_sub(length);
            taken.push(message);
        }
        Ok(taken)
    }

    /// For a pause: puts what is aside into the file proper, and gives unused room back to the disk, some at a time.
    pub(super) fn tidy(&self) -> rusqlite::Result<()> {
        let unused: i64 = self.connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        if unused >= UNUSED_PAGES {
            self.connection.execute_batch(&format!("PRAGMA incremental_vacuum({UNUSED_PAGES})"))?;
        }
        self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
    }
}

type OpenedStore = (Connection, Known, StoredState);

fn open(path: &Path) -> Result<OpenedStore, StoreError> {
    let failed = |cause| StoreError::of(path, cause);
    let damaged = |words: &str| StoreError::Damaged { path: path.to_owned(), words: words.to_owned() };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    match database::look(&connection, &SCHEMA).map_err(failed)? {
        Found::Ours => {}
        Found::Foreign => return Err(damaged("it is the database of another program")),
        Found::Newer(found) => {
            let known = i64::try_from(SCHEMA.steps.len()).unwrap_or(i64::MAX);
            return Err(StoreError::Newer { path: path.to_owned(), found, known });
        }
    }
    configure(&connection).map_err(failed)?;
    database::migrate(&mut connection, &SCHEMA).map_err(failed)?;
    let (known, mut state) = load(&connection).map_err(failed)?;
    state.moved = load_moved(&connection).map_err(failed)?;
    Ok((connection, known, state))
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    // Before the first table is made: later it has no effect.
    connection.pragma_update(None, "page_size", PAGE)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // What was acknowledged survives a power failure, too.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", MOST_PAGES_ASIDE)?;
    connection.pragma_update_and_check(None, "journal_size_limit", MOST_PAGES_ASIDE * PAGE, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -CACHE)?;
    // The file may have been made by somebody else.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)
}

/// The groups that another mediator has now.
fn load_moved(connection: &Connection) -> rusqlite::Result<GroupPrefixes> {
    let moved: Option<String> = connection.query_row("SELECT prefixes FROM moved", [], |row| row.get(0)).optional()?;
    // What is no prefix there is as much damage as what is no number elsewhere.
    let damage = |error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error));
    moved.map_or(Ok(GroupPrefixes::NONE), |moved| moved.parse().map_err(damage))
}

/// Groups and slots, as a store or an export has them.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<(Known, StoredState)> {
    let mut known = Known::default();
    let mut groups = BTreeMap::new();
    let mut statement = connection.prepare("SELECT number, id, shared_device_data FROM device_group")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (number, id) = (row.get(0)?, DeviceGroupId(row.get(1)?));
        known.groups.insert(id, number);
        groups.insert(number, StoredGroup { id, shared_device_data: sealed(row, 2)?, slots: BTreeMap::new() });
    }
    let sql = "SELECT number, device_group, device, device_info, volatile, last_login, last_disconnect, next, messages, \
               bytes FROM slot";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (number, group): (i64, i64) = (row.get(0)?, row.get(1)?);
        let device = DeviceId(unsigned(row, 2)?);
        let policy = if row.get(4)? { ExpirationPolicy::Volatile } else { ExpirationPolicy::Persistent };
        let slot = StoredSlot {
            device_info: sealed(row, 3)?,
            policy,
            last_login: Millis(unsigned(row, 5)?),
            last_disconnect: row.get::<_, Option<i64>>(6)?.map(|at| Millis(at.cast_unsigned())),
            next: unsigned(row, 7)?,
            messages: size(row, 8)?,
            bytes: size(row, 9)?,
        };
        let Some(group) = groups.get_mut(&group) else { continue };
        let StoredSlot { next, messages, bytes, .. } = slot;
        known.slots.insert((group.id, device), SlotRow { number, next, messages, bytes, is_dirty: false });
        group.slots.insert(device, slot);
    }
    Ok((known, StoredState { groups: groups.into_values().collect(), moved: GroupPrefixes::NONE }))
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(i64::cast_unsigned)
}

fn size(row: &Row<'_>, column: usize) -> rusqlite::Result<usize> {
    let number: i64 = row.get(column)?;
    usize::try_from(number)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, Box::new(error)))
}

fn sealed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<Sealed<T>> {
    Ok(Sealed::from_wire(row.get::<_, Vec<u8>>(column)?.into()))
}
