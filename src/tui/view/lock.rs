//! Who may change things: the group's lock.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::EndedLock;
use crate::group::LockState;
use crate::protocol::Millis;
use crate::tui::context::{FrameContext, scope_words};
use crate::tui::draw::text_run::TextRun;
use crate::tui::draw::text_width::wrap;
use crate::tui::format;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use crate::tui::view::TitlePart;
use crate::tui::view::header::lock_role;
use crate::tui::view::lock_timeline;

pub fn title(ctx: &FrameContext<'_>, _: &Ui) -> Vec<TitlePart> {
    let attention = Role::Notice;
    let mut pieces: Vec<TitlePart> = match ctx.group.lock().state() {
        _ if ctx.group.login().is_none() => Some(TitlePart::new("unknown", Role::Muted)),
        // "Free" says nothing without since when, for which there is no room here.
        LockState::Free if ctx.group.lock().ended().len() > 0 => None,
        LockState::Free => Some(TitlePart::new("no lock seen", Role::Muted)),
        LockState::Requested { .. } => Some(TitlePart::new("asked for", attention)),
        LockState::Held { holder, wanted: Some(wanted), .. } => {
            let words = format!("waiting for {}, held by {}", scope_words(*wanted), ctx.label(*holder));
            Some(TitlePart::new(words, attention))
        }
        LockState::Held { holder, .. } => Some(TitlePart::new(format!("held by {}", ctx.label(*holder)), attention)),
        LockState::Ours { expires_at: Some(at), .. } => {
            Some(TitlePart::new(format!("ours, {}", ctx.clock.until(*at)), lock_role(ctx)))
        }
        LockState::Ours { since, .. } => {
            let held = ctx.clock.held(*since).map_or_else(String::new, |held| format!(" for {held}"));
            Some(TitlePart::new(format!("ours{held}"), attention))
        }
    }
    .into_iter()
    .collect();
    if let Some(since) = ctx.stale_since() {
        pieces.push(TitlePart::new(format!("as of {}", ctx.clock.minute(since)), attention));
    }
    pieces
}

pub fn draw(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, _: &Ui) {
    let mut run = TextRun::new(buffer, area, ctx.theme);
    match ctx.group.lock().state() {
        LockState::Free => {
            if let Some(ended) = ctx.group.lock().ended().next() {
                let (who, _) = ended_words(ctx, ended);
                let age = ctx.clock.lasting(ended.at).map_or_else(String::new, |age| format!(", {age} ago"));
                let at = ctx.clock.zone().second(ended.at);
                let words = format!("free at {at} ({} by {who} ended){age}", scope_words(ended.scope));
                for line in wrap(&words, run.room().saturating_sub(2)) {
                    run.gap(1).text(&line, Role::Muted).next_line();
                }
            }
        }
        LockState::Requested { scope, .. } => {
            run.gap(1).text(&scope_words(*scope), Role::Text).next_line();
        }
        LockState::Held { holder, scope, since, wanted } => {
            run.gap(1).text(&scope_words(*scope), Role::Text);
            let told = ctx.clock.held(*since).map_or_else(|| "just now".to_owned(), |held| format!("{held} ago"));
            run.text(&format!(", told {told}"), Role::Muted).next_line();
            if let Some(wanted) = wanted {
                run.gap(1).text(&format!("held by {}", ctx.label(*holder)), Role::Text).next_line();
                run.gap(1).text(&format!("we want {}", scope_words(*wanted)), Role::Muted).next_line();
            }
        }
        LockState::Ours { scope, since, expires_at } => {
            run.gap(1).text(&scope_words(*scope), Role::Text);
            run.text(&since_words(ctx, *since), Role::Muted).next_line();
            let words = if run.room() < 44 { "L releases it" } else { "nobody else can sync or link; L releases it" };
            run.gap(1).text(words, Role::Muted).next_line();
            if let Some(at) = expires_at {
                let most = format::until(*at, *since);
                let limit = format!("at most {most}; the mediator may take it back sooner");
                for line in wrap(&limit, run.room().saturating_sub(2)) {
                    run.gap(1).text(&line, Role::Muted).next_line();
                }
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
        let (who, held) = ended_words(ctx, ended);
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

fn ended_words(ctx: &FrameContext<'_>, ended: &EndedLock) -> (String, String) {
    let who = ended.holder.map_or_else(|| "this device".to_owned(), |holder| ctx.label(holder).to_string());
    let held = ended.held.map(|held| format!(", {}", format::span(held))).unwrap_or_default();
    let lost = if ended.lost { ", lost" } else { "" };
    (who, format!("{held}{lost}"))
}
