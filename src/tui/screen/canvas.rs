//! The dashboard without a terminal, for who measures it.

use crossterm::event::Event as TerminalEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::Group;
use crate::protocol::Millis;
use crate::runtime::{Reaction, Worked};
use crate::tui::screen::work::work;
use crate::tui::settings::Settings;
use crate::tui::state::Ui;

/// The dashboard without a terminal: it draws one group into memory.
#[derive(Debug)]
pub struct Canvas {
    ui: Ui,
    buffer: Buffer,
}

impl Canvas {
    /// A canvas of so many columns and lines.
    #[must_use]
    pub fn new(settings: Settings, (width, height): (u16, u16)) -> Self {
        Self { ui: Ui::new(settings), buffer: Buffer::empty(Rect::new(0, 0, width, height)) }
    }

    /// Draws one frame.
    pub fn draw(&mut self, group: &Group, now: Millis) -> &Buffer {
        self.buffer.reset();
        let area = self.buffer.area;
        self.ui.draw(&mut self.buffer, area, group, now);
        &self.buffer
    }

    /// Takes one input.
    pub fn handle(&mut self, input: &TerminalEvent, group: &Group, now: Millis) -> Reaction {
        self.ui.handle(input, group, now)
    }

    /// Does a part of what takes longer than a frame, as the dashboard's loop would have it done.
    pub fn work(&mut self, group: &Group) -> Worked {
        work(&mut self.ui, group)
    }
}
