//! What is shown when there is no profile yet: how to begin, each way with its command.

use std::io;
use std::pin::pin;

use crossterm::event::{Event, KeyEventKind};
use futures_util::{FutureExt as _, StreamExt as _};

use crate::os::event_loop::event_loop;
use crate::os::signals;
use crate::output::Failure;
use crate::tui::input::actions::Action;
use crate::tui::input::keymap::InputContext;
use crate::tui::options::DisplayOptions;
use crate::tui::pages::first_run::draw;
use crate::tui::screen::terminal::TerminalGuard;
use crate::tui::screen::terminal_events;
use crate::tui::theme::glyphs::to_ascii;
use crate::tui::theme::{Colour, Glyphs, TERMINAL, Theme};

/// Shows the page until something is chosen.
///
/// # Errors
/// If the terminal fails.
pub fn show(display: &DisplayOptions) -> Result<Action, Failure> {
    let mut terminal = TerminalGuard::take().map_err(Failure::Terminal)?;
    let theme = Theme::new(display.theme.unwrap_or(&TERMINAL), Colour::of_stdout());
    let chosen = event_loop().map_err(Failure::Start)?.block_on(choose(&mut terminal, theme, display));
    terminal.give_back().map_err(Failure::Terminal)?;
    drop(terminal);
    chosen.map_err(Failure::Terminal)
}

async fn choose(terminal: &mut TerminalGuard, theme: Theme, display: &DisplayOptions) -> io::Result<Action> {
    let keys = &display.preferences.keymap;
    let mut inputs = terminal_events::events()?;
    let mut terminated = pin!(signals::terminated());
    // Polled before anything is shown, so that a signal that comes right after finds us listening.
    if terminated.as_mut().now_or_never().is_some() {
        return Ok(Action::Quit);
    }
    loop {
        terminal.draw(|buffer| {
            draw(buffer, theme, keys);
            if display.glyphs() == Glyphs::Ascii {
                to_ascii(buffer);
            }
        })?;
        terminal.present()?;
        let input = tokio::select! {
            biased;
            input = inputs.next() => input.transpose()?,
            () = &mut terminated => None,
        };
        let action = match input {
            None => Some(Action::Quit),
            Some(Event::Resize(..)) => Some(Action::Repaint),
            Some(Event::Key(key)) if key.kind == KeyEventKind::Press => keys.lookup(key, InputContext::FirstRun),
            Some(_) => None,
        };
        match action {
            Some(Action::Repaint) => terminal.forget_what_is_shown(),
            Some(Action::Suspend) => {
                terminal.give_back()?;
                signals::stop_this_process()?;
                terminal.take_again()?;
            }
            Some(chosen @ (Action::Demo | Action::Join | Action::Quit)) => return Ok(chosen),
            _ => {}
        }
    }
}
