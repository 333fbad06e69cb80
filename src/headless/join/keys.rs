//! What the user does meanwhile: keys on the terminal, and signals.

use std::cell::RefCell;

use crossterm::event::{Event, EventStream, KeyCode, KeyEventKind, KeyModifiers};
use futures_util::StreamExt as _;

use super::teller::Teller;
use crate::os::signals::ShutdownSignals;
use crate::output::Failure;

/// The keys, and the signals that end us.
pub(super) struct JoinKeys {
    terminal: Option<EventStream>,
    signals: ShutdownSignals,
    signal: Option<i32>,
}

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyAnswer {
    GoOn,
    Leave,
}

enum Did {
    Enter,
    Leave,
    ShowLink,
    Resize,
}

impl JoinKeys {
    #[allow(clippy::unnecessary_wraps, reason = "more than keys may fail one day")]
    pub(super) fn take(has_terminal: bool) -> Result<Self, Failure> {
        Ok(Self { terminal: has_terminal.then(EventStream::new), signals: ShutdownSignals::take(), signal: None })
    }

    /// The signal that wanted us to end.
    pub(super) const fn signal(&self) -> Option<i32> {
        self.signal
    }

    /// Waits for Enter, or for somebody who wants to leave.
    pub(super) async fn answer(&mut self, teller: &RefCell<Teller>) -> KeyAnswer {
        loop {
            match self.next().await {
                Did::Enter => return KeyAnswer::GoOn,
                Did::Leave => return KeyAnswer::Leave,
                Did::Resize | Did::ShowLink => teller.borrow_mut().resized(),
            }
        }
    }

    /// Returns when somebody wants to leave; does meanwhile what keys are for.
    pub(super) async fn leave(&mut self, teller: &RefCell<Teller>) {
        loop {
            match self.next().await {
                Did::Leave => return,
                Did::ShowLink => teller.borrow_mut().toggle_link(),
                Did::Resize => teller.borrow_mut().resized(),
                Did::Enter => {}
            }
        }
    }

    async fn next(&mut self) -> Did {
        loop {
            let event = tokio::select! {
                name = self.signals.next() => {
                    self.signal = Some(name.as_raw());
                    return Did::Leave;
                }
                event = next_event(&mut self.terminal) => event,
            };
            match event {
                // The terminal is gone.
                None => return Did::Leave,
                Some(Event::Resize(..)) => return Did::Resize,
                Some(Event::Key(key)) if key.kind == KeyEventKind::Press => {
                    let control = key.modifiers.contains(KeyModifiers::CONTROL);
                    match key.code {
                        KeyCode::Esc => return Did::Leave,
                        KeyCode::Char('c') if control => return Did::Leave,
                        KeyCode::Char('l') if control => return Did::Resize,
                        KeyCode::Char('l') => return Did::ShowLink,
                        KeyCode::Enter => return Did::Enter,
                        _ => {}
                    }
                }
                Some(_) => {}
            }
        }
    }
}

async fn next_event(terminal: &mut Option<EventStream>) -> Option<Event> {
    match terminal {
        Some(stream) => stream.next().await.and_then(Result::ok),
        None => std::future::pending().await,
    }
}
