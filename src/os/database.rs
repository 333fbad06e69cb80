//! What databases of ours have in common: where they may be, which they are, and what is wrong with them.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};

use super::private_files;

/// The tables of one kind of database.
#[derive(Clone, Copy, Debug)]
pub struct Schema<'a> {
    /// Says that a database is of this kind.
    pub application_id: i64,
    /// How those of one version become those of the next; a step is never changed once it was released.
    pub steps: &'a [&'a str],
}

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// What the schema is for, or nothing yet.
    Ours,
    /// Somebody else's database.
    Foreign,
    /// Of a later version.
    Newer(i64),
}

/// What the file is, without changing it.
///
/// # Errors
/// If it cannot be read.
pub fn look(connection: &Connection, schema: &Schema<'_>) -> rusqlite::Result<Found> {
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != schema.application_id && (application != 0 || tables != 0) {
        return Ok(Found::Foreign);
    }
    let version = version(connection)?;
    let is_newer = usize::try_from(version).is_ok_and(|version| version > schema.steps.len());
    Ok(if is_newer { Found::Newer(version) } else { Found::Ours })
}

/// Does the steps that the file has not seen, each in a transaction of its own with its version.
///
/// # Errors
/// If a step cannot be done; then the file stays at the one before.
pub fn migrate(connection: &mut Connection, schema: &Schema<'_>) -> rusqlite::Result<Found> {
    let found = look(connection, schema)?;
    if found != Found::Ours {
        return Ok(found);
    }
    let version = version(connection)?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    for (next, step) in (version + 1..).zip(schema.steps.iter().skip(done)) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", schema.application_id)?;
        transaction.pragma_update(None, "user_version", next)?;
        transaction.commit()?;
    }
    Ok(Found::Ours)
}

/// The version of a file, for who only reads.
///
/// # Errors
/// If it cannot be read.
pub fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// What a database has met with, as far as it makes a difference to whoever has to do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The file has not what it should have; how that shows.
    Damage(&'static str),
    /// No room is left.
    Full,
    /// The file system does not let us write.
    ReadOnly,
    /// Another program holds the file.
    Locked,
    /// The file system lacks what a database needs.
    Unsuitable,
    Other,
}

impl Trouble {
    /// What an error of the database at a path means.
    #[must_use]
    pub fn of(path: &Path, cause: &rusqlite::Error) -> Self {
        if is_damage(cause) {
            return Self::Damage(words(cause));
        }
        match cause.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Self::ReadOnly,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            // Where no room can be had for shared memory, the database speaks of input and output only.
            Some(ErrorCode::SystemIoFailure) if is_full(path) => Self::Full,
            Some(ErrorCode::SystemIoFailure) if is_of_shared_memory(cause) => Self::Unsuitable,
            _ => Self::Other,
        }
    }
}

/// Where the file is, with no link on the way to it: the database refuses links, also those of a home directory.
///
/// # Errors
/// If there is no such directory.
pub fn place(path: &Path) -> io::Result<PathBuf> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::other("it has no name"));
    };
    Ok(fs::canonicalize(directory)?.join(name))
}

/// Makes the directory and an empty file where there is none, and closes both to others. The database's own files next to
/// it are made with the rights of this one.
///
/// # Errors
/// If it cannot be had there.
pub fn prepare(path: &Path) -> io::Result<PathBuf> {
    let directory = path.parent().ok_or_else(|| io::Error::other("it has no directory"))?;
    private_files::make_directory(directory)?;
    let path = place(path)?;
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_symlink() => {
            Err(io::Error::other("it is a symbolic link; put the file itself there"))
        }
        Ok(metadata) if !metadata.is_file() => Err(io::Error::other("it is not a file")),
        Ok(metadata) if metadata.uid() != rustix::process::geteuid().as_raw() => {
            Err(io::Error::other("it belongs to another user"))
        }
        Ok(_) => private_files::close_to_others(&path, 0o600).map(|()| path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            Ok(path)
        }
        Err(error) => Err(error),
    }
}

/// Whether this says that the file has not what it should have.
#[must_use]
pub fn is_damage(cause: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    let is_gutted = |words: &str| words.starts_with("no such table") || words.starts_with("no such column");
    match cause {
        Error::InvalidColumnType(..)
        | Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::Utf8Error(..) => true,
        Error::SqlInputError { msg, .. } => is_gutted(msg),
        Error::SqliteFailure(_, Some(words)) if is_gutted(words) => true,
        _ => matches!(cause.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)),
    }
}

/// What the damage is.
#[must_use]
pub fn words(cause: &rusqlite::Error) -> &'static str {
    match cause.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "its first page is not that of a database",
        Some(ErrorCode::DatabaseCorrupt) => "a page of it cannot be read",
        Some(_) => "a table of it is missing",
        None => "a row of it cannot be read",
    }
}

fn is_full(path: &Path) -> bool {
    let directory = path.parent().unwrap_or(path);
    rustix::fs::statvfs(directory).is_ok_and(|there| there.f_blocks > 0 && there.f_bavail == 0)
}

fn is_of_shared_memory(cause: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_IOERR_SHMLOCK, SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMOPEN, SQLITE_IOERR_SHMSIZE};
    let codes = [SQLITE_IOERR_SHMLOCK, SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMOPEN, SQLITE_IOERR_SHMSIZE];
    cause.sqlite_error().is_some_and(|error| codes.contains(&error.extended_code))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Schema<'_> =
        Schema { application_id: 7, steps: &["CREATE TABLE note (row INTEGER PRIMARY KEY, words TEXT)"] };
    const NEW: Schema<'_> = Schema {
        application_id: 7,
        steps: &[
            OLD.steps[0],
            "ALTER TABLE note ADD COLUMN size INTEGER NOT NULL DEFAULT 0; UPDATE note SET size = length(words)",
            "CREATE TABLE extra (row INTEGER PRIMARY KEY)",
        ],
    };

    fn old(connection: &mut Connection) {
        assert_eq!(migrate(connection, &OLD).unwrap(), Found::Ours);
        connection.execute("INSERT INTO note (words) VALUES ('twelve words')", []).unwrap();
    }

    #[test]
    fn an_older_file_is_brought_up_to_date_with_what_it_has() {
        let mut connection = Connection::open_in_memory().unwrap();
        old(&mut connection);
        for _ in 0..2 {
            assert_eq!(migrate(&mut connection, &NEW).unwrap(), Found::Ours);
            assert_eq!(version(&connection).unwrap(), 3);
            let size: i64 = connection.query_row("SELECT size FROM note", [], |row| row.get(0)).unwrap();
            assert_eq!(size, 12);
        }
        assert_eq!(migrate(&mut connection, &OLD).unwrap(), Found::Newer(3), "the older program leaves it alone");
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        old(&mut connection);
        let steps = &[OLD.steps[0], "ALTER TABLE note ADD COLUMN size INTEGER; INSERT INTO nowhere VALUES (1)"];
        assert!(migrate(&mut connection, &Schema { steps, ..OLD }).is_err());
        assert_eq!(version(&connection).unwrap(), 1);
        assert!(connection.prepare("SELECT size FROM note").is_err(), "half a step is no step");
        assert_eq!(migrate(&mut connection, &NEW).unwrap(), Found::Ours, "and can be done later");
    }

    #[test]
    fn the_database_of_another_program_is_not_touched() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE theirs (row INTEGER)").unwrap();
        assert_eq!(migrate(&mut connection, &OLD).unwrap(), Found::Foreign);
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "application_id", 8).unwrap();
        assert_eq!(migrate(&mut connection, &OLD).unwrap(), Found::Foreign);
    }
}
