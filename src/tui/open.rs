//! Opens the dashboard on a group, real or simulated.

use std::io::{self, IsTerminal as _};

use crossterm::event::EventStream;

use super::{Colour, Dashboard, Glyphs, Settings, Zone};
use crate::cli::{ConnectionArgs, DemoArgs, DisplayArgs};
use crate::profile::Profile;
use crate::runtime::demo::Stage;
use crate::runtime::{Failure, Outcome, Prepared, RunningSessions, dashboard, event_loop};
use crate::session::LeaderPolicy;
use crate::text::Clean;

/// Opens the dashboard on the group that the options name.
///
/// # Errors
/// If the options are unusable, there is no terminal, or it fails.
pub fn open(connection: &ConnectionArgs, display: DisplayArgs) -> Result<Outcome, Failure> {
    show(vec![Prepared::new(Profile::from_options(connection)?)?], display)
}

/// Opens the dashboard on a simulated group.
///
/// # Errors
/// If the stage cannot be set, there is no terminal, or it fails.
pub fn demo(options: &DemoArgs) -> Result<Outcome, Failure> {
    require_terminal()?;
    let Stage { session, address, running } = Stage::set(options)?;
    let title = Clean::literal("demo");
    let prepared = Prepared { session, address, title, accepts_any_certificate: false, claim: None, memory: None };
    let outcome = show(vec![prepared], options.display);
    drop(running);
    outcome
}

fn require_terminal() -> Result<(), Failure> {
    if io::stdin().is_terminal() && io::stdout().is_terminal() { Ok(()) } else { Err(Failure::NoTerminal) }
}

/// Opens the dashboard on one or more sessions, each with a tab of its own.
///
/// # Errors
/// If there is no terminal, or it fails, or the system gives no thread.
pub fn show(tabs: Vec<Prepared>, display: DisplayArgs) -> Result<Outcome, Failure> {
    require_terminal()?;
    let settings = tabs.iter().map(|prepared| settings(prepared, display)).collect();
    let event_loop = event_loop().map_err(Failure::Start)?;
    let mut screen = Dashboard::start(settings).map_err(Failure::Terminal)?;
    let (sessions, claims): (Vec<_>, Vec<_>) =
        tabs.into_iter().map(|tab| ((tab.session, tab.address, tab.memory), tab.claim)).unzip();
    let sessions = RunningSessions::start(sessions).map_err(Failure::Start)?;
    event_loop
        .block_on(async { dashboard::run(sessions, &mut screen, EventStream::new()).await })
        .map_err(Failure::Terminal)?;
    drop(claims);
    Ok(Outcome::Normal)
}

fn settings(prepared: &Prepared, display: DisplayArgs) -> Settings {
    let config = prepared.session.config();
    Settings {
        title: prepared.title.clone(),
        dialect: config.keys.dialect(),
        read_only: config.read_only,
        stay_leader: config.leader_policy == LeaderPolicy::Stay,
        presence: config.presence,
        bell: display.bell,
        accepts_any_certificate: prepared.accepts_any_certificate,
        glyphs: if display.ascii { Glyphs::Ascii } else { Glyphs::Unicode },
        colour: Colour::of_stdout(),
        zone: if display.utc { Zone::Utc } else { Zone::Local },
    }
}
