//! Why the connection ended, in one line, with what can be done about it.

use std::borrow::Cow;

use crate::group::{ConnectionState, DisconnectCause, NextStep, Notice, NoticeSubject, Refusal};
use crate::output::advice::refusal_advice;
use crate::output::figures;
use crate::protocol::{CloseCode, ReconnectClass, SlotState};
use crate::tui::context::FrameContext;
use crate::tui::input::keymap::Keymap;

/// What connecting does after a close that waits for the user.
pub const fn what_connecting_does(code: CloseCode) -> &'static str {
    match code {
        CloseCode::DROPPED_BY_DEVICE | CloseCode::REFLECTION_QUEUE_LIMIT => "connect as new",
        CloseCode::SLOT_STATE_MISMATCH => "connect anew",
        _ => "connect again",
    }
}

/// What can be done about a refusal, and by which key.
pub(super) fn advice(refusal: Refusal, keys: &Keymap) -> String {
    let key = if matches!(refusal, Refusal::LockBusy | Refusal::NotLocked) { " ({lock})" } else { "" };
    format!("{}{}", refusal_advice(refusal), keys.fill(key))
}

/// A notice of the group and what can be done about what it tells.
pub(super) fn notice_words<'a>(notice: &'a Notice, keys: &Keymap) -> Cow<'a, str> {
    let advice = match notice.subject {
        Some(NoticeSubject::Refused(refusal)) => advice(refusal, keys),
        Some(NoticeSubject::LockLost) => keys.fill("; {lock} takes it again"),
        None => return Cow::Borrowed(notice.text.as_str()),
    };
    Cow::Owned(format!("{}{advice}", notice.text))
}

/// One line about an end that a person should understand: a close that waits for them or that nobody has heard of, and what
/// the network says.
pub fn explanation(ctx: &FrameContext<'_>) -> Option<String> {
    let ConnectionState::Waiting { cause, next, .. } = ctx.group.connection() else { return None };
    match (cause, next) {
        (DisconnectCause::ClosedByServer { code, expected, .. }, next) => match (code.reconnect_class(), next) {
            (ReconnectClass::UserInteraction, NextStep::WaitForUser) => Some(sentence(ctx, *code, *expected)),
            (ReconnectClass::Unknown, _) if !code.was_sent() => {
                Some(format!("the mediator closed {code}; ask who runs it if that lasts"))
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
    ctx.keyed(match code {
        CloseCode::UNSUPPORTED_VERSION => "update d2mtop, or ask who runs the mediator; {connect} tries again",
        CloseCode::DEVICE_LIMIT_REACHED => "drop a device that is no longer used, elsewhere; {connect} tries again",
        CloseCode::DUPLICATE_CONNECTION => "quit the other d2mtop, or use another --device-id; {connect} takes over",
        CloseCode::DROPPED_BY_DEVICE => {
            return format!("dropped; {}; {}", last_list(ctx), ctx.keyed("{connect} joins as a new device"));
        }
        CloseCode::REFLECTION_QUEUE_LIMIT => {
            "away too long: its slot and queue are gone; {connect} joins as a new device"
        }
        CloseCode::SLOT_STATE_MISMATCH if expected == SlotState::Existing => {
            "this device has no slot any more; {connect} joins as a new device"
        }
        CloseCode::SLOT_STATE_MISMATCH => "is this id known to the mediator, or not? {connect} asks, and tries it so",
        code => {
            let connects = ctx.keyed("{connect} connects again");
            return format!("the mediator wants a person to decide ({code}); {connects}");
        }
    })
}

/// Which device list was the last: as of when, and how many it had.
pub fn last_list(ctx: &FrameContext<'_>) -> String {
    let devices = ctx.group.devices();
    match devices.as_of() {
        None => "no device list was seen".to_owned(),
        Some(as_of) => {
            let count = u64::try_from(devices.len()).unwrap_or(u64::MAX);
            let plural = if count == 1 { "device" } else { "devices" };
            format!("last list {}, {} {plural}", ctx.clock.minute(as_of), figures::count(count))
        }
    }
}
