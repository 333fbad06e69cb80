//! Who serves the chat server, and what that means for the group.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::group::{ConnectionState, DisconnectCause, NextStep, RoleState};
use crate::output::text_width::wrap;
use crate::protocol::{DeviceActivity, Millis};
use crate::session::Presence;
use crate::tui::context::FrameContext;
use crate::tui::draw::text_run::TextRun;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use crate::tui::view::TitlePart;

pub fn title(ctx: &FrameContext<'_>, _: &Ui) -> Vec<TitlePart> {
    let (word, style) = match ctx.group.role().state() {
        RoleState::Unknown => ("unknown", Role::Muted),
        RoleState::Leader { .. } => ("leader", Role::Notice),
        RoleState::Follower { .. } => ("follower", Role::Heading),
        RoleState::GivenUp { .. } => ("left (was made leader)", Role::Notice),
    };
    let mut pieces = vec![TitlePart::new(word, style)];
    if let (Some(since), false) = (ctx.stale_since(), ctx.group.role().state() == RoleState::Unknown) {
        pieces.push(TitlePart::new(format!("as of {}", ctx.clock.minute(since)), Role::Notice));
    }
    pieces
}

pub fn draw(buffer: &mut Buffer, area: Rect, ctx: &FrameContext<'_>, _: &Ui) {
    let mut run = TextRun::new(buffer, area, ctx.theme);
    for (index, sentence) in sentences(ctx).into_iter().enumerate() {
        let lines = wrap(&sentence, run.room().saturating_sub(2));
        // Half a sentence more would only puzzle.
        if lines.len() > run.lines_left() && index > 1 {
            break;
        }
        if lines.len() > run.lines_left() && run.lines_left() == 1 {
            run.gap(1).text(&sentence, Role::Text);
            break;
        }
        for line in lines {
            run.gap(1).text(&line, Role::Text).next_line();
        }
    }
}

fn sentences(ctx: &FrameContext<'_>) -> Vec<String> {
    let role = ctx.group.role();
    let again = match role.promotions_in_a_row() {
        0 | 1 => None,
        times => Some(format!("made leader {times} times in a row: no other device is there to lead")),
    };
    let mut sentences = match role.state() {
        RoleState::Unknown if ctx.group.connection().is_logged_in() => {
            let told = "not told yet whether this d2mtop leads".to_owned();
            visit(ctx).into_iter().chain([told]).collect()
        }
        RoleState::Unknown => match ctx.group.connection() {
            ConnectionState::Waiting {
                cause: DisconnectCause::VisitOver, next: NextStep::RetryAt { at, .. }, ..
            } => vec![back(ctx, *at), "visits now and then, and another device leads".to_owned()],
            _ => vec!["not known until logged in".to_owned()],
        },
        RoleState::Leader { since } => vec![
            format!("since {}", ctx.clock.minute(since)),
            if ctx.settings.stay_leader {
                "the group gets no incoming messages while this lasts (--stay-leader)".to_owned()
            } else {
                "phones must lead: leaves now, back in a minute or more".to_owned()
            },
        ],
        RoleState::Follower { since } => {
            vec![
                format!("since {}", ctx.clock.minute(since)),
                format!("{} leads", who_may_lead(ctx)),
                visit(ctx).unwrap_or_else(|| "stays connected as a follower; leaves if made leader".to_owned()),
                "incoming messages reach the group through the leader".to_owned(),
            ]
        }
        RoleState::GivenUp { back_at, .. } => vec![
            back(ctx, back_at),
            "incoming messages reach the group only through a phone or desktop that leads".to_owned(),
        ],
    };
    sentences.extend(again);
    sentences.extend(ctx.settings.metrics.map(|address| format!("metrics: http://{address}/metrics")));
    sentences
}

fn back(ctx: &FrameContext<'_>, at: Millis) -> String {
    format!("back at {} ({})", ctx.clock.minute(at), ctx.keyed("{connect}: now"))
}

/// What a visit does next.
fn visit(ctx: &FrameContext<'_>) -> Option<String> {
    let interval = match ctx.settings.presence {
        Presence::Stay => return None,
        Presence::Visit(interval) => crate::output::figures::span(interval),
    };
    Some(format!("visit: leaves once all is in and nobody asks for more, back {interval} later"))
}

/// The leader is never named; but it is one of those that are connected.
fn who_may_lead(ctx: &FrameContext<'_>) -> String {
    let devices = ctx.group.devices();
    let connected: Vec<_> = devices
        .iter()
        .filter(|(id, device)| !ctx.is_own(*id) && matches!(device.activity, DeviceActivity::ConnectedSince(_)))
        .map(|(id, _)| devices.label(id))
        .collect();
    match connected.as_slice() {
        [one] => one.to_string(),
        [one, other] => format!("{one} or {other}"),
        _ => "another device".to_owned(),
    }
}
