//! Fingerprints of nonces in blobs: an index over random numbers would cost ten times as much as all the rest.

use rusqlite::{Connection, OptionalExtension as _, params};

/// From so many bytes on a new blob begins. Until then the last one is written anew, which takes a page or two.
const BLOB: usize = 4_000;

/// The blob that still grows.
#[derive(Debug, Default)]
pub(super) struct Tail {
    number: i64,
    bytes: Vec<u8>,
    /// How many bytes of it are durable.
    durable: usize,
}

impl Tail {
    /// Reads all fingerprints.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<(Self, Vec<u64>)> {
        let bytes = "SELECT coalesce(sum(length(fingerprints)), 0) FROM nonces";
        let bytes: i64 = connection.query_row(bytes, [], |row| row.get(0))?;
        let mut all = Vec::with_capacity(usize::try_from(bytes / 8).unwrap_or(0));
        let mut statement = connection.prepare("SELECT fingerprints FROM nonces ORDER BY number")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (chunks, _) = row.get_ref(0)?.as_blob()?.as_chunks();
            all.extend(chunks.iter().copied().map(u64::from_le_bytes));
        }
        let last = "SELECT number, fingerprints FROM nonces ORDER BY number DESC LIMIT 1";
        let last = connection.query_row(last, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (number, bytes): (i64, Vec<u8>) = last.unwrap_or_default();
        Ok((Self { number, durable: bytes.len(), bytes }, all))
    }

    pub(super) fn push(&mut self, fingerprint: u64) {
        self.bytes.extend(fingerprint.to_le_bytes());
    }

    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        if self.bytes.len() > self.durable {
            let replace = "INSERT OR REPLACE INTO nonces (number, fingerprints) VALUES (?, ?)";
            connection.prepare_cached(replace)?.execute(params![self.number, self.bytes])?;
        }
        Ok(())
    }

    pub(super) fn committed(&mut self) {
        if self.bytes.len() >= BLOB {
            self.number += 1;
            self.bytes.clear();
        }
        self.durable = self.bytes.len();
    }

    pub(super) fn rolled_back(&mut self) {
        self.bytes.truncate(self.durable);
    }
}
