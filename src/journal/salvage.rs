//! Reading past damage: rows that cannot be read are passed over by their numbers, and counted.

use std::ops::RangeInclusive;

use super::error::JournalError;
use super::{file, history::History};
use crate::os::database;

/// How many rows are tried at once: as many as a few pages of the file have.
const AT_ONCE: u64 = 1_024;

impl History {
    /// The rows, by number, that were to be read so far and could not be; no two of the ranges touch.
    #[must_use]
    pub fn unreadable(&self) -> Vec<RangeInclusive<u64>> {
        let mut ranges = self.unreadable.borrow().clone();
        ranges.sort_unstable_by_key(|range| *range.start());
        let mut merged: Vec<RangeInclusive<u64>> = Vec::new();
        for range in ranges {
            match merged.last_mut() {
                Some(last) if *range.start() <= last.end().saturating_add(1) => {
                    *last = *last.start()..=*last.end().max(range.end());
                }
                _ => merged.push(range),
            }
        }
        merged
    }

    /// What of those rows is missing, in words; [`None`] if nothing is.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        let ranges = self.unreadable();
        let count: u64 = ranges.iter().map(|range| range.end() - range.start() + 1).sum();
        let (first, last) = (ranges.first()?.start(), ranges.last()?.end());
        let which = match count {
            1 => format!("row {first} could not be read and is left out"),
            _ => format!("{count} rows between {first} and {last} could not be read and are left out"),
        };
        Some(format!("the journal is damaged: {which}; the next session looks the whole file through"))
    }

    /// Reads rows of the range from its beginning, or from its end, until there are `count` of them. `read` reads a part of
    /// the range, with or without what stands in other tables.
    pub(super) fn salvage<T>(
        &self,
        (first, last): (u64, u64),
        backwards: bool,
        count: usize,
        read: &dyn Fn(u64, u64, bool) -> rusqlite::Result<Vec<T>>,
    ) -> rusqlite::Result<Vec<T>> {
        let Some((lowest, highest)) = self.numbers()? else { return Ok(Vec::new()) };
        let (mut first, mut last) = (first.max(lowest), last.min(highest));
        let mut parts = Vec::new();
        let mut found = 0;
        while first <= last && found < count {
            let mut part = Vec::new();
            if backwards {
                let begin = last.saturating_sub(AT_ONCE - 1).max(first);
                self.salvage_part(begin, last, read, &mut part)?;
                last = begin.saturating_sub(1);
            } else {
                let end = first.saturating_add(AT_ONCE - 1).min(last);
                self.salvage_part(first, end, read, &mut part)?;
                first = end.saturating_add(1);
            }
            found += part.len();
            parts.push(part);
        }
        if backwards {
            parts.reverse();
        }
        let mut rows: Vec<T> = parts.into_iter().flatten().collect();
        if backwards {
            rows.drain(..rows.len().saturating_sub(count));
        } else {
            rows.truncate(count);
        }
        Ok(rows)
    }

    fn salvage_part<T>(
        &self,
        first: u64,
        last: u64,
        read: &dyn Fn(u64, u64, bool) -> rusqlite::Result<Vec<T>>,
        out: &mut Vec<T>,
    ) -> rusqlite::Result<()> {
        for with_others in [true, false] {
            match read(first, last, with_others) {
                Ok(rows) if self.is_whole(first, last)? => {
                    out.extend(rows);
                    return Ok(());
                }
                // Not all of them can be found from here.
                Ok(_) => break,
                Err(cause) if database::is_damage(&cause) => {}
                Err(cause) => return Err(cause),
            }
        }
        if first == last {
            self.pass_over(first..=last);
            return Ok(());
        }
        let middle = first + (last - first) / 2;
        self.salvage_part(first, middle, read, out)?;
        self.salvage_part(middle + 1, last, read, out)
    }

    /// Whether these are all the rows of the range, as far as they were to be read: its first or last `count`, of which a
    /// filter may have left some out. One whose number is not what it was hides those behind it without an error.
    pub(super) fn are_all(
        &self,
        found: &[u64],
        (first, last): (u64, u64),
        backwards: bool,
        count: usize,
    ) -> rusqlite::Result<bool> {
        let Some((lowest, highest)) = self.numbers()? else { return Ok(found.is_empty()) };
        let (mut first, mut last) = (first.max(lowest), last.min(highest));
        if !found.is_sorted_by(|row, next| row < next) || found.iter().any(|row| !(first..=last).contains(row)) {
            return Ok(false);
        }
        if let (true, Some(oldest), Some(newest)) = (found.len() >= count, found.first(), found.last()) {
            if backwards { first = *oldest } else { last = *newest }
        }
        self.is_whole(first, last)
    }

    /// Whether all rows of the range can be found: they are numbered without gaps. The sum of their numbers tells one that
    /// has another's number.
    fn is_whole(&self, first: u64, last: u64) -> rusqlite::Result<bool> {
        if first > last {
            return Ok(true);
        }
        let sql = "SELECT count(*), coalesce(sum(row - ?1), 0) FROM message WHERE row BETWEEN ?1 AND ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let bounds = [first.cast_signed(), last.cast_signed()];
        let (count, sum): (i64, i64) = match statement.query_row(bounds, |row| Ok((row.get(0)?, row.get(1)?))) {
            Err(cause) if database::is_damage(&cause) => return Ok(false),
            counted => counted?,
        };
        let expected = u128::from(last - first);
        Ok(u128::from(count.cast_unsigned()) == expected + 1
            && u128::from(sum.cast_unsigned()) == expected * (expected + 1) / 2)
    }

    /// The numbers between which all rows are. What cannot be read at an end is told by the spans, which have every row.
    pub(super) fn numbers(&self) -> rusqlite::Result<Option<(u64, u64)>> {
        let lowest = match self.end("SELECT row FROM message ORDER BY row LIMIT 3", u64::wrapping_sub)? {
            None => self.end("SELECT first_row FROM span ORDER BY first_row LIMIT 1", u64::wrapping_sub)?,
            lowest => lowest,
        };
        let highest = match self.end("SELECT row FROM message ORDER BY row DESC LIMIT 3", u64::wrapping_add)? {
            None => self.end("SELECT last_row FROM span ORDER BY first_row DESC LIMIT 1", u64::wrapping_add)?,
            highest => highest,
        };
        Ok(lowest.zip(highest))
    }

    /// The number at an end, as it and those beside it say: one of them alone may not be what it was. [`None`] if there is
    /// none, or they cannot be read.
    fn end(&self, sql: &str, back: fn(u64, u64) -> u64) -> rusqlite::Result<Option<u64>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let numbers: rusqlite::Result<Vec<i64>> = statement.query_map([], |row| row.get(0))?.collect();
        let numbers = match numbers {
            Err(cause) if database::is_damage(&cause) => return Ok(None),
            numbers => numbers?,
        };
        let says = |(place, number): (usize, &i64)| back(number.cast_unsigned(), place as u64);
        let said: Vec<u64> = numbers.iter().enumerate().map(says).collect();
        let agreed = said.iter().find(|end| said.iter().filter(|other| other == end).count() > 1);
        Ok(agreed.or(said.first()).copied())
    }

    pub(super) fn pass_over(&self, range: RangeInclusive<u64>) {
        let mut ranges = self.unreadable.borrow_mut();
        match ranges.last_mut() {
            Some(last) if last.end().saturating_add(1) == *range.start() => *last = *last.start()..=*range.end(),
            Some(last) if last.contains(range.start()) && last.contains(range.end()) => {}
            _ => ranges.push(range),
        }
        file::suspect(&self.path);
    }

    /// No answer may look as if nothing had been received: where the file says that there were rows, and none can be read,
    /// that is an error.
    pub(super) fn check_empty(&self) -> Result<(), JournalError> {
        let damaged = |words: &str| {
            file::suspect(&self.path);
            Err(JournalError::Damaged { path: self.path.clone(), words: words.to_owned() })
        };
        let there = "SELECT EXISTS (SELECT 1 FROM message)";
        let were = "SELECT EXISTS (SELECT 1 FROM span) OR EXISTS (SELECT 1 FROM acknowledged)";
        let is_true = |sql: &str| self.connection.query_row(sql, [], |row| row.get::<_, bool>(0));
        match (is_true(there), is_true(were)) {
            (Ok(true), _) | (Ok(false), Ok(false)) => Ok(()),
            (Ok(false), Ok(true)) => damaged("it had rows, and none can be found"),
            (Err(cause), _) | (_, Err(cause)) if database::is_damage(&cause) => damaged(database::words(&cause)),
            (Err(cause), _) | (_, Err(cause)) => Err(JournalError::of(&self.path, cause)),
        }
    }
}
