//! `--config`: a file with options by their names, read as the command line is.

use std::ffi::OsString;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args as _, Command, CommandFactory as _, FromArgMatches as _};

use crate::cli::{Cli, MediatorArgs};
use crate::control::{ConfigEntry, ConfigFault, config_entries};
use crate::output::Failure;
use crate::text::Clean;

/// What a file does not say.
const NOT_IN_FILES: [&str; 2] = ["config", "help"];

/// The options of the command line, and of the file that it names for all that it does not say itself.
pub(super) fn read(path: &Path, given: &[OsString]) -> Result<MediatorArgs, Failure> {
    let typed = parse_whole(given).map_err(|error| Failure::Usage(words(&error)))?;
    let wrong = |words: &str| Failure::Usage(format!("{}{words}", Clean::new(&path.display().to_string())));
    let text = std::fs::read_to_string(path).map_err(|cause| wrong(&format!(": {cause}")))?;
    let mut all: Vec<OsString> = given.to_vec();
    let at_line = |line: usize, words: &str| wrong(&format!(", line {line}: {}", Clean::new(words)));
    let entries = config_entries(&text, is_flag).map_err(|ConfigFault { line, words }| at_line(line, &words))?;
    for ConfigEntry { line, name, arguments } in entries {
        let at_line = |words: &str| at_line(line, words);
        if NOT_IN_FILES.contains(&name.as_str()) {
            return Err(at_line(&format!("{name} cannot be set in a file")));
        }
        // Each alone first, so that its line is told.
        match command().try_get_matches_from(&arguments) {
            Err(error) if error.kind() != clap::error::ErrorKind::MissingRequiredArgument => {
                return Err(at_line(&self::words(&error)));
            }
            _ => {}
        }
        if !is_typed(&typed, &name) {
            all.extend(arguments);
        }
    }
    let matches = parse_whole(&all).map_err(|error| wrong(&format!(": {}", words(&error))))?;
    MediatorArgs::from_arg_matches(&matches).map_err(|error| wrong(&format!(": {}", words(&error))))
}

/// The arguments of `d2mtop mediator` that are not the program's and the command's names.
pub(super) fn given() -> Vec<OsString> {
    after_command(std::env::args_os().collect())
}

/// What follows the command's name, which is not a value of an option before it.
fn after_command(arguments: Vec<OsString>) -> Vec<OsString> {
    let is_command = |at: &usize| Cli::command().try_get_matches_from(arguments.iter().take(*at)).is_ok();
    let mut names = arguments.iter().enumerate().filter(|(_, argument)| *argument == "mediator").map(|(at, _)| at);
    let after = names.find(is_command).map_or(arguments.len(), |at| at + 1);
    arguments.into_iter().skip(after).collect()
}

fn command() -> Command {
    MediatorArgs::augment_args(Command::new("mediator").no_binary_name(true))
}

/// The command's own options, out of a whole command line.
fn parse_whole(arguments: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let words = ["d2mtop", "mediator"].map(OsString::from);
    let matches = Cli::command().try_get_matches_from(words.iter().chain(arguments))?;
    Ok(matches.subcommand_matches("mediator").cloned().unwrap_or_default())
}

fn is_typed(matches: &ArgMatches, name: &str) -> bool {
    let id = name.replace('-', "_");
    matches.value_source(&id) == Some(ValueSource::CommandLine)
}

/// What is wrong, in one line.
fn words(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.split("\n\nUsage:").next().unwrap_or_default();
    let text = text.split("\n\nFor more information").next().unwrap_or_default();
    text.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_flag(name: &str) -> bool {
    command()
        .get_arguments()
        .any(|argument| argument.get_long() == Some(name) && matches!(argument.get_action(), ArgAction::SetTrue))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, given: &[&str]) -> Result<MediatorArgs, String> {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("mediator.toml");
        std::fs::write(&path, text).unwrap();
        let given: Vec<_> = given.iter().map(OsString::from).collect();
        read(&path, &given).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_file_says_what_the_command_line_does_not() {
        let text = "# ours\nlisten = \"127.0.0.1:8080\"\nmax-slots = 3\nrendezvous = true\nqueue-bytes = \"2MiB\"\n";
        let options = with(text, &["--max-slots", "4"]).unwrap();
        assert_eq!(options.listen, ["127.0.0.1:8080"]);
        assert_eq!((options.max_slots, options.rendezvous), (4, true));
        assert_eq!(options.queue_bytes, bytesize::ByteSize::mib(2));
        assert!(!with("rendezvous = false", &[]).unwrap().rendezvous);
        assert!(with("rendezvous = false", &["--rendezvous"]).unwrap().rendezvous);
    }

    #[test]
    fn the_command_is_found_behind_options_of_the_program() {
        for before in
            ["", "--log-dir mediator", "--log-dir=mediator --log-level debug", "--log-level info --log-dir mediator"]
        {
            let line = format!("d2mtop {before} mediator --listen mediator:1");
            let found = after_command(line.split_whitespace().map(OsString::from).collect());
            assert_eq!(found, ["--listen", "mediator:1"], "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, words) in [
            ("max-slots = 3\nmax-slot = 4\n", "mediator.toml, line 2: unexpected argument '--max-slot' found tip: a"),
            ("\n\nmax-slots = 65", "line 3: invalid value '65' for '--max-slots <N>': 65 is not in 1..=64"),
            ("max-ttl = \"soon\"", "line 1: invalid value 'soon' for '--max-ttl <DURATION>'"),
            ("max-slots = 3\nmax-slots = 3", "line 2: duplicate key"),
            ("max-slots = [3, 4]", "line 1: the argument '--max-slots <N>' cannot be used multiple times"),
            ("max-slots", "line 1: "),
            ("[mediator]\nmax-slots = 3", "line 1: mediator must be a text, a number, true or false"),
            ("rendezvous = \"yes\"", "line 1: rendezvous must be"),
            ("max-slots = true", "line 1: max-slots must be"),
            ("config = \"other\"", "line 1: config cannot be set in a file"),
            ("tls-cert = \"x\"", "the following required arguments were not provided: --tls-key <FILE>"),
            ("\"max\u{1b}[2J\" = 1", "line 1: "),
        ] {
            let told = with(text, &[]).unwrap_err();
            assert!(told.contains(words) && !told.contains('\n') && !told.contains('\u{1b}'), "{text:?}: {told}");
        }
        let missing = read(Path::new("/nowhere/mediator.toml"), &[]).unwrap_err().to_string();
        assert!(missing.contains("/nowhere/mediator.toml: No such file"), "{missing}");
    }
}
