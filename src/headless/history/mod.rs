//! `d2mtop history`: what a profile's journal has. Logs in nowhere.

mod print;

use crate::output::Failure;
use crate::output::Outcome;
use crate::output::words::remark;
use std::io::{self, BufWriter, Write};

use crate::cli::HistoryArgs;
use crate::group::KnownDevices;
use crate::journal::{History, HistoryRow, Query, Who, Within};
use crate::profile::secrets::PassphraseSource;
use crate::profile::{
    self, KeptConversations, ProfileError, ProfileName, ProfileStore, Record, SecretError, SecretSource, known_devices,
};
use crate::protocol::d2d::ContentKind;
use crate::protocol::{DeviceId, GroupKeys, MessageId, PseudonymKey};
use crate::runtime::clock;
use crate::text::Clean;

use crate::output::times::Zone;
use print::RowPrinter;

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
    let query = query(options, &store, &name, &record, &devices, zone)?;
    let history = History::open(&record.journal_settings(&directory).path)?;
    let printer =
        RowPrinter { devices: &devices.ever(), own: profile::device_of(&name, &record), zone, as_json: options.json };
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

fn query(
    options: &HistoryArgs,
    store: &ProfileStore,
    name: &ProfileName,
    record: &Record,
    devices: &KnownDevices,
    zone: Zone,
) -> Result<Query, Failure> {
    let now = clock::now();
    let time = |option: &str, text: &Option<String>| {
        let read = text.as_deref().map(|text| zone.read(text, now)).transpose();
        read.map_err(|error| Failure::Usage(format!("{option}: {error}")))
    };
    let kinds = options.kinds.iter().map(|text| kind(text)).collect::<Result<_, _>>()?;
    let from = options.from.as_deref().map(|text| device(text, devices)).transpose()?;
    let who = options.conversation.as_deref().map(|text| who(text, options, store, name, record)).transpose()?;
    Ok(Query { since: time("--since", &options.since)?, until: time("--until", &options.until)?, kinds, from, who })
}

fn kind(text: &str) -> Result<ContentKind, Failure> {
    ContentKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
        let all = ContentKind::ALL.map(ContentKind::as_str).join(", ");
        Failure::Usage(format!("--kind: {} is none of {all}", Clean::new(text)))
    })
}

fn device(text: &str, devices: &KnownDevices) -> Result<DeviceId, Failure> {
    if text == "unsaid" {
        return Ok(DeviceId(0));
    }
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let has_label = |info: Option<&crate::protocol::DeviceInfo>| info.is_some_and(|info| info.label.as_str() == text);
    let called_so = |devices: &KnownDevices| -> Vec<DeviceId> {
        devices.iter().filter(|(_, info)| has_label(*info)).map(|(id, _)| id).collect()
    };
    // Who has left is asked for only where nobody who is there has the name.
    let present = called_so(devices);
    let found = if present.is_empty() { called_so(&devices.ever()) } else { present };
    let label = Clean::new(text);
    match found.as_slice() {
        [id] => Ok(*id),
        [] => Err(Failure::Usage(format!(
            "--from: no device is or was called {label}, as far as is known here; a device id is 16 hex digits, and \
             --stats lists what there is"
        ))),
        several => {
            let ids = several.iter().map(DeviceId::to_string).collect::<Vec<_>>().join(", ");
            Err(Failure::Usage(format!(
                "--from: several devices are or were called {label}; say which by its id: {ids}"
            )))
        }
    }
}

/// The other side of a conversation; its pseudonym needs the group's key.
fn who(
    text: &str,
    options: &HistoryArgs,
    store: &ProfileStore,
    name: &ProfileName,
    record: &Record,
) -> Result<Who, Failure> {
    if let Some(digits) = text.strip_prefix('#') {
        let pseudonym = Who::pseudonym(digits);
        let what = "--conversation: a pseudonym is # and up to 16 hex digits";
        return pseudonym.ok_or_else(|| Failure::Usage(what.to_owned()));
    }
    let key = match record.journal_conversations {
        KeptConversations::Plain => None,
        KeptConversations::Hashed => {
            let mut passphrase = PassphraseSource::new(options.passphrase.passphrase_fd);
            let key = pseudonym_key(store, name, record, &mut passphrase);
            Some(key.map_err(|error| {
                Failure::Usage(format!(
                    "--conversation: the journal has pseudonyms, and making one needs the group's key: {error}. A \
                     pseudonym itself (# and its digits) needs none"
                ))
            })?)
        }
        KeptConversations::None => {
            let why = "keeps no conversations in its journal (journal_conversations = \"none\")";
            return Err(Failure::Usage(format!("--conversation: the profile {name} {why}")));
        }
    };
    // As a device id is written, which is how ids of groups are, too.
    Ok(match text.parse::<DeviceId>() {
        Ok(DeviceId(id)) => Who::id(MessageId(id), key.as_ref()),
        Err(_) => Who::contact(&Clean::new(text), key.as_ref()),
    })
}

fn pseudonym_key(
    store: &ProfileStore,
    name: &ProfileName,
    record: &Record,
    passphrase: &mut PassphraseSource,
) -> Result<PseudonymKey, SecretError> {
    let secret = SecretSource::of(name, record, store.directory())?.load(name, passphrase)?;
    Ok(PseudonymKey::of(&GroupKeys::derive(record.dialect.into(), &secret)))
}
