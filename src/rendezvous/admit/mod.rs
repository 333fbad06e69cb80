//! [`Admit`]: the device of the group, which brings a new one in.

mod io;

use std::collections::VecDeque;
use std::time::Duration;

pub use io::{AdmitCause, AdmitEnd, AdmitEvent, AdmitInput, AdmitOutput, AdmitTiming};

use super::failure::Failure;
use super::link::{LinkInput, LinkOutput};
use super::path::{Fresh, Output, Rendezvous};
use crate::protocol::{CloseCode, Millis};
use crate::rendezvous::wire::{EssentialData, FromExisting, FromNew, JoinLink, Role, close};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
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
    stage: Stage,
    outputs: VecDeque<AdmitOutput>,
    until: Option<Millis>,
    link_is_open: bool,
}

impl Admit {
    /// Before the connection to the link's relay is open.
    #[must_use]
    pub fn new(link: &JoinLink, fresh: Fresh, data: EssentialData, timing: AdmitTiming) -> Self {
        Self {
            path: Rendezvous::new(Role::Responder, link.key.duplicate(), link.path_id, fresh),
            data,
            timing,
            stage: Stage::Handshake,
            outputs: VecDeque::new(),
            until: None,
            link_is_open: true,
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Millis, input: AdmitInput) {
        if self.stage == Stage::Ended {
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
            (Stage::Confirming, AdmitInput::Match(false)) => self.fail(AdmitCause::NoMatch),
            (Stage::Confirming, AdmitInput::Match(true)) => {
                self.wait(now, Stage::Locking, self.timing.lock);
                self.outputs.push_back(AdmitOutput::BeginTransaction);
            }
            (Stage::Locking, AdmitInput::TransactionOpen) => self.give(now),
            (Stage::Locking, AdmitInput::TransactionRefused(why)) => self.fail(AdmitCause::Locked(why)),
            (Stage::Committing, AdmitInput::TransactionEnded) => self.admitted(true),
            // Too late for leaving: it ends by itself. And answers to what is asked no more.
            (Stage::Committing, _) => {}
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

    fn wait(&mut self, now: Millis, stage: Stage, span: Duration) {
        self.stage = stage;
        self.until = Some(now.after(span));
    }

    fn timer(&mut self, now: Millis) {
        self.path.timer(now);
        self.drain(now);
        if self.until.is_some_and(|until| now >= until) {
            match self.stage {
                Stage::Confirming => self.fail(AdmitCause::NotConfirmed),
                Stage::Locking => self.fail(AdmitCause::NoLock),
                Stage::AwaitRegistered => self.fail(AdmitCause::NotRegistered),
                Stage::Committing => self.admitted(false),
                Stage::Handshake | Stage::Ended => {}
            }
        }
    }

    fn drain(&mut self, now: Millis) {
        while let Some(output) = self.path.poll() {
            match output {
                Output::Link(output) => self.outputs.push_back(AdmitOutput::Link(output)),
                Output::PeerThere => self.tell(AdmitEvent::PeerThere),
                Output::Nominated(emoji) => {
                    self.wait(now, Stage::Confirming, self.timing.confirmation);
                    self.tell(AdmitEvent::Emoji(emoji));
                }
                Output::Message(plain) => match (self.stage, FromNew::read(&plain)) {
                    (Stage::AwaitRegistered, Ok(FromNew::Registered)) => {
                        self.wait(now, Stage::Committing, self.timing.commit);
                        self.tell(AdmitEvent::Registered);
                        self.outputs.push_back(AdmitOutput::EndTransaction);
                    }
                    (Stage::AwaitRegistered, Err(_)) => self.fail(AdmitCause::NoMessage),
                    (Stage::Committing | Stage::Ended, _) => {}
                    (Stage::Handshake | Stage::Confirming | Stage::Locking, _) => self.fail(AdmitCause::OutOfTurn),
                },
                Output::Failed(failure) => match (self.stage, failure) {
                    // The new device closes as soon as it has said its last word.
                    (Stage::Committing | Stage::Ended, _) => {}
                    (_, Failure::PeerStopped) => self.fail(AdmitCause::PeerStopped),
                    (_, failure) => self.fail(AdmitCause::Rendezvous(failure)),
                },
            }
        }
    }

    fn give(&mut self, now: Millis) {
        self.wait(now, Stage::AwaitRegistered, self.timing.registration);
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
        if matches!(self.stage, Stage::Locking | Stage::AwaitRegistered) {
            self.outputs.push_back(AdmitOutput::EndTransaction);
        }
        let key_given = self.stage == Stage::AwaitRegistered;
        self.end(AdmitEnd::Failed { cause, key_given });
    }

    fn admitted(&mut self, lock_is_free: bool) {
        self.close(close::DONE);
        self.end(AdmitEnd::Admitted { lock_is_free });
    }

    fn end(&mut self, end: AdmitEnd) {
        self.stage = Stage::Ended;
        self.until = None;
        self.outputs.push_back(AdmitOutput::Ended(end));
    }

    fn tell(&mut self, event: AdmitEvent) {
        self.outputs.push_back(AdmitOutput::Event(event));
    }
}
