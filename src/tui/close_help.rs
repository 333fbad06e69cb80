//! Why the connection ended, in one line, with what can be done about it.

use std::borrow::Cow;

use crate::group::{ConnectionState, DisconnectCause, NextStep, Notice, NoticeSubject};
use crate::output::advice::refusal_advice;
use crate::protocol::{CloseCode, ReconnectClass, SlotState};
use crate::tui::context::FrameContext;
use crate::tui::format;

/// What helps after a close that waits for the user: `c` and what it does.
pub const fn connect_keys(code: CloseCode) -> &'static [(&'static str, &'static str)] {
    match code {
        CloseCode::DROPPED_BY_DEVICE | CloseCode::REFLECTION_QUEUE_LIMIT => &[("c", "connect as new")],
        CloseCode::SLOT_STATE_MISMATCH => &[("c", "connect anew")],
        _ => &[("c", "connect again")],
    }
}

/// A notice of the group and what can be done about what it tells.
pub(super) fn notice_words(notice: &Notice) -> Cow<'_, str> {
    let advice = match notice.subject {
        Some(NoticeSubject::Refused(refusal)) => refusal_advice(refusal),
        Some(NoticeSubject::LockLost) => "; L takes it again",
        None => "",
    };
    let text = notice.text.as_str();
    if advice.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(format!("{text}{advice}")) }
}

/// One line about an end that a person should understand: a close that waits for them or that nobody has heard of, and what
/// the network says.
pub fn explanation(ctx: &FrameContext<'_>) -> Option<String> {
    let ConnectionState::Waiting { cause, next, .. } = ctx.group.connection() else { return None };
    match (cause, next) {
        (DisconnectCause::ClosedByServer { code, expected, .. }, next) => match (code.reconnect_class(), next) {
            (ReconnectClass::UserInteraction, NextStep::WaitForUser) => Some(sentence(ctx, *code, *expected)),
            (ReconnectClass::Unknown, _) if !code.was_sent() => {
                Some(format!("the server closed {code}; ask who runs it if that lasts"))
            }
            (ReconnectClass::Unknown, _) => {
                Some(format!("close code {code} is unknown: is the mediator newer than d2mtop?"))
            }
            _ => None,
        },
        (DisconnectCause::Unreachable(why) | DisconnectCause::Broken(why), NextStep::RetryAt { .. }) => {
            Some(why.to_string()).filter(|why| !why.is_empty())
        }
        _ => None,
    }
}

fn sentence(ctx: &FrameContext<'_>, code: CloseCode, expected: SlotState) -> String {
    match code {
        CloseCode::UNSUPPORTED_VERSION => "update d2mtop, or ask who runs the mediator; c tries again".to_owned(),
        CloseCode::DEVICE_LIMIT_REACHED => "drop a device that is no longer used, elsewhere; c tries again".to_owned(),
        CloseCode::DUPLICATE_CONNECTION => "quit the other d2mtop, or use another --device-id; c takes over".to_owned(),
        CloseCode::DROPPED_BY_DEVICE => format!("dropped; {}; c joins as a new device", last_list(ctx)),
        CloseCode::REFLECTION_QUEUE_LIMIT => {
            "away too long: its slot and queue are gone; c joins as a new device".to_owned()
        }
        CloseCode::SLOT_STATE_MISMATCH if expected == SlotState::Existing => {
            "this device has no slot any more; c joins as a new device".to_owned()
        }
        CloseCode::SLOT_STATE_MISMATCH => {
            "is this id known to the mediator, or not? c asks, and tries it so".to_owned()
        }
        code => format!("the mediator wants a person to decide ({code}); c connects again"),
    }
}

/// Which device list was the last: as of when, and how many it had.
pub fn last_list(ctx: &FrameContext<'_>) -> String {
    let devices = ctx.group.devices();
    match devices.as_of() {
        None => "no device list was seen".to_owned(),
        Some(as_of) => {
            let count = u64::try_from(devices.len()).unwrap_or(u64::MAX);
            let plural = if count == 1 { "device" } else { "devices" };
            format!("last list {}, {} {plural}", ctx.clock.minute(as_of), format::count(count))
        }
    }
}
