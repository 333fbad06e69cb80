//! Each way to fail has its own cause, leaves nothing behind, and tells the other device.

use std::collections::BTreeSet;

use prost::Message as _;

use super::*;
use crate::protocol::proto::{common, d2d_join};
use crate::rendezvous::wire::{EssentialError, FrameError, MAX_FRAME};

const BEGIN: &[u8] = &[0x0a, 0];

fn blob(bytes: usize) -> Vec<u8> {
    let blob = common::BlobData { id: vec![1; 16].into(), data: vec![2; bytes].into() };
    d2d_join::EdToNd { content: Some(d2d_join::ed_to_nd::Content::BlobData(blob)) }.encode_to_vec()
}

fn essential(change: impl FnOnce(&mut d2d_join::EssentialData)) -> Vec<u8> {
    let mut wire = d2d_join::EdToNd::decode(data(3).encode().as_slice()).unwrap();
    if let Some(d2d_join::ed_to_nd::Content::EssentialData(data)) = &mut wire.content {
        change(data);
    }
    wire.encode_to_vec()
}

#[test]
fn a_good_phone_joins() {
    let mut pair = WithPhone::nominated();
    pair.says(&[BEGIN, &blob(3_000), &blob(0), &essential(|_| ())]);
    assert_eq!(pair.did, ["persist joining", "log in", "persist registered"]);
    assert!(pair.said_registered(), "only then");
    assert_eq!((&pair.end, pair.closed_with), (&None, None), "not before it is flushed");
    pair.tell(JoinInput::Flushed);
    assert_eq!(pair.end, Some(JoinEnd::Registered { is_confirmed: true }));
    assert_eq!(pair.closed_with, Some(close::DONE));
    assert!(pair.stored.is_some());
}

/// Nomination, begin and data in one message with the end of the handshake: the first limit must not bite.
#[test]
fn much_may_come_in_one_message() {
    let mut pair = WithPhone::nominated();
    pair.says_at_once(&[BEGIN, &blob(100_000), &essential(|_| ())]);
    assert!(pair.said_registered());
}

#[test]
fn what_a_phone_does_wrong() {
    let good = essential(|_| ());
    let missing_key = essential(|data| data.device_group_data = None);
    let short_key = essential(|data| data.device_group_data.as_mut().unwrap().dgk = vec![1; 31].into());
    let no_group = essential(|data| data.identity_data.as_mut().unwrap().csp_server_group.clear());
    let odd_group = essential(|data| data.identity_data.as_mut().unwrap().csp_server_group = "a b".to_owned());
    let cases: [(&[&[u8]], JoinCause); 10] = [
        (&[&blob(5)], JoinCause::DataBeforeBegin),
        (&[&good], JoinCause::DataBeforeBegin),
        (&[BEGIN, BEGIN], JoinCause::SecondBegin),
        (&[BEGIN, &[]], JoinCause::NoMessage),
        (&[BEGIN, &[0xff]], JoinCause::NoMessage),
        (&[BEGIN, &missing_key], JoinCause::Essential(EssentialError::NoGroupKey)),
        (&[BEGIN, &short_key], JoinCause::Essential(EssentialError::GroupKeyLength(31))),
        (&[BEGIN, &no_group], JoinCause::Essential(EssentialError::NoServerGroup)),
        (&[BEGIN, &odd_group], JoinCause::Essential(EssentialError::ServerGroup)),
        (&[&[0x1a, 0x01, 0xff]], JoinCause::DataBeforeBegin),
    ];
    for (messages, cause) in cases {
        let mut pair = WithPhone::nominated();
        pair.says(messages);
        assert_eq!(pair.cause(), cause);
        assert_eq!(pair.did, ["close"], "nothing was stored");
        assert_eq!(pair.closed_with, Some(close::FAILED));
    }
    let fine = essential(|data| data.identity_data.as_mut().unwrap().identity.clear());
    let mut pair = WithPhone::nominated();
    pair.says(&[BEGIN, &fine]);
    assert!(pair.said_registered(), "no identity is no failure");
}

#[test]
fn data_after_the_data_undoes_everything() {
    for (silent_at, did) in [
        ("persist joining", &["persist joining", "close", "forget"][..]),
        ("log in", &["persist joining", "log in", "close", "drop", "forget"]),
        ("persist registered", &["persist joining", "log in", "persist registered", "close", "drop", "forget"]),
    ] {
        for after in [essential(|_| ()), blob(1), BEGIN.to_vec()] {
            let mut pair = WithPhone::nominated();
            pair.silent_at = Some(silent_at);
            pair.says(&[BEGIN, &essential(|_| ()), &after]);
            assert_eq!(pair.cause(), JoinCause::DataAfterEssential);
            assert_eq!(pair.did, did);
            assert!(pair.stored.is_none());
        }
    }
}

