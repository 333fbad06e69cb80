//! Groups on their way from one mediator to another: a file that has them, and that only a whole one can be read of.
//!
//! The file is a database with the tables of a store, and one row more: which groups it may have, and a checksum of all
//! that is in it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, params};

use super::error::StoreError;
use super::file::{Store, load};
use super::schema::{TABLES, TRANSFER};
use crate::mediator::{GroupPrefixes, StoredGroup};
use crate::os::database::{self, Found};
use crate::os::private_files;
use crate::protocol::DeviceGroupId;

/// Why groups cannot be moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The file cannot be made or read.
    #[error("{}: {cause}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system tells it.
        cause: io::Error,
    },
    /// There is one already.
    #[error("{} exists; choose another name", .0.display())]
    Exists(PathBuf),
    /// It is something else.
    #[error("{} is no export of d2mtop mediator", .0.display())]
    Foreign(PathBuf),
    /// A later version made it.
    #[error("{} is of a later d2mtop; install that one", .0.display())]
    Newer(PathBuf),
    /// It is not what was exported.
    #[error("{} is damaged: its checksum is another; copy it again", .0.display())]
    Damaged(PathBuf),
    /// A group of it is in the store.
    #[error("a group in {} is here already; nothing was imported", .0.display())]
    GroupExists(PathBuf),
    /// The database does not do it.
    #[error("{}: {cause}", path.display())]
    Database {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as a library tells it.
        cause: rusqlite::Error,
    },
    /// The store does not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a file of exported groups says of itself, and has been found to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedGroups {
    /// Groups that may be in it.
    pub prefixes: GroupPrefixes,
    /// The groups that are.
    pub groups: Vec<DeviceGroupId>,
    /// A checksum of all that is in it.
    pub digest: [u8; 32],
}

impl ExportedGroups {
    /// Reads a file, and checks all of it.
    ///
    /// # Errors
    /// If it is none, or not as it was exported.
    pub fn of_file(path: &Path) -> Result<Self, TransferError> {
        let failed = |cause| if database::is_damage(&cause) { damaged(path) } else { database_error(path, cause) };
        // A database that is not there says little of why.
        File::open(path).map_err(|cause| TransferError::File { path: path.to_owned(), cause })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        match database::look(&connection, &TRANSFER) {
            Ok(Found::Ours) if database::version(&connection).map_err(failed)? > 0 => {}
            Ok(Found::Newer(_)) => return Err(TransferError::Newer(path.to_owned())),
            Ok(_) => return Err(TransferError::Foreign(path.to_owned())),
            Err(error) if database::is_damage(&error) => return Err(TransferError::Foreign(path.to_owned())),
            Err(error) => return Err(failed(error)),
        }
        let (prefixes, digest): (String, [u8; 32]) = connection
            .query_row("SELECT prefixes, digest FROM transfer", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(|_| damaged(path))?;
        let prefixes: GroupPrefixes = prefixes.parse().map_err(|_| damaged(path))?;
        if digest != digest_of(&connection, prefixes).map_err(failed)? {
            return Err(damaged(path));
        }
        let (_, state) = load(&connection).map_err(failed)?;
        let groups: Vec<DeviceGroupId> = state.groups.into_iter().map(|group| group.id).collect();
        if groups.iter().any(|group| !prefixes.contains(group)) {
            return Err(damaged(path));
        }
        Ok(Self { prefixes, groups, digest })
    }
}

fn damaged(path: &Path) -> TransferError {
    TransferError::Damaged(path.to_owned())
}

fn database_error(path: &Path, cause: rusqlite::Error) -> TransferError {
    TransferError::Database { path: path.to_owned(), cause }
}

/// Over every value of every row.
fn digest_of(connection: &Connection, prefixes: GroupPrefixes) -> rusqlite::Result<[u8; 32]> {
    let mut context = Context::new(&SHA256);
    let mut add = |tag: u8, bytes: &[u8]| {
        context.update(&[tag]);
        context.update(&(bytes.len() as u64).to_le_bytes());
        context.update(bytes);
    };
    add(b'p', prefixes.to_string().as_bytes());
    for table in TABLES {
        add(b't', table.as_bytes());
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                match row.get_ref(column)? {
                    ValueRef::Null => add(b'n', &[]),
                    ValueRef::Integer(number) => add(b'i', &number.to_le_bytes()),
                    ValueRef::Real(number) => add(b'r', &number.to_le_bytes()),
                    ValueRef::Text(text) => add(b's', text),
                    ValueRef::Blob(bytes) => add(b'b', bytes),
                }
            }
        }
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    Ok(digest)
}

