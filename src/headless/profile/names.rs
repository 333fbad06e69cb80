//! Names that profiles had before commands had them.

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::output::words::remark;
use crate::profile::Store;

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
    let book = Store::of_user().and_then(|store| store.read());
    if book.is_ok_and(|book| book.find(word).is_ok()) {
        remark(&format!("{word} runs a command; your profile of that name opens with: d2mtop -p {word}"));
    }
}
