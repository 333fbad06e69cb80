//! Who serves the chat server, and what that means for the group.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::{Connection, DisconnectCause, NextStep, RoleState};
use crate::protocol::Activity;
use crate::session::Presence;
use crate::tui::context::View;
use crate::tui::draw::text_run::Pen;
use crate::tui::draw::text_width::wrap;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use crate::tui::view::Piece;

pub fn title(view: &View<'_>, _: &Ui) -> Vec<Piece> {
    let (word, style) = match view.group.role().state() {
        RoleState::Unknown => ("unknown", Role::Quiet),
        RoleState::Leader { .. } => ("leader", Role::Attention),
        RoleState::Follower { .. } => ("follower", Role::Strong),
        RoleState::GivenUp { .. } => ("given up", Role::Attention),
    };
    let mut pieces = vec![Piece::new(word, style)];
    if let (Some(since), false) = (view.stale_since(), view.group.role().state() == RoleState::Unknown) {
        pieces.push(Piece::new(format!("as of {}", view.clock.minute(since)), Role::Attention));
    }
    pieces
}

pub fn draw(buffer: &mut Buffer, area: Rect, view: &View<'_>, _: &Ui) {
    let mut pen = Pen::new(buffer, area, view.theme);
    for (index, sentence) in sentences(view).into_iter().enumerate() {
        let lines = wrap(&sentence, pen.room().saturating_sub(2));
        // Half a sentence more would only puzzle.
        if lines.len() > pen.lines_left() && index > 1 {
            break;
        }
        if lines.len() > pen.lines_left() && pen.lines_left() == 1 {
            pen.gap(1).text(&sentence, Role::Plain);
            break;
        }
        for line in lines {
            pen.gap(1).text(&line, Role::Plain).next_line();
        }
    }
}

fn sentences(view: &View<'_>) -> Vec<String> {
    let role = view.group.role();
    let again = match role.promotions_in_a_row() {
        0 | 1 => None,
        times => Some(format!("promoted {times} times in a row: no other device is there to lead")),
    };
    let mut sentences = match role.state() {
        RoleState::Unknown if view.group.connection().is_logged_in() => {
            let told = "follower unless the server promotes us soon".to_owned();
            visit(view).into_iter().chain([told]).collect()
        }
        RoleState::Unknown => match view.group.connection() {
            Connection::Waiting { cause: DisconnectCause::VisitOver, next: NextStep::RetryAt { at, .. }, .. } => vec![
                format!("back at {} (c: now)", view.clock.minute(*at)),
                "visits now and then, and another device leads".to_owned(),
            ],
            _ => vec!["told after the login".to_owned()],
        },
        RoleState::Leader { since } => vec![
            format!("since {}", view.clock.minute(since)),
            if view.settings.stay_leader {
                "the group gets no incoming messages while this lasts (--stay-leader)".to_owned()
            } else {
                "phones must lead: leaves now, back in a minute or more".to_owned()
            },
        ],
        RoleState::Follower { since } => {
            vec![
                format!("since {}", view.clock.minute(since)),
                format!("{} leads", who_may_lead(view)),
                visit(view).unwrap_or_else(|| "stays while that is so; if promoted, leaves at once".to_owned()),
                "incoming messages reach the group through the leader".to_owned(),
            ]
        }
        RoleState::GivenUp { back_at, .. } => vec![
            format!("back at {} (c: now)", view.clock.minute(back_at)),
            "incoming messages reach the group only through a phone or desktop that leads".to_owned(),
        ],
    };
    sentences.extend(again);
    sentences.extend(view.settings.metrics.map(|address| format!("metrics: http://{address}/metrics")));
    sentences
}

/// What a visit does next.
fn visit(view: &View<'_>) -> Option<String> {
    let interval = match view.settings.presence {
        Presence::Stay => return None,
        Presence::Visit(interval) => crate::tui::format::span(interval),
    };
    Some(format!("visit: leaves once all is in and nobody asks for more, back {interval} later"))
}

/// The leader is never named; but it is one of those that are connected.
fn who_may_lead(view: &View<'_>) -> String {
    let devices = view.group.devices();
    let connected: Vec<_> = devices
        .iter()
        .filter(|(id, device)| !view.is_own(*id) && matches!(device.activity, Activity::ConnectedSince(_)))
        .map(|(id, _)| devices.label(id))
        .collect();
    match connected.as_slice() {
        [one] => one.to_string(),
        [one, other] => format!("{one} or {other}"),
        _ => "another device".to_owned(),
    }
}
