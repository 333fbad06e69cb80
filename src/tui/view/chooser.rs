//! The palette: a line to type into, and what fits it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::output::text_width::{Align, width};
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::draw::window::window;
use crate::tui::state::chooser::Chooser;
use crate::tui::state::click::ClickTarget;
use crate::tui::theme::Role;
use crate::tui::theme::glyphs::SELECTED;
use crate::tui::view::prompt::draw_text;

/// The columns of the window, where there is room, and of a name in it.
const WIDTH: u16 = 84;
const NAME: usize = 18;

pub fn draw(chooser: &Chooser, buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>) {
    let choices = chooser.choices();
    // As high as with all of them, so that it stands still while one types.
    let height = area.height.min(20);
    let inner = window(buffer, area, (area.width.min(WIDTH), height), "Do or go to", ctx.theme);
    ctx.mark_window(inner);
    let mut run = TextRun::new(buffer, inner, ctx.theme);
    run.gap(1).text("› ", Role::Accent);
    draw_text(&chooser.input, &mut run);
    run.next_line();
    if choices.len() == 0 {
        run.gap(1).text("nothing is called so", Role::Muted);
        return;
    }
    let rows = usize::from(inner.height).saturating_sub(1).max(1);
    let first = (chooser.chosen + 1).saturating_sub(rows);
    for (index, choice) in choices.enumerate().skip(first).take(rows) {
        let is_chosen = index == chooser.chosen;
        ctx.mark(run.line(), ClickTarget::Choice(index));
        run.text(if is_chosen { SELECTED } else { " " }, Role::Accent).gap(1);
        let key = width(&choice.key);
        let name = NAME.min(run.room().saturating_sub(key + 1));
        run.column(choice.name.as_str(), name, Align::Left, Role::Value).gap(1);
        let words = run.room().saturating_sub(key + 2);
        run.column(choice.words.as_str(), words, Align::Left, Role::Muted).gap(1).text(&choice.key, Role::Accent);
        if is_chosen {
            run.bar(1);
        }
        run.next_line();
    }
}
