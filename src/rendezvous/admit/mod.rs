//! [`Admit`]: the device of the group, which brings a new one in.

mod io;

use std::collections::VecDeque;
use std::time::Duration;

pub use io::{AdmitCause, AdmitEnd, AdmitEvent, AdmitInput, AdmitOutput, AdmitTiming};

use super::failure::RendezvousFailure;
use super::link::{LinkInput, LinkOutput};
use super::path::{Fresh, Output, Rendezvous};
use crate::protocol::{CloseCode, Millis};
use crate::rendezvous::wire::{EssentialData, FromExisting, FromNew, JoinLink, RendezvousRole, close};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AdmitStage {
    Handshake,
    /// The user compares.
    Confirming,
    Locking,
    AwaitRegistered,
    /// The new device is in; the lock is being let go.
    Committing,
    Ended,
}

/// A device of the group, which brings a new one in.
///
/// The lock is taken only once the user has confirmed the pictures, and the key leaves only under the lock.
#[derive(Debug)]
pub struct Admit {
    path: Rendezvous,
    data: EssentialData,
    timing: AdmitTiming,
    stage: AdmitStage,
    outputs: VecDeque<AdmitOutput>,
    until: Option<Millis>,
    link_is_open: bool,
}

impl Admit {
    /// Before the connection to the link's relay is open.
    #[must_use]
    pub fn new(link: &JoinLink, fresh: Fresh, data: EssentialData, timing: AdmitTiming) -> Self {
        Self {
            path: Rendezvous::new(RendezvousRole::Responder, link.key.duplicate(), link.path_id, fresh),
            data,
            timing,
            stage: AdmitStage::Handshake,
            outputs: VecDeque::new(),
            until: None,
            link_is_open: true,
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Millis, input: AdmitInput) {
        if self.stage == AdmitStage::Ended {
            return;
        }
        match (self.stage, input) {
            (_, AdmitInput::Timer) => self.timer(now),
            (_, AdmitInput::Link(input)) => {
                if matches!(input, LinkInput::Down(_)) {
                    self.link_is_open = false;
                }
                self.path.handle(now, input);
                self.drain(now);
            }
            (AdmitStage::Confirming, AdmitInput::Match(false)) => self.fail(AdmitCause::NoMatch),
            (AdmitStage::Confirming, AdmitInput::Match(true)) => {
                self.wait(now, AdmitStage::Locking, self.timing.lock);
                self.outputs.push_back(AdmitOutput::BeginTransaction);
            }
            (AdmitStage::Locking, AdmitInput::TransactionOpen) => self.give(now),
            (AdmitStage::Locking, AdmitInput::TransactionRefused(why)) => self.fail(AdmitCause::Locked(why)),
            (AdmitStage::Committing, AdmitInput::TransactionEnded) => self.admitted(true),
            // Too late for leaving: it ends by itself. And answers to what is asked no more.
            (AdmitStage::Committing, _) => {}
            (_, AdmitInput::Cancel) => self.fail(AdmitCause::Cancelled),
            _ => {}
        }
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<AdmitOutput> {
        self.outputs.pop_front()
    }

    /// When [`AdmitInput::Timer`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        [self.until, self.path.deadline()].into_iter().flatten().min()
    }

    fn wait(&mut self, now: Millis, stage: AdmitStage, span: Duration) {
        self.stage = stage;
        self.until = Some(now.after(span));
    }

    fn timer(&mut self, now: Millis) {
        self.path.timer(now);
        self.drain(now);
        if self.until.is_some_and(|until| now >= until) {
            match self.stage {
                AdmitStage::Confirming => self.fail(AdmitCause::NotConfirmed),
                AdmitStage::Locking => self.fail(AdmitCause::NoLock),
                AdmitStage::AwaitRegistered => self.fail(AdmitCause::NotRegistered),
                AdmitStage::Committing => self.admitted(false),
                AdmitStage::Handshake | AdmitStage::Ended => {}
            }
        }
    }

    fn drain(&mut self, now: Millis) {
        while let Some(output) = self.path.poll() {
            match output {
                Output::Link(output) => self.outputs.push_back(AdmitOutput::Link(output)),
                Output::PeerThere => self.tell(AdmitEvent::PeerThere),
                Output::Nominated(emoji) => {
                    self.wait(now, AdmitStage::Confirming, self.timing.confirmation);
                    self.tell(AdmitEvent::Emoji(emoji));
                }
                Output::Message(plain) => match (self.stage, FromNew::read(&plain)) {
                    (AdmitStage::AwaitRegistered, Ok(FromNew::Registered)) => {
                        self.wait(now, AdmitStage::Committing, self.timing.commit);
                        self.tell(AdmitEvent::Registered);
                        self.outputs.push_back(AdmitOutput::EndTransaction);
                    }
                    (AdmitStage::AwaitRegistered, Err(_)) => self.fail(AdmitCause::NoMessage),
                    (AdmitStage::Committing | AdmitStage::Ended, _) => {}
                    (AdmitStage::Handshake | AdmitStage::Confirming | AdmitStage::Locking, _) => {
                        self.fail(AdmitCause::OutOfTurn);
                    }
                },
                Output::Failed(failure) => match (self.stage, failure) {
                    // The new device closes as soon as it has said its last word.
                    (AdmitStage::Committing | AdmitStage::Ended, _) => {}
                    (_, RendezvousFailure::PeerStopped) => self.fail(AdmitCause::PeerStopped),
                    (_, failure) => self.fail(AdmitCause::Rendezvous(failure)),
                },
            }
        }
    }

    fn give(&mut self, now: Millis) {
        self.wait(now, AdmitStage::AwaitRegistered, self.timing.registration);
        self.path.send(FromExisting::begin());
        let data = self.data.encode();
        self.path.send(&data);
        self.drain(now);
        self.tell(AdmitEvent::Sent { bytes: data.len() });
    }

    fn close(&mut self, code: CloseCode) {
        self.path.end();
        if std::mem::replace(&mut self.link_is_open, false) {
            self.outputs.push_back(AdmitOutput::Link(LinkOutput::Close(code)));
        }
    }

    fn fail(&mut self, cause: AdmitCause) {
        self.close(close::FAILED);
        if matches!(self.stage, AdmitStage::Locking | AdmitStage::AwaitRegistered) {
            self.outputs.push_back(AdmitOutput::EndTransaction);
        }
        let key_given = self.stage == AdmitStage::AwaitRegistered;
        self.end(AdmitEnd::Failed { cause, key_given });
    }

    fn admitted(&mut self, lock_is_free: bool) {
        self.close(close::DONE);
        self.end(AdmitEnd::Admitted { lock_is_free });
    }

    fn end(&mut self, end: AdmitEnd) {
        self.stage = AdmitStage::Ended;
        self.until = None;
        self.outputs.push_back(AdmitOutput::Ended(end));
    }

    fn tell(&mut self, event: AdmitEvent) {
        self.outputs.push_back(AdmitOutput::Event(event));
    }
}
