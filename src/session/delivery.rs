//! [`Delivery`]: a session, and what its messages wait for until they are told: the journal, if there is one.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::{Now, ProxyOutput, Session, SessionInput, SessionOutput};
use crate::group::{Event, JournalState, ReflectedMessage, to_acknowledge};
use crate::protocol::{CloseCode, Millis, ReflectedId};

/// What a [`Delivery`] is told.
#[derive(Debug)]
pub enum DeliveryInput {
    /// Something for the session.
    Session(SessionInput),
    /// The journal hands the oldest messages of [`Deed::Store`] on.
    HandOn {
        /// The connection that they came on.
        connection: u64,
        /// The messages as they were given.
        messages: Vec<ReflectedMessage>,
        /// Whether they are durable, and so may be acknowledged.
        durable: bool,
    },
    /// Something of the journal that is told and changes nothing else.
    Journal(Event),
    /// The journal can be written again. What came on this connection and was not held has to come again.
    JournalWorks {
        /// The connection, if anything has to come again.
        redeliver: Option<u64>,
    },
    /// No more comes of the journal: what still waits for it is told.
    Rest,
}

/// What a [`Delivery`] wants done.
#[derive(Debug, PartialEq)]
pub enum Deed {
    /// Open the WebSocket; what the journal holds of an earlier connection comes again.
    Connect,
    /// Send this binary message.
    Send(Bytes),
    /// Send a WebSocket ping.
    Ping,
    /// Close the WebSocket with this code, after all that was to be sent.
    Close(CloseCode),
    /// Give these to the journal, which answers with [`DeliveryInput::HandOn`].
    Store {
        /// The connection that they came on.
        connection: u64,
        /// The messages in the order of receipt.
        messages: Vec<ReflectedMessage>,
    },
    /// Let the journal know that all that waited at the server was given to it.
    CaughtUp,
    /// Let the journal know that the acknowledgements of its oldest so many have left.
    Settled {
        /// Ephemeral ones not counted.
        count: usize,
        /// When they left.
        at: Millis,
        /// From reading them off the socket to writing the acknowledgements to it.
        waited: Duration,
    },
    /// Tell this to the chat client's side.
    Proxy(ProxyOutput),
    /// Tell that this happened at that time.
    Tell(Millis, Event),
}

/// A session, and what its messages wait for. The time of what is told is that of the input that it follows from, or that
/// it had to wait for.
#[derive(Debug)]
pub struct Delivery {
    session: Session,
    /// Whether a journal takes the messages.
    keeps: bool,
    now: Now,
    /// What follows from an output besides the deed that it became.
    next: VecDeque<Deed>,
    /// Messages that were told, and count as durable with that.
    told: Option<(u64, usize)>,
    /// How many batches are under way to the journal.
    in_flight: u64,
    /// What happened after them, and is told after them: each with how many are to be handed on before.
    deferred_events: VecDeque<(u64, Millis, Event)>,
    /// Of each batch that is not yet acknowledged: when it was read, and how many of it are to be acknowledged.
    unacknowledged: VecDeque<(Duration, usize)>,
}

impl Delivery {
    /// With a journal that takes the messages, or without one: then they count as durable once they are told.
    #[must_use]
    pub fn new(session: Session, keeps: bool) -> Self {
        Self {
            session,
            keeps,
            now: Now::from(Millis(0)),
            next: VecDeque::new(),
            told: None,
            in_flight: 0,
            deferred_events: VecDeque::new(),
            unacknowledged: VecDeque::new(),
        }
    }

    /// The session as it is after the last input.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// The same, to be told what no input brings.
    pub const fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    /// When the last input came.
    #[must_use]
    pub const fn now(&self) -> Now {
        self.now
    }

    /// Whether a journal takes the messages.
    #[must_use]
    pub const fn keeps(&self) -> bool {
        self.keeps
    }

    /// Whether messages are under way to the journal.
    #[must_use]
    pub const fn awaits_journal(&self) -> bool {
        self.in_flight > 0
    }