#[test]
fn a_phone_that_stops() {
    let stopped = |messages: &[&[u8]], silent_at| {
        let mut pair = WithPhone::nominated();
        pair.silent_at = silent_at;
        pair.says(messages);
        pair.tell(JoinInput::Link(closed(close::DONE)));
        assert!(pair.stored.is_none() && pair.closed_with.is_none(), "there is nothing to close");
        pair.cause()
    };
    let good = essential(|_| ());
    assert_eq!(stopped(&[], None), JoinCause::PeerStopped(JoinStep::Begin));
    assert_eq!(stopped(&[BEGIN], None), JoinCause::PeerStopped(JoinStep::Data));
    assert_eq!(stopped(&[BEGIN, &good], Some("log in")), JoinCause::PeerStopped(JoinStep::Registration));
    let mut pair = WithPhone::nominated();
    pair.says(&[BEGIN, &good]);
    pair.tell(JoinInput::Link(closed(close::DONE)));
    assert_eq!(pair.end, Some(JoinEnd::Registered { is_confirmed: false }), "it may have had the last word");
    assert!(pair.stored.is_some());
}

#[test]
fn a_stranger_or_a_relay_that_changes_things() {
    let rendezvous = |failure, step| JoinCause::Rendezvous { failure, step };
    let mut stranger = link();
    stranger.key = AuthenticationKey::new(&mut [8; 32]);
    let mut pair = WithPhone::with_link(&stranger);
    pair.meet();
    assert_eq!(pair.cause(), rendezvous(RendezvousFailure::NotAuthentic, JoinStep::Peer));
    let mut other_path = link();
    other_path.path_id = 2;
    let mut pair = WithPhone::with_link(&other_path);
    pair.meet();
    assert_eq!(pair.cause(), rendezvous(RendezvousFailure::NotAuthentic, JoinStep::Peer));

    let forged = [&16_u32.to_le_bytes()[..], &[0; 16]].concat();
    let cases: [(Vec<u8>, RendezvousFailure); 4] = [
        (forged, RendezvousFailure::NotAuthentic),
        (15_u32.to_le_bytes().to_vec(), RendezvousFailure::Frame(FrameError::TooShort(15))),
        (
            104_857_601_u32.to_le_bytes().to_vec(),
            RendezvousFailure::Frame(FrameError::TooLong { length: 104_857_601, limit: MAX_FRAME }),
        ),
        (
            u32::MAX.to_le_bytes().to_vec(),
            RendezvousFailure::Frame(FrameError::TooLong { length: 4_294_967_295, limit: MAX_FRAME }),
        ),
    ];
    for (bytes, failure) in cases {
        let mut pair = WithPhone::nominated();
        pair.tell(JoinInput::Link(LinkInput::Bytes(bytes.into())));
        assert_eq!(pair.cause(), rendezvous(failure, JoinStep::Begin));
        assert_eq!(pair.closed_with, Some(close::FAILED));
    }
    let mut pair = WithPhone::new();
    pair.tell(JoinInput::Link(LinkInput::Bytes(Bytes::copy_from_slice(&16_385_u32.to_le_bytes()))));
    assert!(matches!(
        pair.cause(),
        JoinCause::Rendezvous { failure: RendezvousFailure::Frame(FrameError::TooLong { .. }), .. }
    ));
    let mut pair = WithPhone::nominated();
    pair.tell(JoinInput::Link(LinkInput::Text));
    assert_eq!(pair.cause(), rendezvous(RendezvousFailure::Text, JoinStep::Begin));

    // One left out, and one twice.
    let mut pair = WithPhone::nominated();
    pair.phone.send(BEGIN);
    let _ = pair.phone.poll();
    pair.says(&[BEGIN]);
    assert_eq!(pair.cause(), rendezvous(RendezvousFailure::NotAuthentic, JoinStep::Begin));
    let mut pair = WithPhone::nominated();
    pair.phone.send(BEGIN);
    let Some(Output::Link(LinkOutput::Send(frame))) =
        std::iter::from_fn(|| pair.phone.poll()).find(|output| matches!(output, Output::Link(_)))
    else {
        panic!("nothing sent")
    };
    pair.tell(JoinInput::Link(LinkInput::Bytes([&frame[..], &frame[..]].concat().into())));
    assert_eq!(pair.cause(), rendezvous(RendezvousFailure::NotAuthentic, JoinStep::Data));
}

