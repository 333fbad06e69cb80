//! A login for a moment: as a device that changes nothing, acknowledges nothing, and leaves at once.

use std::time::{Duration, Instant};

use super::Report;
use super::connect_steps::{soon, step};
use crate::group::{DisconnectCause, Event, Login};
use crate::net::{Address, ConnectStep, Link, LinkEvent, Secured};
use crate::output::Failure;
use crate::profile::{Profile, SlotMemory};
use crate::protocol::ExhaustedPolicy;
use crate::runtime::clock;
use crate::session::{Command, LeaderPolicy, Presence, Session, SessionInput, SessionOutput};

/// How long everything from the WebSocket to the role may take.
pub(super) const LOGIN_WITHIN: Duration = Duration::from_secs(15);

/// For how long one must not have been promoted to say that another device leads.
const FOLLOWING_AFTER: Duration = Duration::from_millis(1_500);

/// The profile of a visitor: whatever it says otherwise, nobody loses a slot, a message or the leader's role to it.
pub(super) fn harmless(mut profile: Profile) -> Profile {
    profile.session.read_only = true;
    profile.session.exhausted_policy = ExhaustedPolicy::Reject;
    profile.session.leader_policy = LeaderPolicy::GiveUp;
    profile.session.presence = Presence::Stay;
    profile.session.timing.following_after = FOLLOWING_AFTER;
    profile
}

/// What was seen during the login.
#[derive(Debug, Default)]
pub(super) struct SeenLogin {
    pub(super) login: Option<Login>,
    /// From the open WebSocket to the login.
    pub(super) took: Duration,
    pub(super) devices: Option<usize>,
    pub(super) dry: bool,
    pub(super) role: Option<SeenRole>,
    pub(super) ended: Option<DisconnectCause>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SeenRole {
    Promoted,
    Following,
}

/// Logs in, leaves, and tells what there was to see; [`None`] if there was not even a WebSocket, which is reported.
pub(super) async fn examine(
    session: Session,
    address: &Address,
    secured: Secured,
    memory: Option<SlotMemory>,
    report: &mut Report,
) -> Result<Option<SeenLogin>, Failure> {
    let Some(link) =
        step("login", address.in_time(soon(), ConnectStep::Upgrade, address.upgrade(secured)), report).await?
    else {
        return Ok(None);
    };
    let visit =
        LoginVisit { session, address, link, connects: false, seen: SeenLogin::default(), started: Instant::now() };
    let seen = visit.make().await;
    if let (Some(mut memory), Some(_)) = (memory, &seen.login) {
        memory.registered(clock::now());
        if let Err(error) = memory.write() {
            tracing::warn!("cannot remember the slot: {error}");
        }
    }
    Ok(Some(seen))
}

/// A session on an open WebSocket.
struct LoginVisit<'a> {
    session: Session,
    address: &'a Address,
    link: Link,
    /// The session wants another one: its slot is not as expected, for a harmless reason.
    connects: bool,
    seen: SeenLogin,
    started: Instant,
}

impl LoginVisit<'_> {
    async fn make(mut self) -> SeenLogin {
        let until = tokio::time::Instant::now() + LOGIN_WITHIN;
        // The WebSocket that the session asks for is there already.
        self.handle(SessionInput::Timer).await;
        self.connects = false;
        self.handle(SessionInput::LinkUp).await;
        while !self.is_done() {
            if std::mem::take(&mut self.connects) {
                let Ok(connected) = tokio::time::timeout_at(until, self.address.connect()).await else { break };
                let up = connected.map(|link| self.link = link);
                self.handle(up.map_or_else(SessionInput::LinkDown, |()| SessionInput::LinkUp)).await;
                continue;
            }
            let input = tokio::select! {
                biased;
                () = tokio::time::sleep_until(until) => break,
                event = self.link.next(true) => match event {
                    None => SessionInput::Flushed,
                    Some(LinkEvent::Frames(frames)) => SessionInput::Frames(frames),
                    Some(LinkEvent::TextFrame) => SessionInput::TextFrame,
                    Some(LinkEvent::Pong) => SessionInput::Pong,
                    Some(LinkEvent::Alive) => SessionInput::Alive,
                    Some(LinkEvent::End(end)) => SessionInput::LinkDown(end),
                },
                () = clock::sleep_until(self.session.deadline()) => SessionInput::Timer,
            };
            self.handle(input).await;
        }
        self.handle(SessionInput::Command(Command::Leave)).await;
        self.link.linger().await;
        self.seen
    }

    const fn is_done(&self) -> bool {
        self.seen.ended.is_some() || (self.seen.devices.is_some() && self.seen.role.is_some())
    }

    async fn handle(&mut self, input: SessionInput) {
        self.session.handle(clock::precise(), input);
        while let Some(output) = self.session.poll() {
            match output {
                SessionOutput::Send(frame) => self.link.send(frame),
                SessionOutput::Ping => self.link.ping(),
                SessionOutput::Close(code) => {
                    self.link.close(code).await;
                }
                // What is not made durable is not acknowledged, and comes again to whoever keeps it.
                SessionOutput::Reflected { .. } | SessionOutput::Acknowledged(_) | SessionOutput::Proxy(_) => {}
                SessionOutput::Connect => self.connects = true,
                SessionOutput::Event(event) => self.see(event),
            }
        }
    }

    fn see(&mut self, event: Event) {
        match event {
            Event::LoggedIn(login) => {
                self.seen.login = Some(login);
                self.seen.took = self.started.elapsed();
            }
            Event::Devices(devices) => self.seen.devices = Some(devices.len()),
            Event::QueueDry => self.seen.dry = true,
            Event::Promoted => self.seen.role = Some(SeenRole::Promoted),
            Event::Following => self.seen.role = Some(SeenRole::Following),
            Event::Disconnected { cause, next } if !cause.tries_other_slot_state(next) => {
                self.seen.ended.get_or_insert(cause);
            }
            _ => {}
        }
    }
}
