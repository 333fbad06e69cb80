//! Parses the command line, picks a mode, and turns what went wrong into words and an exit code.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use d2mtop::cli::{
    AsciiArg, AttentionArgs, Cli, CliCommand, ConfigCommand, DisplayArgs, MonitorArgs, RecordArgs, ThemeName,
};
use d2mtop::headless::arguments;
use d2mtop::os::{hardening, logging};
use d2mtop::output::times::Zone;
use d2mtop::output::{Failure, Outcome};
use d2mtop::tui::{DashboardOptions, DisplayOptions, Glyphs, UserConfig};
use d2mtop::{alerts, headless, tui};

fn main() -> ExitCode {
    hardening::deny_core_dumps();
    hardening::create_files_privately();
    let first = std::env::args_os().nth(1).and_then(|word| word.into_string().ok());
    if let Some(word) = first {
        headless::profile::remind_of_namesake(&word);
    }
    let cli = match Cli::try_parse_from(arguments::with_values_joined(std::env::args_os())) {
        Ok(cli) => cli,
        Err(said) => return tell(&said),
    };
    // Held to the end: lines still under way are written when it is dropped.
    let _log = has_log(&cli).then(|| logging::start(&arguments::log(&cli.log)).map_err(|error| remark(&error)));
    match run(&cli) {
        Ok(outcome) => ExitCode::from(outcome.exit_code()),
        Err(failure) => fail(&failure),
    }
}

/// Words for people, before or after the dashboard. Who cannot be told gets the exit code all the same.
fn remark(words: &impl Display) {
    let _ = writeln!(std::io::stderr(), "d2mtop: {words}");
}

fn fail(failure: &Failure) -> ExitCode {
    remark(failure);
    ExitCode::from(failure.exit_code())
}

/// Prints help, the version, or what is wrong with the command line.
fn tell(said: &clap::Error) -> ExitCode {
    let code = u8::try_from(said.exit_code()).unwrap_or(2);
    match said.print() {
        Err(cause) if cause.kind() != ErrorKind::BrokenPipe => fail(&Failure::Output(cause)),
        _ => ExitCode::from(code),
    }
}

/// Whoever only asks how to use it leaves nothing behind.
const fn has_log(cli: &Cli) -> bool {
    !matches!(
        cli.command,
        Some(CliCommand::Completions(_) | CliCommand::Config(_) | CliCommand::Man(_) | CliCommand::Manual(_))
    )
}

/// Who logs in, or brings a device in, first finishes what an earlier join has left over.
const fn finishes_joins(cli: &Cli) -> bool {
    matches!(
        cli.command,
        None | Some(
            CliCommand::Watch(_)
                | CliCommand::Proxy(_)
                | CliCommand::Devices(_)
                | CliCommand::Drop(_)
                | CliCommand::Lock(_)
                | CliCommand::SharedData(_)
                | CliCommand::Probe(_)
                | CliCommand::Join(_)
        )
    )
}

