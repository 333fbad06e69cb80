//! A box over the panes.

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::widgets::{Block, Clear, Widget as _};

use crate::output::text_width::width;
use crate::tui::draw::text_run::TextRun;
use crate::tui::theme::{Role, Theme};

/// Draws an empty box in the middle of the area, and gives its inside.
pub fn window(buffer: &mut Buffer, area: Rect, (width, height): (u16, u16), title: &str, theme: Theme) -> Rect {
    let area = area.intersection(buffer.area);
    let (width, height) = (width.min(area.width), height.min(area.height));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    let outer = Rect { x, y, width, height };
    Clear.render(outer, buffer);
    // A wide character that the box cuts in half would be drawn over its border.
    if let Some(cell) = x.checked_sub(1).filter(|x| *x >= area.x) {
        for y in outer.top()..outer.bottom() {
            clear_wide(buffer, cell, y);
        }
    }
    Block::bordered().border_style(theme.style(Role::Accent)).render(outer, buffer);
    TextRun::new(buffer, Rect { x: x + 1.min(width), width: width.saturating_sub(2), ..outer }, theme)
        .text("─ ", Role::Accent)
        .text(title, Role::Heading)
        .text(" ", Role::Accent);
    outer.inner(Margin::new(1, 1))
}

fn clear_wide(buffer: &mut Buffer, x: u16, y: u16) {
    if let Some(cell) = buffer.cell_mut((x, y)).filter(|cell| width(cell.symbol()) > 1) {
        cell.set_symbol(" ");
    }
}
