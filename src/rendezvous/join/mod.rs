//! [`Join`]: the new device.

mod cause;
mod io;

use std::collections::VecDeque;

pub use cause::{JoinCause, JoinStep, LoginFailure};
pub use io::{JoinEnd, JoinEvent, JoinInput, JoinOutput, JoinTiming, Persist};

use super::failure::RendezvousFailure;
use super::link::{LinkInput, LinkOutput};
use super::path::{Fresh, Output, Rendezvous};
use crate::protocol::Millis;
use crate::rendezvous::wire::{EssentialData, FromExisting, FromNew, JoinLink, RendezvousRole, close};

/// After how many bytes it is told how many have come; later less often.
const FIRST_PROGRESS: u64 = 16 * 1_024;

#[derive(Debug)]
enum JoinStage {
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
    stage: JoinStage,
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
            path: Rendezvous::new(RendezvousRole::Initiator, link.key.duplicate(), link.path_id, fresh),
            timing,
            stage: JoinStage::AwaitPeer,
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
        if matches!(self.stage, JoinStage::Ended) {
            return;
        }
        match (&self.stage, input) {
            (_, JoinInput::Timer) => self.timer(now),
            (_, JoinInput::Link(input)) => self.link(now, input),
            (JoinStage::Dropping(_), JoinInput::Dropped) => self.dropped(true),
            (JoinStage::Dropping(_), JoinInput::NotDropped) => self.dropped(false),
            (JoinStage::Leaving, JoinInput::Flushed) => self.leave(true),
            (JoinStage::StoringJoining, JoinInput::Persisted) => {
                self.stage = JoinStage::LoggingIn;
                self.slot_may_be_taken = true;
                self.outputs.push_back(JoinOutput::LogIn);
            }
            (JoinStage::StoringRegistered, JoinInput::Persisted) => {
                self.stage = JoinStage::Leaving;
                self.until = Some(now.after(self.timing.clean_up));
                self.path.send(FromNew::Registered.encode());
                self.drain(now);
            }
            (JoinStage::StoringJoining | JoinStage::StoringRegistered, JoinInput::PersistFailed(why)) => {
                self.fail(now, JoinCause::NotStored(why));
            }
            (JoinStage::LoggingIn, JoinInput::LoggedIn { others: 0 }) => self.fail(now, JoinCause::UnknownGroup),
            (JoinStage::LoggingIn, JoinInput::LoggedIn { .. }) => {
                self.stage = JoinStage::StoringRegistered;
                self.tell(JoinEvent::SlotTaken);
                self.outputs.push_back(JoinOutput::Persist(Persist::Registered));
            }
            (JoinStage::LoggingIn, JoinInput::LoginFailed { failure, slot_may_be_taken }) => {
                self.slot_may_be_taken = slot_may_be_taken;
                self.fail(now, JoinCause::Login(failure));
            }
            // Too late for leaving: it ends by itself. And answers to what is asked no more.
            (JoinStage::Leaving | JoinStage::Dropping(_), _) => {}
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
    pub const fn step(&self) -> JoinStep {
        match self.stage {
            JoinStage::AwaitPeer => JoinStep::Peer,
            JoinStage::Handshake => JoinStep::Handshake,
            JoinStage::AwaitBegin => JoinStep::Begin,
            JoinStage::AwaitData => JoinStep::Data,
            _ => JoinStep::Registration,
        }
    }

    fn timer(&mut self, now: Millis) {
        self.path.timer(now);
        self.drain(now);
        if self.until.is_some_and(|until| now >= until) {
            match self.stage {
                JoinStage::Dropping(_) => self.dropped(false),
                JoinStage::Leaving => self.leave(false),
                _ => self.fail(now, JoinCause::Silent(self.step())),
            }
        }
    }

    fn link(&mut self, now: Millis, input: LinkInput) {
        if matches!(input, LinkInput::Down(_)) {
            self.link_is_open = false;
        }
        self.path.handle(now, input);
        // However small the parts are in which it comes.
        self.tell_progress(FIRST_PROGRESS.max(self.told_bytes / 32));
        self.drain(now);
    }

    /// If so many bytes have come since it was told last.
    fn tell_progress(&mut self, step: u64) {
        let bytes = self.path.received();
        if matches!(self.stage, JoinStage::AwaitData) && bytes >= self.told_bytes + step {
            self.told_bytes = bytes;
            self.tell(JoinEvent::Progress { bytes });
        }
    }

    fn drain(&mut self, now: Millis) {
        while let Some(output) = self.path.poll() {
            match output {
                Output::Link(output) => self.outputs.push_back(JoinOutput::Link(output)),
                Output::PeerThere => {
                    self.stage = JoinStage::Handshake;
                    self.until = Some(now.after(self.timing.data));
                    self.tell(JoinEvent::PeerThere);
                }
                Output::Nominated(emoji) => {
                    self.stage = JoinStage::AwaitBegin;
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
        if matches!(self.stage, JoinStage::Leaving) {
            return Ok(());
        }
        let message = FromExisting::read(plain).map_err(|_| JoinCause::NoMessage)?;
        match (&self.stage, message) {
            (JoinStage::AwaitBegin, FromExisting::Begin) => {
                self.stage = JoinStage::AwaitData;
                self.tell(JoinEvent::Begun);
                Ok(())
            }
            (JoinStage::AwaitBegin, _) => Err(JoinCause::DataBeforeBegin),
            (JoinStage::AwaitData, FromExisting::Begin) => Err(JoinCause::SecondBegin),
            (JoinStage::AwaitData, FromExisting::BlobData) => Ok(()),
            (JoinStage::AwaitData, FromExisting::EssentialData(data)) => {
                let data = EssentialData::read(data).map_err(JoinCause::Essential)?;
                self.tell_progress(1);
                self.stage = JoinStage::StoringJoining;
                self.until = Some(now.after(self.timing.registration));
                self.profile_may_exist = true;
                self.tell(JoinEvent::Received { names: data.names.len() });
                self.outputs.push_back(JoinOutput::Persist(Persist::Joining(Box::new(data))));
                Ok(())
            }
            _ => Err(JoinCause::DataAfterEssential),
        }
    }

    fn path_failed(&mut self, now: Millis, failure: RendezvousFailure) {
        match (&self.stage, failure) {
            (JoinStage::Ended | JoinStage::Dropping(_), _) => {}
            // It may have had our last word, and closed first.
            (JoinStage::Leaving, _) => self.leave(false),
            (_, RendezvousFailure::PeerStopped) => self.fail(now, JoinCause::PeerStopped(self.step())),
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
            self.stage = JoinStage::Dropping(cause);
        } else {
            self.failed(cause);
        }
    }

    fn dropped(&mut self, is_dropped: bool) {
        if let JoinStage::Dropping(cause) = std::mem::replace(&mut self.stage, JoinStage::Ended) {
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
        self.stage = JoinStage::Ended;
        self.until = None;
        self.outputs.push_back(JoinOutput::Ended(end));
    }

    fn tell(&mut self, event: JoinEvent) {
        self.outputs.push_back(JoinOutput::Event(event));
    }
}
