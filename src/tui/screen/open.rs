//! Opens the dashboard on a group, real or simulated.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, Parser as _};
use crossterm::event::EventStream;
use tokio::sync::Notify;

use crate::cli::{AttentionArgs, Cli, Command, ConnectionArgs, DemoArgs, DisplayArgs, MonitorArgs};
use crate::group::Group;
use crate::net::Address;
use crate::os::event_loop::event_loop;
use crate::output::{Failure, Outcome};
use crate::profile::{Profile, ProfileError, StoreError};
use crate::runtime::{
    HeldLocks, Monitors, Observer, ProfileState, RunningSessions, Screen as _, SessionSetup, dashboard,
};
use crate::session::{LeaderPolicy, Session};
use crate::simulate::Stage;
use crate::text::Clean;
use crate::tui::format::Zone;
use crate::tui::screen::alarm::{Alarm, QuietHoursError};
use crate::tui::screen::dashboard::Dashboard;
use crate::tui::screen::first_run;
use crate::tui::settings::{Keeping, Settings};
use crate::tui::theme::{Colour, Glyphs};

/// How many bytes of sealed envelopes are kept, so that all of a message can be looked at.
const ENVELOPE_BYTES: usize = 8 * 1024 * 1024;

/// What runs options the dashboard.
#[derive(Clone, Copy, Debug)]
pub struct DashboardOptions<'a> {
    /// How somebody at the terminal is told.
    pub attention: &'a AttentionArgs,
    /// Metrics and alerts.
    pub monitor: &'a MonitorArgs,
}

/// Opens the dashboard on the profiles of these names, each in a tab of its own; without a name on the group that the
/// options say, or the default profile.
///
/// # Errors
/// If the options are unusable, there is no terminal, or it fails.
pub fn open(
    names: &[String],
    connection: &ConnectionArgs,
    display: DisplayArgs,
    options: DashboardOptions<'_>,
) -> Result<Outcome, Failure> {
    let display = that_the_terminal_can(display);
    if names.is_empty() {
        return match Profile::from_options(None, connection) {
            Err(ProfileError::FirstRun) if has_terminal() => {
                if first_run::show(display)? {
                    demo_from_first_run(display)
                } else {
                    Ok(Outcome::Normal)
                }
            }
            profile => show(vec![SessionSetup::new(profile?)?], display, options),
        };
    }
    require_sense(names, connection)?;
    let tabs = names.iter().map(|name| prepare(name, connection)).collect::<Result<_, _>>()?;
    show(tabs, display, options)
}

fn prepare(name: &str, connection: &ConnectionArgs) -> Result<SessionSetup, Failure> {
    match Profile::from_options(Some(name), connection) {
        // Perhaps it was meant to be a command.
        Err(ProfileError::Store(error @ StoreError::NoSuchProfile { .. })) => {
            Err(Failure::Usage(match command_like(name) {
                Some(command) => {
                    format!("{error}. Did you mean the command {command}? d2mtop --help lists them all")
                }
                None => format!("{error}; d2mtop --help lists the commands"),
            }))
        }
        profile => SessionSetup::new(profile?),
    }
}

/// The command of nearly that name, if there is one.
fn command_like(name: &str) -> Option<String> {
    let cli = Cli::command();
    let alone = clap::Command::new("d2mtop").subcommands(cli.get_subcommands().cloned());
    let error = alone.try_get_matches_from(["d2mtop", name]).err()?;
    match error.get(ContextKind::SuggestedSubcommand)? {
        // The likeliest comes last.
        ContextValue::Strings(commands) => commands.last().cloned(),
        _ => None,
    }
}

/// Several tabs are several profiles, and what makes another connection of a profile is said of one only.
fn require_sense(names: &[String], options: &ConnectionArgs) -> Result<(), Failure> {
    let twice = names.iter().enumerate().find(|(index, name)| names.iter().take(*index).any(|other| other == *name));
    if let Some((_, name)) = twice {
        return Err(Failure::Usage(format!("the profile {} is named twice", Clean::new(name))));
    }
    let of_one = [
        ("--url", options.url.is_some()),
        ("--key-file", options.key_file.is_some()),
        ("--server-group", options.server_group.is_some()),
        ("--dialect", options.dialect.is_some()),
        ("--device-id", options.device_id.is_some()),
        ("--expect", options.expect.is_some()),
    ];
    match of_one.iter().find(|(_, given)| *given && names.len() > 1) {
        Some((option, _)) => Err(Failure::Usage(format!("{option} is for one profile; {} are named", names.len()))),
        None => Ok(()),
    }
}

