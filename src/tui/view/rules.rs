//! The rules between panes: titles above them, and lines between those that stand side by side.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Borders, Widget as _};

use crate::output::text_width::{cut, width};
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::input::actions::Action;
use crate::tui::input::pane::Pane;
use crate::tui::state::Ui;
use crate::tui::theme::glyphs::SELECTED;
use crate::tui::theme::{Role, Theme};
use crate::tui::view::PaneView;

/// The frame of a pane, or the rule above it, with its title. The marker says without colour where the keys go.
pub fn frame(buffer: &mut Buffer, area: Rect, pane: Pane, ui: &Ui, framed: bool, ctx: &FrameContext<'_>) {
    let is_focused = ui.focus == pane;
    let (lines, line_role) = ctx.theme.pane_lines(is_focused);
    let borders = if framed { Borders::ALL } else { Borders::TOP };
    Block::new().borders(borders).border_set(lines).border_style(ctx.theme.style(line_role)).render(area, buffer);
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), height: 1, ..area };
    let mut run = TextRun::new(buffer, inside, ctx.theme);
    let style = if is_focused { Role::Accent } else { Role::Text };
    let key = ctx.settings.preferences.keymap.key(Action::Focus(pane));
    let name = format!("{}{key} {}", if is_focused { SELECTED } else { " " }, pane.name());
    run.text(&name, style).text(" ", Role::Text);
    let pieces = (PaneView::of(pane).title)(ctx, ui);
    for (index, piece) in pieces.iter().enumerate() {
        let before = if piece.joined { " ".to_owned() } else { format!("{} ", lines.horizontal_top) };
        let wanted = width(&before) + piece.least.unwrap_or(usize::MAX).min(width(&piece.text)) + 1;
        // The first piece is the pane's figure: it is cut rather than left out.
        if run.room() < wanted && index > 0 {
            break;
        }
        let room = run.room().saturating_sub(width(&before) + 1);
        let text = cut(&piece.text, room).into_owned();
        run.text(&before, line_role).text(&text, piece.style).text(" ", Role::Text);
    }
}

/// A line between panes that stand side by side, joined to the rules that it meets.
pub fn separate(buffer: &mut Buffer, area: Rect, theme: Theme) {
    let is_rule = |buffer: &Buffer, x: Option<u16>, y: u16| {
        x.and_then(|x| buffer.cell((x, y)))
            .is_some_and(|cell| matches!(cell.symbol(), "─" | "━" | "┬" | "┴" | "┤" | "├" | "┼"))
    };
    for y in area.top()..=area.bottom() {
        let (up, down) = (y > area.top(), y < area.bottom());
        let left = is_rule(buffer, area.x.checked_sub(1), y);
        let right = is_rule(buffer, area.x.checked_add(1), y);
        let joint = match (left, right, up, down) {
            (true, true, true, true) => "┼",
            (true, true, true, false) => "┴",
            (true, true, false, _) => "┬",
            (true, false, true, true) => "┤",
            (false, true, true, true) => "├",
            (_, _, _, true) => "│",
            // Below the last line, only a rule is joined.
            (_, _, _, false) => continue,
        };
        TextRun::new(buffer, Rect { y, height: 1, ..area }, theme).text(joint, Role::Border);
    }
}
