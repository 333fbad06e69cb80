//! `d2mtop history`: what a profile's journal has. Logs in nowhere.

mod query;
mod who;

use std::io::{self, BufWriter, Write};

use crate::cli::HistoryArgs;
use crate::journal::{History, HistoryRow, Query, Within};
use crate::output::history_rows::RowPrinter;
use crate::output::times::Zone;
use crate::output::words::remark;
use crate::output::{Failure, Outcome};
use crate::profile::{self, ProfileError, ProfileName, ProfileStore, Record, known_devices};
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
    let ended = ended.and_then(|count| out.flush().map_err(Failure::Output).map(|()| count));
    match (ended, history.damage()) {
        // Nobody reads any more.
        (Err(Failure::Output(error)), _) if error.kind() == io::ErrorKind::BrokenPipe => {}
        // Nothing printed may not look as if nothing had been received.
        (Ok(0), Some(words)) => return Err(Failure::Ended { outcome: Outcome::Unwell, words }),
        (Ok(0), None) => remark("nothing like that was received"),
        (ended, missing) => {
            if let Some(words) = missing {
                remark(&words);
            }
            ended?;
        }
    }
    Ok(Outcome::Normal)
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

/// Prints the rows, and says how many those were.
fn print_rows(
    history: &History,
    query: Query,
    options: &HistoryArgs,
    printer: &RowPrinter<'_>,
    out: &mut impl Write,
) -> Result<usize, Failure> {
    let is_bounded = options.since.is_some() || options.until.is_some();
    let limit = options.limit.or((!is_bounded).then_some(ROWS));
    let mut count = 0;
    let mut print = |row: &HistoryRow| {
        count += 1;
        printer.row(row, out).map_err(Failure::Output)
    };
    if let Some(limit) = limit {
        let rows = history.page(&query, Within::Newest, usize::try_from(limit).unwrap_or(usize::MAX))?;
        rows.iter().try_for_each(&mut print)?;
    } else {
        history.rows(query).try_for_each(|row| print(&row?))?;
    }
    Ok(count)
}

/// Prints the figures, and says how many lines those were.
fn print_stats(
    history: &History,
    query: &Query,
    printer: &RowPrinter<'_>,
    out: &mut impl Write,
) -> Result<usize, Failure> {
    let lines = history.stats(query, |at| printer.zone.day(at))?;
    printer.stats(&lines, out).map_err(Failure::Output)?;
    Ok(lines.len())
}
