//! What a person can do about what happened. The rooms below say only what it was.

use crate::group::Refusal;
use crate::protocol::{CloseCode, SlotState};

/// What the user can do, for codes that wait for the user, after a login that expected this of the slot.
#[must_use]
pub const fn close_advice(code: CloseCode, expected: SlotState) -> &'static str {
    match code {
        CloseCode::UNSUPPORTED_VERSION => "update d2mtop, or ask who runs the mediator",
        CloseCode::DEVICE_LIMIT_REACHED => {
            "drop one that is no longer used, from a device that has a slot (the phone lists its linked devices); or wait \
             some minutes, until a volatile slot of a device that has left is free"
        }
        CloseCode::DUPLICATE_CONNECTION => {
            "quit the other d2mtop, or give this one another --device-id, then connect again"
        }
        CloseCode::DROPPED_BY_DEVICE | CloseCode::REFLECTION_QUEUE_LIMIT => {
            "connect again as a new device (--expect new)"
        }
        CloseCode::SLOT_STATE_MISMATCH => match expected {
            SlotState::New => {
                "it knows this device id already: if the id is this device's own, connect again with --expect \
                 existing, else with another --device-id"
            }
            SlotState::Existing => {
                "it does not know this device id, or no more: connect again as a new device (--expect new)"
            }
        },
        _ => "connect again",
    }
}

/// What can be done about a refusal; empty if nothing.
#[must_use]
pub const fn refusal_advice(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::ReadOnly => " (started with --read-only)",
        Refusal::NotConnected => "; try again when the header says live",
        Refusal::LockBusy => "; release it first",
        Refusal::Unconfirmed => "; look at the list again before you repeat it",
        Refusal::NotLocked => "; ask again",
        Refusal::Busy => "; try again in a moment",
        Refusal::NoLock | Refusal::NoSuchDevice | Refusal::TooLarge | Refusal::NotInDialect | Refusal::NoProbe => "",
    }
}

/// A refusal and what can be done about it.
#[must_use]
pub fn refusal_words(refusal: Refusal) -> String {
    format!("{refusal}{}", refusal_advice(refusal))
}
