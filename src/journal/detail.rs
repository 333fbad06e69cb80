//! The words of ours that messages are described by, each kept once.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::text::Clean;

/// How many different ones are kept. There are some hundreds; more are made up by a device that goes mad, and left out.
const MOST: usize = 4_096;

#[derive(Debug, Default)]
pub(super) struct Details {
    /// [`None`] until they are read, and after a transaction that failed.
    known: Option<HashMap<Clean, i64>>,
}

impl Details {
    /// The number of the words; [`None`] if there are too many already.
    pub(super) fn number(&mut self, connection: &Connection, words: &Clean) -> rusqlite::Result<Option<i64>> {
        let known = match &mut self.known {
            Some(known) => known,
            unread => unread.insert(read(connection)?),
        };
        if let Some(number) = known.get(words) {
            return Ok(Some(*number));
        }
        if known.len() >= MOST {
            return Ok(None);
        }
        connection.prepare_cached("INSERT INTO detail (words) VALUES (?)")?.execute([words.as_str()])?;
        let number = connection.last_insert_rowid();
        known.insert(words.clone(), number);
        Ok(Some(number))
    }

    pub(super) fn rolled_back(&mut self) {
        self.known = None;
    }
}

fn read(connection: &Connection) -> rusqlite::Result<HashMap<Clean, i64>> {
    let mut statement = connection.prepare("SELECT words, number FROM detail")?;
    let rows = statement.query_map([], |row| Ok((Clean::new(row.get_ref(0)?.as_str()?), row.get(1)?)))?;
    rows.collect()
}
