//! The environment of the program: the terminal, its colours, the keyring, the key.

use std::env;
use std::io::{self, IsTerminal as _};

use super::finding::{Finding, Status};
use crate::profile::{Profile, ProfileError, secrets};

/// The smallest terminal that the dashboard fits into, in columns and rows.
const LEAST: (u16, u16) = (40, 10);

pub(super) fn terminal() -> Finding {
    let finding = |status, words: &str| Finding::new("terminal", status, words);
    let term = env::var("TERM").unwrap_or_default();
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return finding(Status::Warn, "none here: the dashboard needs one; d2mtop watch works without");
    }
    if term.is_empty() || term == "dumb" {
        return finding(
            Status::Warn,
            "TERM is not set or dumb: set it to what the terminal is, such as xterm-256color",
        );
    }
    match crossterm::terminal::size() {
        Ok((width, height)) if width < LEAST.0 || height < LEAST.1 => {
            let (least_width, least_height) = LEAST;
            let words = format!("{width}x{height} is too small: the dashboard needs {least_width}x{least_height}");
            finding(Status::Warn, &words)
        }
        Ok((width, height)) => finding(Status::Ok, &format!("{width}x{height}, TERM={term}")),
        Err(error) => finding(Status::Fail, &format!("its size cannot be told: {error}")),
    }
}

/// Asks what the dashboard asks, and says what decides it.
pub(super) fn colours() -> Finding {
    let set = |name: &str| env::var(name).is_ok_and(|value| !value.is_empty());
    let words = match supports_color::on(supports_color::Stream::Stdout) {
        Some(_) if set("FORCE_COLOR") => "16 colours, because FORCE_COLOR is set",
        Some(_) => "16 colours, as the terminal's owner chose them",
        None if set("NO_COLOR") => "none, because NO_COLOR is set",
        None if !io::stdout().is_terminal() => "none, because standard output is no terminal",
        None => "none, because TERM says that the terminal has none",
    };
    Finding::new("colours", Status::Ok, words)
}

/// A keyring that does not answer is fine where the key was found elsewhere.
pub(super) fn keyring(profile: &Result<Profile, ProfileError>) -> Finding {
    match secrets::try_keyring() {
        Ok(()) => Finding::new("keyring", Status::Ok, "it answers"),
        Err(_) if profile.is_ok() => Finding::skipped("keyring", "none can be reached, and none is needed here"),
        Err(error) => Finding::new("keyring", Status::Warn, &error.to_string()),
    }
}

pub(super) fn key(profile: &Result<Profile, ProfileError>) -> Finding {
    match profile {
        Err(error) => Finding::new("key", Status::Fail, &error.to_string()),
        Ok(profile) => Finding::new("key", Status::Ok, &format!("found in {}", profile.key.place())),
    }
}
