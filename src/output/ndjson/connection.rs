//! Fields about the beginning and the end of a connection.

use serde_json::{Value, json};

use crate::group::{DisconnectCause, Login, NextStep};
use crate::protocol::{OpenError, SharedDeviceData, SlotState};

pub(super) fn logged_in(login: &Login) -> Value {
    json!({
        "device": login.own,
        "dialect": login.dialect.to_string(),
        "max_device_slots": login.max_device_slots,
        "slot": slot(login.slot_state),
        "clock_offset_ms": login.clock_offset,
        "queue_length": login.reflection_queue_length,
        "shared_version": login.shared_version,
    })
}

const fn slot(state: SlotState) -> &'static str {
    match state {
        SlotState::New => "new",
        SlotState::Existing => "existing",
    }
}

/// The fields of shared device data.
#[must_use]
pub fn shared_device_data(data: Result<&SharedDeviceData, &OpenError>) -> Value {
    match data {
        Ok(SharedDeviceData { version, mdm_parameters }) if mdm_parameters.is_empty() => json!({ "version": version }),
        Ok(SharedDeviceData { mdm_parameters, .. }) => json!({ "mdm_parameters_length": mdm_parameters.len() }),
        Err(error) => json!({ "undecryptable": error.to_string() }),
    }
}

pub(super) fn disconnected(cause: &DisconnectCause, next: NextStep) -> Value {
    let (code, words) = match cause {
        DisconnectCause::ClosedByServer { code, reason, .. } => {
            let meaning = code.meaning();
            let words = code.own_words(reason).map_or_else(|| meaning.to_owned(), |own| format!("{meaning}: {own}"));
            (Some(code.0), Some(words))
        }
        DisconnectCause::Unreachable(how)
        | DisconnectCause::Broken(how)
        | DisconnectCause::ServerProtocolError(how) => (None, Some(how.to_string())),
        _ => (None, None),
    };
    let (step, at) = match next {
        NextStep::RetryAt { at, .. } => ("retry", Some(at)),
        NextStep::WaitForUser => ("wait_for_user", None),
        NextStep::End => ("end", None),
    };
    json!({ "cause": cause.name(), "code": code, "words": words, "next": step, "retry_at": at })
}