/// As if `d2mtop demo` had been typed.
fn demo_from_first_run(display: DisplayArgs) -> Result<Outcome, Failure> {
    match Cli::try_parse_from(["d2mtop", "demo"]).map(|cli| cli.command) {
        Ok(Some(Command::Demo(mut options))) => {
            options.display = display;
            demo(&options)
        }
        _ => Err(Failure::Usage("the demo cannot be started; try d2mtop demo".to_owned())),
    }
}

/// Opens the dashboard on a simulated group.
///
/// # Errors
/// If the stage cannot be set, there is no terminal, or it fails.
pub fn demo(arguments: &DemoArgs) -> Result<Outcome, Failure> {
    require_terminal()?;
    let Stage { session, address, running } = Stage::set(arguments)?;
    let prepared = SessionSetup {
        session,
        address,
        profile: None,
        title: Clean::literal("demo"),
        accepts_any_certificate: false,
        held: HeldLocks::default(),
        memories: ProfileState::default(),
    };
    let options = DashboardOptions { attention: &arguments.attention, monitor: &arguments.monitor };
    let outcome = show(vec![prepared], that_the_terminal_can(arguments.display), options);
    drop(running);
    outcome
}

/// A terminal that calls itself dumb has no lines and dots.
fn that_the_terminal_can(display: DisplayArgs) -> DisplayArgs {
    let is_dumb = std::env::var_os("TERM").is_some_and(|kind| kind == "dumb");
    DisplayArgs { ascii: display.ascii || is_dumb, ..display }
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
pub fn show(tabs: Vec<SessionSetup>, display: DisplayArgs, options: DashboardOptions<'_>) -> Result<Outcome, Failure> {
    require_terminal()?;
    let AttentionArgs { bell, notify, quiet_hours } = options.attention;
    let quiet = quiet_hours.as_deref().map(str::parse).transpose();
    let quiet = quiet.map_err(|error: QuietHoursError| Failure::Usage(error.to_string()))?;
    let redraw = Arc::new(Notify::new());
    let telling = (*bell || *notify).then(|| Arc::clone(&redraw));
    let monitors = Monitors::start(options.monitor, telling)?;
    let alarm = Alarm { attention: monitors.attention(), bell: *bell, notify: *notify, quiet, zone: zone(display) };
    let metrics = monitors.metrics_address();
    let settings = tabs.iter().map(|prepared| Settings { metrics, ..settings(prepared, display) }).collect();
    let event_loop = event_loop().map_err(Failure::Start)?;
    let mut screen = Dashboard::start(settings, alarm).map_err(Failure::Terminal)?;
    if let (Some(address), Some(0)) = (metrics, options.monitor.metrics.map(|asked| asked.port())) {
        screen.notify(Clean::new(&format!("metrics: http://{address}/metrics")));
    }
    let (sessions, held): (Vec<_>, Vec<_>) = tabs.into_iter().map(|tab| take_apart(tab, &monitors)).unzip();
    let rows = usize::try_from(display.feed_rows).unwrap_or(usize::MAX);
    let group = || Group::with_feed_rows(rows).with_envelopes(ENVELOPE_BYTES);
    let sessions = RunningSessions::start(sessions, group, redraw).map_err(Failure::Start)?;
    event_loop
        .block_on(async { dashboard::run(sessions, &mut screen, EventStream::new()).await })
        .map_err(Failure::Terminal)?;
    drop(held);
    drop(monitors);
    Ok(Outcome::Normal)
}

/// What a session is started from.
type SessionParts = (Session, Address, ProfileState, Vec<Box<dyn Observer>>);

fn take_apart(tab: SessionSetup, monitors: &Monitors) -> (SessionParts, HeldLocks) {
    let monitor = monitors.observers(tab.profile(), &tab.session.config().keys);
    ((tab.session, tab.address, tab.memories, monitor), tab.held)
}

const fn zone(display: DisplayArgs) -> Zone {
    if display.utc { Zone::Utc } else { Zone::Local }
}

fn settings(prepared: &SessionSetup, display: DisplayArgs) -> Settings {
    let config = prepared.session.config();
    Settings {
        title: prepared.title.clone(),
        dialect: config.keys.dialect(),
        keys: Some(Arc::clone(&config.keys)),
        read_only: config.read_only,
        stay_leader: config.leader_policy == LeaderPolicy::Stay,
        presence: config.presence,
        accepts_any_certificate: prepared.accepts_any_certificate,
        keeping: match (&prepared.memories.journal, &prepared.profile) {
            (Some(_), _) => Keeping::Journal,
            (None, Some(_)) => Keeping::Declined,
            (None, None) => Keeping::Never,
        },
        glyphs: if display.ascii { Glyphs::Ascii } else { Glyphs::Unicode },
        colour: Colour::of_stdout(),
        zone: zone(display),
        metrics: None,
    }
}
