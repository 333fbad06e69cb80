//! Words that may be a profile's name or a command: names that profiles had before, and commands that were misspelt.

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue};

use crate::cli::Cli;
use crate::output::Failure;
use crate::output::words::remark;
use crate::profile::{ProfileError, ProfileStore, ProfileStoreError};

/// Commands that came after profiles, or are still to come: a profile of such a name may exist already.
pub(super) const AFTER_PROFILES: [&str; 6] = ["manual", "join", "admit", "config", "replay", "redact"];

/// Says how to open the profile of this name where the word alone runs the command.
///
/// Profiles that cannot be read are no matter here: the command does not need them.
pub fn remind_of_namesake(word: &str) {
    let is_command = AFTER_PROFILES.contains(&word) && Cli::command().find_subcommand(word).is_some();
    if !is_command {
        return;
    }
    let book = ProfileStore::of_user().and_then(|store| store.read());
    if book.is_ok_and(|book| book.find(word).is_ok()) {
        remark(&format!("{word} runs a command; your profile of that name opens with: d2mtop -p {word}"));
    }
}

/// Adds to the words about a profile that does not exist which command it was perhaps meant to be.
#[must_use]
pub fn perhaps_a_command(failure: Failure) -> Failure {
    let Failure::Profile(ProfileError::Store(ProfileStoreError::NoSuchProfile { name, .. })) = &failure else {
        return failure;
    };
    Failure::Usage(match command_like(&name.to_string()) {
        Some(command) => format!("{failure}. Did you mean the command {command}? d2mtop --help lists them all"),
        None => format!("{failure}; d2mtop --help lists the commands"),
    })
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
