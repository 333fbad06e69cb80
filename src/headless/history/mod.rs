//! `d2mtop history`: what a profile's journal has. Logs in nowhere.

mod print;
mod query;

use std::io::{self, BufWriter, Write};

use crate::cli::HistoryArgs;
use crate::journal::{History, HistoryRow, Query, Within};
use crate::output::times::Zone;
use crate::output::words::remark;
use crate::output::{Failure, Outcome};
use crate::profile::{self, ProfileError, ProfileName, ProfileStore, Record, known_devices};
use print::HistoryPrinter;
use query::query;

/// How many rows are shown without `--limit` and bounds of time.
const ROWS: u32 = 20;

/// The file of the devices that are or were known, in the state directory of a profile.
const KNOWN_DEVICES: &str = "known.json";

/// Prints what was asked for.
///
/// # Errors
/// If there is no journal, it cannot be read, or the options mean nothing.
pub fn run(options: &HistoryArgs) -> Result<Outcome, Failure> {
    let store = ProfileStore::of_user().map_err(ProfileError::from)?;
    let (name, record) = chosen(&store, options.profile.name())?;
    let directory = profile::profile_state(&name).ok_or(ProfileError::from(profile::ProfileStoreError::NoHome))?;
    let devices = known_devices::load(&directory.join(KNOWN_DEVICES)).ok().flatten().unwrap_or_default();
    let zone = if options.utc { Zone::Utc } else { Zone::Local };
    let query = query(options, &store, &name, &record, &devices, zone)?;
    let history = History::open(&record.journal_settings(&directory).path)?;
    let printer = HistoryPrinter { devices: &devices.ever(), own: record.device_id, zone, as_json: options.json };
    let mut out = BufWriter::new(io::stdout().lock());
    let ended = if options.stats {
        print_stats(&history, &query, &printer, &mut out)
    } else {
        print_rows(&history, query, options, &printer, &mut out)
    };
    match ended.and_then(|()| out.flush().map_err(Failure::Output)) {
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
    printer: &HistoryPrinter<'_>,
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

/// No output could be taken for an error.
fn tell_if(nothing: bool) {
    if nothing {
        remark("nothing like that was received");
    }
}

fn print_stats(
    history: &History,
    query: &Query,
    printer: &HistoryPrinter<'_>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let lines = history.stats(query, |at| printer.zone.day(at))?;
    printer.stats(&lines, out).map_err(Failure::Output)
}
