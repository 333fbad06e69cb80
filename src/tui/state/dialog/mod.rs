//! Questions before something is done. A dialog names the object, says the consequence, and defaults to doing nothing; it
//! is the only place that turns an agreement into a [`Confirmed`] command.

mod connection;
mod device;
mod lock;

use std::time::Duration;

use crate::protocol::{DeviceId, SlotState, TransactionScope};
use crate::session::Command;
use crate::session::command::Confirmed;
use crate::tui::context::FrameContext;

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
    pub renewed: Option<DialogSource>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogSource {
    Drop(DeviceId),
    TakeLock,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub label: String,
    /// [`None`] closes the dialog and does nothing.
    pub agreed: Option<DialogCommand>,
}

/// What a person can agree to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogCommand {
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

    pub fn to(label: &str, agreed: DialogCommand) -> Self {
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
    pub fn renew(&mut self, ctx: &FrameContext<'_>) {
        let anew = match self.renewed {
            Some(DialogSource::Drop(device)) => Self::drop(ctx, device),
            Some(DialogSource::TakeLock) => Self::take_lock(ctx),
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
            DialogCommand::Drop(device) => Command::DropDevice(Confirmed::after_asking(device)),
            DialogCommand::Leave => Command::LeaveGroup(Confirmed::after_asking(())),
            DialogCommand::Take(scope) => Command::TakeLock { scope, ttl: Some(LOCK_LIMIT) },
            DialogCommand::Release => Command::ReleaseLock,
            DialogCommand::ConnectAs(state) => Command::Reconnect { expect: Some(state) },
            DialogCommand::Probe => Command::Probe(Confirmed::after_asking(())),
        })
    }
}
