//! Opens the dashboard on a group, real or simulated.

use std::io::{self, IsTerminal as _};

use crossterm::event::EventStream;

use super::{Colour, Dashboard, Glyphs, Settings, Zone, first_run};
use crate::cli::{ConnectionArgs, DemoArgs, DisplayArgs};
use crate::profile::{Profile, ProfileError, StoreError};
use crate::runtime::demo::Stage;
use crate::runtime::{Failure, Held, Memories, Outcome, Prepared, RunningSessions, dashboard, event_loop};
use crate::session::LeaderPolicy;
use crate::text::Clean;

/// Opens the dashboard on the group that the options name.
///
/// # Errors
/// If the options are unusable, there is no terminal, or it fails.
pub fn open(connection: &ConnectionArgs, display: DisplayArgs) -> Result<Outcome, Failure> {
    let profile = match Profile::from_options(connection) {
        Err(ProfileError::FirstRun) if has_terminal() => return first_run::show(display),
        // Perhaps it was meant to be a command.
        Err(ProfileError::Store(error @ StoreError::NoSuchProfile { .. })) => {
            return Err(Failure::Usage(format!("{error}; d2mtop --help lists the commands")));
        }
        profile => profile?,
    };
    show(vec![Prepared::new(profile)?], display)
}

/// Opens the dashboard on a simulated group.
///
/// # Errors
/// If the stage cannot be set, there is no terminal, or it fails.
pub fn demo(options: &DemoArgs) -> Result<Outcome, Failure> {
    require_terminal()?;
    let Stage { session, address, running } = Stage::set(options)?;
    let prepared = Prepared {
        session,
        address,
        title: Clean::literal("demo"),
        accepts_any_certificate: false,
        held: Held::default(),
        memories: Memories::default(),
    };
    let outcome = show(vec![prepared], options.display);
    drop(running);
    outcome
}

fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

fn require_terminal() -> Result<(), Failure> {
    if has_terminal() { Ok(()) } else { Err(Failure::NoTerminal) }
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
    let (sessions, held): (Vec<_>, Vec<_>) =
        tabs.into_iter().map(|tab| ((tab.session, tab.address, tab.memories), tab.held)).unzip();
    let sessions = RunningSessions::start(sessions).map_err(Failure::Start)?;
    event_loop
        .block_on(async { dashboard::run(sessions, &mut screen, EventStream::new()).await })
        .map_err(Failure::Terminal)?;
    drop(held);
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
