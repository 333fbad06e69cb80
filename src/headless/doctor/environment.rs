//! What is around the program: the terminal, its colours, the keyring, the key.

use std::env;
use std::io::{self, IsTerminal as _};

use super::finding::{Finding, Status};
use crate::os::terminal::{self, ColourDepth};
use crate::profile::{Profile, ProfileError, secrets};

/// The least that the dashboard fits into.
const LEAST: (u16, u16) = (40, 10);

pub(super) fn screen() -> Finding {
    let told = |status, words: &str| Finding::new("terminal", status, words);
    let term = env::var("TERM").unwrap_or_default();
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return told(Status::Warn, "none here: the dashboard needs one; d2mtop watch works without");
    }
    if term.is_empty() || term == "dumb" {
        return told(Status::Warn, "TERM is not set or dumb: set it to what the terminal is, such as xterm-256color");
    }
    match crossterm::terminal::size() {
        Ok((width, height)) if width < LEAST.0 || height < LEAST.1 => {
            let (least_width, least_height) = LEAST;
            let words = format!("{width}x{height} is too small: the dashboard needs {least_width}x{least_height}");
            told(Status::Warn, &words)
        }
        Ok((width, height)) => {
            let ascii = terminal::only_ascii();
            let ascii = ascii.map(|why| format!("; drawn in ASCII, as {why}: --ascii never draws all signs"));
            told(Status::Ok, &format!("{width}x{height}, TERM={term}{}", ascii.unwrap_or_default()))
        }
        Err(error) => told(Status::Fail, &format!("its size cannot be told: {error}")),
    }
}

/// The same question that the dashboard asks, and what decides it.
pub(super) fn colours() -> Finding {
    let set = |name: &str| env::var(name).is_ok_and(|value| !value.is_empty());
    let why = if set("FORCE_COLOR") { "because FORCE_COLOR is set" } else { "as TERM and COLORTERM say" };
    let words = match terminal::colours() {
        Some(ColourDepth::Sixteen) => format!("16 colours, {why}"),
        Some(ColourDepth::Indexed) => format!("256 colours, {why}"),
        Some(ColourDepth::True) => format!("all colours, {why}"),
        None if set("FORCE_COLOR") => "none, because FORCE_COLOR says so".to_owned(),
        None if set("NO_COLOR") => "none, because NO_COLOR is set".to_owned(),
        None if !io::stdout().is_terminal() => "none, because standard output is no terminal".to_owned(),
        None => "none, because TERM says that the terminal has none".to_owned(),
    };
    Finding::new("colours", Status::Ok, &words)
}

/// Whether the keyring answers. Where the key was found elsewhere, it may be silent.
pub(super) fn keyring(is_needless: bool) -> Finding {
    match secrets::try_keyring() {
        Ok(()) => Finding::new("keyring", Status::Ok, "it answers"),
        Err(_) if is_needless => Finding::skipped("keyring", "none can be reached, and none is needed here"),
        Err(error) => Finding::new("keyring", Status::Warn, &error.to_string()),
    }
}

/// Where the key is, or why it cannot be had.
pub(super) fn key(profile: &Result<Profile, ProfileError>) -> Finding {
    match profile {
        Err(error) => Finding::new("key", Status::Fail, &error.to_string()),
        Ok(profile) => Finding::new("key", Status::Ok, &format!("found in {}", profile.key.place())),
    }
}
