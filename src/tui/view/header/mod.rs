//! The header: in words, how it stands, what comes next, and what a person should know wherever they look.

mod alert;
mod facts;
mod status;

use alert::{HeaderAlert, alert};
use facts::{HeaderFact, HeaderItem, facts};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use status::{ConnectionStatus, state};

use crate::output::text_width::{cut, width};
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::input::actions::Action;
use crate::tui::lock_words;
use crate::tui::state::click::ClickTarget;
use crate::tui::theme::Role;
use crate::tui::theme::glyphs::ATTENTION;
use crate::tui::view::layout::Layout;

/// What helps, and what it does then.
type HeaderKey = (Action, &'static str);

/// The same with the key.
type ShownKey = (Action, String, &'static str);

pub fn draw(buffer: &mut Buffer, layout: &Layout, ctx: &FrameContext<'_>) {
    let area = layout.header;
    let state = state(ctx);
    let alert = alert(ctx);
    let lock = lock_words::ours(ctx);
    let two_lines = area.height > 1;
    let mut run = TextRun::new(buffer, Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area }, ctx.theme);
    run.text("d2mtop", Role::Heading);
    // How it stands and what helps comes first; the title gives way.
    let keys = keys(ctx, &state, alert.as_ref());
    let wanted = keys_width(&keys) + if two_lines { 0 } else { wanted(&state, lock.as_ref(), alert.as_ref()) };
    let most = usize::from(area.width) / if two_lines { 2 } else { 4 };
    let title_room = most.saturating_sub(9).min(run.room().saturating_sub(wanted + 6));
    if !ctx.settings.title.is_empty() && title_room > 3 {
        let title = cut(ctx.settings.title.as_str(), title_room).into_owned();
        run.text(" · ", Role::Muted).text(&title, Role::Text);
        // Whole or not at all: a part of it may be another's.
        let left = title_room.saturating_sub(width(&title));
        if let Some(identity) = ctx.settings.identity.as_ref().filter(|identity| width(identity.as_str()) + 3 <= left) {
            run.text(" · ", Role::Muted).text(identity.as_str(), Role::Text);
        }
    }
    if two_lines {
        // The title's line has room for a fact that is always true; the state gets a line of its own.
        // What helps comes first there, as the state may be long.
        if state.key.is_none() && alert.is_none() {
            put_facts(&mut run, &facts(ctx, layout));
        } else {
            put_keys(&mut run, &keys, ctx);
        }
        run.next_line();
        put_state(&mut run, &state, lock.as_ref(), alert.as_ref(), 0);
    } else {
        run.gap(3);
        put_state(&mut run, &state, lock.as_ref(), alert.as_ref(), keys_width(&keys));
        put_keys(&mut run, &keys, ctx);
        if state.cause.is_none() {
            put_facts(&mut run, &facts(ctx, layout));
        }
    }
}

/// The columns that everything about the state takes, but for the keys.
fn wanted(state: &ConnectionStatus, lock: Option<&HeaderItem>, alert: Option<&HeaderAlert>) -> usize {
    let cause = state.cause.as_ref().map_or(0, |cause| width(cause) + 2);
    let alert_width = alert.map_or(0, |alert| width(&alert.words) + 5);
    let lock_width = lock.map_or(0, |(words, _)| width(words) + 3);
    width(state.glyph) + 1 + width(&state.words) + lock_width + cause + alert_width
}

/// The keys that help, as they are shown.
fn keys(ctx: &FrameContext<'_>, state: &ConnectionStatus, alert: Option<&HeaderAlert>) -> Vec<ShownKey> {
    let both = state.key.into_iter().chain(alert.and_then(|alert| alert.key));
    both.map(|(action, what)| (action, ctx.settings.preferences.keymap.key(action), what)).collect()
}

fn keys_width(keys: &[ShownKey]) -> usize {
    keys.iter().map(|(_, key, what)| width(key) + width(what) + 4).sum()
}

fn put_state(
    run: &mut TextRun<'_>,
    state: &ConnectionStatus,
    lock: Option<&HeaderItem>,
    alert: Option<&HeaderAlert>,
    reserved: usize,
) {
    run.text(state.glyph, state.style).gap(1).text(&state.words, state.style);
    // What runs out comes before what is wrong for longer.
    if let Some((words, style)) = lock {
        run.gap(3).text(words, *style);
    }
    if let Some(alert) = alert {
        let room = run.room().saturating_sub(reserved + 3);
        let words = cut(&format!("{ATTENTION} {}", alert.words), room).into_owned();
        run.gap(3).text(&words, Role::Notice);
    }
    if let Some(cause) = &state.cause {
        let cause = cut(&format!(": {cause}"), run.room().saturating_sub(reserved)).into_owned();
        run.text(&cause, Role::Text);
    }
}

fn put_keys(run: &mut TextRun<'_>, keys: &[ShownKey], ctx: &FrameContext<'_>) {
    for (action, key, what) in keys {
        let columns = width(key) + 1 + width(what);
        if run.room() >= columns + 3 {
            ctx.mark(run.gap(3).ahead(columns), ClickTarget::Hint(*action));
            run.text(key, Role::Accent).gap(1).text(what, Role::Text);
        }
    }
}

/// Facts that do not fit leave, the last first.
fn put_facts(run: &mut TextRun<'_>, facts: &[HeaderFact]) {
    for (forms, style) in facts {
        let Some(fact) = forms.iter().find(|fact| run.room() >= width(fact) + 4) else { break };
        run.gap(3).text(fact, *style);
    }
}
