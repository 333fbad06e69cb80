//! The tables of a journal.

use crate::os::database::Schema;

/// One step a version; a step is never changed once it was released.
///
/// Rows are numbered without gaps in the order of receipt, and the newest is never deleted, so that no number is used twice.
/// There is no index but the row number: what is looked for by time is found by spans, everything else by reading on.
/// A column of its own has only what is looked for or changed.
///
/// "d2mj" says that a database is a journal of ours.
pub(super) const SCHEMA: Schema<'_> = Schema {
    application_id: 0x6432_6d6a,
    steps: &[
        "
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
",
        "
    -- Of its other numbers. Spans without one are made anew.
    ALTER TABLE span ADD COLUMN checksum INTEGER;
",
    ],
};
