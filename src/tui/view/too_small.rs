//! What is shown where there is no room for panes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::{ConnectionState, RoleState};
use crate::output::text_width::wrap;
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::lock_words;
use crate::tui::theme::Role;
use crate::tui::view::layout;

pub fn draw(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>) {
    let group = ctx.group;
    let state = match group.connection() {
        ConnectionState::Idle => "not connected yet",
        ConnectionState::Connecting { .. } => "connecting",
        ConnectionState::Handshaking => "handshake",
        ConnectionState::Draining { .. } => "draining",
        ConnectionState::Live { .. } => "live",
        ConnectionState::Waiting { .. } => "not connected",
    };
    let slots = group.login().map_or(0, |login| login.max_device_slots);
    let lock = lock_words::short(ctx);
    let role = match group.role().state() {
        RoleState::Unknown => "role unknown",
        RoleState::Leader { .. } => "leader",
        RoleState::Follower { .. } => "follower",
        RoleState::GivenUp { .. } => "left (was made leader)",
    };
    // Lines that are always there are needed in addition.
    let above = area.y.saturating_sub(buffer.area.y);
    let (least_width, least_height) = (layout::LEAST.0, layout::LEAST.1 + above);
    let text = format!(
        "d2mtop needs {least_width}x{least_height}; this is {}x{} · {state} · {}/{slots} devices · {lock} · {role}",
        buffer.area.width,
        buffer.area.height,
        group.devices().len(),
    );
    let mut run = TextRun::new(buffer, area, ctx.theme);
    for line in wrap(&text, usize::from(area.width)) {
        run.text(&line, Role::Text).next_line();
    }
}
