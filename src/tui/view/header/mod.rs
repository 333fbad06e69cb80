//! The header: in words, how it stands, what comes next, and what a person should know wherever they look.

mod alert;
mod facts;
mod status;

use alert::{Alert, alert};
use facts::{Fact, facts};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use status::{State, state};

use crate::tui::context::View;
use crate::tui::draw::text_run::Pen;
use crate::tui::draw::text_width::{cut, width};
use crate::tui::theme::Role;
use crate::tui::theme::glyphs::ATTENTION;
use crate::tui::view::layout::Layout;

pub fn draw(buffer: &mut Buffer, layout: &Layout, view: &View<'_>) {
    let area = layout.header;
    let state = state(view);
    let alert = alert(view);
    let two_lines = area.height > 1;
    let mut pen = Pen::new(buffer, Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area }, view.theme);
    pen.text("d2mtop", Role::Strong);
    // How it stands and what helps comes first; the title gives way.
    let wanted = if two_lines { keys_width(&state, alert.as_ref()) } else { wanted(&state, alert.as_ref()) };
    let most = usize::from(area.width) / if two_lines { 2 } else { 4 };
    let title_room = most.saturating_sub(9).min(pen.room().saturating_sub(wanted + 6));
    if !view.settings.title.is_empty() && title_room > 3 {
        let title = cut(view.settings.title.as_str(), title_room).into_owned();
        pen.text(" · ", Role::Quiet).text(&title, Role::Plain);
    }
    if two_lines {
        // The title's line has room for a fact that is always true; the state gets a line of its own.
        // What helps comes first there, as the state may be long.
        if state.keys.is_empty() && alert.is_none() {
            put_facts(&mut pen, &facts(view, layout));
        } else {
            put_keys(&mut pen, &state, alert.as_ref());
        }
        pen.next_line();
        put_state(&mut pen, &state, alert.as_ref(), 0);
    } else {
        pen.gap(3);
        put_state(&mut pen, &state, alert.as_ref(), keys_width(&state, alert.as_ref()));
        put_keys(&mut pen, &state, alert.as_ref());
        if state.cause.is_none() {
            put_facts(&mut pen, &facts(view, layout));
        }
    }
}

/// The columns that everything about the state takes.
fn wanted(state: &State, alert: Option<&Alert>) -> usize {
    let cause = state.cause.as_ref().map_or(0, |cause| width(cause) + 2);
    let alert_width = alert.map_or(0, |alert| width(&alert.words) + 5);
    width(state.glyph) + 1 + width(&state.words) + cause + alert_width + keys_width(state, alert)
}

fn keys_width(state: &State, alert: Option<&Alert>) -> usize {
    keys(state, alert).map(|(key, what)| width(key) + width(what) + 4).sum()
}

fn keys<'a>(state: &'a State, alert: Option<&'a Alert>) -> impl Iterator<Item = &'a (&'static str, &'static str)> {
    state.keys.iter().chain(alert.and_then(|alert| alert.key.as_ref()))
}

fn put_state(pen: &mut Pen<'_>, state: &State, alert: Option<&Alert>, reserved: usize) {
    pen.text(state.glyph, state.style).gap(1).text(&state.words, state.style);
    if let Some(alert) = alert {
        let room = pen.room().saturating_sub(reserved + 3);
        let words = cut(&format!("{ATTENTION} {}", alert.words), room).into_owned();
        pen.gap(3).text(&words, Role::Attention);
    }
    if let Some(cause) = &state.cause {
        let cause = cut(&format!(": {cause}"), pen.room().saturating_sub(reserved)).into_owned();
        pen.text(&cause, Role::Plain);
    }
}

fn put_keys(pen: &mut Pen<'_>, state: &State, alert: Option<&Alert>) {
    for (key, what) in keys(state, alert) {
        if pen.room() >= width(key) + width(what) + 4 {
            pen.gap(3).text(key, Role::Focus).gap(1).text(what, Role::Plain);
        }
    }
}

/// Facts that do not fit leave, the last first.
fn put_facts(pen: &mut Pen<'_>, facts: &[Fact]) {
    for (fact, style) in facts {
        if pen.room() < width(fact) + 4 {
            break;
        }
        pen.gap(3).text(fact, *style);
    }
}
