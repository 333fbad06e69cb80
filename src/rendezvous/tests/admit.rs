//! An admission, and a new device that says what the test wants.

use super::*;
use crate::rendezvous::wire::FromNew;

struct WithDevice {
    admit: Admit,
    device: Rendezvous,
    did: Vec<AdmitOutput>,
    now: Millis,
}

impl WithDevice {
    /// Up to the question whether the pictures match.
    fn new() -> Self {
        let link = link();
        let mut pair = Self {
            admit: Admit::new(&link, fresh(2), data(1), AdmitTiming::default()),
            device: Rendezvous::new(RendezvousRole::Initiator, link.key.duplicate(), link.path_id, fresh(1)),
            did: Vec::new(),
            now: START,
        };
        pair.device.handle(START, LinkInput::Up);
        pair.tell(AdmitInput::Link(LinkInput::Up));
        assert!(matches!(pair.did[..], [AdmitOutput::Event(AdmitEvent::PeerThere), AdmitOutput::Event(_)]));
        pair.did.clear();
        pair
    }

    fn says(&mut self, message: &[u8]) {
        self.device.send(message);
        self.carry();
    }

    fn tell(&mut self, input: AdmitInput) {
        self.admit.handle(self.now, input);
        self.carry();
    }

    fn carry(&mut self) {
        loop {
            if let Some(output) = self.admit.poll() {
                match output {
                    AdmitOutput::Link(LinkOutput::Send(frame)) => {
                        self.device.handle(self.now, LinkInput::Bytes(frame));
                    }
                    AdmitOutput::Link(LinkOutput::Ping) => {}
                    output => self.did.push(output),
                }
            } else if let Some(output) = self.device.poll() {
                if let Output::Link(LinkOutput::Send(frame)) = output {
                    self.admit.handle(self.now, AdmitInput::Link(LinkInput::Bytes(frame)));
                }
            } else {
                return;
            }
        }
    }

    fn confirmed() -> Self {
        let mut pair = Self::new();
        pair.tell(AdmitInput::Match(true));
        assert_eq!(pair.did, [AdmitOutput::BeginTransaction], "nothing is given away without the lock");
        pair
    }

    fn given() -> Self {
        let mut pair = Self::confirmed();
        pair.tell(AdmitInput::TransactionOpen);
        assert!(matches!(pair.did[1..], [AdmitOutput::Event(AdmitEvent::Sent { .. })]));
        pair
    }

    fn cause(&self) -> (AdmitCause, bool) {
        assert!(self.did.contains(&AdmitOutput::Link(LinkOutput::Close(close::FAILED))));
        match self.did.last() {
            Some(AdmitOutput::Ended(AdmitEnd::Failed { cause, key_given })) => (cause.clone(), *key_given),
            other => panic!("{other:?}"),
        }
    }

    fn let_go(&self) -> bool {
        self.did.contains(&AdmitOutput::EndTransaction)
    }
}

#[test]
fn it_commits_once_the_device_is_registered() {
    let mut pair = WithDevice::given();
    pair.says(FromNew::Registered.encode());
    assert_eq!(pair.did[2..], [AdmitOutput::Event(AdmitEvent::Registered), AdmitOutput::EndTransaction]);
    pair.tell(AdmitInput::TransactionEnded);
    assert_eq!(
        pair.did[4..],
        [
            AdmitOutput::Link(LinkOutput::Close(close::DONE)),
            AdmitOutput::Ended(AdmitEnd::Admitted { lock_is_free: true })
        ]
    );
}

#[test]
fn a_device_that_closes_first_is_in_all_the_same() {
    let mut pair = WithDevice::given();
    pair.says(FromNew::Registered.encode());
    pair.tell(AdmitInput::Link(closed(close::DONE)));
    pair.now = pair.admit.deadline().unwrap();
    pair.tell(AdmitInput::Timer);
    assert_eq!(pair.did.last(), Some(&AdmitOutput::Ended(AdmitEnd::Admitted { lock_is_free: false })));
}

/// The empty message among them would be the initiator's own nomination.
#[test]
fn a_device_that_speaks_out_of_turn_gets_nothing() {
    for message in [&[][..], FromNew::Registered.encode(), b"noise"] {
        let mut pair = WithDevice::new();
        pair.says(message);
        assert_eq!((pair.cause(), pair.let_go()), ((AdmitCause::OutOfTurn, false), false));
        let mut pair = WithDevice::confirmed();
        pair.says(message);
        assert_eq!((pair.cause(), pair.let_go()), ((AdmitCause::OutOfTurn, false), true));
    }
    for message in [&[][..], b"noise"] {
        let mut pair = WithDevice::given();
        pair.says(message);
        assert_eq!((pair.cause(), pair.let_go()), ((AdmitCause::NoMessage, true), true));
    }
}

#[test]
fn nobody_waits_for_ever() {
    for (mut pair, cause) in [
        (WithDevice::new(), (AdmitCause::NotConfirmed, false)),
        (WithDevice::confirmed(), (AdmitCause::NoLock, false)),
        (WithDevice::given(), (AdmitCause::NotRegistered, true)),
    ] {
        while !matches!(pair.did.last(), Some(AdmitOutput::Ended(_))) {
            pair.now = pair.admit.deadline().unwrap();
            pair.tell(AdmitInput::Timer);
            pair.tell(AdmitInput::Link(LinkInput::Alive));
        }
        assert_eq!(pair.cause(), cause);
    }
    let mut pair = WithDevice::confirmed();
    pair.tell(AdmitInput::Cancel);
    assert_eq!((pair.cause(), pair.let_go()), ((AdmitCause::Cancelled, false), true));
}

#[test]
fn an_initiator_that_is_silent_or_does_not_answer_the_challenge() {
    let link = link();
    let admit = || Admit::new(&link, fresh(2), data(1), AdmitTiming::default());
    let cause = |admit: &mut Admit| match std::iter::from_fn(|| admit.poll()).last() {
        Some(AdmitOutput::Ended(AdmitEnd::Failed { cause, .. })) => cause,
        other => panic!("{other:?}"),
    };
    let mut silent = admit();
    silent.handle(START, AdmitInput::Link(LinkInput::Up));
    for _ in 0..2 {
        silent.handle(silent.deadline().unwrap(), AdmitInput::Timer);
    }
    assert_eq!(cause(&mut silent), AdmitCause::Rendezvous(RendezvousFailure::HandshakeSilent));

    let mut wrong = admit();
    wrong.handle(START, AdmitInput::Link(LinkInput::Up));
    let mut sending =
        crate::rendezvous::wire::FrameDirection::new(link.key.frame_key(RendezvousRole::Initiator), link.path_id);
    let answer = crate::rendezvous::wire::AuthHello { response: [3; 16], challenge: [1; 16], ephemeral: [9; 32] };
    let frame = sending.seal(&answer.encode()).unwrap();
    wrong.handle(START, AdmitInput::Link(LinkInput::Bytes(frame)));
    assert_eq!(cause(&mut wrong), AdmitCause::Rendezvous(RendezvousFailure::WrongResponse));
}
