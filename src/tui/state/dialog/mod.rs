//! Questions before something is done. A dialog names the object, says the consequence, and defaults to doing nothing; it
//! is the only place that turns an agreement into a [`Confirmed`] command.

mod connection;
mod device;
mod lock;

use std::time::Duration;

use crate::protocol::{DeviceId, SlotState, TransactionScope};
use crate::session::Command;
use crate::session::command::Confirmed;
use crate::tui::context::View;

/// For how long the lock is taken at most; whoever forgets it must not keep the group from changing for ever.
const LOCK_LIMIT: Duration = Duration::from_mins(1);

/// A question, or an explanation that only can be closed.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialog {
    pub title: &'static str,
    /// What it is about.
    pub object: String,
    /// What would happen.
    pub consequence: &'static str,
    /// What is worse than usual this time.
    pub warnings: Vec<String>,
    pub answers: Vec<Answer>,
    pub chosen: usize,
    /// As what it is asked anew whenever the group changes, if what it says follows from the group.
    pub renewed: Option<Renewed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewed {
    Drop(DeviceId),
    TakeLock,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub label: String,
    /// [`None`] closes the dialog and does nothing.
    pub agreed: Option<Agreed>,
}

/// What a person can agree to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreed {
    Drop(DeviceId),
    Leave,
    Take(TransactionScope),
    Release,
    ConnectAs(SlotState),
    Probe,
}

impl Answer {
    pub fn nothing(label: &str) -> Self {
        Self { label: label.to_owned(), agreed: None }
    }

    pub fn to(label: &str, agreed: Agreed) -> Self {
        Self { label: label.to_owned(), agreed: Some(agreed) }
    }
}

impl Dialog {
    /// Why something cannot be done in this session.
    pub fn read_only(what: &'static str) -> Self {
        Self {
            title: "Read-only",
            object: what.to_owned(),
            consequence: "This session was started with --read-only: it looks, and changes nothing. Start d2mtop without \
                          it to do this.",
            warnings: Vec::new(),
            answers: vec![Answer::nothing("Close")],
            chosen: 0,
            renewed: None,
        }
    }

    /// Says what follows from the group as it is now.
    pub fn renew(&mut self, view: &View<'_>) {
        let anew = match self.renewed {
            Some(Renewed::Drop(device)) => Self::drop(view, device),
            Some(Renewed::TakeLock) => Self::take_lock(view),
            None => return,
        };
        *self = Self { chosen: self.chosen, ..anew };
    }

    /// Whether there is more than one answer.
    pub const fn is_a_choice(&self) -> bool {
        self.answers.len() > 1
    }

    pub fn choose(&mut self, step: isize) {
        let last = self.answers.len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(step).min(last);
    }

    /// What follows from the chosen answer.
    pub fn answer(&self) -> Option<Command> {
        let agreed = self.answers.get(self.chosen)?.agreed?;
        Some(match agreed {
            Agreed::Drop(device) => Command::DropDevice(Confirmed::after_asking(device)),
            Agreed::Leave => Command::LeaveGroup(Confirmed::after_asking(())),
            Agreed::Take(scope) => Command::TakeLock { scope, ttl: Some(LOCK_LIMIT) },
            Agreed::Release => Command::ReleaseLock,
            Agreed::ConnectAs(state) => Command::Reconnect { expect: Some(state) },
            Agreed::Probe => Command::Probe(Confirmed::after_asking(())),
        })
    }
}
