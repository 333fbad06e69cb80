//! Parses the command line, picks a mode, and turns what went wrong into words and an exit code.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;
use d2mtop::cli::{Cli, Command};
use d2mtop::os::{hardening, logging};
use d2mtop::output::Failure;
use d2mtop::output::Outcome;
use d2mtop::{headless, profile, tui};

fn main() -> ExitCode {
    hardening::deny_core_dumps();
    hardening::create_files_privately();
    let first = std::env::args_os().nth(1).and_then(|word| word.into_string().ok());
    if let Some(word) = first {
        headless::profile::remind_of_namesake(&word);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(said) => return tell(&said),
    };
    // Held to the end: lines still under way are written when it is dropped.
    let _log = has_log(&cli)
        .then(|| logging::start(log_directory(&cli).as_deref(), &cli.log.log_level).map_err(|error| remark(&error)));
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

/// What the options say, or the state directory; [`None`] without a home.
fn log_directory(cli: &Cli) -> Option<PathBuf> {
    cli.log.log_dir.clone().or_else(profile::state_directory)
}

/// Whoever only asks how to use it leaves nothing behind.
const fn has_log(cli: &Cli) -> bool {
    !matches!(cli.command, Some(Command::Completions(_) | Command::Man(_) | Command::Manual(_)))
}

fn run(cli: &Cli) -> Result<Outcome, Failure> {
    match &cli.command {
        Some(Command::Watch(options)) => headless::watch::run(options),
        Some(Command::Proxy(options)) => headless::proxy::run(options),
        Some(Command::Devices(options)) => headless::devices::run(options),
        Some(Command::Drop(options)) => headless::drop::run(options),
        Some(Command::Lock(options)) => {
            headless::lock::run(options, std::env::args_os().next_back().is_some_and(|last| last == "--"))
        }
        Some(Command::SharedData(options)) => headless::shared_data::run(options),
        Some(Command::Probe(options)) => headless::probe::run(options),
        Some(Command::Doctor(options)) => headless::doctor::run(options),
        Some(Command::History(options)) => headless::history::run(options),
        Some(Command::Profile(options)) => headless::profile::run(options),
        Some(Command::Mediator(options)) => headless::mediator::run(options),
        Some(Command::Completions(options)) => headless::manual::completions(*options),
        Some(Command::Man(options)) => headless::manual::man(options),
        Some(Command::Manual(options)) => headless::manual::manual(*options),
        Some(Command::Demo(options)) if options.headless => headless::demo::run(options),
        Some(Command::Demo(options)) => tui::demo(options),
        None => {
            let options = tui::DashboardOptions { attention: &cli.attention, monitor: &cli.monitor };
            tui::open(&cli.profile_names(), &cli.connection, cli.display, options)
        }
    }
}
