//! How a join ended: in words or an event, and as an exit code.

use serde_json::json;

use super::teller::event;
use crate::cli::JoinArgs;
use crate::output::words::{remark, say};
use crate::output::{Failure, Outcome};
use crate::profile::{ProfileName, ProfileStore, Record};
use crate::rendezvous::{JoinCause, JoinEnd, LoginFailure, RendezvousFailure};

pub(super) fn tell(options: &JoinArgs, name: &ProfileName, end: &JoinEnd) -> Result<(), Failure> {
    match end {
        JoinEnd::Registered { is_confirmed } => {
            let record = record(name);
            let identity = record.as_ref().and_then(|record| record.identity.clone());
            if options.json {
                let device = record.and_then(|record| record.device_id);
                let mut fields = json!({ "profile": name, "confirmed": is_confirmed });
                if let Some(fields) = fields.as_object_mut() {
                    fields.extend(device.map(|device| ("device".to_owned(), json!(device))));
                    fields.extend(identity.map(|identity| ("identity".to_owned(), json!(identity))));
                }
                return event("join_registered", fields);
            }
            let of = identity.map(|identity| format!(" of {identity}")).unwrap_or_default();
            say(&format!("Done: this computer is a device of the group{of}. d2mtop {name} opens it."))?;
            if !is_confirmed {
                say(
                    "The phone may not have heard that; if it says that linking failed, it removes this device again.",
                )?;
            }
            Ok(())
        }
        JoinEnd::Failed { cause, slot_left } => {
            if options.json {
                return event("join_failed", json!({ "words": words(cause), "slot_left": slot_left }));
            }
            remark(&format!("not joined: {}", words(cause)));
            if *slot_left {
                remark("the slot that this device took could not be given up; the next start of d2mtop tries it again");
            }
            Ok(())
        }
    }
}

/// What went wrong, and which option may mend it.
fn words(cause: &JoinCause) -> String {
    match cause {
        JoinCause::UnknownGroup => format!("{cause}; name the mediator that the phone uses with --mediator"),
        cause => cause.to_string(),
    }
}

fn record(name: &ProfileName) -> Option<Record> {
    let profiles = ProfileStore::of_user().ok()?.read().ok()?;
    profiles.find(name.as_str()).ok().map(|(_, record)| record.clone())
}

/// The exit code's reason.
pub(super) fn outcome(end: &JoinEnd, signal: Option<i32>) -> Outcome {
    let cause = match end {
        JoinEnd::Registered { .. } => return Outcome::Normal,
        JoinEnd::Failed { cause, .. } => cause,
    };
    match cause {
        JoinCause::Cancelled(_) => match signal.and_then(|number| u8::try_from(number).ok()) {
            Some(number) => Outcome::Signalled(number),
            None => Outcome::NotConfirmed,
        },
        JoinCause::PeerStopped(_) => Outcome::PeerStopped,
        JoinCause::Rendezvous { failure, .. } => match failure {
            RendezvousFailure::PeerStopped | RendezvousFailure::PeerFailed(_) => Outcome::PeerStopped,
            RendezvousFailure::HandshakeSilent
            | RendezvousFailure::RelaySilent
            | RendezvousFailure::WaitOver
            | RendezvousFailure::PeerGone
            | RendezvousFailure::RelayClosed { .. }
            | RendezvousFailure::Unreachable(_)
            | RendezvousFailure::Broken(_) => Outcome::Lost,
            RendezvousFailure::NotAuthentic
            | RendezvousFailure::Frame(_)
            | RendezvousFailure::Malformed(_)
            | RendezvousFailure::WrongResponse
            | RendezvousFailure::UnusableKey
            | RendezvousFailure::NotNominated
            | RendezvousFailure::Text => Outcome::PeerWrong,
        },
        JoinCause::Silent(_) | JoinCause::Login(LoginFailure::Unreachable(_)) => Outcome::Lost,
        JoinCause::NoMessage
        | JoinCause::DataBeforeBegin
        | JoinCause::SecondBegin
        | JoinCause::DataAfterEssential
        | JoinCause::Essential(_) => Outcome::PeerWrong,
        JoinCause::NotStored(_) => Outcome::Unwell,
        JoinCause::Login(_) | JoinCause::UnknownGroup => Outcome::Refused,
    }
}
