//! One frame: header, panes with their titles and the rules between them, hints, and what lies over it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::{Connection, LockState, NoticeKind, RoleState};
use crate::protocol::DeviceId;
use crate::runtime::ANY_CERTIFICATE;
use crate::tui::context::{Piece, View};
use crate::tui::draw::text_run::Pen;
use crate::tui::draw::text_width::width;
use crate::tui::input::keymap::{self, Action};
use crate::tui::input::pane::Pane;
use crate::tui::state::{Overlay, Room, Ui};
use crate::tui::theme::{ATTENTION, BAD, Glyphs, SELECTED, Theme, WAITING, to_ascii};
use crate::tui::view::layout::{self, Layout};
use crate::tui::view::{devices, feed, header, latency, lock, role};

/// Draws one frame.
pub fn draw(buffer: &mut Buffer, area: Rect, ui: &mut Ui, view: &View<'_>) {
    let area = below_banner(buffer, area, view);
    ui.focus_first(layout::first_focus(area));
    match layout::arrange(area, ui.focus, ui.zoomed, view.group.devices().len()) {
        None => {
            ui.room = Room::TooLittle;
            too_small(buffer, area, view);
        }
        Some(layout) => {
            ui.room = Room::Enough;
            header::draw(buffer, &layout, view);
            let order = ui.order.of(view.group);
            for pane in Pane::ALL {
                if let Some(area) = layout.pane(pane) {
                    draw_pane(buffer, area, pane, ui, view, &order);
                }
            }
            for separator in &layout.separators {
                separate(buffer, *separator);
            }
            match &ui.overlay {
                Overlay::Line(line) => line.prompt.draw(buffer, layout.hints, view),
                _ => hints(buffer, &layout, ui, view),
            }
            overlay(buffer, area, &layout, ui, view);
        }
    }
    if view.settings.glyphs == Glyphs::Ascii {
        to_ascii(buffer);
    }
}

/// What nothing may ever cover, if there is anything; returns what is left.
fn below_banner(buffer: &mut Buffer, area: Rect, view: &View<'_>) -> Rect {
    if !view.settings.accepts_any_certificate {
        return area;
    }
    let (banner, rest) = layout::split_top(area, 1);
    let style = view.theme.banner();
    buffer.set_style(banner, style);
    Pen::new(buffer, banner).gap(1).text(BAD, style).gap(1).text(ANY_CERTIFICATE, style);
    rest
}

fn draw_pane(buffer: &mut Buffer, area: Rect, pane: Pane, ui: &mut Ui, view: &View<'_>, order: &[DeviceId]) {
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let focused = ui.focus == pane;
    ui.show(pane, body.height);
    let title = match pane {
        Pane::Devices => {
            devices::draw(buffer, body, view, order, ui.selected_of(order));
            devices::title(view, ui.order)
        }
        Pane::Lock => {
            lock::draw(buffer, body, view);
            lock::title(view)
        }
        Pane::Role => {
            role::draw(buffer, body, view);
            role::title(view)
        }
        Pane::Feed => {
            feed::draw(buffer, body, view, &ui.reading, focused);
            feed::title(view, &ui.reading)
        }
        Pane::Latency => {
            latency::draw(buffer, body, view);
            latency::title(view)
        }
    };
    if view.stale_since().is_some() {
        buffer.set_style(body, Theme::QUIET);
    }
    rule(buffer, Rect { height: 1, ..area }, pane, focused, &title, view);
}

/// A pane's title in the rule above it. The marker says without colour where the keys go.
fn rule(buffer: &mut Buffer, area: Rect, pane: Pane, focused: bool, pieces: &[Piece], view: &View<'_>) {
    let line = "─".repeat(usize::from(area.width));
    Pen::new(buffer, area).text(&line, Theme::QUIET);
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let mut pen = Pen::new(buffer, inside);
    let style = if focused { view.theme.focus() } else { Theme::PLAIN };
    let name = format!("{}{} {}", if focused { SELECTED } else { " " }, pane.index() + 1, pane.name());
    pen.text(&name, style).text(" ", Theme::PLAIN);
    for (index, piece) in pieces.iter().enumerate() {
        let before = if piece.joined { " " } else { "─ " };
        let wanted = width(before) + piece.least.unwrap_or(usize::MAX).min(width(&piece.text)) + 1;
        // The first piece is the pane's figure: it is cut rather than left out.
        if pen.room() < wanted && index > 0 {
            break;
        }
        let room = pen.room().saturating_sub(width(before) + 1);
        let text = crate::tui::draw::text_width::cut(&piece.text, room).into_owned();
        pen.text(before, Theme::QUIET).text(&text, piece.style).text(" ", Theme::PLAIN);
    }
}

/// A line between panes that stand side by side, joined to the rules that it meets.
fn separate(buffer: &mut Buffer, area: Rect) {
    let is_rule = |buffer: &Buffer, x: Option<u16>, y: u16| {
        x.and_then(|x| buffer.cell((x, y)))
            .is_some_and(|cell| matches!(cell.symbol(), "─" | "┬" | "┴" | "┤" | "├" | "┼"))
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
        Pen::new(buffer, Rect { y, height: 1, ..area }).text(joint, Theme::QUIET);
    }
}

