//! Who may change things: the group's lock.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::LockState;
use crate::group::lock::EndedLock;
use crate::protocol::Millis;
use crate::tui::context::{View, scope_words};
use crate::tui::draw::text_run::Pen;
use crate::tui::draw::text_width::wrap;
use crate::tui::format;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use crate::tui::view::Piece;

pub fn title(view: &View<'_>, _: &Ui) -> Vec<Piece> {
    let attention = Role::Attention;
    let mut pieces = vec![match view.group.lock().state() {
        _ if view.group.login().is_none() => Piece::new("unknown", Role::Quiet),
        LockState::Free => Piece::new("free", Role::Strong),
        LockState::Requested { .. } => Piece::new("asked for", attention),
        LockState::Held { wanted: Some(_), .. } => Piece::new("awaited", attention),
        LockState::Held { holder, .. } => Piece::new(format!("held by {}", view.label(*holder)), attention),
        LockState::Ours { since, .. } => {
            let held = view.clock.held(*since).map_or_else(String::new, |held| format!(" for {held}"));
            Piece::new(format!("ours{held}"), attention)
        }
    }];
    if let Some(since) = view.stale_since() {
        pieces.push(Piece::new(format!("as of {}", view.clock.minute(since)), attention));
    }
    pieces
}

pub fn draw(buffer: &mut Buffer, area: Rect, view: &View<'_>, _: &Ui) {
    let mut pen = Pen::new(buffer, area, view.theme);
    match view.group.lock().state() {
        LockState::Free => {}
        LockState::Requested { scope, .. } => {
            pen.gap(1).text(&scope_words(*scope), Role::Plain).next_line();
        }
        LockState::Held { holder, scope, since, wanted } => {
            pen.gap(1).text(&scope_words(*scope), Role::Plain);
            pen.text(&since_words(view, *since), Role::Quiet).next_line();
            if let Some(wanted) = wanted {
                pen.gap(1).text(&format!("held by {}", view.label(*holder)), Role::Plain).next_line();
                pen.gap(1).text(&format!("we want {}", scope_words(*wanted)), Role::Quiet).next_line();
            }
        }
        LockState::Ours { scope, since, expires_at } => {
            pen.gap(1).text(&scope_words(*scope), Role::Plain);
            pen.text(&since_words(view, *since), Role::Quiet).next_line();
            let words = if pen.room() < 44 { "L releases it" } else { "nobody else can sync or link; L releases it" };
            pen.gap(1).text(words, Role::Quiet).next_line();
            if let Some(at) = expires_at {
                let most = format::until(*at, *since);
                let limit = format!("at most {most}; the server may take it back sooner");
                for line in wrap(&limit, pen.room().saturating_sub(2)) {
                    pen.gap(1).text(&line, Role::Quiet).next_line();
                }
            }
        }
    }
    history(&mut pen, view);
}

fn since_words(view: &View<'_>, at: Millis) -> String {
    format!(" since {}", view.clock.minute(at))
}

fn history(pen: &mut Pen<'_>, view: &View<'_>) {
    let mut ended = view.group.lock().ended().peekable();
    if ended.peek().is_none() && pen.has_line() {
        pen.gap(1).text("no transaction seen yet", Role::Quiet);
    }
    // Two lines each where narrow, one where wide.
    let wide = pen.room() >= 44;
    for ended in ended {
        if pen.lines_left() < if wide { 1 } else { 2 } {
            break;
        }
        let (who, held) = ended_words(view, ended);
        let at = view.clock.zone().second(ended.at);
        pen.gap(1).text(&at, Role::Quiet).gap(1).text(&scope_words(ended.scope), Role::Plain);
        if wide {
            pen.gap(2);
        } else {
            pen.next_line().gap(1);
        }
        pen.text(&who, Role::Plain).text(&held, Role::Quiet).next_line();
    }
}

fn ended_words(view: &View<'_>, ended: &EndedLock) -> (String, String) {
    let who = ended.holder.map_or_else(|| "this device".to_owned(), |holder| view.label(holder).to_string());
    let held = ended.held.map(|held| format!(", {}", format::span(held))).unwrap_or_default();
    let lost = if ended.lost { ", lost" } else { "" };
    (who, format!("{held}{lost}"))
}
