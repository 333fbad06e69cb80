//! Whether a connection that could not be made, or was lost, is made again; and what came of it if not.

use std::fmt;

use super::one_shot::OneShotEnd;
use crate::group::{DisconnectCause, Event, NextStep};
use crate::output::{Failure, Outcome};
use crate::protocol::CloseCode;

/// How the program ends, or why it could not go on.
pub type Ending = Result<Outcome, Failure>;

/// What follows when a connection could not be made, or was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Policy {
    #[default]
    Never,
    /// So many tries, until one ends in a login.
    Tries(u32),
    /// Tries without end.
    Always,
}

/// Decides it for one connection after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reconnect {
    policy: Policy,
    /// How often it was tried again since the last login.
    tries: u32,
    /// There is a login on this connection.
    logged_in: bool,
}

impl fmt::Display for Reconnect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.policy {
            Policy::Never => formatter.write_str("never"),
            Policy::Tries(most) => write!(formatter, "{most}"),
            Policy::Always => formatter.write_str("always"),
        }
    }
}

impl Reconnect {
    /// `always`, `never`, or how many times to try, as `--reconnect` has it.
    ///
    /// # Errors
    /// If it is none of these.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let policy = match text {
            "never" => Policy::Never,
            "always" => Policy::Always,
            number => number.parse().map(Policy::Tries).map_err(|_| {
                Failure::Usage("--reconnect: it is always, never, or how many times to try, such as 5".to_owned())
            })?,
        };
        Ok(Self { policy, ..Self::default() })
    }

    /// Tries without end.
    #[must_use]
    pub const fn always() -> Self {
        Self { policy: Policy::Always, tries: 0, logged_in: false }
    }

    /// There is a login; the tries are counted anew.
    pub const fn logged_in(&mut self) {
        (self.logged_in, self.tries) = (true, 0);
    }

    /// How what happens ends the program, if it does: the end of a connection may. A server that leaves in good order is no
    /// failure, unless something was still to come.
    pub fn take(&mut self, event: &Event, incomplete: bool) -> Option<Ending> {
        match event {
            Event::Connecting { .. } => self.logged_in = false,
            Event::LoggedIn(_) => self.logged_in(),
            Event::Disconnected { cause, next } => return self.end(cause, *next, incomplete),
            _ => {}
        }
        None
    }

    /// Giving up the leader role, or a visit, ends nothing.
    fn end(&mut self, cause: &DisconnectCause, next: NextStep, incomplete: bool) -> Option<Ending> {
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
            cause => Err(OneShotEnd::Disconnected { cause: cause.clone(), next, logged_in }.into()),
        };
        if self.tries_again(next) {
            self.tries += 1;
            return None;
        }
        Some(ending)
    }

    /// Whether the connection is made again although its end would end the program.
    #[must_use]
    pub const fn tries_again(&self, next: NextStep) -> bool {
        let allowed = match self.policy {
            Policy::Never => false,
            Policy::Tries(most) => self.tries < most,
            Policy::Always => true,
        };
        matches!(next, NextStep::RetryAt { .. }) && allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Millis;

    const RETRY: NextStep = NextStep::RetryAt { at: Millis(1), attempt: 2 };

    fn closed(code: u16) -> DisconnectCause {
        DisconnectCause::closed(CloseCode(code))
    }

    /// The exit code that the end of a connection leads to; [`None`] if it goes on.
    fn code(reconnect: &mut Reconnect, cause: &DisconnectCause, next: NextStep, incomplete: bool) -> Option<u8> {
        let ending = reconnect.take(&Event::Disconnected { cause: cause.clone(), next }, incomplete)?;
        Some(ending.map_or_else(|failure| failure.exit_code(), Outcome::exit_code))
    }

    #[test]
    fn the_end_of_a_connection_ends_the_program_by_its_cause() {
        for (logged_in, cause, next, incomplete, expected) in [
            (true, DisconnectCause::LeaderRole, RETRY, false, None),
            (true, DisconnectCause::VisitOver, RETRY, false, None),
            (true, DisconnectCause::ChatClientLeft, RETRY, false, None),
            // The session tries the other slot state by itself.
            (false, closed(4115), RETRY, false, None),
            (false, closed(4115), NextStep::WaitForUser, false, Some(3)),
            (true, closed(4113), NextStep::WaitForUser, false, Some(3)),
            (true, closed(1001), RETRY, false, Some(0)),
            (true, closed(1001), RETRY, true, Some(4)),
            (false, closed(1001), RETRY, false, Some(4)),
            (false, closed(4010), RETRY, false, Some(3)),
            (true, DisconnectCause::NoAnswer, RETRY, false, Some(4)),
            (true, DisconnectCause::LeftGroup, NextStep::End, false, Some(0)),
        ] {
            let mut reconnect = Reconnect::default();
            if logged_in {
                reconnect.logged_in();
            }
            let ended = code(&mut reconnect, &cause, next, incomplete);
            assert_eq!(ended, expected, "{cause:?}, {next:?}, logged in: {logged_in}, incomplete: {incomplete}");
        }
    }

    #[test]
    fn it_is_tried_again_as_often_as_asked_for_since_the_last_login_but_not_where_a_person_must_decide() {
        for (policy, tries) in [("never", 0), ("0", 0), ("2", 2), ("always", 100)] {
            let mut reconnect = Reconnect::parse(policy).unwrap();
            for _ in 0..2 {
                for attempt in 0..tries {
                    assert!(reconnect.take(&Event::Connecting { attempt: 1 }, false).is_none(), "{policy}");
                    let ended = code(&mut reconnect, &DisconnectCause::NoAnswer, RETRY, false);
                    assert_eq!(ended, None, "{policy}, attempt {attempt}");
                }
                reconnect.logged_in();
            }
            assert_eq!(code(&mut reconnect, &closed(4113), NextStep::WaitForUser, false), Some(3), "{policy}");
            let mut ends = (0..=tries).filter_map(|_| code(&mut reconnect, &DisconnectCause::NoAnswer, RETRY, false));
            assert_eq!(ends.next(), (policy != "always").then_some(4), "{policy}");
        }
        assert!(Reconnect::parse("often").is_err() && Reconnect::parse("-1").is_err());
    }
}
