//! `d2mtop history`: what a profile's journal has. Logs in nowhere.

mod print;
mod query;
mod who;

use std::io::{self, BufWriter, Write};

use crate::cli::HistoryArgs;
use crate::journal::{History, HistoryRow, Query, Within};
use crate::output::times::Zone;
use crate::output::words::remark;
use crate::output::{Failure, Outcome};
use crate::profile::{self, ProfileError, ProfileName, ProfileStore, Record, known_devices};
use print::RowPrinter;
use who::OfProfile;

/// How many rows are shown unless something says how many.
const ROWS: u32 = 20;

/// Prints what was asked for.
///
/// # Errors
/// If there is no journal, it cannot be read, or the options mean nothing.
pub fn run(options: &HistoryArgs) -> Result<Outcome, Failure> {
    let store = ProfileStore::of_user().map_err(ProfileError::from)?;
    let (name, record) = chosen(&store, options.profile.name())?;
    let directory = profile::profile_state(&name).ok_or(ProfileError::from(profile::ProfileStoreError::NoHome))?;
    let devices =
        known_devices::path(&name).and_then(|path| known_devices::load(&path).ok().flatten()).unwrap_or_default();
    let zone = Zone::of_option(options.utc);
    let own = profile::device_of(&name, &record);
    let mut journal = OfProfile::new(&store, name, record, options.passphrase.passphrase_fd);
    let query = query::query(options, &mut journal, &devices, zone)?;
    let history = History::open(&journal.record.journal_settings(&directory).path)?;
    let names = if options.names { journal.names()? } else { None };
    let printer = RowPrinter { devices: &devices.ever(), own, zone, names, as_json: options.json };
    let mut out = BufWriter::new(io::stdout().lock());
    let ended = if options.stats {
        print_stats(&history, &query, &printer, &mut out)
    } else {
        print_rows(&history, query, options, &printer, &mut out)
    };
    let ended = ended.and_then(|()| out.flush().map_err(Failure::Output));
    tell_unreadable(&history);
    match ended {
        // Nobody reads any more.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::Normal),
        ended => ended.map(|()| Outcome::Normal),
    }
}

fn chosen(store: &ProfileStore, name: Option<&str>) -> Result<(ProfileName, Record), ProfileError> {
    let profiles = store.read()?;
    if name.is_none() && profiles.is_empty() {
        return Err(ProfileError::FirstRun);
    }
    let name = match name {
        Some(name) => name,
        None => profiles.default_name()?.as_str(),
    };
    let (name, record) = profiles.find(name)?;
    Ok((name.clone(), record.clone()))
}

fn print_rows(
    history: &History,
    query: Query,
    options: &HistoryArgs,
    printer: &RowPrinter<'_>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let is_bounded = options.since.is_some() || options.until.is_some();
    let limit = options.limit.or((!is_bounded).then_some(ROWS));
    let mut print = |row: &HistoryRow| printer.row(row, out).map_err(Failure::Output);
    if let Some(limit) = limit {
        let rows = history.page(&query, Within::Newest, usize::try_from(limit).unwrap_or(usize::MAX))?;
        tell_if(rows.is_empty());
        return rows.iter().try_for_each(print);
    }
    let mut rows = history.rows(query).peekable();
    tell_if(rows.peek().is_none());
    rows.try_for_each(|row| print(&row?))
}

/// Nothing printed may also look like something wrong.
fn tell_if(nothing: bool) {
    if nothing {
        remark("nothing like that was received");
    }
}

/// What is missing between the rows is said once, after them.
fn tell_unreadable(history: &History) {
    let ranges = history.unreadable();
    let count: u64 = ranges.iter().map(|range| range.end() - range.start() + 1).sum();
    if let (Some(first), Some(last)) = (ranges.first(), ranges.last()) {
        remark(&format!(
            "the journal is damaged: {count} rows between {} and {} could not be read and are left out; the next session \
             looks the whole file through",
            first.start(),
            last.end()
        ));
    }
}

fn print_stats(
    history: &History,
    query: &Query,
    printer: &RowPrinter<'_>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let lines = history.stats(query, |at| printer.zone.day(at))?;
    printer.stats(&lines, out).map_err(Failure::Output)
}
