//! Who may change things: the group's lock.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::{EndedLock, LockState};
use crate::output::figures;
use crate::output::text_width::{cut, wrap};
use crate::protocol::Millis;
use crate::tui::context::{FrameContext, scope_words};
use crate::tui::draw::text_run::TextRun;
use crate::tui::lock_words::{self, LastLock};
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use crate::tui::view::TitlePart;
use crate::tui::view::lock_timeline;

pub fn title(ctx: &FrameContext<'_>, _: &Ui) -> Vec<TitlePart> {
    let attention = Role::Notice;
    let mut pieces: Vec<TitlePart> = match ctx.group.lock().state() {
        _ if ctx.group.login().is_none() => Some(TitlePart::new("unknown", Role::Muted)),
        LockState::Free => match lock_words::last_told(ctx) {
            LastLock::Unseen => Some(TitlePart::new("no lock seen", Role::Muted)),
            // What ended has its words below; they grow old.
            LastLock::Ended(ended) => {
                ctx.clock.lasting(ended.at).map(|age| TitlePart::new(format!("{age} ago"), Role::Muted))
            }
            LastLock::Held(holder, _) => Some(TitlePart::new(format!("held by {}", ctx.label(holder)), Role::Muted)),
        },
        LockState::Requested { .. } => Some(TitlePart::new("asked for", attention)),
        LockState::Held { holder, wanted: Some(wanted), .. } => {
            let words = format!("waiting for {}, held by {}", scope_words(*wanted), ctx.label(*holder));
            Some(TitlePart::new(words, attention))
        }
        LockState::Held { holder, .. } => Some(TitlePart::new(format!("held by {}", ctx.label(*holder)), attention)),
        LockState::Ours { expires_at: Some(at), .. } => {
            Some(TitlePart::new(format!("ours, {}", ctx.clock.until(*at)), lock_words::role(ctx)))
        }
        LockState::Ours { since, .. } => {
            let held = ctx.clock.held(*since).map_or_else(String::new, |held| format!(" for {held}"));
            Some(TitlePart::new(format!("ours{held}"), attention))
        }
    }
    .into_iter()
    .collect();
    if let Some(since) = ctx.stale_since() {
        pieces.insert(0, TitlePart::new(format!("as of {}", ctx.clock.minute(since)), attention));
    }
    pieces
}

pub fn draw(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, _: &Ui) {
    let mut run = TextRun::new(buffer, area, ctx.theme);
    match ctx.group.lock().state() {
        LockState::Free => match lock_words::last_told(ctx) {
            LastLock::Unseen => {}
            LastLock::Held(_, scope) => {
                paragraph(&mut run, &format!("{}, {}", scope_words(scope), lock_words::told(ctx)));
            }
            LastLock::Ended(ended) => paragraph(&mut run, &lock_words::ended(ctx, ended)),
        },
        LockState::Requested { scope, .. } => {
            run.gap(1).text(&scope_words(*scope), Role::Text).next_line();
        }
        LockState::Held { holder, scope, wanted, .. } => {
            paragraph(&mut run, &format!("{}, {}", scope_words(*scope), lock_words::told(ctx)));
            if let Some(wanted) = wanted {
                run.gap(1).text(&format!("held by {}", ctx.label(*holder)), Role::Text).next_line();
                run.gap(1).text(&format!("we want {}", scope_words(*wanted)), Role::Muted).next_line();
            }
        }
        LockState::Ours { scope, since, expires_at } => {
            run.gap(1).text(&scope_words(*scope), Role::Text);
            run.text(&since_words(ctx, *since), Role::Muted).next_line();
            let words = if run.room() < 32 { "nobody else can sync" } else { "nobody else can sync or link" };
            run.gap(1).text(words, Role::Muted).next_line();
            if let Some(at) = expires_at {
                let most = figures::until(*at, *since);
                paragraph(&mut run, &format!("at most {most}; the mediator may take it back sooner"));
            }
        }
    }
    // The history keeps two lines at least.
    if run.lines_left() >= 5 && ctx.group.lock().ended().len() > 0 {
        run.next_line();
        let place = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..run.rest() };
        lock_timeline::draw(buffer, Rect { height: lock_timeline::LINES, ..place }, ctx);
        run = TextRun::new(
            buffer,
            Rect { y: place.y + lock_timeline::LINES, height: place.height - lock_timeline::LINES, ..area },
            ctx.theme,
        );
    }
    history(&mut run, ctx);
}

/// In as many lines as there are; the last says that there is more.
fn paragraph(run: &mut TextRun<'_>, words: &str) {
    let lines = wrap(words, run.room().saturating_sub(2));
    let (room, total) = (run.lines_left(), lines.len());
    for (index, line) in lines.into_iter().take(room).enumerate() {
        let is_cut = index + 1 == room && total > room;
        let line = if is_cut { cut(&format!("{line} …"), run.room().saturating_sub(1)).into_owned() } else { line };
        run.gap(1).text(&line, Role::Muted).next_line();
    }
}

fn since_words(ctx: &FrameContext<'_>, at: Millis) -> String {
    format!(" since {}", ctx.clock.minute(at))
}

fn history(run: &mut TextRun<'_>, ctx: &FrameContext<'_>) {
    let mut ended = ctx.group.lock().ended().peekable();
    if ended.peek().is_none() && run.has_line() {
        run.gap(1).text("no transaction seen yet", Role::Muted);
    }
    // Two lines each where narrow, one where wide.
    let wide = run.room() >= 44;
    for ended in ended {
        if run.lines_left() < if wide { 1 } else { 2 } {
            break;
        }
        let (who, held) = (lock_words::holder(ctx, ended), held_words(ended));
        let at = ctx.clock.zone().second(ended.at);
        run.gap(1).text(&at, Role::Muted).gap(1).text(&scope_words(ended.scope), Role::Text);
        if wide {
            run.gap(2);
        } else {
            run.next_line().gap(1);
        }
        run.text(&who, Role::Text).text(&held, Role::Muted).next_line();
    }
}

fn held_words(ended: &EndedLock) -> String {
    let held = ended.held.map(|held| format!(", {}", figures::span(held))).unwrap_or_default();
    format!("{held}{}", if ended.lost { ", lost" } else { "" })
}
