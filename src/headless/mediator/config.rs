//! `--config`: a file with options by their names, read as the command line is.

use std::ffi::OsString;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args as _, Command, CommandFactory as _, FromArgMatches as _};
use toml_edit::{Document, Item, Value};

use crate::cli::{Cli, MediatorArgs};
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
    for (line, name, values) in entries(path, &text)? {
        let at_line = |words: &str| wrong(&format!(", line {line}: {}", Clean::new(words)));
        if NOT_IN_FILES.contains(&name.as_str()) {
            return Err(at_line(&format!("{name} cannot be set in a file")));
        }
        // Each alone first, so that its line is told.
        match command().try_get_matches_from(&values) {
            Err(error) if error.kind() != clap::error::ErrorKind::MissingRequiredArgument => {
                return Err(at_line(&self::words(&error)));
            }
            _ => {}
        }
        if !is_typed(&typed, &name) {
            all.extend(values);
        }
    }
    let matches = parse_whole(&all).map_err(|error| wrong(&format!(": {}", words(&error))))?;
    MediatorArgs::from_arg_matches(&matches).map_err(|error| wrong(&format!(": {}", words(&error))))
}

/// The arguments of `d2mtop mediator` that are not the program's and the command's names.
pub(super) fn given() -> Vec<OsString> {
    std::env::args_os().skip_while(|argument| argument != "mediator").skip(1).collect()
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

/// The entries of a file: the line, the option's name, and the arguments that say the same.
fn entries(path: &Path, text: &str) -> Result<Vec<(usize, String, Vec<OsString>)>, Failure> {
    let wrong = |offset: usize, words: &str| {
        let line = line_of(text, offset);
        let path = Clean::new(&path.display().to_string());
        Failure::Usage(format!("{path}, line {line}: {}", Clean::new(&words.trim().replace('\n', "; "))))
    };
    let document =
        Document::parse(text).map_err(|error| wrong(error.span().map_or(0, |span| span.start), error.message()))?;
    let mut entries = Vec::new();
    for (name, item) in document.as_table() {
        let key = document.as_table().key(name).and_then(toml_edit::Key::span);
        let start = key.or_else(|| item.span()).map_or(0, |span| span.start);
        let arguments = arguments(name, item).ok_or_else(|| {
            wrong(start, &format!("{name} must be a text, a number, true or false, or a list of texts"))
        })?;
        entries.push((line_of(text, start), name.to_owned(), arguments));
    }
    Ok(entries)
}

fn line_of(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or_default().matches('\n').count() + 1
}

fn arguments(name: &str, item: &Item) -> Option<Vec<OsString>> {
    let is_flag = command()
        .get_arguments()
        .any(|argument| argument.get_long() == Some(name) && matches!(argument.get_action(), ArgAction::SetTrue));
    let one = |value: &Value| match value {
        Value::String(text) => Some(format!("--{name}={}", text.value()).into()),
        Value::Integer(number) => Some(format!("--{name}={}", number.value()).into()),
        _ => None,
    };
    match item.as_value()? {
        Value::Boolean(set) if is_flag => Some(set.value().then(|| format!("--{name}").into()).into_iter().collect()),
        Value::Array(values) => values.iter().map(one).collect(),
        _ if is_flag => None,
        value => Some(vec![one(value)?]),
    }
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
