//! [`Telling`]: the lines of a watch: of what sessions tell, and of how it ends.

use std::io;

use tokio::sync::mpsc;

use super::progress::Progress;
use crate::group::Event;
use crate::output::lines::{EventSelection, Queued, QueuedEvent, TimedEvent};
use crate::protocol::Millis;
use crate::runtime::reconnect::Reconnect;
use crate::session::Command;

/// Makes the lines of a watch.
pub struct Telling {
    pub wanted: EventSelection,
    pub(super) progress: Progress,
    /// Whether somebody else asked the session, who is to know what was refused.
    is_asked: bool,
}

impl Telling {
    /// Of a watch that ends when the queue is dry, or not, and makes lost connections again as it says.
    #[must_use]
    pub fn new(wanted: EventSelection, until_dry: bool, reconnect: Reconnect) -> Self {
        Self { wanted, progress: Progress::new(until_dry, reconnect), is_asked: false }
    }

    /// Of what somebody else did with a session, such as the dashboard.
    #[must_use]
    pub fn of_others(wanted: EventSelection) -> Self {
        Self { is_asked: true, ..Self::new(wanted, false, Reconnect::always()) }
    }

    /// Adds the lines of what was told, and asks the session for what it leads to.
    ///
    /// # Errors
    /// If the output takes none.
    pub fn take(
        &mut self,
        lines: &mut Vec<u8>,
        mut told: QueuedEvent,
        commands: &mpsc::Sender<Command>,
    ) -> io::Result<()> {
        self.progress.take(&told, commands);
        // Only the watch itself asks for anything otherwise, and the session may have ended before it heard that.
        if !self.is_asked && matches!(&told, Queued::Item(TimedEvent { event: Event::Refused(_), .. })) {
            return Ok(());
        }
        if self.progress.leaving.is_some()
            && let Queued::Item(told) = &mut told
        {
            told.forbid_retry();
        }
        self.wanted.write(lines, &told)
    }

    /// Adds the last word about a session that was over at that time.
    ///
    /// # Errors
    /// If the output takes none.
    pub fn end(&mut self, lines: &mut Vec<u8>, over_at: Millis) -> io::Result<()> {
        match self.progress.last_word() {
            Some(last) => self.wanted.write(lines, &Queued::Item(TimedEvent::new(over_at, last))),
            None => Ok(()),
        }
    }
}
