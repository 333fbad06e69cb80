//! `d2mtop replay`: plays a recording again. Connects nowhere, writes nothing.

use std::io::{self, BufWriter};

use super::arguments::unusable;
use super::watch::selection;
use crate::cli::{RecordKeyArgs, ReplayArgs};
use crate::output::times::Zone;
use crate::output::{Failure, Outcome};
use crate::protocol::Millis;
use crate::replay::{self, KeyChoice, Replay, ReplaySpeed, ReplayTerms};

/// Plays a recording as lines, or checks it; otherwise `show` plays it on the screen.
///
/// # Errors
/// If the options cannot be used, the recording cannot be read, or something else follows than did.
pub fn run(
    options: &ReplayArgs,
    show: impl FnOnce(Replay, ReplaySpeed, Option<Millis>) -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    let is_shown = !options.lines.json && !options.check;
    let zone = Zone::of_option(options.display.utc);
    let lines = || selection(&options.lines, zone);
    // What cannot be used is told without a recording, too.
    lines()?;
    let speed = options
        .speed
        .as_deref()
        .map_or(Ok(if is_shown { ReplaySpeed::Times(1) } else { ReplaySpeed::Max }), str::parse);
    let speed = speed.map_err(|error| unusable("--speed", &error))?;
    let replay = Replay::open(&options.folder, key(&options.key).secret()?.as_ref())?;
    let begins_at = replay.begins_at().unwrap_or_default();
    let until = options.until.as_deref().map(|text| replay::until(text, zone, begins_at)).transpose();
    let until = until.map_err(|error| unusable("--until", &error))?;
    if is_shown {
        return show(replay, speed, until);
    }
    let lines = options.lines.json.then_some(&lines as _);
    let terms = ReplayTerms { lines, speed, until, check: options.check };
    match replay::print(replay, &terms, &mut BufWriter::new(io::stdout().lock())) {
        // Nobody reads any more.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::Normal),
        ended => ended,
    }
}

fn key(options: &RecordKeyArgs) -> KeyChoice {
    let descriptor = options.passphrase.passphrase_fd;
    KeyChoice { file: options.key_file.clone(), profile: options.profile.clone().map(|name| (name, descriptor)) }
}
