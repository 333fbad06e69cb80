//! Leaving a group for good: for `profile remove --leave-group`. Two short sessions: one looks who is there, so that a
//! person can be told what leaving means; the other drops our own device.

use std::fmt;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::group::{DisconnectCause, Event, LockEvent, NextStep, Refusal};
use crate::net::Address;
use crate::protocol::d2d::Platform;
use crate::protocol::{CloseCode, Millis, SlotState};
use crate::runtime::{Failure, Observer, drive, event_loop};
use crate::session::command::Confirmed;
use crate::session::{Command, Session};
use crate::text::Clean;

/// How long each of the two sessions may take.
const PATIENCE: Duration = Duration::from_secs(20);

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
    /// The server, or the session, refused: why.
    Refused(Clean),
    /// No connection could be made, or it was lost before anything was asked.
    Unreachable(Clean),
    /// Another device holds the lock, or the leader role was given up first. Nothing was asked of the server.
    Busy,
    /// The drop was sent, and no answer came: look at the device list of a phone.
    Unconfirmed,
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
            Self::AlreadyGone => formatter.write_str("the server had no slot of this device any more"),
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
    let (own, expected) = (session.config().device_id, session.config().expected_slot_state);
    let asked = run(session, address, |event, _| match event {
        Event::Devices(listed) => {
            let others = listed.iter().filter(|(id, _)| **id != own).map(|(id, device)| {
                let name = device.info.as_ref().ok().map(|info| info.label.clone()).filter(|label| !label.is_empty());
                let phone = device.info.as_ref().ok().and_then(|info| match info.platform {
                    Platform::Android | Platform::Ios => Some(true),
                    Platform::Desktop | Platform::Web => Some(false),
                    Platform::Unspecified => None,
                });
                (name.unwrap_or_else(|| Clean::new(&id.to_string())), phone)
            });
            Some(Ok(Farewell { others: others.collect() }))
        }
        Event::Disconnected { cause, next } => Some(Err(failed(cause, *next, expected, false))),
        _ => None,
    })?;
    Ok(asked.unwrap_or(Err(Departure::Unreachable(Clean::literal("the server did not answer in time")))))
}

/// Drops our own device by the full steps. The session should expect its slot ([`SlotState::Existing`]): only then does
/// the server's not knowing it mean that it is gone.
///
/// # Errors
/// If the system gives no event loop.
pub fn leave_group(session: Session, address: Address, agreed: Confirmed<()>) -> Result<Departure, Failure> {
    let expected = session.config().expected_slot_state;
    let mut agreed = Some(agreed);
    let mut locked = false;
    let done = run(session, address, |event, commands| match event {
        Event::LoggedIn(_) => {
            if let Some(agreed) = agreed.take() {
                let _ = commands.try_send(Command::LeaveGroup(agreed));
            }
            None
        }
        Event::Lock(LockEvent::Acquired { .. }) => {
            locked = true;
            None
        }
        Event::Refused(Refusal::Unconfirmed) => None,
        Event::Refused(why) => Some(Departure::Refused(Clean::new(&why.to_string()))),
        Event::Disconnected { cause, next } => Some(failed(cause, *next, expected, locked)),
        _ => None,
    })?;
    Ok(done.unwrap_or(if locked { Departure::Unconfirmed } else { Departure::Busy }))
}

/// What the end of a connection means for somebody who wants to leave.
fn failed(cause: &DisconnectCause, next: NextStep, expected: SlotState, locked: bool) -> Departure {
    match cause {
        DisconnectCause::LeftGroup => Departure::Left,
        DisconnectCause::ClosedByServer { code: CloseCode::DROPPED_BY_DEVICE, .. } => Departure::AlreadyGone,
        DisconnectCause::ClosedByServer { code: CloseCode::SLOT_STATE_MISMATCH, .. }
            if expected == SlotState::Existing =>
        {
            Departure::AlreadyGone
        }
        DisconnectCause::ClosedByServer { code, .. } if next == NextStep::WaitForUser => {
            Departure::Refused(Clean::new(&format!("{} ({code}): {}", code.meaning(), code.advice())))
        }
        _ if locked => Departure::Unconfirmed,
        DisconnectCause::LeaderRole
        | DisconnectCause::VisitOver
        | DisconnectCause::JournalCaughtUp
        | DisconnectCause::ByUser => Departure::Busy,
        DisconnectCause::Unreachable(why) | DisconnectCause::Broken(why) => Departure::Unreachable(why.clone()),
        DisconnectCause::ClosedByServer { code, .. } => {
            Departure::Unreachable(Clean::new(&format!("{} ({code})", code.meaning())))
        }
        DisconnectCause::ServerProtocolError(how) => Departure::Unreachable(how.clone()),
        DisconnectCause::NoAnswer | DisconnectCause::HandshakeTimeout => {
            Departure::Unreachable(Clean::literal("the server did not answer in time"))
        }
    }
}

struct Teller(mpsc::UnboundedSender<Event>);

impl Observer for Teller {
    fn tell(&mut self, _at: Millis, event: Event) {
        let _ = self.0.send(event);
    }
}

/// Runs a session until `decide` has seen enough, but not for longer than is worth waiting.
fn run<T>(
    session: Session,
    address: Address,
    mut decide: impl FnMut(&Event, &mpsc::Sender<Command>) -> Option<T>,
) -> Result<Option<T>, Failure> {
    let (commands, receiver) = mpsc::channel(4);
    let (sender, mut events) = mpsc::unbounded_channel();
    event_loop().map_err(Failure::Start)?.block_on(async {
        let deciding = async {
            let decided = tokio::time::timeout(PATIENCE, async {
                while let Some(event) = events.recv().await {
                    let decided = decide(&event, &commands);
                    if decided.is_some() {
                        return decided;
                    }
                }
                None
            });
            let decided = decided.await.ok().flatten();
            let _ = commands.try_send(Command::Leave);
            decided
        };
        let driving = drive(session, address, receiver, Teller(sender));
        // A session that is left needs a moment to say goodbye.
        let (decided, ()) = tokio::join!(deciding, driving);
        Ok(decided)
    })
}
