//! How long a keyring is waited for: where there is a terminal, as long as a person needs to answer its question.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;

use super::prompt::Silence;
use crate::os::signals::{EndingWatch, Readiness};

/// For services, which nobody answers for.
const OF_A_SERVICE: Duration = Duration::from_secs(3);

/// For a person who finds the window, and the password.
const OF_A_PERSON: Duration = Duration::from_secs(30);

/// A keyring that is open answers sooner, and nobody has to read anything.
const ANSWERS_WITHIN: Duration = Duration::from_millis(500);

/// How often the answer is looked for while keys are waited for.
const LOOK_AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

const ESCAPE: u8 = 0x1b;
const CTRL_C: u8 = 0x03;

#[derive(Debug)]
pub(super) enum PassphrasePatience {
    /// Nobody who could answer.
    Service,
    /// A person, at this terminal.
    Person(File),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// It did not come within so many seconds.
    Late(u64),
    /// The person has given up, or a signal ends the program.
    GivenUp,
    /// Nobody answers any more.
    Ended,
}

impl PassphrasePatience {
    /// That of a person, if one may be asked and is there: at a terminal, with the program in its foreground.
    pub(super) fn new(may_ask: bool) -> Self {
        let is_there = may_ask && io::stdin().is_terminal();
        let terminal = is_there.then(|| OpenOptions::new().read(true).write(true).open("/dev/tty"));
        match terminal {
            Some(Ok(terminal)) if tcgetpgrp(&terminal).is_ok_and(|group| group == getpgrp()) => Self::Person(terminal),
            _ => Self::Service,
        }
    }

    /// Waits for the answer.
    pub(super) fn wait<T>(&self, answer: &Receiver<T>) -> Result<T, NoAnswer> {
        let wait = |within: Duration| {
            answer.recv_timeout(within).map_err(|error| match error {
                RecvTimeoutError::Timeout => NoAnswer::Late(within.as_secs()),
                RecvTimeoutError::Disconnected => NoAnswer::Ended,
            })
        };
        match self {
            Self::Service => wait(OF_A_SERVICE),
            Self::Person(terminal) => match wait(ANSWERS_WITHIN) {
                // A terminal that cannot be read is as good as none.
                Err(NoAnswer::Late(_)) => {
                    with_person(terminal, answer).unwrap_or_else(|_| wait(OF_A_SERVICE.saturating_sub(ANSWERS_WITHIN)))
                }
                answered => answered,
            },
        }
    }
}

fn with_person<T>(mut terminal: &File, answer: &Receiver<T>) -> io::Result<Result<T, NoAnswer>> {
    let until = Instant::now() + OF_A_PERSON;
    let _silent = Silence::start(terminal)?;
    let endings = EndingWatch::start()?;
    terminal.write_all(b"d2mtop: answer the window of your keyring (Esc gives up)\r\n")?;
    loop {
        match answer.try_recv() {
            Ok(answered) => return Ok(Ok(answered)),
            Err(std::sync::mpsc::TryRecvError::Disconnected) => return Ok(Err(NoAnswer::Ended)),
            Err(std::sync::mpsc::TryRecvError::Empty) if Instant::now() >= until => {
                return Ok(Err(NoAnswer::Late(OF_A_PERSON.as_secs())));
            }
            Err(std::sync::mpsc::TryRecvError::Empty) => {}
        }
        match endings.wait_for(&terminal, Some(&LOOK_AGAIN))? {
            Readiness::Input => {}
            Readiness::Signal => return Ok(Err(NoAnswer::GivenUp)),
            Readiness::Nothing => continue,
        }
        let mut pressed = [0; 16];
        let count = terminal.read(&mut pressed)?;
        let pressed = pressed.get(..count).unwrap_or_default();
        // The terminal is gone; or Esc: other keys begin with it, but go on.
        if pressed.is_empty() || pressed.ends_with(&[ESCAPE]) || pressed.contains(&CTRL_C) {
            return Ok(Err(NoAnswer::GivenUp));
        }
    }
}
