//! What is shown when there is no profile yet: how to begin, each way with its command.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::output::text_width::wrap;
use crate::profile::FIRST_STEPS;
use crate::tui::draw::text_run::TextRun;
use crate::tui::input::keymap::{InputContext, Keymap};
use crate::tui::theme::{Role, Theme};

/// The most columns of a line; longer ones are hard to read.
const WIDEST: u16 = 100;

pub fn draw(buffer: &mut Buffer, theme: Theme, keys: &Keymap) {
    let screen = *buffer.area();
    let width = screen.width.saturating_sub(2).min(WIDEST);
    let area = Rect { x: screen.x + 1.min(screen.width), width, ..screen };
    let mut run = TextRun::new(buffer, area, theme);
    let columns = usize::from(width.saturating_sub(2)).max(1);
    run.text("d2mtop", Role::Accent).text("  no profile yet", Role::Text).next_line();
    // Where there is little room, the commands matter more than the air between them.
    let lines: usize = FIRST_STEPS.iter().map(|(what, command)| lines(what, columns) + lines(command, columns)).sum();
    let airy = run.lines_left() > lines + FIRST_STEPS.len() + 1;
    for (what, command) in FIRST_STEPS {
        if airy {
            run.next_line();
        }
        for line in wrap(what, columns) {
            run.text(&line, Role::Text).next_line();
        }
        for line in wrap(command, columns) {
            run.gap(2).text(&line, Role::Heading).next_line();
        }
    }
    let last = Rect { y: screen.bottom().saturating_sub(1), height: 1, ..area }.intersection(screen);
    let mut run = TextRun::new(buffer, last, theme);
    let spaces = " ".repeat(run.room());
    run.text(&spaces, Role::Text);
    let mut run = TextRun::new(buffer, last, theme);
    for (_, key, what) in keys.hints(InputContext::FirstRun) {
        run.text(key, Role::Accent).gap(1).text(what, Role::Text).gap(3);
    }
}

fn lines(text: &str, columns: usize) -> usize {
    wrap(text, columns).len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Colour, TERMINAL};

    fn shown(columns: u16, rows: u16, keys: &Keymap) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        draw(&mut buffer, Theme::new(&TERMINAL, Colour::None), keys);
        let rows = buffer.content.chunks(usize::from(columns).max(1));
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>() + "\n").collect()
    }

    #[test]
    fn every_way_to_begin_has_its_command_on_a_usual_terminal() {
        let page = shown(80, 24, &Keymap::default());
        let words: Vec<&str> = page.split_whitespace().collect();
        for (_, command) in FIRST_STEPS {
            for word in command.split(' ') {
                assert!(words.contains(&word), "{word} of {command} in\n{page}");
            }
        }
        assert!(page.contains("d start the demo   j join your group") && page.contains("q quit"), "{page}");
    }

    #[test]
    fn no_terminal_is_too_small_to_quit() {
        for (columns, rows) in [(0, 0), (1, 1), (2, 1), (60, 10), (50, 3), (40, 10), (300, 100)] {
            let page = shown(columns, rows, &Keymap::default());
            assert!(columns < 50 || page.contains("q quit"), "{columns}x{rows}\n{page}");
        }
    }
}
