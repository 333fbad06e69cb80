//! [`TrialLogin`]: logs in as a device that changes nothing, acknowledges nothing, and leaves at once.

use std::time::{Duration, Instant};

use crate::group::{DisconnectCause, Event, Login};
use crate::net::{Address, Link, LinkEvent};
use crate::profile::Profile;
use crate::protocol::ExhaustedPolicy;
use crate::runtime::clock;
use crate::session::{Command, LeaderPolicy, Presence, Session, SessionInput, SessionOutput};

/// The deadline from the open WebSocket to the role.
pub(super) const LOGIN_WITHIN: Duration = Duration::from_secs(15);

/// A device that is not promoted for so long follows another one.
const FOLLOWING_AFTER: Duration = Duration::from_millis(1_500);

/// Overrides the profile so that no other device loses a slot, a message or the leader role to the login.
pub(super) fn harmless(mut profile: Profile) -> Profile {
    profile.session.read_only = true;
    profile.session.exhausted_policy = ExhaustedPolicy::Reject;
    profile.session.leader_policy = LeaderPolicy::GiveUp;
    profile.session.presence = Presence::Stay;
    profile.session.timing.following_after = FOLLOWING_AFTER;
    profile
}

#[derive(Debug, Default)]
pub(super) struct LoginObservations {
    pub(super) login: Option<Login>,
    /// From the open WebSocket to the login.
    pub(super) took: Duration,
    pub(super) devices: Option<usize>,
    pub(super) dry: bool,
    pub(super) role: Option<RoleSeen>,
    pub(super) ended: Option<DisconnectCause>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RoleSeen {
    Promoted,
    Following,
}

/// A session on an open WebSocket.
pub(super) struct TrialLogin<'a> {
    session: Session,
    address: &'a Address,
    link: Link,
    /// The session wants another connection: its slot is not as expected, for a harmless reason.
    connects: bool,
    seen: LoginObservations,
    started: Instant,
}

impl<'a> TrialLogin<'a> {
    pub(super) fn new(session: Session, address: &'a Address, link: Link) -> Self {
        let seen = LoginObservations::default();
        Self { session, address, link, connects: false, seen, started: Instant::now() }
    }

    pub(super) async fn run(mut self) -> LoginObservations {
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
                SessionOutput::Event(event) => self.observe(event),
            }
        }
    }

    fn observe(&mut self, event: Event) {
        match event {
            Event::LoggedIn(login) => {
                self.seen.login = Some(login);
                self.seen.took = self.started.elapsed();
            }
            Event::Devices(devices) => self.seen.devices = Some(devices.len()),
            Event::QueueDry => self.seen.dry = true,
            Event::Promoted => self.seen.role = Some(RoleSeen::Promoted),
            Event::Following => self.seen.role = Some(RoleSeen::Following),
            Event::Disconnected { cause, next } if !cause.tries_other_slot_state(next) => {
                self.seen.ended.get_or_insert(cause);
            }
            _ => {}
        }
    }
}
