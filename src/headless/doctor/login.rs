//! A login for a moment: as a device that changes nothing, acknowledges nothing, and leaves at once.

use std::time::{Duration, Instant};

use super::Report;
use super::connect_steps::{PATIENCE, soon, step};
use super::finding::{Finding, Status};
use crate::group::{DisconnectCause, Event, Login};
use crate::net::{Address, Link, LinkEvent, Secured, Step};
use crate::output::Failure;
use crate::output::advice::close_advice;
use crate::profile::{Profile, SlotMemory};
use crate::protocol::{CloseCode, ExhaustedPolicy, ExpirationPolicy, SlotState};
use crate::runtime::{ANOTHER_GROUP, clock};
use crate::session::{Command, LeaderPolicy, Presence, Session, SessionInput, SessionOutput};

/// How long everything from the WebSocket to the role may take.
const LOGIN_WITHIN: Duration = Duration::from_secs(15);

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
struct Seen {
    login: Option<Login>,
    /// From the open WebSocket to the login.
    took: Duration,
    devices: Option<usize>,
    dry: bool,
    role: Option<Role>,
    ended: Option<DisconnectCause>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Promoted,
    Following,
}

/// Logs in, leaves, and says what there was to see.
pub(super) async fn examine(
    session: Session,
    address: &Address,
    secured: Secured,
    memory: Option<SlotMemory>,
    report: &mut Report,
) -> Result<(), Failure> {
    let policy = session.config().expiration_policy;
    let Some(link) = step("login", address.in_time(soon(), Step::Upgrade, address.upgrade(secured)), report).await?
    else {
        return Ok(());
    };
    let visit =
        OneShotSession { session, address, link, connects: false, seen: Seen::default(), started: Instant::now() };
    let seen = visit.make().await;
    if let (Some(mut memory), Some(_)) = (memory, &seen.login) {
        memory.registered(clock::now());
        if let Err(error) = memory.write() {
            tracing::warn!("cannot remember the slot: {error}");
        }
    }
    let Some(login) = &seen.login else {
        return report.add(&Finding::new("login", Status::Fail, &refusal(seen.ended.as_ref())));
    };
    report.add(&logged_in(login, &seen))?;
    report.add(&clocks(login))?;
    report.add(&slot(login, policy))?;
    report.add(&slots(login, seen.devices))?;
    report.add(&role(&seen))
}

/// A session on an open WebSocket.
struct OneShotSession<'a> {
    session: Session,
    address: &'a Address,
    link: Link,
    /// The session wants another one: its slot is not as expected, for a harmless reason.
    connects: bool,
    seen: Seen,
    started: Instant,
}

impl OneShotSession<'_> {
    async fn make(mut self) -> Seen {
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
            Event::Promoted => self.seen.role = Some(Role::Promoted),
            Event::Following => self.seen.role = Some(Role::Following),
            Event::Disconnected { cause, next } if !cause.tries_other_slot_state(next) => {
                self.seen.ended.get_or_insert(cause);
            }
            _ => {}
        }
    }
}

/// Why there was no login, and what to do.
fn refusal(ended: Option<&DisconnectCause>) -> String {
    match ended {
        Some(DisconnectCause::ClosedByServer { code, .. }) if *code == CloseCode::PROTOCOL_ERROR => format!(
            "the server refused it with {code}: {}; check --key-file, --server-group and --dialect",
            code.meaning()
        ),
        Some(DisconnectCause::ClosedByServer { code, expected, .. }) => {
            format!("the server refused it with {code}: {}; {}", code.meaning(), close_advice(*code, *expected))
        }
        Some(DisconnectCause::ServerProtocolError(how)) => {
            format!("the server broke the protocol ({how}); check --dialect, and that the URL is that of a mediator")
        }
        Some(DisconnectCause::Broken(how) | DisconnectCause::Unreachable(how)) => {
            format!("the connection was lost ({how}); try again, then ask who runs the mediator")
        }
        _ => format!(
            "no answer within {} s; check that the URL is that of a mediator, then ask who runs it",
            LOGIN_WITHIN.max(PATIENCE).as_secs()
        ),
    }
}

fn logged_in(login: &Login, seen: &Seen) -> Finding {
    let waiting = match login.reflection_queue_length {
        None | Some(0) => String::new(),
        Some(count) => format!("; {count} messages wait for it, and none was acknowledged"),
    };
    let words = format!("as device {} in {} ms, and left again{waiting}", login.own, seen.took.as_millis());
    match &seen.ended {
        Some(DisconnectCause::LeaderRole | DisconnectCause::ByUser) | None => Finding::new("login", Status::Ok, &words),
        ended => Finding::new("login", Status::Fail, &format!("lost again: {}", refusal(ended.as_ref()))),
    }
}

fn clocks(login: &Login) -> Finding {
    let Some(ahead) = login.clock_offset else {
        return Finding::skipped("clock", "this server does not tell the time");
    };
    let apart = ahead.unsigned_abs();
    let side = if ahead < 0 { "behind" } else { "ahead of" };
    let words = match apart {
        0..1_000 => "within a second of the server's".to_owned(),
        _ => format!("the server's is {} s {side} ours", apart / 1_000),
    };
    if login.clock_apart().is_some() {
        let words = format!("{words}; set this machine's clock, best by the network (timedatectl set-ntp true)");
        return Finding::new("clock", Status::Warn, &words);
    }
    Finding::new("clock", Status::Ok, &words)
}

fn slot(login: &Login, policy: ExpirationPolicy) -> Finding {
    let kept = match policy {
        ExpirationPolicy::Persistent => "it is kept while this device is away",
        ExpirationPolicy::Volatile => "it expires some minutes after this device has left",
    };
    let words = match login.slot_state {
        SlotState::New => format!("new: the server did not know this device; {kept}"),
        SlotState::Existing => format!("the server knows this device; {kept}"),
    };
    Finding::new("slot", Status::Ok, &words)
}

fn slots(login: &Login, devices: Option<usize>) -> Finding {
    let told = |status, words: &str| Finding::new("slots", status, words);
    let most = login.max_device_slots;
    match devices {
        None => told(Status::Warn, "the server sent no device list; ask who runs the mediator"),
        Some(0 | 1) => told(Status::Warn, &format!("this device is alone in its group; {ANOTHER_GROUP}")),
        Some(used) if u32::try_from(used).is_ok_and(|used| used >= most) => {
            let words = format!("all {most} are used, this device included; drop one that is no longer needed");
            told(Status::Warn, &words)
        }
        Some(used) => told(Status::Ok, &format!("{used} of {most} are used, this device included")),
    }
}

fn role(seen: &Seen) -> Finding {
    let told = |status, words: &str| Finding::new("leader", status, words);
    match seen.role {
        Some(Role::Following) => told(Status::Ok, "another device leads"),
        Some(Role::Promoted) => told(
            Status::Warn,
            "no other device is connected, so this one was made leader, and left at once; d2mtop comes and goes until \
             a phone is there to lead",
        ),
        None if seen.dry => Finding::skipped("leader", "the login ended before it could be told"),
        None => {
            Finding::skipped("leader", "messages were still waiting, and before they are through nobody is promoted")
        }
    }
}
