//! Sentences about the beginning and the end of a connection.

use super::{LOOK_HERE, count, time};
use crate::group::{DisconnectCause, Login, NextStep};
use crate::output::advice::close_advice;
use crate::output::columns::size;
use crate::protocol::{SharedDeviceData, SlotState};

pub(super) fn logged_in(login: &Login) -> String {
    let slot = match login.slot_state {
        SlotState::New => "in a new slot",
        SlotState::Existing => "in its own slot",
    };
    let waits = match login.reflection_queue_length {
        Some(waiting) => format!("; {} waiting", count(usize::try_from(waiting).unwrap_or(usize::MAX), "message")),
        None => String::new(),
    };
    let clock = login.clock_apart().map(|ahead| {
        let side = if ahead > 0 { "behind" } else { "ahead of" };
        format!("; {LOOK_HERE}this clock is {} min {side} the server's", ahead.unsigned_abs() / 60_000)
    });
    format!("logged in as {} {slot}{waits}{}", login.own, clock.unwrap_or_default())
}

pub(super) fn shared_data(data: Option<&SharedDeviceData>) -> String {
    match data {
        Some(SharedDeviceData { version, mdm_parameters }) if mdm_parameters.is_empty() => {
            format!("the shared data says version {version}")
        }
        Some(SharedDeviceData { mdm_parameters, .. }) => {
            format!("the shared data has {} of MDM parameters", size(mdm_parameters.len() as u64))
        }
        None => format!("{LOOK_HERE}the shared data cannot be read"),
    }
}

/// How a connection ended, and what comes next.
#[must_use]
pub fn disconnected(cause: &DisconnectCause, next: NextStep) -> String {
    let next = match (next, cause) {
        (NextStep::RetryAt { at, .. }, _) => format!("; connects again at {}", time(at)),
        (NextStep::WaitForUser, DisconnectCause::ClosedByServer { code, expected, .. }) => {
            format!("; {}", close_advice(*code, *expected))
        }
        (NextStep::WaitForUser | NextStep::End, _) => String::new(),
    };
    format!("disconnected: {cause}{next}")
}
