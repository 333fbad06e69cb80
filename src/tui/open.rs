//! Opens the dashboard on a group, real or simulated.

use std::io::{self, IsTerminal as _};

use crossterm::event::EventStream;

use super::{Colour, Dashboard, Glyphs, Settings, Zone};
use crate::cli::{ConnectionArgs, DemoArgs, DisplayArgs};
use crate::net::Address;
use crate::profile::{self, Profile};
use crate::runtime::demo::Stage;
use crate::runtime::{Failure, Outcome, RunningSession, dashboard, event_loop};
use crate::session::{LeaderPolicy, Session};
use crate::text::Clean;

/// Opens the dashboard on the group that the options name.
///
/// # Errors
/// If the options are unusable, there is no terminal, or it fails.
pub fn open(connection: &ConnectionArgs, display: DisplayArgs) -> Result<Outcome, Failure> {
    let profile = Profile::from_options(connection)?;
    let session = Session::new(profile.session, profile::fresh_random());
    let url = session.url(&profile.base_url, profile.server_group);
    let address = Address::new(&url, profile.trust_roots.as_deref())?;
    let title = Clean::new(&address.authority());
    show(session, address, title, display)
}

/// Opens the dashboard on a simulated group.
///
/// # Errors
/// If the stage cannot be set, there is no terminal, or it fails.
pub fn demo(options: &DemoArgs) -> Result<Outcome, Failure> {
    require_terminal()?;
    let Stage { session, address, running } = Stage::set(options)?;
    let outcome = show(session, address, Clean::literal("demo"), options.display);
    drop(running);
    outcome
}

fn require_terminal() -> Result<(), Failure> {
    if io::stdin().is_terminal() && io::stdout().is_terminal() { Ok(()) } else { Err(Failure::NoTerminal) }
}

fn show(session: Session, address: Address, title: Clean, display: DisplayArgs) -> Result<Outcome, Failure> {
    require_terminal()?;
    let config = session.config();
    let settings = Settings {
        title,
        dialect: config.keys.dialect(),
        read_only: config.read_only,
        stay_leader: config.leader_policy == LeaderPolicy::Stay,
        presence: config.presence,
        bell: display.bell,
        glyphs: if display.ascii { Glyphs::Ascii } else { Glyphs::Unicode },
        colour: Colour::of_stdout(),
        zone: if display.utc { Zone::Utc } else { Zone::Local },
    };
    let event_loop = event_loop().map_err(Failure::Start)?;
    let mut screen = Dashboard::start(settings).map_err(Failure::Terminal)?;
    let session = RunningSession::start(session, address).map_err(Failure::Start)?;
    event_loop
        .block_on(async { dashboard::run(session, &mut screen, EventStream::new()).await })
        .map_err(Failure::Terminal)?;
    Ok(Outcome::Normal)
}
