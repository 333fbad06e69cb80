//! Whether a connection that could not be made, or was lost, is made again; and what came of it if not.

use crate::group::{DisconnectCause, NextStep};
use crate::protocol::CloseCode;
use crate::runtime::{Failure, Outcome, VisitEnd};

/// How the program ends, or why it could not go on.
pub(super) type Ending = Result<Outcome, Failure>;

/// What follows when a connection could not be made, or was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Policy {
    /// The end.
    #[default]
    Never,
    /// So many tries, until one ends in a login.
    Tries(u32),
    /// Tries without end.
    Always,
}

/// Decides it for one connection after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reconnect {
    policy: Policy,
    /// How often it was tried again since the last login.
    tries: u32,
    /// There is a login on this connection.
    logged_in: bool,
}

impl Reconnect {
    /// As `--reconnect` has it.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let policy = match text {
            "never" => Policy::Never,
            "always" => Policy::Always,
            number => number.parse().map(Policy::Tries).map_err(|_| {
                Failure::Usage("--reconnect: it is always, never, or how many times to try, such as 5".to_owned())
            })?,
        };
        Ok(Self { policy, ..Self::default() })
    }

    pub(super) const fn connecting(&mut self) {
        self.logged_in = false;
    }

    pub(super) const fn logged_in(&mut self) {
        (self.logged_in, self.tries) = (true, 0);
    }

    /// How the end of a connection ends the program, if it does: giving up the leader role, or a visit, does not. A server
    /// that leaves in good order is no failure, unless something was still to come.
    pub(super) fn end(&mut self, cause: &DisconnectCause, next: NextStep, incomplete: bool) -> Option<Ending> {
        let logged_in = self.logged_in;
        let ending = match cause {
            DisconnectCause::LeaderRole
            | DisconnectCause::VisitOver
            | DisconnectCause::JournalCaughtUp
            | DisconnectCause::ChatClientLeft
            | DisconnectCause::ByUser => return None,
            DisconnectCause::LeftGroup => Ok(Outcome::Normal),
            cause if cause.tries_other_slot_state(next) => return None,
            DisconnectCause::ClosedByServer { code: CloseCode::NORMAL | CloseCode::GOING_AWAY, .. }
                if logged_in && !incomplete =>
            {
                Ok(Outcome::Normal)
            }
            cause => Err(VisitEnd::Disconnected { cause: cause.clone(), next, logged_in }.into()),
        };
        if self.tries_again(next) {
            self.tries += 1;
            return None;
        }
        Some(ending)
    }

    /// Whether the connection is made again although its end would end the program.
    const fn tries_again(&self, next: NextStep) -> bool {
        let allowed = match self.policy {
            Policy::Never => false,
            Policy::Tries(most) => self.tries < most,
            Policy::Always => true,
        };
        matches!(next, NextStep::RetryAt { .. }) && allowed
    }
}
