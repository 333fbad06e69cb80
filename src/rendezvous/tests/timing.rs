//! Nobody is waited for without end, but for the first step: there a person looks for a phone.

use std::time::Duration;

use super::*;

#[test]
fn nobody_comes() {
    let mut pair = WithPhone::new();
    let mut pings = 0;
    for _ in 0..100 {
        pair.now = pair.join.deadline().unwrap();
        pair.join.handle(pair.now, JoinInput::Timer);
        while let Some(output) = pair.join.poll() {
            assert!(matches!(output, JoinOutput::Link(LinkOutput::Ping)), "{output:?}");
            pings += 1;
        }
        pair.tell(JoinInput::Link(LinkInput::Alive));
    }
    assert_eq!((pings, &pair.end), (100, &None), "the relay decides how long");
    assert!(pair.now.since(START) >= Duration::from_secs(3_000));
}

#[test]
fn a_relay_that_is_gone_is_noticed() {
    let mut pair = WithPhone::new();
    while pair.end.is_none() {
        pair.now = pair.join.deadline().unwrap();
        pair.tell(JoinInput::Timer);
    }
    assert_eq!(pair.cause(), JoinCause::Rendezvous { failure: RendezvousFailure::RelaySilent, step: JoinStep::Peer });
    assert_eq!(pair.now.since(START), Duration::from_secs(90));
}

#[test]
fn silence_at_each_step() {
    let begin: &[u8] = &[0x0a, 0];
    let data = data(0).encode();
    let mut pair = WithPhone::new();
    pair.phone.handle(START, LinkInput::Up);
    let Some(Output::Link(LinkOutput::Send(hello))) = pair.phone.poll() else { panic!("no hello") };
    pair.tell(JoinInput::Link(LinkInput::Bytes(hello)));
    pair.wait();
    assert_eq!(
        pair.cause(),
        JoinCause::Rendezvous { failure: RendezvousFailure::HandshakeSilent, step: JoinStep::Handshake }
    );

    for (messages, step) in [(&[][..], JoinStep::Begin), (&[begin], JoinStep::Data)] {
        let mut pair = WithPhone::nominated();
        pair.says(messages);
        pair.wait();
        assert_eq!(pair.cause(), JoinCause::Silent(step));
        assert_eq!(pair.now.since(START), JoinTiming::default().data);
        assert_eq!(pair.closed_with, Some(close::FAILED));
    }
    for silent_at in ["persist joining", "log in", "persist registered"] {
        let mut pair = WithPhone::nominated();
        pair.silent_at = Some(silent_at);
        pair.says(&[begin, &data]);
        pair.wait();
        assert_eq!(pair.cause(), JoinCause::Silent(JoinStep::Registration), "{silent_at}");
        assert!(pair.stored.is_none());
        assert_eq!(pair.now.since(START), JoinTiming::default().registration);
    }
    let mut pair = WithPhone::nominated();
    pair.says(&[begin, &data]);
    pair.wait();
    assert_eq!(pair.end, Some(JoinEnd::Registered { is_confirmed: false }), "the last word does not leave");

    let mut pair = WithPhone::nominated();
    (pair.others, pair.silent_at) = (Ok(0), Some("drop"));
    pair.says(&[begin, &data]);
    assert_eq!(pair.end, None);
    pair.wait();
    assert_eq!(pair.end, Some(JoinEnd::Failed { cause: JoinCause::UnknownGroup, slot_left: true }));
    assert_eq!(pair.now.since(START), JoinTiming::default().clean_up);
}

#[test]
fn who_leaves_leaves_politely_at_every_step() {
    let begin: &[u8] = &[0x0a, 0];
    let data = data(0).encode();
    for (messages, silent_at, step) in [
        (None, None, JoinStep::Peer),
        (Some(&[][..]), None, JoinStep::Begin),
        (Some(&[begin]), None, JoinStep::Data),
        (Some(&[begin, &data]), Some("persist joining"), JoinStep::Registration),
        (Some(&[begin, &data]), Some("log in"), JoinStep::Registration),
        (Some(&[begin, &data]), Some("persist registered"), JoinStep::Registration),
    ] {
        let mut pair = WithPhone::new();
        pair.silent_at = silent_at;
        if let Some(messages) = messages {
            pair.meet();
            pair.says(messages);
        }
        pair.tell(JoinInput::Cancel);
        assert_eq!(pair.cause(), JoinCause::Cancelled(step));
        assert_eq!(pair.closed_with, Some(close::FAILED));
        assert!(pair.stored.is_none());
    }
    let mut pair = WithPhone::nominated();
    pair.says(&[begin, &data]);
    pair.tell(JoinInput::Cancel);
    assert_eq!(pair.end, None, "too late: the phone may have the last word");
    pair.tell(JoinInput::Flushed);
    assert_eq!(pair.end, Some(JoinEnd::Registered { is_confirmed: true }));
}
