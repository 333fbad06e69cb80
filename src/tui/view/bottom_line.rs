//! The last line: what the keys do here or, until the next key, what just happened.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::{LockState, NoticeKind};
use crate::output::text_width::{cut, width};
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::input::actions::Action;
use crate::tui::input::keymap::InputContext;
use crate::tui::input::pane::Pane;
use crate::tui::state::click::ClickTarget;
use crate::tui::state::{Overlay, Ui};
use crate::tui::theme::Role;
use crate::tui::theme::glyphs::{ATTENTION, WAITING};

/// What the keys do here; or, until the next key, what just happened. Whether that was too long for the line.
pub fn draw(buffer: &mut Buffer, area: Rect, ui: &Ui, ctx: &FrameContext<'_>) -> bool {
    let mut run = TextRun::new(buffer, area, ctx.theme);
    run.gap(1);
    let explanation = ui.explanation(ctx);
    let is_on_panes = matches!(ui.overlay, Overlay::None);
    let more = if is_on_panes { ctx.keyed("   {detail} all of it") } else { String::new() };
    let comes_first = explanation.is_none() || ui.is_after_the_end(ctx.group);
    if let Some((kind, text)) = ui.notice(ctx.group).filter(|_| comes_first) {
        let (glyph, style) = match kind {
            NoticeKind::Done => ("✓", Role::Good),
            NoticeKind::UnderWay => (WAITING, Role::Text),
            NoticeKind::Refused | NoticeKind::Lost | NoticeKind::Ignored | NoticeKind::Alarm => {
                (ATTENTION, Role::Notice)
            }
        };
        run.text(glyph, style).gap(1);
        let notes = !(ui.focus == Pane::Feed && ui.feed_state.is_searching());
        let is_open = kind == NoticeKind::Alarm && ctx.group.devices().alarms() > 0;
        let key = ctx.settings.preferences.keymap.key(Action::Note);
        let note = if is_open && notes { format!("   {key} mark as known") } else { String::new() };
        let release = release_hint(ui, ctx).map_or_else(String::new, |(key, what)| format!("   {key} {what}"));
        let note = if note.is_empty() { release } else { note };
        return put_message(&mut run, &text, style, &note, &more);
    }
    if let Some(text) = explanation {
        run.text(ATTENTION, Role::Notice).gap(1);
        return put_message(&mut run, &text, Role::Notice, "", &more);
    }
    let hints =
        ctx.settings.preferences.keymap.hints(ui.place()).filter(|(action, ..)| does_something(*action, ui, ctx));
    // What ends by itself goes first. Help is the last to leave, and before it the way out.
    let release = release_hint(ui, ctx);
    let is_last = |action: Action| matches!(action, Action::Help | Action::Quit);
    let (rest, last): (Vec<_>, Vec<_>) = hints
        .filter(|(action, ..)| release.is_none() || *action != Action::Lock)
        .partition(|(action, ..)| !is_last(*action));
    let release = release.as_ref().map(|(key, what)| (Action::Lock, key.as_str(), *what));
    let reserved: usize = last.iter().map(|(_, key, what)| width(key) + width(what) + 3).sum();
    for (index, (action, key, what)) in release.into_iter().chain(rest).chain(last).enumerate() {
        let gap = if index == 0 { 0 } else { 2 };
        let wanted = gap + width(key) + 1 + width(what);
        if run.room() < wanted + if is_last(action) { 0 } else { reserved } {
            continue;
        }
        run.gap(gap);
        ctx.mark(run.ahead(wanted - gap), ClickTarget::Hint(action));
        run.text(key, Role::Accent).gap(1).text(what, Role::Muted);
    }
    false
}

/// A message and a note; of a message that does not fit the beginning, and the key that shows the rest.
fn put_message(run: &mut TextRun<'_>, text: &str, style: Role, note: &str, more: &str) -> bool {
    /// The least that is left of a message.
    const LEAST: usize = 20;
    let room = run.room();
    let is_cut = width(text) + width(note) > room;
    let more = if is_cut && width(note) + width(more) + LEAST <= room { more } else { "" };
    let text = cut(text, room.saturating_sub(width(note) + width(more))).into_owned();
    run.text(&text, style).text(note, Role::Accent).text(more, Role::Accent);
    is_cut
}

/// The key that gives a lock of ours back, or ends the waiting for it.
fn release_hint(ui: &Ui, ctx: &FrameContext<'_>) -> Option<(String, &'static str)> {
    let key = ctx.settings.preferences.keymap.key(Action::Lock);
    let is_heard = matches!(ui.place(), InputContext::On(_));
    let what = match ctx.group.lock().state() {
        LockState::Ours { .. } => "release",
        _ => "stop waiting",
    };
    (is_heard && ctx.group.lock().is_ours_or_awaited()).then_some((key, what))
}

/// Whether a key does more than to say that it does nothing.
fn does_something(action: Action, ui: &Ui, ctx: &FrameContext<'_>) -> bool {
    match (action, &ui.overlay) {
        (Action::Drop | Action::Lock, _) => !ctx.settings.read_only,
        (Action::Choose(_), Overlay::Dialog(dialog)) => dialog.is_a_choice(),
        _ => true,
    }
}
