//! The tables.

use crate::os::database::Schema;

/// A slot's counts are kept with it, so that a start reads no message.
const STORE: &str = "
    CREATE TABLE device_group (
        number INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        shared_device_data BLOB NOT NULL
    ) STRICT;
    CREATE TABLE slot (
        number INTEGER PRIMARY KEY,
        device_group INTEGER NOT NULL,
        device INTEGER NOT NULL,
        device_info BLOB NOT NULL,
        volatile INTEGER NOT NULL,
        last_login INTEGER NOT NULL,
        last_disconnect INTEGER,
        next INTEGER NOT NULL,
        messages INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        UNIQUE (device_group, device)
    ) STRICT;
    CREATE TABLE message (
        slot INTEGER NOT NULL,
        number INTEGER NOT NULL,
        timestamp INTEGER NOT NULL,
        envelope BLOB NOT NULL,
        PRIMARY KEY (slot, number)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE moved (prefixes TEXT NOT NULL) STRICT;
";

/// "d2mq" says that a database is a mediator's.
pub(super) const SCHEMA: Schema<'_> = Schema { application_id: 0x6432_6d71, steps: &[STORE] };

/// Groups on their way: "d2mx". What is in the file beside them tells of it.
pub(super) const TRANSFER: Schema<'_> = Schema {
    application_id: 0x6432_6d78,
    steps: &[STORE, "CREATE TABLE transfer (prefixes TEXT NOT NULL, digest BLOB NOT NULL) STRICT"],
};

/// Those that have groups. The other one has the groups that another mediator has now, if there ever were any.
pub(super) const TABLES: [&str; 3] = ["device_group", "slot", "message"];
