//! Whatever comes in whatever order, a join keeps its promises.

use proptest::prelude::*;

use super::*;
use crate::rendezvous::wire::FromExisting;

#[derive(Clone, Copy, Debug)]
enum JoinStep {
    PhoneUp,
    Begin,
    Data,
    Noise,
    Wait,
    Flushed,
    Persisted,
    PersistFailed,
    LoggedIn(usize),
    LoginFailed(bool),
    Dropped,
    NotDropped,
    Cancel,
    Down(u16),
}

fn step() -> impl Strategy<Value = JoinStep> {
    prop_oneof![
        4 => Just(JoinStep::PhoneUp),
        6 => Just(JoinStep::Begin),
        6 => Just(JoinStep::Data),
        1 => Just(JoinStep::Noise),
        1 => Just(JoinStep::Wait),
        4 => Just(JoinStep::Flushed),
        8 => Just(JoinStep::Persisted),
        1 => Just(JoinStep::PersistFailed),
        6 => (0_usize..4).prop_map(JoinStep::LoggedIn),
        1 => any::<bool>().prop_map(JoinStep::LoginFailed),
        2 => Just(JoinStep::Dropped),
        1 => Just(JoinStep::NotDropped),
        1 => Just(JoinStep::Cancel),
        1 => prop_oneof![Just(1000), Just(4004), Just(4100)].prop_map(JoinStep::Down),
    ]
}

/// What has been done, and what of it was answered.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is one thing that happened or did not")]
struct Seen {
    profile: bool,
    asked_to_persist: u32,
    logged_in: bool,
    closed: bool,
    dropping: bool,
    forgotten: bool,
    registered_sent: bool,
    end: Option<JoinEnd>,
}

impl Seen {
    fn take(&mut self, output: JoinOutput, answered: u32, dropped: bool) -> Option<Bytes> {
        assert_eq!(self.end, None, "nothing comes after the end: {output:?}");
        match output {
            JoinOutput::Link(LinkOutput::Send(frame)) => {
                assert!(!self.closed);
                // The only message after the handshake.
                if self.profile {
                    assert_eq!((self.asked_to_persist, answered), (2, 2), "the mark is durable");
                    self.registered_sent = true;
                }
                return Some(frame);
            }
            JoinOutput::Link(LinkOutput::Close(_)) => assert!(!std::mem::replace(&mut self.closed, true)),
            JoinOutput::Link(LinkOutput::Ping) | JoinOutput::Event(_) => {}
            JoinOutput::Persist(persist) => {
                self.asked_to_persist += 1;
                assert_eq!(matches!(persist, Persist::Joining(_)), self.asked_to_persist == 1);
                self.profile = true;
            }
            JoinOutput::LogIn => {
                assert_eq!((self.asked_to_persist, answered), (1, 1), "the profile is durable first");
                self.logged_in = true;
            }
            JoinOutput::DropSlot => {
                assert!(self.logged_in && !self.registered_sent);
                self.dropping = true;
            }
            JoinOutput::Forget => {
                assert!(self.profile && !self.registered_sent);
                assert!(!self.dropping || dropped, "not before the slot is free");
                self.forgotten = true;
            }
            JoinOutput::Ended(end) => {
                match &end {
                    JoinEnd::Registered { .. } => assert!(self.registered_sent && !self.forgotten),
                    JoinEnd::Failed { slot_left, .. } => {
                        assert!(!self.registered_sent);
                        assert_eq!(self.profile && !slot_left, self.forgotten);
                    }
                }
                self.end = Some(end);
            }
        }
        None
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_order_is_kept(steps in prop::collection::vec(step(), 1..60)) {
        let link = link();
        let mut join = Join::new(&link, fresh(1), JoinTiming::default());
        let mut phone = Rendezvous::new(RendezvousRole::Responder, link.key.duplicate(), link.path_id, fresh(2));
        let essential = data(1).encode();
        let (mut now, mut seen, mut answered, mut dropped) = (START, Seen::default(), 0, false);
        join.handle(now, JoinInput::Link(LinkInput::Up));
        for step in steps {
            let why = || Clean::new("why");
            let input = match step {
                JoinStep::PhoneUp => { phone.handle(now, LinkInput::Up); None }
                JoinStep::Begin => { phone.send(FromExisting::begin()); None }
                JoinStep::Data => { phone.send(&essential); None }
                JoinStep::Noise => Some(JoinInput::Link(LinkInput::Bytes(Bytes::from_static(&[9; 40])))),
                JoinStep::Wait => {
                    now = join.deadline().unwrap_or(now);
                    Some(JoinInput::Timer)
                }
                JoinStep::Flushed => Some(JoinInput::Flushed),
                // Only what was asked for is answered.
                JoinStep::Persisted => (answered < seen.asked_to_persist).then(|| { answered += 1; JoinInput::Persisted }),
                JoinStep::PersistFailed => Some(JoinInput::PersistFailed(why())),
                JoinStep::LoggedIn(others) => seen.logged_in.then_some(JoinInput::LoggedIn { others }),
                JoinStep::LoginFailed(slot_may_be_taken) => seen.logged_in.then(|| {
                    JoinInput::LoginFailed { failure: LoginFailure::Unreachable(why()), slot_may_be_taken }
                }),
                JoinStep::Dropped => { dropped |= seen.dropping; seen.dropping.then_some(JoinInput::Dropped) }
                JoinStep::NotDropped => Some(JoinInput::NotDropped),
                JoinStep::Cancel => Some(JoinInput::Cancel),
                JoinStep::Down(code) => Some(JoinInput::Link(closed(CloseCode(code)))),
            };
            if let Some(input) = input {
                join.handle(now, input);
            }
            loop {
                if let Some(output) = join.poll() {
                    if let Some(frame) = seen.take(output, answered, dropped) {
                        phone.handle(now, LinkInput::Bytes(frame));
                    }
                } else if let Some(output) = phone.poll() {
                    if let Output::Link(LinkOutput::Send(frame)) = output {
                        join.handle(now, JoinInput::Link(LinkInput::Bytes(frame)));
                    }
                } else {
                    break;
                }
            }
        }
        // In the end it ends, if anybody came at all.
        for _ in 0..20_000 {
            let Some(deadline) = join.deadline().filter(|_| seen.end.is_none()) else { break };
            now = deadline;
            join.handle(now, JoinInput::Timer);
            while let Some(output) = join.poll() {
                seen.take(output, answered, dropped);
            }
        }
        prop_assert!(seen.end.is_some());
    }
}