fn run(cli: &Cli) -> Result<Outcome, Failure> {
    if finishes_joins(cli) {
        headless::join::finish_left_over()?;
    }
    match &cli.command {
        Some(CliCommand::Watch(options)) => headless::watch::run(options),
        Some(CliCommand::Proxy(options)) => headless::proxy::run(options),
        Some(CliCommand::Devices(options)) => headless::devices::run(options),
        Some(CliCommand::Drop(options)) => headless::drop::run(options),
        Some(CliCommand::Lock(options)) => {
            headless::lock::run(options, std::env::args_os().next_back().is_some_and(|last| last == "--"))
        }
        Some(CliCommand::SharedData(options)) => headless::shared_data::run(options),
        Some(CliCommand::Probe(options)) => headless::probe::run(options),
        Some(CliCommand::Doctor(options)) => headless::doctor::run(options),
        Some(CliCommand::History(options)) => headless::history::run(options),
        Some(CliCommand::Join(options)) => headless::join::run(options),
        Some(CliCommand::Profile(options)) => headless::profile::run(options),
        Some(CliCommand::Admit(options)) => headless::admit::run(options),
        Some(CliCommand::Mediator(options)) => headless::mediator::run(options),
        Some(CliCommand::Config(which)) => headless::config::run(match which {
            ConfigCommand::Sample => Ok(tui::config_sample()),
            ConfigCommand::Schema => Ok(tui::config_schema()),
            ConfigCommand::Show => user_config().map(|user| user.show()),
        }),
        Some(CliCommand::Completions(options)) => headless::manual::completions(*options),
        Some(CliCommand::Man(options)) => headless::manual::man(options),
        Some(CliCommand::Manual(options)) => headless::manual::manual(*options),
        Some(CliCommand::Replay(options)) => headless::replay::run(options, |replay, speed, until| {
            tui::replay(replay, speed, until, &display(options.display)?)
        }),
        Some(CliCommand::Demo(options)) if options.headless || options.join => headless::demo::run(options),
        Some(CliCommand::Demo(options)) => {
            let dashboard = dashboard(options.display, &options.attention, &options.monitor, &options.record)?;
            tui::demo(arguments::stage(options), &dashboard)
        }
        None => {
            let dashboard = dashboard(cli.display, &cli.attention, &cli.monitor, &cli.record)?;
            let opened = tui::open(&cli.profile_names(), &arguments::connection(&cli.connection)?, &dashboard, join);
            if cli.profiles.is_empty() { opened } else { opened.map_err(headless::profile::perhaps_a_command) }
        }
    }
}

/// What the user has configured.
fn user_config() -> Result<UserConfig, Failure> {
    UserConfig::read().map_err(|error| Failure::Usage(error.to_string()))
}

/// As if `d2mtop join` had been typed, and then `d2mtop`.
fn join() -> Result<Outcome, Failure> {
    let joined = Cli::try_parse_from(["d2mtop", "join"]).map_err(|error| Failure::Usage(error.to_string()))?;
    match run(&joined)? {
        Outcome::Normal => run(&Cli::try_parse_from(["d2mtop"]).map_err(|error| Failure::Usage(error.to_string()))?),
        outcome => Ok(outcome),
    }
}

/// The options of the dashboard.
fn dashboard(
    display: DisplayArgs,
    attention: &AttentionArgs,
    monitor: &MonitorArgs,
    record: &RecordArgs,
) -> Result<DashboardOptions, Failure> {
    let quiet_hours = attention.quiet_hours.as_deref().map(str::parse).transpose();
    let unusable = |error: alerts::QuietHoursError| Failure::Usage(error.to_string());
    Ok(DashboardOptions {
        display: self::display(display)?,
        attention: alerts::AttentionOptions {
            bell: attention.bell,
            notify: attention.notify,
            quiet_hours: quiet_hours.map_err(unusable)?,
        },
        monitor: arguments::monitor(monitor)?,
        record: arguments::recording(record)?,
    })
}

/// How the dashboard is drawn.
fn display(display: DisplayArgs) -> Result<DisplayOptions, Failure> {
    let UserConfig { config, preferences, .. } = user_config()?;
    let theme: Option<&str> = display.theme.map(ThemeName::name);
    let theme = theme.unwrap_or(&config.theme);
    Ok(DisplayOptions {
        glyphs: match display.ascii {
            AsciiArg::Auto => config.ascii.glyphs(),
            AsciiArg::Always => Some(Glyphs::Ascii),
            AsciiArg::Never => Some(Glyphs::Unicode),
        },
        // Who leaves it to the background needs no palette yet.
        theme: (theme != "auto").then(|| tui::Palette::named(theme)).flatten(),
        preferences: Arc::new(preferences),
        remember: config.remember,
        mouse: config.mouse && !display.no_mouse,
        zone: Zone::of_option(display.utc || config.time.zone == "utc"),
        feed_rows: usize::try_from(display.feed_rows.unwrap_or(config.feed_rows)).unwrap_or(usize::MAX),
    })
}
