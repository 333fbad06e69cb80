//! `d2mtop watch`: the session's events on standard output, as NDJSON or as sentences.

use std::io::{self, Write as _};

use super::arguments;
use crate::cli::{LinesArgs, UntilArgs, WatchArgs};
use crate::output::lines::EventSelection;
use crate::output::ndjson::{self, NamesInLines};
use crate::output::times::Zone;
use crate::output::words::remark;
use crate::output::{Failure, Form, Outcome};
use crate::record::RecordFolder;
use crate::runtime::reconnect::Reconnect;
use crate::runtime::watch::{Reloading, WatchTerms, watch_profile};
use crate::runtime::{ANY_CERTIFICATE, Monitors, SessionSetup, clock};

/// Connects as the options say, and prints until it ends.
///
/// # Errors
/// If the options are unusable or standard output fails; or with the words about a server or a connection that ended it.
pub fn run(options: &WatchArgs) -> Result<Outcome, Failure> {
    let reconnect = Reconnect::parse(&options.stream.reconnect)?;
    let wanted = selection(&options.stream.lines, Zone::of_option(options.utc))?;
    let terms = terms(options.until, reconnect, wanted, arguments::recording(&options.record)?);
    let connection = arguments::unattended_connection(&options.connection)?;
    let monitor = arguments::monitor(&options.monitor)?;
    let profile = super::open_unattended(options.profile.name(), &connection)?;
    let wait = connection.wait;
    let reloading = Reloading::of(&profile, connection);
    let prepared = SessionSetup::new(profile, wait)?;
    let monitors = Monitors::start(&monitor, None)?;
    if monitors.watches_the_lock() {
        remark(
            "--on lock-stuck never happens here: a mediator tells who has the lock only to who asks for it, and watch does \
             not; give it to the dashboard",
        );
    }
    let first = first_lines(&terms.wanted, &monitors, prepared.accepts_any_certificate).map_err(Failure::Output)?;
    watch_profile(prepared, reloading, terms, first, monitors)
}

/// Prints what a session tells until it ends; of the demo.
///
/// # Errors
/// If the options are unusable, standard output fails, or the system gives no thread.
pub(super) fn watch(
    prepared: SessionSetup,
    monitors: Monitors,
    until: UntilArgs,
    wanted: EventSelection,
    record: Option<RecordFolder>,
) -> Result<Outcome, Failure> {
    let terms = terms(until, Reconnect::default(), wanted, record);
    let first = first_lines(&terms.wanted, &monitors, false).map_err(Failure::Output)?;
    watch_profile(prepared, None, terms, first, monitors)
}

/// The events that the options want, and the form of their lines.
///
/// # Errors
/// If an event is named that there is not.
pub(super) fn selection(options: &LinesArgs, zone: Zone) -> Result<EventSelection, Failure> {
    let names = if options.names { NamesInLines::Told } else { NamesInLines::LeftOut };
    EventSelection::new(&options.only, Form::of_output(options.json, names, zone))
}

const fn terms(
    until: UntilArgs,
    reconnect: Reconnect,
    wanted: EventSelection,
    record: Option<RecordFolder>,
) -> WatchTerms {
    WatchTerms { until_dry: until.until_dry, duration: until.duration, reconnect, wanted, record }
}

/// What is said before all else. Who believes whoever answers is told so whatever is asked for; where the metrics are
/// is said on standard error if the line about it is not wanted, as the system may have chosen the port.
fn first_lines(wanted: &EventSelection, monitors: &Monitors, accepts_any_certificate: bool) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    if accepts_any_certificate {
        let fields = serde_json::json!({ "warning": "any_certificate_accepted", "words": ANY_CERTIFICATE });
        wanted.form.line(&mut lines, &ndjson::line(clock::now(), "warning", fields))?;
    }
    if let Some(address) = monitors.metrics_address() {
        let url = format!("http://{address}/metrics");
        if wanted.wants("metrics") {
            let line = ndjson::line(clock::now(), "metrics", serde_json::json!({ "url": url }));
            wanted.form.line(&mut lines, &line)?;
        } else {
            // Who cannot be told goes on without.
            let _ = writeln!(io::stderr(), "d2mtop: metrics are at {url}");
        }
    }
    Ok(lines)
}
