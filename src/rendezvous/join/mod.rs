//! [`Join`]: the new device.

mod cause;
mod io;

use std::collections::VecDeque;

pub use cause::{JoinCause, LoginFailure, Step};
pub use io::{JoinEnd, JoinEvent, JoinInput, JoinOutput, JoinTiming, Persist};

use super::failure::Failure;
use super::link::{LinkInput, LinkOutput};
use super::path::{Fresh, Output, Rendezvous};
use crate::protocol::Millis;
use crate::rendezvous::wire::{EssentialData, FromExisting, FromNew, JoinLink, Role, close};

#[derive(Debug)]
enum Stage {
    AwaitPeer,
    Handshake,
    AwaitBegin,
    AwaitData,
    /// The profile is being made durable; nothing has been sent to the mediator.
    StoringJoining,
    LoggingIn,
    /// The mark is being made durable.
    StoringRegistered,
    /// The last word is on its way. From here on there is no going back: the other device may have it.
    Leaving,
    /// The slot is being taken back.
    Dropping(JoinCause),
    Ended,
}

/// A new device on its way into a group.
///
/// Every end but the good one closes with [`close::FAILED`], which a relay passes on. A profile is durable before the
/// mediator hears of us, and is either registered or gone in the end, unless the slot could not be taken back.
#[derive(Debug)]
pub struct Join {
    path: Rendezvous,
    timing: JoinTiming,
    stage: Stage,
    outputs: VecDeque<JoinOutput>,
    until: Option<Millis>,
    link_is_open: bool,
    profile_may_exist: bool,
    slot_may_be_taken: bool,
    told_bytes: u64,
}

