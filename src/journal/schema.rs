//! The tables, and how those of earlier versions become those of today.

use rusqlite::Connection;

/// "d2mj": says that a database is a journal of ours.
pub(super) const APPLICATION_ID: i64 = 0x6432_6d6a;

/// One step a version; a step is never changed once it was released.
///
/// Rows are numbered without gaps in the order of receipt, and the newest is never deleted, so that no number is used twice.
/// There is no index but the row number: what is looked for by time is found by spans, everything else by reading on.
/// A column of its own has only what is looked for or changed.
pub(super) const STEPS: &[&str] = &["
    CREATE TABLE message (
        row INTEGER PRIMARY KEY,
        received_at INTEGER NOT NULL,
        marks INTEGER NOT NULL,
        kind INTEGER,
        author INTEGER,
        conversation BLOB,
        detail INTEGER,
        rest BLOB NOT NULL
    ) STRICT;
    -- Rows that were acknowledged together. Acknowledgements go out in the order of receipt, so that this is short.
    CREATE TABLE acknowledged (
        first_row INTEGER PRIMARY KEY,
        last_row INTEGER NOT NULL,
        at INTEGER NOT NULL,
        waited_us INTEGER NOT NULL
    ) STRICT;
    -- When the rows of a stretch were received: a clock that was set back must not hide any.
    CREATE TABLE span (
        first_row INTEGER PRIMARY KEY,
        last_row INTEGER NOT NULL,
        earliest INTEGER NOT NULL,
        latest INTEGER NOT NULL
    ) STRICT;
    -- Words of ours, each once.
    CREATE TABLE detail (number INTEGER PRIMARY KEY, words TEXT NOT NULL UNIQUE) STRICT;
    -- Fingerprints of nonces, eight bytes each, little endian. Never deleted.
    CREATE TABLE nonces (number INTEGER PRIMARY KEY, fingerprints BLOB NOT NULL) STRICT;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
"];

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A journal, or nothing yet.
    Ours,
    /// Somebody else's database.
    Foreign,
    /// A journal of a later version.
    Newer(i64),
}

/// What the file is, without changing it.
pub(super) fn look(connection: &Connection, steps: &[&str]) -> rusqlite::Result<Found> {
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (application != 0 || tables != 0) {
        return Ok(Found::Foreign);
    }
    let version = version(connection)?;
    let is_newer = usize::try_from(version).is_ok_and(|version| version > steps.len());
    Ok(if is_newer { Found::Newer(version) } else { Found::Ours })
}

/// Does the steps that the file has not seen, each in a transaction of its own with its version.
pub(super) fn migrate(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<Found> {
    let found = look(connection, steps)?;
    if found != Found::Ours {
        return Ok(found);
    }
    let version = version(connection)?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    for (next, step) in (version + 1..).zip(steps.iter().skip(done)) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", next)?;
        transaction.commit()?;
    }
    Ok(Found::Ours)
}

/// The version of a file, for who only reads.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[&str] = &["CREATE TABLE note (row INTEGER PRIMARY KEY, words TEXT)"];
    const NEW: &[&str] = &[
        OLD[0],
        "ALTER TABLE note ADD COLUMN size INTEGER NOT NULL DEFAULT 0; UPDATE note SET size = length(words)",
        "CREATE TABLE extra (row INTEGER PRIMARY KEY)",
    ];

    fn old(connection: &mut Connection) {
        assert_eq!(migrate(connection, OLD).unwrap(), Found::Ours);
        connection.execute("INSERT INTO note (words) VALUES ('twelve words')", []).unwrap();
    }

    #[test]
    fn an_older_file_is_brought_up_to_date_with_what_it_has() {
        let mut connection = Connection::open_in_memory().unwrap();
        old(&mut connection);
        for _ in 0..2 {
            assert_eq!(migrate(&mut connection, NEW).unwrap(), Found::Ours);
            assert_eq!(version(&connection).unwrap(), 3);
            let size: i64 = connection.query_row("SELECT size FROM note", [], |row| row.get(0)).unwrap();
            assert_eq!(size, 12);
        }
        assert_eq!(migrate(&mut connection, OLD).unwrap(), Found::Newer(3), "the older program leaves it alone");
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        old(&mut connection);
        let steps = [OLD[0], "ALTER TABLE note ADD COLUMN size INTEGER; INSERT INTO nowhere VALUES (1)"];
        assert!(migrate(&mut connection, &steps).is_err());
        assert_eq!(version(&connection).unwrap(), 1);
        assert!(connection.prepare("SELECT size FROM note").is_err(), "half a step is no step");
        assert_eq!(migrate(&mut connection, NEW).unwrap(), Found::Ours, "and can be done later");
    }

    #[test]
    fn the_database_of_another_program_is_not_touched() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE theirs (row INTEGER)").unwrap();
        assert_eq!(migrate(&mut connection, STEPS).unwrap(), Found::Foreign);
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "application_id", 7).unwrap();
        assert_eq!(migrate(&mut connection, STEPS).unwrap(), Found::Foreign);
    }
}
