//! Both devices against each other, and each against one that does not keep to the rules, in virtual time.

mod admit;
mod bad_input;
mod both;
mod random;
mod relay;
mod timing;
mod vectors;

use bytes::Bytes;

use super::*;
use crate::protocol::{CloseCode, Dialect, GroupSecret, Millis, ServerGroup};
use crate::rendezvous::wire::{
    AuthenticationKey, ContactName, EssentialData, JoinLink, Names, RelayPath, RendezvousRole, close,
};
use crate::text::Clean;

const START: Millis = Millis(1_000_000);

fn link() -> JoinLink {
    JoinLink::request(AuthenticationKey::new(&mut [5; 32]), &RelayPath::new([6; 32]), "wss://relay.example")
}

fn fresh(number: u8) -> Fresh {
    Fresh::new(&mut [number; 32], [number; 16])
}

fn data(contacts: usize) -> EssentialData {
    let contact = |number: usize| ContactName {
        identity: Clean::new(&format!("C{number:07}")),
        first: Clean::new(&format!("Contact {number}")),
        ..ContactName::default()
    };
    EssentialData {
        secret: GroupSecret::new(&mut [9; 32]),
        server_group: ServerGroup::parse("5e", Dialect::Dgk).unwrap(),
        identity: Some(Clean::new("ECHOECHO")),
        names: Names { contacts: (0..contacts).map(contact).collect(), ..Names::default() },
    }
}

fn closed(code: CloseCode) -> LinkInput {
    LinkInput::Down(RelayLinkEnd::Closed { code, reason: Clean::default() })
}

/// A join, and a phone that says what the test wants.
struct WithPhone {
    now: Millis,
    join: Join,
    phone: Rendezvous,
    /// What the join did, frames and news left out.
    did: Vec<&'static str>,
    /// What the phone heard after the handshake.
    heard: Vec<Vec<u8>>,
    closed_with: Option<CloseCode>,
    stored: Option<EssentialData>,
    end: Option<JoinEnd>,
    /// How many devices the mediator lists, or why it refuses.
    others: Result<usize, (LoginFailure, bool)>,
    disk_is_full: bool,
    drop_works: bool,
    /// At which step nothing more is answered.
    silent_at: Option<&'static str>,
}

impl WithPhone {
    fn with_link(phone_link: &JoinLink) -> Self {
        let key = phone_link.key.duplicate();
        let mut pair = Self {
            now: START,
            join: Join::new(&link(), fresh(1), JoinTiming::default()),
            phone: Rendezvous::new(RendezvousRole::Responder, key, phone_link.path_id, fresh(2)),
            did: Vec::new(),
            heard: Vec::new(),
            closed_with: None,
            stored: None,
            end: None,
            others: Ok(1),
            disk_is_full: false,
            drop_works: true,
            silent_at: None,
        };
        pair.tell(JoinInput::Link(LinkInput::Up));
        pair
    }

    fn new() -> Self {
        Self::with_link(&link())
    }

    fn nominated() -> Self {
        let mut pair = Self::new();
        pair.meet();
        pair
    }

    fn meet(&mut self) {
        self.phone.handle(self.now, LinkInput::Up);
        self.carry();
    }

    fn says(&mut self, messages: &[&[u8]]) {
        for message in messages {
            self.phone.send(message);
            self.carry();
        }
    }

    /// All in one WebSocket message.
    fn says_at_once(&mut self, messages: &[&[u8]]) {
        for message in messages {
            self.phone.send(message);
        }
        let mut all = Vec::new();
        while let Some(output) = self.phone.poll() {
            if let Output::Link(LinkOutput::Send(frame)) = output {
                all.extend_from_slice(&frame);
            }
        }
        self.tell(JoinInput::Link(LinkInput::Bytes(all.into())));
        self.carry();
    }

    fn carry(&mut self) {
        while let Some(output) = self.phone.poll() {
            match output {
                Output::Link(LinkOutput::Send(frame)) => self.tell(JoinInput::Link(LinkInput::Bytes(frame))),
                Output::Message(message) => self.heard.push(message.to_vec()),
                _ => {}
            }
        }
    }

    fn tell(&mut self, input: JoinInput) {
        self.join.handle(self.now, input);
        while let Some(output) = self.join.poll() {
            let (step, answer) = match output {
                JoinOutput::Link(LinkOutput::Send(frame)) => {
                    let length = u32::from_le_bytes(frame[..4].try_into().unwrap());
                    assert_eq!(usize::try_from(length).unwrap(), frame.len() - 4, "one whole frame a message");
                    self.phone.handle(self.now, LinkInput::Bytes(frame));
                    continue;
                }
                JoinOutput::Link(LinkOutput::Close(code)) => {
                    assert_eq!(self.closed_with.replace(code), None, "closed once");
                    self.did.push("close");
                    continue;
                }
                JoinOutput::Link(LinkOutput::Ping) | JoinOutput::Event(_) => continue,
                JoinOutput::Persist(Persist::Joining(data)) => {
                    self.stored = Some(*data);
                    ("persist joining", self.persisted())
                }
                JoinOutput::Persist(Persist::Registered) => ("persist registered", self.persisted()),
                JoinOutput::LogIn => (
                    "log in",
                    match self.others.clone() {
                        Ok(others) => JoinInput::LoggedIn { others },
                        Err((failure, slot_may_be_taken)) => JoinInput::LoginFailed { failure, slot_may_be_taken },
                    },
                ),
                JoinOutput::DropSlot => {
                    ("drop", if self.drop_works { JoinInput::Dropped } else { JoinInput::NotDropped })
                }
                JoinOutput::Forget => {
                    self.stored = None;
                    self.did.push("forget");
                    continue;
                }
                JoinOutput::Ended(end) => {
                    assert_eq!(self.end.replace(end), None, "ended once");
                    continue;
                }
            };
            self.did.push(step);
            if self.silent_at != Some(step) {
                self.join.handle(self.now, answer);
            }
        }
    }

    fn persisted(&self) -> JoinInput {
        if self.disk_is_full { JoinInput::PersistFailed(Clean::new("disk full")) } else { JoinInput::Persisted }
    }

    /// Lets the join wait until it ends, while the relay answers pings.
    fn wait(&mut self) {
        while self.end.is_none() {
            self.now = self.join.deadline().expect("it waits for ever");
            self.tell(JoinInput::Timer);
            self.tell(JoinInput::Link(LinkInput::Alive));
        }
    }

    fn cause(&self) -> JoinCause {
        match self.end.clone() {
            Some(JoinEnd::Failed { cause, .. }) => cause,
            other => panic!("{other:?}"),
        }
    }

    fn said_registered(&self) -> bool {
        self.heard == [[0x0a, 0]]
    }
}