/// Writes groups of a store into a new file, which is there once it is whole and safe.
///
/// # Errors
/// If it cannot be written; then there is none.
pub(super) fn export(store: &Path, prefixes: GroupPrefixes, file: &Path) -> Result<Vec<StoredGroup>, TransferError> {
    let failed = |cause| TransferError::File { path: file.to_owned(), cause };
    if fs::symlink_metadata(file).is_ok() {
        return Err(TransferError::Exists(file.to_owned()));
    }
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    // What a mediator that was killed has left.
    let _ = fs::remove_file(&part);
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).map_err(failed)?;
    let written = copy_out(store, prefixes, &part).map_err(|cause| database_error(file, cause)).and_then(|groups| {
        let placed = File::open(&part).and_then(|file| file.sync_all()).and_then(|()| fs::hard_link(&part, file));
        placed.map_err(failed)?;
        Ok(groups)
    });
    let _ = fs::remove_file(&part);
    if written.is_ok() {
        file.parent().into_iter().for_each(private_files::sync);
    }
    written
}

fn copy_out(store: &Path, prefixes: GroupPrefixes, part: &Path) -> rusqlite::Result<Vec<StoredGroup>> {
    let mut connection = Connection::open(part)?;
    // It is put in its place when it is whole, and synced as a whole.
    connection.pragma_update_and_check(None, "journal_mode", "MEMORY", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    database::migrate(&mut connection, &TRANSFER)?;
    attach(&connection, store)?;
    let transaction = connection.transaction()?;
    let ranges = prefixes.ranges();
    let of_prefixes: Vec<String> = ranges
        .iter()
        .map(|range| format!("substr(id, 1, 1) BETWEEN x'{:02x}' AND x'{:02x}'", range.start(), range.end()))
        .collect();
    transaction.execute_batch(&format!(
        "INSERT INTO device_group SELECT * FROM other.device_group WHERE {};
         INSERT INTO slot SELECT * FROM other.slot WHERE device_group IN (SELECT number FROM device_group);
         INSERT INTO message SELECT * FROM other.message WHERE slot IN (SELECT number FROM slot);",
        of_prefixes.join(" OR ")
    ))?;
    let digest = digest_of(&transaction, prefixes)?;
    transaction.execute("INSERT INTO transfer VALUES (?, ?)", params![prefixes.to_string(), digest])?;
    transaction.commit()?;
    let (_, state) = load(&connection)?;
    Ok(state.groups)
}

fn attach(connection: &Connection, path: &Path) -> rusqlite::Result<()> {
    connection.execute("ATTACH ? AS other", [path.to_string_lossy()]).map(drop)
}

impl Store {
    /// Takes the groups of a file in, all or none of them.
    ///
    /// # Errors
    /// If they cannot be taken in, or the file is not the one that was looked at.
    pub(super) fn import(
        &mut self,
        file: &Path,
        digest: [u8; 32],
        moved: GroupPrefixes,
    ) -> Result<Vec<StoredGroup>, TransferError> {
        let exported = ExportedGroups::of_file(file)?;
        if exported.digest != digest {
            return Err(damaged(file));
        }
        if exported.groups.iter().any(|group| self.known.groups.contains_key(group)) {
            return Err(TransferError::GroupExists(file.to_owned()));
        }
        let copied = attach(&self.connection, file).and_then(|()| {
            let copied = self.copy_in(moved);
            self.connection.execute("DETACH other", [])?;
            copied
        });
        copied.map_err(|cause| StoreError::of(&self.path, cause))?;
        let (known, state) = load(&self.connection).map_err(|cause| StoreError::of(&self.path, cause))?;
        self.known = known;
        Ok(state.groups.into_iter().filter(|group| exported.groups.contains(&group.id)).collect())
    }

    fn copy_in(&mut self, moved: GroupPrefixes) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let last = |table: &str| -> rusqlite::Result<i64> {
            transaction.query_row(&format!("SELECT coalesce(max(number), 0) FROM main.{table}"), [], |row| row.get(0))
        };
        let (groups, slots) = (last("device_group")?, last("slot")?);
        transaction.execute(
            "INSERT INTO main.device_group SELECT number + ?, id, shared_device_data FROM other.device_group",
            [groups],
        )?;
        transaction.execute(
            "INSERT INTO main.slot SELECT number + ?, device_group + ?, device, device_info, volatile, last_login, \
             last_disconnect, next, messages, bytes FROM other.slot",
            [slots, groups],
        )?;
        transaction.execute(
            "INSERT INTO main.message SELECT slot + ?, number, timestamp, envelope FROM other.message",
            [slots],
        )?;
        super::batch::write_moved(&transaction, moved)?;
        transaction.commit()
    }
}
