//! The relay passes on, within its bounds.

use std::time::Duration;

use super::*;

const A: RelaySide = RelaySide(1);
const B: RelaySide = RelaySide(2);
const C: RelaySide = RelaySide(3);

fn path(number: u8) -> RelayPath {
    RelayPath::new([number; 32])
}

fn outputs(relay: &mut Relay) -> Vec<RelayOutput> {
    std::iter::from_fn(|| relay.poll()).collect()
}

fn met() -> Relay {
    let mut relay = Relay::new(RelayConfig { max_paths: 2, max_waiting: 10, ..RelayConfig::default() });
    relay.open(START, A, &path(1));
    relay.open(START, B, &path(1));
    relay
}

#[test]
fn what_one_says_reaches_the_other() {
    let mut relay = met();
    relay.message(START, A, Bytes::from_static(b"to b"));
    relay.message(START, B, Bytes::from_static(b"to a"));
    let expected =
        [RelayOutput::Send(B, Bytes::from_static(b"to b")), RelayOutput::Send(A, Bytes::from_static(b"to a"))];
    assert_eq!(outputs(&mut relay), expected);
}

#[test]
fn the_first_may_speak_before_the_second_is_there() {
    let mut relay = Relay::new(RelayConfig { max_waiting: 10, ..RelayConfig::default() });
    relay.open(START, A, &path(1));
    relay.message(START, A, Bytes::from_static(b"0123456789"));
    assert!(!relay.may_read(A));
    relay.open(START, B, &path(1));
    assert_eq!(outputs(&mut relay), [RelayOutput::Send(B, Bytes::from_static(b"0123456789"))]);
    assert!(!relay.may_read(A) && relay.may_read(B));
    relay.written(B, 10);
    assert!(relay.may_read(A));
}

#[test]
fn there_is_no_room_for_a_third_nor_for_too_many_paths() {
    let mut relay = met();
    relay.open(START, C, &path(1));
    relay.open(START, RelaySide(4), &path(2));
    relay.open(START, RelaySide(5), &path(3));
    let refused = [RelayOutput::Close(C, close::RENDEZVOUS_ERROR), RelayOutput::Close(RelaySide(5), CloseCode(1013))];
    assert_eq!(outputs(&mut relay), refused);
    relay.message(START, C, Bytes::from_static(b"x"));
    relay.closed(C, close::DONE);
    assert_eq!(outputs(&mut relay), [], "the two are not disturbed");
}

#[test]
fn close_codes_are_mirrored_where_they_say_something() {
    for (code, seen) in [(1000, 1000), (4100, 4100), (4199, 4199), (4000, 4004), (1006, 4004), (4200, 4004)] {
        let mut relay = met();
        relay.message(START, A, Bytes::from_static(b"last word"));
        relay.closed(A, CloseCode(code));
        let expected = [RelayOutput::Send(B, Bytes::from_static(b"last word")), RelayOutput::Close(B, CloseCode(seen))];
        assert_eq!(outputs(&mut relay), expected, "{code}");
        assert_eq!(relay.deadline(), None);
    }
    let mut relay = met();
    relay.text(A);
    let both = [RelayOutput::Close(A, close::RENDEZVOUS_ERROR), RelayOutput::Close(B, close::PEER_GONE)];
    assert_eq!(outputs(&mut relay), both);
}

#[test]
fn nobody_waits_for_ever() {
    let config = RelayConfig::default();
    let mut relay = Relay::new(config);
    relay.open(START, A, &path(1));
    relay.timer(START.after(config.wait.saturating_sub(Duration::from_millis(1))));
    assert_eq!(outputs(&mut relay), []);
    relay.timer(relay.deadline().unwrap());
    assert_eq!(outputs(&mut relay), [RelayOutput::Close(A, close::WAIT_OVER)]);
    let mut relay = met();
    relay.timer(relay.deadline().unwrap());
    assert_eq!(outputs(&mut relay), [RelayOutput::Close(A, close::PEER_GONE), RelayOutput::Close(B, close::PEER_GONE)]);
    assert_eq!(relay.deadline(), None);
}
