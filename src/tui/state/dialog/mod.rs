//! Questions before something is done. A dialog names the object, says the consequence, and defaults to doing nothing; it
//! is the only place that turns an agreement into a [`Confirmed`] command.

mod connection;
mod device;
mod export;
mod lock;

use std::time::Duration;

use crate::protocol::{DeviceId, SlotState, TransactionScope};
use crate::session::Command;
use crate::session::Confirmed;
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
    pub answers: Vec<DialogAnswer>,
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
pub struct DialogAnswer {
    pub label: String,
    /// [`None`] closes the dialog and does nothing.
    pub agreed: Option<DialogCommand>,
    /// What would happen, where that is not what the other answers do.
    pub consequence: Option<&'static str>,
}

/// What a person can agree to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogCommand {
    Drop(DeviceId),
    Leave,
    Take(TransactionScope),
    Release,
    LookAtLock,
    ConnectAs(SlotState),
    Probe,
    Export(ExportScope),
}

/// Which rows are written to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportScope {
    /// All that the filter shows.
    All,
    InSight,
}

/// What follows from an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Agreed {
    Session(Command),
    Export(ExportScope),
}

impl DialogAnswer {
    pub fn nothing(label: &str) -> Self {
        Self { label: label.to_owned(), agreed: None, consequence: None }
    }

    /// Whether what it agrees to cannot be undone.
    pub const fn destroys(&self) -> bool {
        matches!(self.agreed, Some(DialogCommand::Drop(_) | DialogCommand::Leave))
    }

    pub fn to(label: &str, agreed: DialogCommand) -> Self {
        Self { label: label.to_owned(), agreed: Some(agreed), consequence: None }
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
            answers: vec![DialogAnswer::nothing("Close")],
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

    /// What the chosen answer would do.
    pub fn consequence(&self) -> &'static str {
        self.answers.get(self.chosen).and_then(|answer| answer.consequence).unwrap_or(self.consequence)
    }

    /// What each answer would do, once.
    pub fn consequences(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.consequence).chain(self.answers.iter().filter_map(|answer| answer.consequence))
    }

    /// Whether there is more than one answer.
    pub const fn is_a_choice(&self) -> bool {
        self.answers.len() > 1
    }

    /// Whether an answer to it destroys something.
    pub fn destroys(&self) -> bool {
        self.answers.iter().any(DialogAnswer::destroys)
    }

    pub fn choose(&mut self, step: isize) {
        let last = self.answers.len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(step).min(last);
    }

    /// Whether the chosen answer does something.
    pub fn acts(&self) -> bool {
        self.answers.get(self.chosen).is_some_and(|answer| answer.agreed.is_some())
    }

    /// Chooses the first answer that does something; without one, there is only one.
    pub fn choose_what_acts(&mut self) {
        self.chosen = self.answers.iter().position(|answer| answer.agreed.is_some()).unwrap_or(self.chosen);
    }

    /// What follows from the chosen answer.
    pub fn answer(&self) -> Option<Agreed> {
        let agreed = self.answers.get(self.chosen)?.agreed?;
        Some(Agreed::Session(match agreed {
            DialogCommand::Export(scope) => return Some(Agreed::Export(scope)),
            DialogCommand::Drop(device) => Command::DropDevice(Confirmed::after_asking(device)),
            DialogCommand::Leave => Command::LeaveGroup(Confirmed::after_asking(())),
            DialogCommand::Take(scope) => Command::TakeLock { scope, ttl: Some(LOCK_LIMIT) },
            DialogCommand::Release => Command::ReleaseLock,
            DialogCommand::LookAtLock => Command::LookAtLock,
            DialogCommand::ConnectAs(state) => Command::Reconnect { expect: Some(state) },
            DialogCommand::Probe => Command::Probe(Confirmed::after_asking(())),
        }))
    }
}
