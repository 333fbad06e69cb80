//! Opens the dashboard on a group, real or simulated.

use std::io::{self, IsTerminal as _};

use crossterm::event::EventStream;

use super::{Colour, Dashboard, Glyphs, Settings, Zone, first_run};
use crate::cli::{ConnectionArgs, DemoArgs, DisplayArgs};
use crate::net::Address;
use crate::profile::{self, Profile, ProfileError, SlotMemory, StoreError};
use crate::runtime::demo::Stage;
use crate::runtime::{Failure, Outcome, RunningSession, dashboard, event_loop};
use crate::session::{LeaderPolicy, Session};
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
    let session = Session::new(profile.session, profile::fresh_random());
    let url = session.url(&profile.base_url, profile.server_group);
    let address = Address::new(&url, profile.trust_roots.as_deref())?;
    let title = match &profile.name {
        Some(name) => Clean::new(name.as_str()),
        None => Clean::new(&address.authority()),
    };
    let outcome = show(session, address, profile.memory, title, display);
    // Held until the session is over.
    drop(profile.hold);
    outcome
}

/// Opens the dashboard on a simulated group.
///
/// # Errors
/// If the stage cannot be set, there is no terminal, or it fails.
pub fn demo(options: &DemoArgs) -> Result<Outcome, Failure> {
    require_terminal()?;
    let Stage { session, address, running } = Stage::set(options)?;
    let outcome = show(session, address, None, Clean::literal("demo"), options.display);
    drop(running);
    outcome
}

fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

fn require_terminal() -> Result<(), Failure> {
    if has_terminal() { Ok(()) } else { Err(Failure::NoTerminal) }
}

fn show(
    session: Session,
    address: Address,
    memory: Option<SlotMemory>,
    title: Clean,
    display: DisplayArgs,
) -> Result<Outcome, Failure> {
    require_terminal()?;
    let config = session.config();
    let settings = Settings {
        title,
        dialect: config.keys.dialect(),
        read_only: config.read_only,
        stay_leader: config.leader_policy == LeaderPolicy::Stay,
        glyphs: if display.ascii { Glyphs::Ascii } else { Glyphs::Unicode },
        colour: Colour::of_stdout(),
        zone: if display.utc { Zone::Utc } else { Zone::Local },
    };
    let event_loop = event_loop().map_err(Failure::Start)?;
    let mut screen = Dashboard::start(settings).map_err(Failure::Terminal)?;
    let session = RunningSession::start(session, address, memory).map_err(Failure::Start)?;
    event_loop
        .block_on(async { dashboard::run(session, &mut screen, EventStream::new()).await })
        .map_err(Failure::Terminal)?;
    Ok(Outcome::Normal)
}
