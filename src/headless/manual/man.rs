//! `d2mtop man` and `d2mtop completions`: made of the command line's own types.

use std::io;

use clap::CommandFactory as _;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::print;
use crate::cli::{Cli, CompletionsArgs, ManArgs};
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::outcome::EXIT_CODES;

/// What d2mtop reads and writes, and what is there.
const FILES: [(&str, &str); 4] = [
    ("$XDG_CONFIG_HOME/d2mtop/profiles.toml", "The profiles; d2mtop profile sample explains each key."),
    ("$XDG_CONFIG_HOME/d2mtop/keys/", "Keys that d2mtop keeps in files."),
    ("$XDG_STATE_HOME/d2mtop/profiles/", "What is known of each profile's slot and devices, and its journal."),
    ("$XDG_STATE_HOME/d2mtop/d2mtop.DATE.log", "The logs of the last seven days, unless --log-dir says otherwise."),
];

/// What of the environment counts.
const ENVIRONMENT: [(&str, &str); 5] = [
    ("HOME, XDG_CONFIG_HOME, XDG_STATE_HOME", "Where the files below are; ~/.config and ~/.local/state by default."),
    ("TERM, COLORTERM, NO_COLOR", "How the dashboard draws; NO_COLOR=1 switches colour off."),
    ("CREDENTIALS_DIRECTORY", "Where systemd puts the credentials of a service."),
    ("NOTIFY_SOCKET, WATCHDOG_USEC", "How systemd is told that a service is ready and alive; set by systemd."),
    ("DBUS_SESSION_BUS_ADDRESS", "The bus of the keyring."),
];

/// Prints the completions of a shell.
///
/// # Errors
/// If standard output fails.
pub fn completions(options: CompletionsArgs) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "d2mtop", &mut script);
    print(&script)
}

/// Prints the manual page of d2mtop, or of one of its commands.
///
/// # Errors
/// If there is no such command, or standard output fails.
pub fn man(options: &ManArgs) -> Result<Outcome, Failure> {
    let mut command = Cli::command();
    command.build();
    let words: Vec<&str> = options.command.iter().flat_map(|words| words.split_whitespace()).collect();
    for word in &words {
        let found = command.find_subcommand(word).cloned();
        command = found.ok_or_else(|| Failure::Usage(format!("no command is called {word:?}; see d2mtop --help")))?;
    }
    let source = concat!("d2mtop ", env!("CARGO_PKG_VERSION"));
    let has_commands = command.has_subcommands();
    let usage = command.render_usage().to_string();
    let manual = Man::new(command).section("1").manual("User Commands").source(source);
    let mut text = Vec::new();
    write_page(&manual, &usage, words.is_empty(), has_commands, &mut text).map_err(Failure::Output)?;
    print(&text)
}

fn write_page(manual: &Man, usage: &str, of_program: bool, has_commands: bool, text: &mut Vec<u8>) -> io::Result<()> {
    manual.render_title(text)?;
    manual.render_name_section(text)?;
    synopsis(usage).to_writer(text)?;
    manual.render_description_section(text)?;
    manual.render_options_section(text)?;
    if has_commands {
        manual.render_subcommands_section(text)?;
    }
    section("EXIT STATUS", &EXIT_CODES).to_writer(text)?;
    if of_program {
        section("ENVIRONMENT", &ENVIRONMENT).to_writer(text)?;
        section("FILES", &FILES).to_writer(text)?;
    }
    Ok(())
}

/// As `--help` has it: a list of all options without their values would help nobody.
fn synopsis(usage: &str) -> Roff {
    let mut section = Roff::default();
    section.control("SH", ["SYNOPSIS"]);
    for line in usage.trim_start_matches("Usage:").lines() {
        section.text([roman(line.trim())]).control("br", []);
    }
    section
}

fn section(title: &str, entries: &[(&str, &str)]) -> Roff {
    let mut section = Roff::default();
    section.control("SH", [title]);
    for (term, meaning) in entries {
        section.control("TP", []);
        section.text([bold(*term)]).text([roman(*meaning)]);
    }
    section
}
