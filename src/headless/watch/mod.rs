//! `d2mtop watch`: the session's events on standard output, as NDJSON or as sentences.

mod change_over;
mod outage;
mod patience;
mod progress;
mod reload;
mod selection;
mod session_loop;

use std::io::{self, Write as _};

use super::arguments;
use crate::cli::{UntilArgs, WatchArgs};
use crate::net::Address;
use crate::os::event_loop::event_loop;
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::ndjson;
use crate::output::times::Zone;
use crate::output::words::remark;
use crate::runtime::reconnect::Reconnect;
use crate::runtime::{ANY_CERTIFICATE, Monitors, ProfileState, SessionSetup, clock};
use crate::session::Session;
use reload::Reloading;
pub(super) use selection::EventSelection;
use session_loop::{Running, Watch};

/// Connects as the options say, and prints until it ends.
///
/// # Errors
/// If the options are unusable or standard output fails; or with the words about a server or a connection that ended it.
pub fn run(options: &WatchArgs) -> Result<Outcome, Failure> {
    let terms = Terms {
        until: options.until,
        reconnect: Reconnect::parse(&options.stream.reconnect)?,
        wanted: EventSelection::of(&options.stream.lines, Zone::of_option(options.utc))?,
    };
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
    let first = terms.first_lines(&monitors, prepared.accepts_any_certificate).map_err(Failure::Output)?;
    terms.run(first, monitors, async |watch, monitors| watch.follow_profile(prepared, reloading, monitors).await)
}

/// Prints what a session tells until it ends; of the demo.
///
/// # Errors
/// If the options are unusable, standard output fails, or the system gives no thread.
pub(super) fn watch(
    session: Session,
    address: Address,
    monitors: Monitors,
    until: UntilArgs,
    wanted: EventSelection,
) -> Result<Outcome, Failure> {
    let terms = Terms { until, reconnect: Reconnect::default(), wanted };
    let first = terms.first_lines(&monitors, false).map_err(Failure::Output)?;
    terms.run(first, monitors, async |watch, monitors| {
        let running = Running { session, address, memories: ProfileState::default(), name: String::new() };
        Ok(watch.follow(running, None, monitors).await?.unwrap_or(Outcome::Normal))
    })
}

/// What is printed, and until when.
struct Terms {
    until: UntilArgs,
    reconnect: Reconnect,
    wanted: EventSelection,
}

impl Terms {
    /// What is said before all else. Who believes whoever answers is told so whatever is asked for; where the metrics are
    /// is said on standard error if the line about it is not wanted, as the system may have chosen the port.
    fn first_lines(&self, monitors: &Monitors, accepts_any_certificate: bool) -> io::Result<Vec<u8>> {
        let mut lines = Vec::new();
        if accepts_any_certificate {
            let fields = serde_json::json!({ "warning": "any_certificate_accepted", "words": ANY_CERTIFICATE });
            self.wanted.form.line(&mut lines, &ndjson::line(clock::now(), "warning", fields))?;
        }
        if let Some(address) = monitors.metrics_address() {
            let url = format!("http://{address}/metrics");
            if self.wanted.wants("metrics") {
                let line = ndjson::line(clock::now(), "metrics", serde_json::json!({ "url": url }));
                self.wanted.form.line(&mut lines, &line)?;
            } else {
                // Who cannot be told goes on without.
                let _ = writeln!(io::stderr(), "d2mtop: metrics are at {url}");
            }
        }
        Ok(lines)
    }

    /// Runs a watch on these terms, which begins with these lines.
    fn run(
        self,
        first: Vec<u8>,
        monitors: Monitors,
        watch: impl AsyncFnOnce(&mut Watch, &Monitors) -> Result<Outcome, Failure>,
    ) -> Result<Outcome, Failure> {
        event_loop().map_err(Failure::Start)?.block_on(async {
            let mut watching = Watch::start(self, first)?;
            let watched = watch(&mut watching, &monitors).await;
            watching.end_monitors(monitors).await?;
            watched
        })
    }
}
