//! `d2mtop watch`: the session's events on standard output, as NDJSON or as sentences.

mod change_over;
mod ending;
mod events;
mod journal_failure;
mod known_devices;
mod line_filter;
mod progress;
mod reload;
mod shutdown_timer;
mod watcher;

use std::io::{self, Write as _};

use super::arguments;
use super::connection::{Reconnect, open_unattended};
use crate::cli::{UntilArgs, WatchArgs};
use crate::net::Address;
use crate::os::event_loop::event_loop;
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::ndjson;
use crate::output::words::remark;
use crate::runtime::{ANY_CERTIFICATE, Monitors, ProfileState, SessionSetup, clock};
use crate::session::Session;
pub(super) use line_filter::LineFilter;
use reload::ProfileReloader;
use watcher::{OpenSession, Watch};

/// Connects as the options say, and prints events until the end.
///
/// # Errors
/// If the options are unusable or standard output fails; or with the words about a server or a connection that ended it.
pub fn run(options: &WatchArgs) -> Result<Outcome, Failure> {
    let settings = WatchSettings {
        until: options.until,
        reconnect: Reconnect::parse(&options.stream.reconnect)?,
        filter: LineFilter::of(&options.stream.lines)?,
    };
    let connection = arguments::unattended_connection(&options.connection)?;
    let monitor = arguments::monitor(&options.monitor)?;
    let profile = open_unattended(options.profile.name(), &connection)?;
    let reloader = ProfileReloader::of(&profile, connection);
    let prepared = SessionSetup::new(profile)?;
    let monitors = Monitors::start(&monitor, None)?;
    if monitors.watches_the_lock() {
        remark(
            "--on lock-stuck never happens here: a mediator tells who has the lock only to who asks for it, and watch does \
             not; give it to the dashboard",
        );
    }
    let first = settings.first_lines(&monitors, prepared.accepts_any_certificate).map_err(Failure::Output)?;
    settings.run(first, monitors, async |watch, monitors| watch.follow_profile(prepared, reloader, monitors).await)
}

/// Prints the events of the demo's session until it ends.
///
/// # Errors
/// If the options are unusable, standard output fails, or the system gives no thread.
pub(super) fn watch(
    session: Session,
    address: Address,
    monitors: Monitors,
    until: UntilArgs,
    filter: LineFilter,
) -> Result<Outcome, Failure> {
    let settings = WatchSettings { until, reconnect: Reconnect::default(), filter };
    let first = settings.first_lines(&monitors, false).map_err(Failure::Output)?;
    settings.run(first, monitors, async |watch, monitors| {
        let opened = OpenSession { session, address, state: ProfileState::default(), name: String::new() };
        Ok(watch.follow(opened, None, monitors).await?.unwrap_or(Outcome::Normal))
    })
}

struct WatchSettings {
    until: UntilArgs,
    reconnect: Reconnect,
    filter: LineFilter,
}

impl WatchSettings {
    /// The lines before all events. A warning is printed whatever `--only` says. The address of the metrics goes to
    /// standard error if its line is not wanted, because the system may have chosen the port.
    fn first_lines(&self, monitors: &Monitors, accepts_any_certificate: bool) -> io::Result<Vec<u8>> {
        let mut lines = Vec::new();
        if accepts_any_certificate {
            let fields = serde_json::json!({ "warning": "any_certificate_accepted", "words": ANY_CERTIFICATE });
            self.filter.form.line(&mut lines, &ndjson::line(clock::now(), "warning", fields))?;
        }
        if let Some(address) = monitors.metrics_address() {
            let url = format!("http://{address}/metrics");
            if self.filter.wants("metrics") {
                let line = ndjson::line(clock::now(), "metrics", serde_json::json!({ "url": url }));
                self.filter.form.line(&mut lines, &line)?;
            } else {
                // Who cannot be told goes on without.
                let _ = writeln!(io::stderr(), "d2mtop: metrics are at {url}");
            }
        }
        Ok(lines)
    }

    /// Runs a watch with these settings, beginning with these lines.
    fn run(
        self,
        first: Vec<u8>,
        monitors: Monitors,
        watch: impl AsyncFnOnce(&mut Watch, &Monitors) -> Result<Outcome, Failure>,
    ) -> Result<Outcome, Failure> {
        event_loop().map_err(Failure::Start)?.block_on(async {
            let mut started = Watch::start(self, first)?;
            let ended = watch(&mut started, &monitors).await;
            started.end_monitors(monitors).await?;
            ended
        })
    }
}
