//! Who may change things: the group's lock.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::LockState;
use crate::group::lock::EndedLock;
use crate::protocol::Millis;
use crate::tui::context::{FrameContext, scope_words};
use crate::tui::draw::text_run::TextRun;
use crate::tui::draw::text_width::wrap;
use crate::tui::format;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use crate::tui::view::TitlePart;

pub fn title(ctx: &FrameContext<'_>, _: &Ui) -> Vec<TitlePart> {
    let attention = Role::Attention;
    let mut pieces = vec![match ctx.group.lock().state() {
        _ if ctx.group.login().is_none() => TitlePart::new("unknown", Role::Quiet),
        LockState::Free => TitlePart::new("free", Role::Strong),
        LockState::Requested { .. } => TitlePart::new("asked for", attention),
        LockState::Held { wanted: Some(_), .. } => TitlePart::new("awaited", attention),
        LockState::Held { holder, .. } => TitlePart::new(format!("held by {}", ctx.label(*holder)), attention),
        LockState::Ours { since, .. } => {
            let held = ctx.clock.held(*since).map_or_else(String::new, |held| format!(" for {held}"));
            TitlePart::new(format!("ours{held}"), attention)
        }
    }];
    if let Some(since) = ctx.stale_since() {
        pieces.push(TitlePart::new(format!("as of {}", ctx.clock.minute(since)), attention));
    }
    pieces
}

pub fn draw(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, _: &Ui) {
    let mut run = TextRun::new(buffer, area, ctx.theme);
    match ctx.group.lock().state() {
        LockState::Free => {}
        LockState::Requested { scope, .. } => {
            run.gap(1).text(&scope_words(*scope), Role::Plain).next_line();
        }
        LockState::Held { holder, scope, since, wanted } => {
            run.gap(1).text(&scope_words(*scope), Role::Plain);
            run.text(&since_words(ctx, *since), Role::Quiet).next_line();
            if let Some(wanted) = wanted {
                run.gap(1).text(&format!("held by {}", ctx.label(*holder)), Role::Plain).next_line();
                run.gap(1).text(&format!("we want {}", scope_words(*wanted)), Role::Quiet).next_line();
            }
        }
        LockState::Ours { scope, since, expires_at } => {
            run.gap(1).text(&scope_words(*scope), Role::Plain);
            run.text(&since_words(ctx, *since), Role::Quiet).next_line();
            let words = if run.room() < 44 { "L releases it" } else { "nobody else can sync or link; L releases it" };
            run.gap(1).text(words, Role::Quiet).next_line();
            if let Some(at) = expires_at {
                let most = format::until(*at, *since);
                let limit = format!("at most {most}; the server may take it back sooner");
                for line in wrap(&limit, run.room().saturating_sub(2)) {
                    run.gap(1).text(&line, Role::Quiet).next_line();
                }
            }
        }
    }
    history(&mut run, ctx);
}

fn since_words(ctx: &FrameContext<'_>, at: Millis) -> String {
    format!(" since {}", ctx.clock.minute(at))
}

fn history(run: &mut TextRun<'_>, ctx: &FrameContext<'_>) {
    let mut ended = ctx.group.lock().ended().peekable();
    if ended.peek().is_none() && run.has_line() {
        run.gap(1).text("no transaction seen yet", Role::Quiet);
    }
    // Two lines each where narrow, one where wide.
    let wide = run.room() >= 44;
    for ended in ended {
        if run.lines_left() < if wide { 1 } else { 2 } {
            break;
        }
        let (who, held) = ended_words(ctx, ended);
        let at = ctx.clock.zone().second(ended.at);
        run.gap(1).text(&at, Role::Quiet).gap(1).text(&scope_words(ended.scope), Role::Plain);
        if wide {
            run.gap(2);
        } else {
            run.next_line().gap(1);
        }
        run.text(&who, Role::Plain).text(&held, Role::Quiet).next_line();
    }
}

fn ended_words(ctx: &FrameContext<'_>, ended: &EndedLock) -> (String, String) {
    let who = ended.holder.map_or_else(|| "this device".to_owned(), |holder| ctx.label(holder).to_string());
    let held = ended.held.map(|held| format!(", {}", format::span(held))).unwrap_or_default();
    let lost = if ended.lost { ", lost" } else { "" };
    (who, format!("{held}{lost}"))
}