#[test]
fn a_relay_that_closes() {
    let reason = Clean::default;
    for (code, failure) in [
        (4003, RendezvousFailure::WaitOver),
        (4004, RendezvousFailure::PeerGone),
        (4000, RendezvousFailure::RelayClosed { code: CloseCode(4000), reason: reason() }),
        (1011, RendezvousFailure::RelayClosed { code: CloseCode(1011), reason: reason() }),
        (4100, RendezvousFailure::PeerFailed(CloseCode(4100))),
        (4177, RendezvousFailure::PeerFailed(CloseCode(4177))),
    ] {
        let mut pair = WithPhone::new();
        pair.tell(JoinInput::Link(closed(CloseCode(code))));
        assert_eq!(pair.cause(), JoinCause::Rendezvous { failure, step: JoinStep::Peer });
    }
    for end in [RelayLinkEnd::Unreachable(Clean::new("refused")), RelayLinkEnd::Broken(Clean::new("reset"))] {
        let mut pair = WithPhone::new();
        pair.tell(JoinInput::Link(LinkInput::Down(end.clone())));
        assert_eq!(pair.cause(), JoinCause::Rendezvous { failure: end.into(), step: JoinStep::Peer });
    }
}

#[test]
fn what_fails_on_our_side() {
    let full = || JoinCause::Login(LoginFailure::GroupFull);
    let run = |change: &dyn Fn(&mut WithPhone)| {
        let mut pair = WithPhone::nominated();
        change(&mut pair);
        pair.says(&[BEGIN, &essential(|_| ())]);
        pair
    };
    let pair = run(&|pair| pair.others = Ok(0));
    assert_eq!(pair.cause(), JoinCause::UnknownGroup);
    assert_eq!(pair.did, ["persist joining", "log in", "close", "drop", "forget"], "closed first");
    let pair = run(&|pair| pair.others = Err((LoginFailure::GroupFull, false)));
    assert_eq!((pair.cause(), &pair.did[..]), (full(), &["persist joining", "log in", "close", "forget"][..]));
    let pair = run(&|pair| pair.others = Err((LoginFailure::GroupFull, true)));
    assert_eq!((pair.cause(), pair.did.contains(&"drop")), (full(), true));
    let pair = run(&|pair| pair.disk_is_full = true);
    assert_eq!(pair.cause(), JoinCause::NotStored(Clean::new("disk full")));
    assert_eq!(pair.did, ["persist joining", "close", "forget"], "the mediator never heard of us");
    let pair = run(&|pair| {
        pair.others = Ok(0);
        pair.drop_works = false;
    });
    assert_eq!(pair.end, Some(JoinEnd::Failed { cause: JoinCause::UnknownGroup, slot_left: true }));
    assert!(pair.stored.is_some(), "kept, so that the next start can take the slot back");
}

#[test]
fn every_cause_has_words_of_its_own() {
    let failure = |failure| JoinCause::Rendezvous { failure, step: JoinStep::Data };
    let causes = [
        JoinCause::Cancelled(JoinStep::Peer),
        JoinCause::PeerStopped(JoinStep::Begin),
        failure(RendezvousFailure::NotAuthentic),
        failure(RendezvousFailure::WaitOver),
        failure(RendezvousFailure::PeerGone),
        failure(RendezvousFailure::RelaySilent),
        failure(RendezvousFailure::Frame(FrameError::TooShort(3))),
        JoinCause::Silent(JoinStep::Begin),
        JoinCause::NoMessage,
        JoinCause::DataBeforeBegin,
        JoinCause::SecondBegin,
        JoinCause::DataAfterEssential,
        JoinCause::Essential(EssentialError::NoGroupKey),
        JoinCause::Essential(EssentialError::NoServerGroup),
        JoinCause::NotStored(Clean::new("x")),
        JoinCause::Login(LoginFailure::GroupFull),
        JoinCause::UnknownGroup,
    ];
    let words: BTreeSet<String> = causes.iter().map(ToString::to_string).collect();
    assert_eq!(words.len(), causes.len());
    assert!(words.iter().all(|words| words.contains("phone") || words.contains("both")), "{words:?}");
}
