//! Writing into one rectangle of the frame, and never outside it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::output::text_width::{Align, cut, fit, width};
use crate::text::screen::is_plain;
use crate::tui::theme::{Role, Theme};

/// Writes lines into a rectangle from top to bottom, each from left to right; what does not fit is cut.
pub struct TextRun<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    x: u16,
    y: u16,
    theme: Theme,
}

impl<'a> TextRun<'a> {
    pub fn new(buffer: &'a mut Buffer, area: Rect, theme: Theme) -> Self {
        let area = area.intersection(buffer.area);
        Self { buffer, area, x: area.x, y: area.y, theme }
    }

    /// The columns that are left in this line; 0 below the last line.
    pub fn room(&self) -> usize {
        if self.has_line() { usize::from(self.area.right().saturating_sub(self.x)) } else { 0 }
    }

    /// The whole of this line.
    pub fn line(&self) -> Rect {
        Rect { y: self.y, height: u16::from(self.has_line()), ..self.area }
    }

    /// The next columns of this line, as far as there is room.
    pub fn ahead(&self, columns: usize) -> Rect {
        let width = u16::try_from(columns.min(self.room())).unwrap_or(0);
        Rect { x: self.x, width, ..self.line() }
    }

    /// Whether this line is still inside.
    pub fn has_line(&self) -> bool {
        self.y < self.area.bottom()
    }

    /// The lines from this one on.
    pub fn lines_left(&self) -> usize {
        usize::from(self.area.bottom().saturating_sub(self.y))
    }

    /// The place that is left, from this line on.
    pub const fn rest(&self) -> Rect {
        Rect { y: self.y, height: self.area.bottom().saturating_sub(self.y), ..self.area }
    }

    /// Writes text, cut to the room.
    pub fn text(&mut self, text: &str, role: Role) -> &mut Self {
        let room = self.room();
        if room > 0 {
            let text = cut(text, room);
            let style = self.theme.style(role);
            if is_plain(&text) {
                for character in text.chars() {
                    self.buffer[(self.x, self.y)].set_char(character).set_style(style);
                    self.x += 1;
                }
            } else {
                self.x = self.buffer.set_stringn(self.x, self.y, text, room, style).0;
            }
        }
        self
    }

    /// Writes text into a column.
    pub fn column(&mut self, text: &str, columns: usize, align: Align, role: Role) -> &mut Self {
        self.text(&fit(text, columns.min(self.room()), align), role)
    }

    /// Writes texts of several roles into one column; the last that fits is cut.
    pub fn spans(&mut self, spans: &[(String, Role)], columns: usize) -> &mut Self {
        let columns = columns.min(self.room());
        let mut left = columns;
        let mut rest: usize = spans.iter().map(|(text, _)| width(text)).sum();
        for (text, role) in spans {
            rest = rest.saturating_sub(width(text));
            // What ends just where the room does must not look as if nothing came after it.
            let is_last = width(text) <= left && width(text) + rest.min(1) > left;
            let text =
                if is_last { cut(&format!("{text}…"), left).into_owned() } else { cut(text, left).into_owned() };
            left -= width(&text);
            self.text(&text, *role);
        }
        self.gap(left)
    }

    /// Leaves columns free.
    pub fn gap(&mut self, columns: usize) -> &mut Self {
        let columns = u16::try_from(columns.min(self.room())).unwrap_or(0);
        self.x += columns;
        self
    }

    /// Turns this line and those below it, so many in all, into the selected row.
    pub fn bar(&mut self, lines: usize) -> &mut Self {
        let height = u16::try_from(lines.min(self.lines_left())).unwrap_or(0);
        self.theme.paint_bar(self.buffer, Rect { y: self.y, height, ..self.area });
        self
    }

    /// Goes to the beginning of the next line.
    pub fn next_line(&mut self) -> &mut Self {
        self.x = self.area.x;
        self.y = self.y.saturating_add(1);
        self
    }
}
