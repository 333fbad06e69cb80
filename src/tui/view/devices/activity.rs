//! Below the list: how much each device reflected in the last hour.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::activity::MINUTES;
use crate::output::figures;
use crate::output::text_width::Align::{Left, Right};
use crate::protocol::DeviceId;
use crate::tui::context::FrameContext;
use crate::tui::draw::chart::{Bar, Scale, bars, gather};
use crate::tui::draw::text_run::TextRun;
use crate::tui::theme::Role;
use crate::tui::view::hour_axis;

/// The columns before the bars, and those behind them.
const LABEL: u16 = 13;
const TOTAL: u16 = 6;

/// The lines that it takes, with the free one above it.
pub fn lines(devices: usize) -> usize {
    devices + 2
}

/// A line with the times, and one for each device: who, bars, and how many messages that were.
pub fn draw(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, order: &[DeviceId]) {
    let now = ctx.clock.this_minute(ctx.group.activity().newest());
    let inside = Rect { x: area.x + 1 + LABEL, width: area.width.saturating_sub(2 + LABEL + TOTAL), ..area };
    let hours: Vec<_> = order.iter().map(|device| (*device, ctx.group.activity().of(*device, now))).collect();
    let (minutes, _) = gather(&[0; MINUTES], usize::from(inside.width));
    let top = Rect { y: area.y + 1, height: 1, ..area };
    TextRun::new(buffer, top, ctx.theme).gap(1).column("last hour", usize::from(LABEL), Left, Role::Label);
    let shown = u16::try_from(MINUTES.div_ceil(minutes)).unwrap_or(inside.width).min(inside.width);
    let inside = Rect { width: shown, ..inside };
    hour_axis(buffer, Rect { y: top.y, height: 1, ..inside }, ctx, now, &format!("{minutes} min a bar"));
    let sums: Vec<Vec<u64>> = hours.iter().map(|(_, hour)| gather(hour, usize::from(shown)).1).collect();
    let scale = Scale::of(sums.iter().flatten().copied());
    for ((y, (device, hour)), sums) in (top.y + 1..).zip(&hours).zip(&sums) {
        if y >= area.bottom() {
            break;
        }
        let role = ctx.device_role(*device);
        let line = Rect { y, height: 1, ..area };
        TextRun::new(buffer, line, ctx.theme).gap(1).column(
            ctx.label(*device).as_str(),
            usize::from(LABEL) - 1,
            Left,
            role,
        );
        let course: Vec<Bar> = sums.iter().map(|value| Bar { value: *value, band: 0, role }).collect();
        bars(buffer, Rect { y, height: 1, ..inside }, &course, scale, ctx.theme);
        let total = hour.iter().map(|count| u64::from(*count)).sum();
        let place = Rect { x: inside.right(), width: TOTAL, ..line };
        TextRun::new(buffer, place, ctx.theme).column(&figures::count(total), usize::from(TOTAL), Right, Role::Muted);
    }
}
