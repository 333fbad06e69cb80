//! What is shown when there is no profile yet: how to begin, each way with its command.

use std::io;
use std::pin::pin;

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::{FutureExt as _, StreamExt as _};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cut::wrap;
use super::options::{AttentionOptions, DashboardOptions, DisplayOptions};
use super::pen::Pen;
use super::terminal::TerminalGuard;
use super::theme::{Theme, to_ascii};
use super::{Colour, Glyphs};
use crate::profile::FIRST_STEPS;
use crate::runtime::demo::StageOptions;
use crate::runtime::{Failure, MonitorOptions, Outcome, event_loop, signals};

/// The most columns of a line; longer ones are hard to read.
const WIDEST: u16 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Demo,
    Quit,
    Suspend,
    Redraw,
    Repaint,
}

/// Shows the page, and does what is chosen.
///
/// # Errors
/// If the terminal fails, or the demo does.
pub(super) fn show(display: DisplayOptions) -> Result<Outcome, Failure> {
    let mut terminal = TerminalGuard::take().map_err(Failure::Terminal)?;
    let theme = Theme::new(Colour::of_stdout());
    let ascii = display.glyphs == Glyphs::Ascii;
    let chosen = event_loop().map_err(Failure::Start)?.block_on(choose(&mut terminal, theme, ascii));
    terminal.give_back().map_err(Failure::Terminal)?;
    drop(terminal);
    match chosen.map_err(Failure::Terminal)? {
        Choice::Demo => demo(display),
        _ => Ok(Outcome::Normal),
    }
}

/// As if `d2mtop demo` had been typed.
fn demo(display: DisplayOptions) -> Result<Outcome, Failure> {
    let (attention, monitor) = (AttentionOptions::default(), MonitorOptions::default());
    super::demo(StageOptions::default(), &DashboardOptions { display, attention, monitor })
}

async fn choose(terminal: &mut TerminalGuard, theme: Theme, ascii: bool) -> io::Result<Choice> {
    let mut inputs = EventStream::new();
    let mut terminated = pin!(signals::terminated());
    // Polled before anything is shown, so that a signal that comes right after finds us listening.
    if terminated.as_mut().now_or_never().is_some() {
        return Ok(Choice::Quit);
    }
    loop {
        terminal.draw(|buffer| {
            draw(buffer, theme);
            if ascii {
                to_ascii(buffer);
            }
        })?;
        terminal.present()?;
        let input = tokio::select! {
            biased;
            input = inputs.next() => input.transpose()?,
            () = &mut terminated => None,
        };
        match input.as_ref().map_or(Choice::Quit, choice) {
            Choice::Redraw => {}
            Choice::Repaint => terminal.forget_what_is_shown(),
            Choice::Suspend => {
                terminal.give_back()?;
                signals::stop_this_process()?;
                terminal.take_again()?;
            }
            choice => return Ok(choice),
        }
    }
}

fn choice(input: &Event) -> Choice {
    match input {
        Event::Key(KeyEvent { code: KeyCode::Char(key), modifiers, kind: KeyEventKind::Press, .. }) => {
            match (key, modifiers.contains(KeyModifiers::CONTROL)) {
                ('d', false) => Choice::Demo,
                ('q', false) | ('c', true) => Choice::Quit,
                ('z', true) => Choice::Suspend,
                ('l', true) => Choice::Repaint,
                _ => Choice::Redraw,
            }
        }
        Event::Resize(..) => Choice::Repaint,
        _ => Choice::Redraw,
    }
}

fn draw(buffer: &mut Buffer, theme: Theme) {
    let screen = *buffer.area();
    let width = screen.width.saturating_sub(2).min(WIDEST);
    let area = Rect { x: screen.x + 1.min(screen.width), width, ..screen };
    let mut pen = Pen::new(buffer, area);
    let columns = usize::from(width.saturating_sub(2)).max(1);
    pen.text("d2mtop", theme.focus()).text("  no profile yet", Theme::PLAIN).next_line();
    // Where there is little room, the commands matter more than the air between them.
    let lines: usize = FIRST_STEPS.iter().map(|(what, command)| lines(what, columns) + lines(command, columns)).sum();
    let airy = pen.lines_left() > lines + FIRST_STEPS.len() + 1;
    for (what, command) in FIRST_STEPS {
        if airy {
            pen.next_line();
        }
        for line in wrap(what, columns) {
            pen.text(&line, Theme::PLAIN).next_line();
        }
        for line in wrap(command, columns) {
            pen.gap(2).text(&line, Theme::STRONG).next_line();
        }
    }
    let last = Rect { y: screen.bottom().saturating_sub(1), height: 1, ..area }.intersection(screen);
    let mut pen = Pen::new(buffer, last);
    let spaces = " ".repeat(pen.room());
    pen.text(&spaces, Theme::PLAIN);
    Pen::new(buffer, last)
        .text("d", theme.focus())
        .text(" start the demo   ", Theme::PLAIN)
        .text("q", theme.focus())
        .text(" quit", Theme::PLAIN);
}

fn lines(text: &str, columns: usize) -> usize {
    wrap(text, columns).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(columns: u16, rows: u16) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        draw(&mut buffer, Theme::new(Colour::None));
        let rows = buffer.content.chunks(usize::from(columns).max(1));
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>() + "\n").collect()
    }

    #[test]
    fn every_way_to_begin_has_its_command_on_a_usual_terminal() {
        let page = shown(80, 24);
        let words: Vec<&str> = page.split_whitespace().collect();
        for (_, command) in FIRST_STEPS {
            for word in command.split(' ') {
                assert!(words.contains(&word), "{word} of {command} in\n{page}");
            }
        }
        assert!(page.contains("d start the demo") && page.contains("q quit"), "{page}");
    }

    #[test]
    fn no_terminal_is_too_small_to_quit() {
        for (columns, rows) in [(0, 0), (1, 1), (2, 1), (40, 10), (39, 3), (300, 100)] {
            let page = shown(columns, rows);
            assert!(columns < 39 || page.contains("q quit"), "{columns}x{rows}\n{page}");
        }
    }

    #[test]
    fn keys_do_what_the_page_says() {
        let key = |code, modifiers| Event::Key(KeyEvent::new(code, modifiers));
        for (input, expected) in [
            (key(KeyCode::Char('d'), KeyModifiers::NONE), Choice::Demo),
            (key(KeyCode::Char('q'), KeyModifiers::NONE), Choice::Quit),
            (key(KeyCode::Char('c'), KeyModifiers::CONTROL), Choice::Quit),
            (key(KeyCode::Char('d'), KeyModifiers::CONTROL), Choice::Redraw),
            (key(KeyCode::Enter, KeyModifiers::NONE), Choice::Redraw),
            (Event::Resize(10, 10), Choice::Repaint),
        ] {
            assert_eq!(choice(&input), expected, "{input:?}");
        }
    }
}
