//! How the connection stands, in words.

use crate::group::{ConnectionState, DisconnectCause, NextStep};
use crate::output::figures;
use crate::protocol::{CloseCode, Millis, ReconnectClass, SlotState};
use crate::tui::close_help;
use crate::tui::context::FrameContext;
use crate::tui::input::actions::Action;
use crate::tui::theme::Role;
use crate::tui::theme::glyphs::{ATTENTION, BAD, FILLING, OFF, ON, WAITING};
use crate::tui::view::header::HeaderKey;
use crate::tui::view::header::alert::alert;

pub struct ConnectionStatus {
    pub glyph: &'static str,
    pub style: Role,
    pub words: String,
    /// The cause, shown as far as there is room.
    pub cause: Option<String>,
    pub key: Option<HeaderKey>,
}

pub fn state(ctx: &FrameContext<'_>) -> ConnectionStatus {
    let plain = |glyph, words: &str| ConnectionStatus {
        glyph,
        style: Role::Heading,
        words: words.to_owned(),
        cause: None,
        key: None,
    };
    match ctx.group.connection() {
        ConnectionState::Idle => plain(OFF, "not connected yet"),
        ConnectionState::Connecting { attempt: 0 | 1 } => plain(WAITING, "connecting"),
        ConnectionState::Connecting { attempt } => plain(WAITING, &format!("connecting, try {attempt}")),
        ConnectionState::Handshaking => plain(WAITING, "handshake"),
        ConnectionState::Draining { received, of, .. } => plain(FILLING, &draining(*received, *of)),
        ConnectionState::Live { since } => {
            let lasting = ctx.clock.lasting(*since).filter(|_| alert(ctx).is_none());
            let words = lasting.map_or("live".to_owned(), |lasting| format!("live {lasting}"));
            ConnectionStatus { style: Role::Good, ..plain(ON, &words) }
        }
        ConnectionState::Waiting { since, cause, next } => waiting(ctx, *since, cause, *next),
    }
}

pub fn draining(received: u32, of: Option<u32>) -> String {
    let received = u64::from(received);
    match of {
        Some(of) => format!("draining {} of {}", figures::count(received), figures::count(u64::from(of).max(received))),
        None => format!("draining, {} so far", figures::count(received)),
    }
}

pub fn waiting(ctx: &FrameContext<'_>, since: Millis, cause: &DisconnectCause, next: NextStep) -> ConnectionStatus {
    let at = || ctx.clock.minute(since);
    let attention = |glyph, words: String, cause: String| ConnectionStatus {
        glyph,
        style: Role::Notice,
        words,
        cause: Some(cause),
        key: Some((Action::Connect, "now")),
    };
    let bad = |words: String, cause: Option<String>, action, what| ConnectionStatus {
        glyph: BAD,
        style: Role::Alarm,
        words,
        cause,
        key: Some((action, what)),
    };
    match (next, cause) {
        (NextStep::RetryAt { at, .. }, DisconnectCause::LeaderRole) => {
            let until = ctx.clock.until(at);
            if ctx.is_alone() {
                let why = "alone in the group, left so as not to lead".to_owned();
                attention(ATTENTION, format!("back in {until}"), why)
            } else {
                let words = format!("left, so that a phone can lead; back in {until}");
                ConnectionStatus { cause: None, ..attention(ATTENTION, words, String::new()) }
            }
        }
        (NextStep::RetryAt { at, .. }, DisconnectCause::VisitOver) => {
            let why = format!("--presence {}", ctx.settings.presence);
            ConnectionStatus {
                style: Role::Heading,
                ..attention(OFF, format!("visit over, back in {}", ctx.clock.until(at)), why)
            }
        }
        (NextStep::RetryAt { at, attempt }, cause) => {
            let unheard_of = matches!(cause, DisconnectCause::ClosedByServer { code, .. }
                if code.reconnect_class() == ReconnectClass::Unknown);
            let glyph = if unheard_of { ATTENTION } else { WAITING };
            attention(glyph, format!("back in {}, try {attempt}", ctx.clock.until(at)), short_words(cause))
        }
        (NextStep::WaitForUser, DisconnectCause::ClosedByServer { code, .. }) => {
            let what = close_help::what_connecting_does(*code);
            bad(format!("{} ({code}) at {}", code.short(), at()), None, Action::Connect, what)
        }
        (NextStep::WaitForUser, cause) => {
            bad(format!("not connected since {}", at()), Some(cause.to_string()), Action::Connect, "connect")
        }
        (NextStep::End, DisconnectCause::LeftGroup) => {
            bad(format!("left the group at {}", at()), Some("our slot is gone".to_owned()), Action::Quit, "quit")
        }
        (NextStep::End, cause) => bad(format!("ended at {}", at()), Some(cause.to_string()), Action::Quit, "quit"),
    }
}

/// Why a connection ended, in as few words as say it.
pub fn short_words(cause: &DisconnectCause) -> String {
    match cause {
        // Only where that has a harmless reason does the session try again by itself.
        DisconnectCause::ClosedByServer { code: CloseCode::SLOT_STATE_MISMATCH, expected, .. } => match expected {
            SlotState::Existing => "slot expired, taking a new one (4115)".to_owned(),
            SlotState::New => "our slot is there already (4115)".to_owned(),
        },
        DisconnectCause::ClosedByServer { code, .. } => format!("{} ({code})", code.short()),
        DisconnectCause::NoAnswer => "no answer to ping".to_owned(),
        DisconnectCause::HandshakeTimeout => "the login took too long".to_owned(),
        // The last line says why.
        DisconnectCause::Unreachable(_) => "no connection".to_owned(),
        DisconnectCause::Broken(_) => "connection lost".to_owned(),
        cause => cause.to_string(),
    }
}
