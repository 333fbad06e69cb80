//! Figures by day, device and kind.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use rusqlite::params_from_iter;

use super::acknowledgements::Acknowledgements;
use super::error::JournalError;
use super::history::History;
use super::query::{Condition, Query};
use super::{code, file, row};
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
    /// The figures.
    pub figures: Figures,
}

/// How many, how large, how late.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Messages.
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
    /// 95 of 100.
    pub p95: Duration,
    /// 99 of 100.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

/// Day, device, kind.
type Key = (i64, Option<u64>, Option<i64>);

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

    fn gather(&self, query: &Query, day_of: impl Fn(Millis) -> i64) -> rusqlite::Result<BTreeMap<Key, Gathered>> {
        let mut gathered: BTreeMap<Key, Gathered> = BTreeMap::new();
        let Some(condition) = Condition::of(&self.connection, query)? else { return Ok(gathered) };
        let sql = format!(
            "SELECT row, received_at, marks, author, kind, rest FROM message WHERE {} ORDER BY row",
            condition.sql
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query(params_from_iter(condition.all_values()))?;
        let mut acknowledgements = Acknowledgements::of(&self.connection);
        // All of a quarter of an hour are of one day, wherever the clock is.
        let mut quarter = (u64::MAX, 0);
        while let Some(row) = rows.next()? {
            let number = |index: usize| row.get(index).map(i64::cast_unsigned);
            let received = Millis(number(1)?);
            let rest = row::blob(row, 5)?;
            if quarter.0 != received.0 / 900_000 {
                quarter = (received.0 / 900_000, day_of(received));
            }
            let author = row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned);
            let of = gathered.entry((quarter.1, author, row.get(4)?)).or_default();
            of.count += 1;
            of.bytes += u64::from(rest.size);
            of.repeated_nonces += u64::from(row.get::<_, i64>(2)? & code::REPEATED_NONCE != 0);
            of.age.add(received.0.saturating_sub(rest.stored_at.0));
            if let Some((_, waited)) = acknowledgements.find(number(0)?)? {
                of.acknowledgement.add(u64::try_from(waited.as_micros()).unwrap_or(u64::MAX));
            }
        }
        Ok(gathered)
    }
}
