//! A recording as lines, and compared with itself: whether the same follows today.

use std::io::{self, Write};

use tokio::sync::mpsc;

use super::{Replay, ReplaySpeed, different};
use crate::output::lines::{EventSelection, Queued, TimedEvent};
use crate::output::{Failure, Outcome};
use crate::protocol::Millis;
use crate::record::{Played, RecordedCommandLine, RecordedInput, SessionPlayer};
use crate::runtime::reconnect::Reconnect;
use crate::runtime::watch::Telling;

/// What is printed of a recording, and how far.
pub struct ReplayTerms<'a> {
    /// Which events are printed, and how, for each session anew; nothing is printed without.
    pub lines: Option<&'a dyn Fn() -> Result<EventSelection, Failure>>,
    pub speed: ReplaySpeed,
    /// Up to which time; all without.
    pub until: Option<Millis>,
    /// Whether what follows is compared with what followed then.
    pub check: bool,
}

/// The lines of one session.
struct SessionLines {
    telling: Telling,
    /// Where what the watch asked of its session goes: what was asked then is in the recording.
    commands: (mpsc::Sender<crate::session::Command>, mpsc::Receiver<crate::session::Command>),
    inputs: u64,
}

impl SessionLines {
    fn new(player: &SessionPlayer, mut wanted: EventSelection) -> Result<Self, Failure> {
        if let Some(known) = player.session().known() {
            wanted.form.knowing(&known.ever());
        }
        wanted.form.naming(&player.names());
        let telling = match &player.start().command {
            RecordedCommandLine::Watch { until_dry, reconnect } => {
                Telling::new(wanted, *until_dry, Reconnect::parse(reconnect)?)
            }
            RecordedCommandLine::Dashboard | RecordedCommandLine::Proxy => Telling::of_others(wanted),
        };
        Ok(Self { telling, commands: mpsc::channel(64), inputs: 0 })
    }

    fn take(&mut self, output: &mut Vec<u8>, played: Played) -> io::Result<()> {
        let (commands, asked) = &mut self.commands;
        for (at, event) in played.told {
            self.telling.take(output, Queued::Item(TimedEvent::new(at, event)), commands)?;
            while asked.try_recv().is_ok() {}
        }
        if played.input == RecordedInput::Rest {
            self.telling.end(output, played.at.wall)?;
        }
        Ok(())
    }
}

/// Plays a recording, prints what is told, and compares it.
///
/// # Errors
/// If the recording cannot be read to its end, standard output fails, or what follows is different from what followed.
pub fn print(mut replay: Replay, terms: &ReplayTerms<'_>, output: &mut impl Write) -> Result<Outcome, Failure> {
    let mut sessions = Vec::new();
    for player in &replay.players {
        let nothing = || {
            EventSelection::new(
                &[],
                crate::output::Form::of_output(
                    true,
                    crate::output::ndjson::NamesInLines::LeftOut,
                    crate::output::times::Zone::Utc,
                ),
            )
        };
        sessions.push(SessionLines::new(player, terms.lines.map_or_else(nothing, |lines| lines())?)?);
    }
    let mut lines = Vec::new();
    let mut at = replay.next_at();
    while let Some(next_at) = replay.next_at().filter(|at| terms.until.is_none_or(|until| *at <= until)) {
        let wait = terms.speed.wait(at.unwrap_or(next_at), next_at);
        if !wait.is_zero() {
            output.flush().map_err(Failure::Output)?;
            std::thread::sleep(wait);
        }
        at = Some(next_at);
        let Some((index, played)) = replay.next(terms.check) else { break };
        let (Some(played), Some(session)) = (played?, sessions.get_mut(index)) else { continue };
        session.inputs += 1;
        if let Some(difference) = &played.difference {
            let file = played.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let words = format!("{file}, byte {}, frame {}: {difference}", played.offset, session.inputs);
            return Err(different(words));
        }
        session.take(&mut lines, played).map_err(Failure::Output)?;
        if terms.lines.is_some() {
            output.write_all(&lines).map_err(Failure::Output)?;
        }
        lines.clear();
    }
    if terms.check && terms.lines.is_none() {
        let frames: u64 = sessions.iter().map(|session| session.inputs).sum();
        let words = if replay.players.iter().all(SessionPlayer::has_key) {
            ""
        } else {
            "; what is sealed was not compared, for want of the key"
        };
        writeln!(output, "{frames} frames played: the same follows as when they were recorded{words}")
            .map_err(Failure::Output)?;
    }
    output.flush().map_err(Failure::Output)?;
    // What comes after the end that was asked for was not read.
    let fault = if replay.next_at().is_none() { replay.fault() } else { None };
    fault.map_or(Ok(Outcome::Normal), |fault| Err(fault.into()))
}
