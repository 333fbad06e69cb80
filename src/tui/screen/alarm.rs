//! Bell and notifications for what is not to be overlooked, unless it is the time to be quiet.

use std::sync::Arc;

use crate::alerts::{Attention, QuietHours};
use crate::output::times::Zone;
use crate::protocol::Millis;
use crate::tui::screen::terminal::TerminalGuard;

/// How what is not to be overlooked is told.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// What is to be told.
    pub attention: Arc<Attention>,
    /// Whether the bell rings.
    pub bell: bool,
    /// Whether the terminal is asked to notify.
    pub notify: bool,
    /// When neither is done.
    pub quiet: Option<QuietHours>,
    /// Whose time of the day that is.
    pub zone: Zone,
}

impl Alarm {
    /// Tells with the next frame what has come since the last one. What comes while it is quiet is not told later: it is
    /// on the screen.
    pub(in crate::tui) fn sound(&self, terminal: &mut TerminalGuard, now: Millis) {
        let told = self.attention.take();
        if told.is_empty() || self.quiet.is_some_and(|quiet| quiet.cover(now, &self.zone)) {
            return;
        }
        if self.bell {
            terminal.ring();
        }
        if self.notify {
            for words in &told {
                terminal.notify(words);
            }
        }
    }
}