    /// Takes an input; [`Delivery::poll`] tells what follows from it, and is to be asked until there is no more.
    pub fn handle(&mut self, now: Now, input: DeliveryInput) {
        self.now = now;
        match input {
            DeliveryInput::Session(input) => self.session.handle(now, input),
            DeliveryInput::HandOn { connection, messages, durable } => {
                let count = to_acknowledge(&messages);
                self.next.push_back(Deed::Tell(now.wall, Event::Reflected(messages)));
                self.tell_deferred_events();
                if durable {
                    self.session.handle(now, SessionInput::Durable { connection, count });
                }
            }
            DeliveryInput::Journal(event) => self.next.push_back(Deed::Tell(now.wall, event)),
            DeliveryInput::JournalWorks { redeliver } => {
                self.next.push_back(Deed::Tell(now.wall, Event::Journal(JournalState::Keeps)));
                if let Some(connection) = redeliver {
                    self.session.handle(now, SessionInput::Redeliver { connection });
                }
            }
            DeliveryInput::Rest => {
                let rest = std::mem::take(&mut self.deferred_events).into_iter();
                self.next.extend(rest.map(|(_, at, event)| Deed::Tell(at, event)));
            }
        }
    }

    /// What is to be done next, if anything.
    pub fn poll(&mut self) -> Option<Deed> {
        loop {
            if let Some(deed) = self.next.pop_front() {
                return Some(deed);
            }
            if let Some((connection, count)) = self.told.take() {
                self.session.handle(self.now, SessionInput::Durable { connection, count });
            }
            let output = self.session.poll()?;
            if let Some(deed) = self.deed_of(output) {
                return Some(deed);
            }
        }
    }

    /// What an output means; [`None`] if it is told later, or stands in what is next.
    fn deed_of(&mut self, output: SessionOutput) -> Option<Deed> {
        match output {
            SessionOutput::Connect => {
                self.unacknowledged.clear();
                Some(Deed::Connect)
            }
            SessionOutput::Send(frame) => Some(Deed::Send(frame)),
            SessionOutput::Ping => Some(Deed::Ping),
            SessionOutput::Close(code) => Some(Deed::Close(code)),
            SessionOutput::Reflected { connection, messages } => {
                let count = to_acknowledge(&messages);
                if count > 0 {
                    self.unacknowledged.push_back((self.now.precise, count));
                }
                if self.keeps {
                    self.in_flight += 1;
                    return Some(Deed::Store { connection, messages });
                }
                self.told = Some((connection, count));
                Some(Deed::Tell(self.now.wall, Event::Reflected(messages)))
            }
            SessionOutput::Acknowledged(ids) => {
                self.acknowledged(ids);
                None
            }
            SessionOutput::Proxy(proxied) => Some(Deed::Proxy(proxied)),
            SessionOutput::Event(event) => {
                if event == Event::QueueDry && self.keeps {
                    self.next.push_back(Deed::CaughtUp);
                }
                let at = self.now.wall;
                if self.in_flight > 0 {
                    self.deferred_events.push_back((self.in_flight, at, event));
                } else {
                    self.next.push_back(Deed::Tell(at, event));
                }
                None
            }
        }
    }

    /// One more batch is handed on: what happened between it and the next is told.
    fn tell_deferred_events(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        for (before, ..) in &mut self.deferred_events {
            *before = before.saturating_sub(1);
        }
        while self.deferred_events.front().is_some_and(|(before, ..)| *before == 0) {
            if let Some((_, at, event)) = self.deferred_events.pop_front() {
                self.next.push_back(Deed::Tell(at, event));
            }
        }
    }

    /// Tells batch by batch how long the acknowledgements took: by the finer clock, as the other is too coarse for it.
    fn acknowledged(&mut self, mut ids: Vec<ReflectedId>) {
        let at = self.now.wall;
        while !ids.is_empty() {
            let Some((read_at, count)) = self.unacknowledged.front_mut() else { return };
            let rest = ids.split_off((*count).min(ids.len()));
            let waited = self.now.precise.saturating_sub(*read_at);
            *count -= ids.len();
            if *count == 0 {
                self.unacknowledged.pop_front();
            }
            if !ids.is_empty() {
                if self.keeps {
                    self.next.push_back(Deed::Settled { count: ids.len(), at, waited });
                }
                self.next.push_back(Deed::Tell(at, Event::Acknowledged { ids, waited }));
            }
            ids = rest;
        }
    }
}