/// What the keys do here; or, until the next key, what just happened.
fn hints(buffer: &mut Buffer, layout: &Layout, ui: &Ui, view: &View<'_>) {
    let mut pen = Pen::new(buffer, layout.hints);
    pen.gap(1);
    let explanation = ui.explanation(view);
    let comes_first = explanation.is_none() || ui.is_after_the_end(view.group);
    if let Some((kind, text)) = ui.notice(view.group).filter(|_| comes_first) {
        let (glyph, style) = match kind {
            NoticeKind::Done => ("✓", view.theme.good()),
            NoticeKind::UnderWay => (WAITING, Theme::PLAIN),
            NoticeKind::Refused | NoticeKind::Lost | NoticeKind::Ignored | NoticeKind::Alarm => {
                (ATTENTION, view.theme.attention())
            }
        };
        pen.text(glyph, style).gap(1);
        let notes = !(ui.focus == Pane::Feed && ui.reading.is_searching());
        let is_open = kind == NoticeKind::Alarm && view.group.devices().alarms() > 0;
        let note = if is_open && notes { "   n noted" } else { "" };
        let text =
            crate::tui::draw::text_width::cut(text.as_str(), pen.room().saturating_sub(width(note))).into_owned();
        pen.text(&text, style).text(note, view.theme.focus());
        return;
    }
    if let Some(text) = explanation {
        pen.text(ATTENTION, view.theme.attention()).gap(1).text(&text, view.theme.attention());
        return;
    }
    let hints: Vec<_> = keymap::hints_of(ui.place(), |action| does_something(action, ui, view)).collect();
    // Help is the last to leave, and before it the way out.
    let (rest, last): (Vec<_>, Vec<_>) = hints.into_iter().partition(|(key, _)| !["?", "q"].contains(key));
    let reserved: usize = last.iter().map(|(key, what)| width(key) + width(what) + 3).sum();
    for (index, (key, what)) in rest.into_iter().chain(last.iter().copied()).enumerate() {
        let gap = if index == 0 { 0 } else { 2 };
        let wanted = gap + width(key) + 1 + width(what);
        if pen.room() < wanted + if last.contains(&(key, what)) { 0 } else { reserved } {
            continue;
        }
        pen.gap(gap).text(key, view.theme.focus()).gap(1).text(what, Theme::QUIET);
    }
}

/// Whether a key does more than to say that it does nothing.
fn does_something(action: Action, ui: &Ui, view: &View<'_>) -> bool {
    match (action, &ui.overlay) {
        (Action::Drop | Action::Lock, _) => !view.settings.read_only,
        (Action::Choose(_), Overlay::Dialog(dialog)) => dialog.is_a_choice(),
        _ => true,
    }
}

fn overlay(buffer: &mut Buffer, area: Rect, layout: &Layout, ui: &mut Ui, view: &View<'_>) {
    let above_hints = Rect { height: area.height.saturating_sub(layout.hints.height), ..area };
    // The header stays in sight: what is being decided may depend on it.
    let below_header = Rect {
        y: above_hints.y + layout.header.height,
        height: above_hints.height.saturating_sub(layout.header.height),
        ..above_hints
    };
    match &mut ui.overlay {
        Overlay::None | Overlay::Line(_) => {}
        Overlay::Page(page) => page.draw(buffer, below_header, view, &ui.reading),
        // A dialog too high for that may cover the header, rather than lose a warning.
        Overlay::Dialog(dialog) if dialog.wanted_height(area.width, view) > usize::from(below_header.height) => {
            dialog.draw(buffer, above_hints, view);
        }
        Overlay::Dialog(dialog) => dialog.draw(buffer, below_header, view),
    }
}

fn too_small(buffer: &mut Buffer, area: Rect, view: &View<'_>) {
    let group = view.group;
    let state = match group.connection() {
        Connection::Idle => "not connected yet",
        Connection::Connecting { .. } => "connecting",
        Connection::Handshaking => "handshake",
        Connection::Draining { .. } => "draining",
        Connection::Live { .. } => "live",
        Connection::Waiting { .. } => "not connected",
    };
    let slots = group.login().map_or(0, |login| login.max_device_slots);
    let lock = match group.lock().state() {
        LockState::Free => "free",
        LockState::Ours { .. } => "lock ours",
        LockState::Requested { .. } | LockState::Held { .. } => "locked",
    };
    let role = match group.role().state() {
        RoleState::Unknown => "role unknown",
        RoleState::Leader { .. } => "leader",
        RoleState::Follower { .. } => "follower",
        RoleState::GivenUp { .. } => "gave up leading",
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
    let mut pen = Pen::new(buffer, area);
    for line in crate::tui::draw::text_width::wrap(&text, usize::from(area.width)) {
        pen.text(&line, Theme::PLAIN).next_line();
    }
}
