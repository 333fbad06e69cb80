//! Figures by day, device and kind.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use rusqlite::params_from_iter;

use super::acknowledgements::Acknowledgements;
use super::checksum::IS_INTACT;
use super::error::JournalError;
use super::history::History;
use super::query::{Condition, Query};
use super::{code, file, row};
use crate::os::database;
use crate::protocol::d2d::ContentKind;
use crate::protocol::{DeviceId, Millis};

/// The figures of one day, device and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatsLine {
    /// The day, as whoever asked counts days.
    pub day: i64,
    /// Which device reflected; [`None`]: they did not say.
    pub device: Option<DeviceId>,
    /// What; [`None`]: that could not be read.
    pub kind: Option<ContentKind>,
    pub figures: Figures,
}

/// How many, how large, how late.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub count: u64,
    /// Their sealed envelopes.
    pub bytes: u64,
    /// Messages that use the nonce of another one.
    pub repeated_nonces: u64,
    /// From when the server stored it to when we got it; by two clocks.
    pub age: Option<Percentiles>,
    /// From reading it off the socket to its acknowledgement.
    pub acknowledgement: Option<Percentiles>,
}

/// Of how long something took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentiles {
    /// Half of all took at most that.
    pub median: Duration,
    pub p95: Duration,
    pub p99: Duration,
    pub max: Duration,
}

/// How many rows are read at a time.
const AT_ONCE: usize = 65_536;

/// Day, device, kind.
type StatsKey = (i64, Option<u64>, Option<i64>);

#[derive(Default)]
struct Gathered {
    count: u64,
    bytes: u64,
    repeated_nonces: u64,
    /// In milliseconds.
    age: Times,
    /// In microseconds.
    acknowledgement: Times,
}

/// Percentiles to about one percent, in bounded memory.
#[derive(Default)]
struct Times(Option<Histogram<u64>>);

impl Times {
    fn add(&mut self, value: u64) {
        if self.0.is_none() {
            self.0 = Histogram::new(2).ok();
        }
        if let Some(histogram) = &mut self.0 {
            // It grows with what it is given; what no histogram has room for counts nowhere.
            let _ = histogram.record(value);
        }
    }

    fn percentiles(&self, unit: Duration) -> Option<Percentiles> {
        let histogram = self.0.as_ref()?;
        let span = |value: u64| unit.saturating_mul(u32::try_from(value).unwrap_or(u32::MAX));
        let at = |quantile: f64| span(histogram.value_at_quantile(quantile).min(histogram.max()));
        Some(Percentiles { median: at(0.5), p95: at(0.95), p99: at(0.99), max: span(histogram.max()) })
    }
}

impl History {
    /// The figures of all rows of the query, by day, device and kind. What day a time is of, only who asks knows.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn stats(&self, query: &Query, day_of: impl Fn(Millis) -> i64) -> Result<Vec<StatsLine>, JournalError> {
        let gathered = self.gather(query, day_of).map_err(|cause| file::failed(&self.path, cause))?;
        if gathered.is_empty() {
            self.check_empty()?;
        }
        let lines = gathered.into_iter().map(|((day, device, kind), gathered)| StatsLine {
            day,
            device: device.map(DeviceId),
            kind: kind.map(code::kind_of),
            figures: Figures {
                count: gathered.count,
                bytes: gathered.bytes,
                repeated_nonces: gathered.repeated_nonces,
                age: gathered.age.percentiles(Duration::from_millis(1)),
                acknowledgement: gathered.acknowledgement.percentiles(Duration::from_micros(1)),
            },
        });
        Ok(lines.collect())
    }

    fn gather(&self, query: &Query, day_of: impl Fn(Millis) -> i64) -> rusqlite::Result<BTreeMap<StatsKey, Gathered>> {
        let mut gathered: BTreeMap<StatsKey, Gathered> = BTreeMap::new();
        let snapshot = self.connection.unchecked_transaction()?;
        let condition = self.condition(query)?;
        drop(snapshot);
        let Some(condition) = condition else { return Ok(gathered) };
        let read = |first: u64, last: u64, _: bool| self.read_counted(&condition.clone().between(first, last));
        let mut acknowledgements = Acknowledgements::of(&self.connection);
        // All of a quarter of an hour are of one day, wherever the clock is.
        let mut quarter = (u64::MAX, 0);
        let (mut first, last) = condition.bounds();
        loop {
            let snapshot = self.connection.unchecked_transaction()?;
            let rows = self.salvage((first, last), false, AT_ONCE, &read)?;
            for row in &rows {
                let received = row.received_at;
                if quarter.0 != received.0 / 900_000 {
                    quarter = (received.0 / 900_000, day_of(received));
                }
                let of = gathered.entry((quarter.1, row.author, row.kind)).or_default();
                of.count += 1;
                of.bytes += u64::from(row.size);
                of.repeated_nonces += u64::from(row.marks & code::REPEATED_NONCE != 0);
                of.age.add(received.0.saturating_sub(row.stored_at.0));
                match acknowledgements.find(row.number) {
                    Ok(Some((_, waited))) => {
                        of.acknowledgement.add(u64::try_from(waited.as_micros()).unwrap_or(u64::MAX));
                    }
                    Ok(None) => {}
                    Err(cause) if database::is_damage(&cause) => file::suspect(&self.path),
                    Err(cause) => return Err(cause),
                }
            }
            drop(snapshot);
            match rows.last() {
                Some(row) if rows.len() == AT_ONCE => first = row.number + 1,
                _ => break,
            }
        }
        Ok(gathered)
    }

    fn read_counted(&self, condition: &Condition) -> rusqlite::Result<Vec<Counted>> {
        let sql = format!(
            "SELECT row, received_at, marks, author, kind, rest, {IS_INTACT} FROM message WHERE {} ORDER BY row",
            condition.sql()
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let read = |row: &rusqlite::Row<'_>| {
            let number = |index: usize| row.get(index).map(i64::cast_unsigned);
            let rest = row::intact_blob(row, 5, 6)?;
            Ok(Counted {
                number: number(0)?,
                received_at: Millis(number(1)?),
                marks: row.get(2)?,
                author: row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
                kind: row.get(4)?,
                size: rest.size,
                stored_at: rest.stored_at,
            })
        };
        statement.query_map(params_from_iter(condition.clone().all_values()), read)?.collect()
    }
}

/// What the figures need of a row.
struct Counted {
    number: u64,
    received_at: Millis,
    marks: i64,
    author: Option<u64>,
    kind: Option<i64>,
    size: u32,
    stored_at: Millis,
}
