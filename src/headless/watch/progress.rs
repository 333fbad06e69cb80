//! How far a watch is, and what ends it.

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::stream::Told;
use crate::group::event::to_acknowledge;
use crate::group::{DisconnectCause, Event, NextStep};
use crate::protocol::CloseCode;
use crate::runtime::{Failure, Outcome, VisitEnd};
use crate::session::Command;

/// What came of a watch: how the program ends, or why there was nothing more to watch.
pub(super) type Ending = Result<Outcome, Failure>;

/// What follows when a connection could not be made, or was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reconnect {
    /// The end.
    #[default]
    Never,
    /// So many tries, until one ends in a login.
    Tries(u32),
    /// Tries without end.
    Always,
}

impl Reconnect {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        match text {
            "never" => Ok(Self::Never),
            "always" => Ok(Self::Always),
            number => number.parse().map(Self::Tries).map_err(|_| {
                Failure::Usage("--reconnect: it is always, never, or how many times to try, such as 5".to_owned())
            }),
        }
    }

    const fn allows(self, tries: u32) -> bool {
        match self {
            Self::Never => false,
            Self::Tries(most) => tries < most,
            Self::Always => true,
        }
    }
}

/// How far the login is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Login {
    /// There is none yet.
    Missing,
    /// There is one; messages may still wait.
    Draining,
    /// All that waited has been sent to us.
    Dry,
}

/// What was reached on the way to the end.
pub(super) struct Progress {
    until_dry: bool,
    reconnect: Reconnect,
    /// How often it was tried again since the last login.
    tries: u32,
    login: Login,
    /// There was a login, on whichever connection.
    has_watched: bool,
    received: usize,
    acknowledged: usize,
    /// The device list came, or will not come any more.
    listed: bool,
    /// Since when the queue is dry and everything acknowledged, if it is.
    pub(super) settled_since: Instant,
    pub(super) leaving: Option<Ending>,
}

impl Progress {
    pub(super) fn new(until_dry: bool, reconnect: Reconnect) -> Self {
        Self {
            until_dry,
            reconnect,
            tries: 0,
            login: Login::Missing,
            has_watched: false,
            received: 0,
            acknowledged: 0,
            listed: false,
            settled_since: Instant::now(),
            leaving: None,
        }
    }

    const fn is_settled(&self) -> bool {
        matches!(self.login, Login::Dry) && self.received == self.acknowledged
    }

    pub(super) const fn awaits_list(&self) -> bool {
        self.until_dry && self.is_settled() && self.leaving.is_none()
    }

    pub(super) fn leave(&mut self, ending: Ending, commands: &mpsc::Sender<Command>) {
        if self.leaving.is_none() {
            self.leaving = Some(ending);
            let _ = commands.try_send(Command::Leave);
        }
    }

    /// Leaves because the time is over.
    pub(super) fn time_over(&mut self, commands: &mpsc::Sender<Command>) {
        let ending = if self.has_watched {
            Ok(Outcome::Normal)
        } else {
            let words = "there was no login in that time, and so nothing to watch".to_owned();
            Err(Failure::Ended { outcome: Outcome::Lost, words })
        };
        self.leave(ending, commands);
    }

    pub(super) fn take(&mut self, told: &Told, commands: &mpsc::Sender<Command>) {
        let settled = self.is_settled();
        match told {
            Told::LeftOut(left_out) => {
                if left_out.logged_in {
                    self.log_in();
                }
                self.received += left_out.durable;
                self.acknowledged += left_out.settled;
            }
            Told::Event(_, Event::Connecting { .. }) => self.login = Login::Missing,
            Told::Event(_, Event::LoggedIn(_)) => self.log_in(),
            Told::Event(_, Event::Devices(_)) => self.listed = true,
            Told::Event(_, Event::QueueDry) => self.login = Login::Dry,
            Told::Event(_, Event::Reflected(messages)) => self.received += to_acknowledge(messages),
            Told::Event(_, Event::Acknowledged { ids, .. }) => self.acknowledged += ids.len(),
            Told::Event(_, Event::Disconnected { cause, next }) => {
                self.listed = true;
                match self.end(cause, *next) {
                    Some(_) if self.tries_again(*next) => self.tries += 1,
                    Some(ending) => self.leave(ending, commands),
                    None => {}
                }
            }
            Told::Event(..) => {}
        }
        if !settled {
            self.settled_since = Instant::now();
        }
        if self.awaits_list() && self.listed {
            self.leave(Ok(Outcome::Normal), commands);
        }
    }

    const fn log_in(&mut self) {
        // What was not acknowledged on an earlier connection comes again.
        (self.login, self.received, self.acknowledged) = (Login::Draining, 0, 0);
        (self.has_watched, self.tries) = (true, 0);
    }

    /// Whether the connection is made again although its end would end the watch.
    const fn tries_again(&self, next: NextStep) -> bool {
        matches!(next, NextStep::RetryAt { .. }) && self.reconnect.allows(self.tries)
    }

    /// How the end of a connection ends the watch, if it does: giving up the leader role, or a visit, does not.
    fn end(&self, cause: &DisconnectCause, next: NextStep) -> Option<Ending> {
        let logged_in = self.login != Login::Missing;
        match cause {
            DisconnectCause::LeaderRole
            | DisconnectCause::VisitOver
            | DisconnectCause::JournalCaughtUp
            | DisconnectCause::ChatClientLeft
            | DisconnectCause::ByUser => None,
            DisconnectCause::LeftGroup => Some(Ok(Outcome::Normal)),
            cause if cause.tries_other_slot_state(next) => None,
            DisconnectCause::ClosedByServer { code: CloseCode::NORMAL | CloseCode::GOING_AWAY, .. }
                if logged_in && !self.until_dry =>
            {
                Some(Ok(Outcome::Normal))
            }
            cause => Some(Err(VisitEnd::Disconnected { cause: cause.clone(), next, logged_in }.into())),
        }
    }
}