impl Join {
    /// Before the connection to the link's relay is open. The link is to be shown once it is.
    #[must_use]
    pub fn new(link: &JoinLink, fresh: Fresh, timing: JoinTiming) -> Self {
        Self {
            path: Rendezvous::new(Role::Initiator, link.key.duplicate(), link.path_id, fresh),
            timing,
            stage: Stage::AwaitPeer,
            outputs: VecDeque::new(),
            until: None,
            link_is_open: true,
            profile_may_exist: false,
            slot_may_be_taken: false,
            told_bytes: 0,
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Millis, input: JoinInput) {
        if matches!(self.stage, Stage::Ended) {
            return;
        }
        match (&self.stage, input) {
            (_, JoinInput::Timer) => self.timer(now),
            (_, JoinInput::Link(input)) => self.link(now, input),
            (Stage::Dropping(_), JoinInput::Dropped) => self.dropped(true),
            (Stage::Dropping(_), JoinInput::NotDropped) => self.dropped(false),
            (Stage::Leaving, JoinInput::Flushed) => self.leave(true),
            (Stage::StoringJoining, JoinInput::Persisted) => {
                self.stage = Stage::LoggingIn;
                self.slot_may_be_taken = true;
                self.outputs.push_back(JoinOutput::LogIn);
            }
            (Stage::StoringRegistered, JoinInput::Persisted) => {
                self.stage = Stage::Leaving;
                self.until = Some(now.after(self.timing.clean_up));
                self.path.send(FromNew::Registered.encode());
                self.drain(now);
            }
            (Stage::StoringJoining | Stage::StoringRegistered, JoinInput::PersistFailed(why)) => {
                self.fail(now, JoinCause::NotStored(why));
            }
            (Stage::LoggingIn, JoinInput::LoggedIn { others: 0 }) => self.fail(now, JoinCause::UnknownGroup),
            (Stage::LoggingIn, JoinInput::LoggedIn { .. }) => {
                self.stage = Stage::StoringRegistered;
                self.tell(JoinEvent::SlotTaken);
                self.outputs.push_back(JoinOutput::Persist(Persist::Registered));
            }
            (Stage::LoggingIn, JoinInput::LoginFailed { failure, slot_may_be_taken }) => {
                self.slot_may_be_taken = slot_may_be_taken;
                self.fail(now, JoinCause::Login(failure));
            }
            // Too late for leaving: it ends by itself. And answers to what is asked no more.
            (Stage::Leaving | Stage::Dropping(_), _) => {}
            (_, JoinInput::Cancel) => self.fail(now, JoinCause::Cancelled(self.step())),
            _ => {}
        }
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<JoinOutput> {
        self.outputs.pop_front()
    }

    /// When [`JoinInput::Timer`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        [self.until, self.path.deadline()].into_iter().flatten().min()
    }

    /// What it waits for.
    #[must_use]
    pub const fn step(&self) -> Step {
        match self.stage {
            Stage::AwaitPeer => Step::Peer,
            Stage::Handshake => Step::Handshake,
            Stage::AwaitBegin => Step::Begin,
            Stage::AwaitData => Step::Data,
            _ => Step::Registration,
        }
    }

    fn timer(&mut self, now: Millis) {
        self.path.timer(now);
        self.drain(now);
        if self.until.is_some_and(|until| now >= until) {
            match self.stage {
                Stage::Dropping(_) => self.dropped(false),
                Stage::Leaving => self.leave(false),
                _ => self.fail(now, JoinCause::Silent(self.step())),
            }
        }
    }

    fn link(&mut self, now: Millis, input: LinkInput) {
        if matches!(input, LinkInput::Down(_)) {
            self.link_is_open = false;
        }
        self.path.handle(now, input);
        self.tell_progress();
        self.drain(now);
    }

    fn tell_progress(&mut self) {
        let bytes = self.path.received();
        if matches!(self.stage, Stage::AwaitData) && bytes > self.told_bytes {
            self.told_bytes = bytes;
            self.tell(JoinEvent::Progress { bytes });
        }
    }

    fn drain(&mut self, now: Millis) {
        while let Some(output) = self.path.poll() {
            match output {
                Output::Link(output) => self.outputs.push_back(JoinOutput::Link(output)),
                Output::PeerThere => {
                    self.stage = Stage::Handshake;
                    self.until = Some(now.after(self.timing.data));
                    self.tell(JoinEvent::PeerThere);
                }
                Output::Nominated(emoji) => {
                    self.stage = Stage::AwaitBegin;
                    self.tell(JoinEvent::Emoji(emoji));
                }
                Output::Message(plain) => {
                    if let Err(cause) = self.message(now, &plain) {
                        self.fail(now, cause);
                    }
                }
                Output::Failed(failure) => self.path_failed(now, failure),
            }
        }
    }

    fn message(&mut self, now: Millis, plain: &[u8]) -> Result<(), JoinCause> {
        if matches!(self.stage, Stage::Leaving) {
            return Ok(());
        }
        let message = FromExisting::read(plain).map_err(|_| JoinCause::NoMessage)?;
        match (&self.stage, message) {
            (Stage::AwaitBegin, FromExisting::Begin) => {
                self.stage = Stage::AwaitData;
                self.tell(JoinEvent::Begun);
                Ok(())
            }
            (Stage::AwaitBegin, _) => Err(JoinCause::DataBeforeBegin),
            (Stage::AwaitData, FromExisting::Begin) => Err(JoinCause::SecondBegin),
            (Stage::AwaitData, FromExisting::BlobData) => Ok(()),
            (Stage::AwaitData, FromExisting::EssentialData(data)) => {
                let data = EssentialData::read(data).map_err(JoinCause::Essential)?;
                self.tell_progress();
                self.stage = Stage::StoringJoining;
                self.until = Some(now.after(self.timing.registration));
                self.profile_may_exist = true;
                self.tell(JoinEvent::Received { names: data.names.len() });
                self.outputs.push_back(JoinOutput::Persist(Persist::Joining(Box::new(data))));
                Ok(())
            }
            _ => Err(JoinCause::DataAfterEssential),
        }
    }

    fn path_failed(&mut self, now: Millis, failure: Failure) {
        match (&self.stage, failure) {
            (Stage::Ended | Stage::Dropping(_), _) => {}
            // It may have had our last word, and closed first.
            (Stage::Leaving, _) => self.leave(false),
            (_, Failure::PeerStopped) => self.fail(now, JoinCause::PeerStopped(self.step())),
            (_, failure) => self.fail(now, JoinCause::Rendezvous { failure, step: self.step() }),
        }
    }

    fn close(&mut self, code: crate::protocol::CloseCode) {
        self.path.end();
        if std::mem::replace(&mut self.link_is_open, false) {
            self.outputs.push_back(JoinOutput::Link(LinkOutput::Close(code)));
        }
    }

    fn fail(&mut self, now: Millis, cause: JoinCause) {
        // First of all, so that a phone lets go of the group's lock.
        self.close(close::FAILED);
        if self.slot_may_be_taken {
            self.until = Some(now.after(self.timing.clean_up));
            self.outputs.push_back(JoinOutput::DropSlot);
            self.stage = Stage::Dropping(cause);
        } else {
            self.failed(cause);
        }
    }

    fn dropped(&mut self, is_dropped: bool) {
        if let Stage::Dropping(cause) = std::mem::replace(&mut self.stage, Stage::Ended) {
            self.slot_may_be_taken = !is_dropped;
            self.failed(cause);
        }
    }

    fn failed(&mut self, cause: JoinCause) {
        let slot_left = self.slot_may_be_taken;
        if self.profile_may_exist && !slot_left {
            self.outputs.push_back(JoinOutput::Forget);
        }
        self.end(JoinEnd::Failed { cause, slot_left });
    }

    fn leave(&mut self, is_confirmed: bool) {
        // At once: an Android phone holds the group's lock until then.
        self.close(close::DONE);
        self.end(JoinEnd::Registered { is_confirmed });
    }

    fn end(&mut self, end: JoinEnd) {
        self.stage = Stage::Ended;
        self.until = None;
        self.outputs.push_back(JoinOutput::Ended(end));
    }

    fn tell(&mut self, event: JoinEvent) {
        self.outputs.push_back(JoinOutput::Event(event));
    }
}
