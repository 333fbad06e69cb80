//! The time axis of the charts of an hour.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::output::text_width::Align::Right;
use crate::output::text_width::width;
use crate::protocol::Millis;
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::theme::Role;

/// When the hour up to `now` began, what one bar is where there is room to say it, and when it ends.
pub fn hour_axis(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, now: Millis, step: &str) {
    const HOUR: u64 = 60 * 60_000;
    let zone = ctx.clock.zone();
    let [first, last] = [now.0.saturating_sub(HOUR), now.0].map(|at| zone.minute(Millis(at)));
    let mut run = TextRun::new(buffer, area, ctx.theme);
    let between = run.room().saturating_sub(width(&first) + width(&last));
    run.text(&first, Role::Muted);
    if between >= width(step) + 2 {
        run.gap((between - width(step)) / 2).text(step, Role::Muted);
    }
    let rest = run.room();
    run.column(&last, rest, Right, Role::Muted);
}
