//! Opens the dashboard on a group, real or simulated.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use tokio::sync::Notify;

use crate::alerts::AttentionOptions;
use crate::group::Group;
use crate::os::event_loop::event_loop;
use crate::os::terminal;
use crate::output::{Failure, Outcome};
use crate::profile::{ConnectionOptions, ProfileError};
use crate::runtime::{
    MonitorOptions, Monitors, RunningSessions, Screen as _, SessionSetup, dashboard, open_profile, require_different,
};
use crate::simulate::{Stage, StageOptions};
use crate::text::Clean;
use crate::tui::input::actions::Action;
use crate::tui::options::{DashboardOptions, DisplayOptions};
use crate::tui::screen::alarm::Alarm;
use crate::tui::screen::dashboard::Dashboard;
use crate::tui::screen::first_run;
use crate::tui::screen::input::{BackgroundQuestion, inputs};
use crate::tui::screen::tab_opener::TabOpener;
use crate::tui::screen::terminal_events;
use crate::tui::theme::Colour;

/// How many bytes of sealed envelopes are kept, so that all of a message can be looked at.
pub(super) const ENVELOPE_BYTES: usize = 8 * 1024 * 1024;

/// Opens the dashboard on the profiles of these names, each in a tab of its own; without a name on the group that the
/// options say, or the default profile. Where there is no profile yet, `join` may be chosen.
///
/// # Errors
/// If the options are unusable, there is no terminal, or it fails.
pub fn open(
    names: &[String],
    connection: &ConnectionOptions,
    options: &DashboardOptions,
    join: impl FnOnce() -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    if names.is_empty() {
        return match open_profile(None, connection) {
            Err(ProfileError::FirstRun) if has_terminal() => {
                let display = options.display.clone();
                match first_run::show(&display)? {
                    Action::Demo => demo_from_first_run(display),
                    Action::Join => join(),
                    _ => Ok(Outcome::Normal),
                }
            }
            profile => show(vec![SessionSetup::new(profile?, connection.wait)?], connection, options),
        };
    }
    require_different(names, connection)?;
    let tab = |name: &String| SessionSetup::new(open_profile(Some(name), connection)?, connection.wait);
    let tabs = names.iter().map(tab).collect::<Result<_, _>>()?;
    show(tabs, connection, options)
}

/// As if `d2mtop demo` had been typed.
fn demo_from_first_run(display: DisplayOptions) -> Result<Outcome, Failure> {
    let (attention, monitor) = (AttentionOptions::default(), MonitorOptions::default());
    demo(StageOptions::default(), &DashboardOptions { display, attention, monitor, record: None })
}

/// Opens the dashboard on a simulated group.
///
/// # Errors
/// If the stage cannot be set, there is no terminal, or it fails.
pub fn demo(stage: StageOptions, options: &DashboardOptions) -> Result<Outcome, Failure> {
    require_terminal()?;
    let seed = stage.seed;
    let Stage { session, address, running, .. } = Stage::set(stage)?;
    let outcome = show(vec![SessionSetup::of_demo(session, address, seed)], &ConnectionOptions::default(), options);
    drop(running);
    outcome
}

/// Whether the terminal may be asked for its background: not where colours are not wanted, nor in GNU screen, which answers
/// out of turn.
fn can_tell_its_background() -> bool {
    let kind = std::env::var("TERM").unwrap_or_default();
    Colour::of_stdout() != Colour::None && kind != "dumb" && !terminal::is_gnu_screen()
}

fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

pub(super) fn require_terminal() -> Result<(), Failure> {
    if has_terminal() { Ok(()) } else { Err(Failure::NoTerminal) }
}

/// Opens the dashboard on one or more sessions, each with a tab of its own.
fn show(
    tabs: Vec<SessionSetup>,
    connection: &ConnectionOptions,
    options: &DashboardOptions,
) -> Result<Outcome, Failure> {
    require_terminal()?;
    let display = options.display.clone();
    let AttentionOptions { bell, notify, quiet_hours: quiet } = options.attention;
    let redraw = Arc::new(Notify::new());
    let telling = (bell || notify).then(|| Arc::clone(&redraw));
    let monitors = Monitors::start(&options.monitor, telling)?;
    let alarm = Alarm { attention: monitors.attention(), bell, notify, quiet, zone: display.zone };
    let metrics = monitors.metrics_address();
    let mut opener = TabOpener::new(connection, display.clone(), monitors, options.record.clone());
    let parts = tabs.into_iter().map(|tab| opener.tab(tab)).collect::<Result<Vec<_>, _>>()?;
    let (settings, sessions): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let event_loop = event_loop().map_err(Failure::Start)?;
    let mut screen = Dashboard::start(settings, alarm).map_err(Failure::Terminal)?.with_opener(opener);
    let question = BackgroundQuestion::default();
    if can_tell_its_background() {
        screen = screen.with_background(question.clone(), display.theme.is_none());
    }
    if display.mouse && std::env::var_os("TERM").is_none_or(|kind| kind != "dumb") {
        screen = screen.with_mouse();
    }
    if let (Some(address), Some(0)) = (metrics, options.monitor.metrics.map(|asked| asked.address.port())) {
        screen.notify(Clean::new(&format!("metrics: http://{address}/metrics")));
    }
    let feed_rows = display.feed_rows;
    let group = move || Group::with_feed_rows(feed_rows).with_envelopes(ENVELOPE_BYTES);
    let sessions = RunningSessions::start(sessions, group, redraw).map_err(Failure::Start)?;
    event_loop
        .block_on(async { dashboard::run(sessions, &mut screen, inputs(terminal_events::events()?, question)).await })
        .map_err(Failure::Terminal)?;
    if let Some(left) = screen.left().filter(|_| display.remember) {
        left.write();
    }
    Ok(Outcome::Normal)
}
