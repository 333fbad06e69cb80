//! Leaving a group for good: for `profile remove --leave-group`. Two short sessions: one looks who is there, so that a
//! person can be told what leaving means; the other drops our own device.

use std::collections::BTreeMap;
use std::fmt;

use super::one_shot::{OneShotEnd, run_one_shot};
use crate::group::{DisconnectCause, Event, ListedDevice, LockEvent, NextStep, Refusal};
use crate::net::Address;
use crate::output::Failure;
use crate::output::advice::{close_advice, refusal_words};
use crate::protocol::{CloseCode, DeviceForm, DeviceId, SlotState};
use crate::session::{Command, Confirmed, Session};
use crate::text::Clean;

/// Who stays when we leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Farewell {
    /// What the other devices call themselves, or their ids; and whether each is a phone, if that can be told.
    pub others: Vec<(Clean, Option<bool>)>,
}

/// What came of looking, or of leaving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Departure {
    /// Our slot is gone, as asked.
    Left,
    /// The server had no slot of ours any more.
    AlreadyGone,
    /// The server, or the session, refused, for this reason.
    Refused(Clean),
    /// No connection could be made, or it was lost before anything was asked.
    Unreachable(Clean),
    /// Another device holds the lock, or the leader role was given up first. Nothing was asked of the server.
    Busy,
    /// The drop was sent, and no answer came: look at the device list of a phone.
    Unconfirmed,
}

impl Farewell {
    /// Who stays of a list when these go.
    #[must_use]
    pub fn of(listed: &BTreeMap<DeviceId, ListedDevice>, going: &[DeviceId]) -> Self {
        let others = listed.iter().filter(|(id, _)| !going.contains(id)).map(|(id, device)| {
            let phone = device.info.as_ref().ok().and_then(|info| match info.form() {
                DeviceForm::Phone => Some(true),
                DeviceForm::Computer => Some(false),
                DeviceForm::Tablet | DeviceForm::Mobile | DeviceForm::Unknown => None,
            });
            (device.name(*id), phone)
        });
        Self { others: others.collect() }
    }
}

impl fmt::Display for Farewell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.others.as_slice() {
            [] => formatter.write_str("No other device is in the group."),
            [(name, phone)] => {
                write!(formatter, "Only {name} stays in the group. ")?;
                formatter.write_str(match phone {
                    Some(true) => "It is a phone: alone, it ends multi-device.",
                    Some(false) | None => "If it is a phone, it is alone then, and ends multi-device.",
                })
            }
            others => {
                let names: Vec<&str> = others.iter().map(|(name, _)| name.as_str()).collect();
                write!(formatter, "These devices stay in the group: {}.", names.join(", "))
            }
        }
    }
}

impl fmt::Display for Departure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left => formatter.write_str("left the group: the slot of this device is gone"),
            Self::AlreadyGone => formatter.write_str("the mediator had no slot of this device any more"),
            Self::Refused(why) | Self::Unreachable(why) => write!(formatter, "not left: {why}"),
            Self::Busy => formatter.write_str(
                "not left: another device holds the lock, or only this one was there to lead; try again in a minute",
            ),
            Self::Unconfirmed => formatter
                .write_str("perhaps left: the drop was sent and no answer came; a phone's list of devices tells"),
        }
    }
}

impl Departure {
    /// Whether there is no slot of ours any more, so that the profile may go.
    #[must_use]
    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::Left | Self::AlreadyGone)
    }
}

/// Looks who would stay. The session ends with the first device list.
///
/// # Errors
/// If the system gives no event loop.
pub fn who_stays(session: Session, address: Address) -> Result<Result<Farewell, Departure>, Failure> {
    let own = session.config().device_id;
    run_one_shot(session, address, None, async |visit| {
        let listed = visit.until(|event| match event {
            Event::Devices(listed) => Some(listed),
            _ => None,
        });
        listed.await.map(|listed| Farewell::of(&listed, &[own])).map_err(|end| match end {
            OneShotEnd::TooLate => Departure::Unreachable(Clean::new(&end.to_string())),
            end @ OneShotEnd::Disconnected { .. } => failed(&end, false),
        })
    })
}

/// Drops our own device by the full steps. The session should expect its slot ([`SlotState::Existing`]): only then does
/// the server's not knowing it mean that it is gone.
///
/// # Errors
/// If the system gives no event loop.
pub fn leave_group(session: Session, address: Address, agreed: Confirmed<()>) -> Result<Departure, Failure> {
    run_one_shot(session, address, None, async |visit| {
        let mut agreed = Some(agreed);
        let mut locked = false;
        loop {
            match visit.next().await {
                Ok((_, Event::LoggedIn(_))) => {
                    if let Some(agreed) = agreed.take() {
                        visit.ask(Command::LeaveGroup(agreed));
                    }
                }
                Ok((_, Event::Lock(LockEvent::Acquired { .. }))) => locked = true,
                Ok((_, Event::Refused(why))) if why != Refusal::Unconfirmed => {
                    return Departure::Refused(Clean::new(&refusal_words(why)));
                }
                Ok(_) => {}
                Err(end) => return failed(&end, locked),
            }
        }
    })
}

/// What the end of a connection means for somebody who wants to leave.
fn failed(end: &OneShotEnd, locked: bool) -> Departure {
    let OneShotEnd::Disconnected { cause, next, .. } = end else {
        // Who waits for the lock all the time has asked for nothing else.
        return if locked { Departure::Unconfirmed } else { Departure::Busy };
    };
    match cause {
        DisconnectCause::LeftGroup => Departure::Left,
        DisconnectCause::ClosedByServer { code: CloseCode::DROPPED_BY_DEVICE, .. }
        | DisconnectCause::ClosedByServer {
            code: CloseCode::SLOT_STATE_MISMATCH, expected: SlotState::Existing, ..
        } => Departure::AlreadyGone,
        DisconnectCause::ClosedByServer { code, expected, .. } if *next == NextStep::WaitForUser => {
            Departure::Refused(Clean::new(&format!("{} ({code}): {}", code.meaning(), close_advice(*code, *expected))))
        }
        _ if locked => Departure::Unconfirmed,
        DisconnectCause::LeaderRole
        | DisconnectCause::VisitOver
        | DisconnectCause::JournalCaughtUp
        | DisconnectCause::ChatClientLeft
        | DisconnectCause::ByUser => Departure::Busy,
        DisconnectCause::Unreachable(why) | DisconnectCause::Broken(why) => Departure::Unreachable(why.clone()),
        DisconnectCause::ClosedByServer { code, .. } => {
            Departure::Unreachable(Clean::new(&format!("{} ({code})", code.meaning())))
        }
        DisconnectCause::ServerProtocolError(how) => Departure::Unreachable(how.clone()),
        DisconnectCause::NoAnswer | DisconnectCause::HandshakeTimeout => {
            Departure::Unreachable(Clean::literal("the mediator did not answer in time"))
        }
    }
}
