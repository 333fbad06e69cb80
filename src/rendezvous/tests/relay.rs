//! The relay passes on, within its bounds.

use std::time::Duration;

use super::*;
use crate::protocol::CloseCode;

const A: RelaySide = RelaySide(1);
const B: RelaySide = RelaySide(2);
const C: RelaySide = RelaySide(3);
/// What one of the test's messages counts, with what every message counts.
const MESSAGE: usize = 10 + 128;

fn path(number: u8) -> RelayPath {
    RelayPath::new([number; 32])
}

/// All but what is told to the operator.
fn outputs(relay: &mut Relay) -> Vec<RelayOutput> {
    let all = std::iter::from_fn(|| relay.poll());
    all.filter(|output| !matches!(output, RelayOutput::Log(_))).collect()
}

fn log(relay: &mut Relay) -> Vec<RelayEvent> {
    let all = std::iter::from_fn(|| relay.poll());
    all.filter_map(|output| if let RelayOutput::Log(event) = output { Some(event) } else { None }).collect()
}

/// Sides, with the codes that they are closed with.
fn closed(relay: &mut Relay) -> Vec<(RelaySide, u16)> {
    let code = |output| match output {
        RelayOutput::Close(side, CloseCode(code), _) => (side, code),
        other => panic!("{other:?}"),
    };
    outputs(relay).into_iter().map(code).collect()
}

fn with_bounds() -> Relay {
    Relay::new(RelayConfig { max_paths: 2, max_waiting: 2 * MESSAGE, ..RelayConfig::default() })
}

fn met() -> Relay {
    let mut relay = with_bounds();
    relay.open(START, A, &path(1));
    relay.open(START, B, &path(1));
    outputs(&mut relay);
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
    let (mut relay, message) = (with_bounds(), Bytes::from_static(b"0123456789"));
    relay.open(START, A, &path(1));
    relay.message(START, A, message.clone());
    assert_eq!(outputs(&mut relay), []);
    relay.message(START, A, message.clone());
    assert_eq!(outputs(&mut relay), [RelayOutput::Pause(A)]);
    relay.open(START, B, &path(1));
    assert_eq!(outputs(&mut relay), [RelayOutput::Send(B, message.clone()), RelayOutput::Send(B, message)]);
    relay.written(B, 1);
    assert_eq!(outputs(&mut relay), [RelayOutput::Resume(A)]);
}

#[test]
fn who_sends_more_than_the_other_takes_is_held_back() {
    let mut relay = met();
    // Empty messages take room, too.
    for _ in 0..3 {
        relay.message(START, A, Bytes::new());
    }
    let send = || RelayOutput::Send(B, Bytes::new());
    assert_eq!(outputs(&mut relay), [send(), send(), send(), RelayOutput::Pause(A)]);
    relay.message(START, A, Bytes::new());
    relay.message(START, B, Bytes::from_static(b"the other direction is free"));
    let free = RelayOutput::Send(A, Bytes::from_static(b"the other direction is free"));
    assert_eq!(outputs(&mut relay), [send(), free], "one pause is enough");
    relay.written(B, 1);
    assert_eq!(outputs(&mut relay), []);
    relay.written(B, 3);
    assert_eq!(outputs(&mut relay), [RelayOutput::Resume(A)]);
}

#[test]
fn there_is_no_room_for_a_third_nor_for_too_many_paths() {
    let mut relay = met();
    relay.open(START, C, &path(1));
    relay.open(START, RelaySide(4), &path(2));
    relay.open(START, RelaySide(5), &path(3));
    assert_eq!(closed(&mut relay), [(C, 4000), (RelaySide(5), 1013)]);
    relay.message(START, C, Bytes::from_static(b"x"));
    relay.nonsense(START, C);
    relay.closed(START, C, Some(close::DONE));
    assert_eq!(outputs(&mut relay), [], "the two are not disturbed");
    relay.closed(START, A, None);
    outputs(&mut relay);
    relay.open(START, RelaySide(6), &path(3));
    assert_eq!(outputs(&mut relay), [], "there is room again");
}

#[test]
fn close_codes_are_mirrored_where_they_say_something() {
    let codes = [(1000, 1000), (4100, 4100), (4199, 4199), (4000, 4004), (4099, 4004), (4200, 4004), (1001, 4004)];
    let codes = codes.map(|(code, seen)| (Some(CloseCode(code)), seen));
    for (code, seen) in codes.into_iter().chain([(None, 4004)]) {
        let mut relay = met();
        relay.message(START, A, Bytes::from_static(b"last word"));
        relay.closed(START, A, code);
        assert_eq!(relay.poll(), Some(RelayOutput::Send(B, Bytes::from_static(b"last word"))));
        assert_eq!(closed(&mut relay), [(B, seen)], "{code:?}");
        assert_eq!(relay.deadline(), None);
    }
    let mut relay = met();
    relay.nonsense(START, A);
    assert_eq!(closed(&mut relay), [(A, 4000), (B, 4004)]);
}

#[test]
fn nobody_waits_for_ever() {
    let config = RelayConfig::default();
    let mut relay = Relay::new(config);
    relay.open(START, A, &path(1));
    relay.timer(START.after(config.wait.saturating_sub(Duration::from_millis(1))));
    assert_eq!(outputs(&mut relay), []);
    relay.timer(relay.deadline().unwrap());
    assert_eq!(closed(&mut relay), [(A, 4003)]);
    let mut relay = met();
    relay.timer(relay.deadline().unwrap());
    assert_eq!(closed(&mut relay), [(A, 4004), (B, 4004)]);
    assert_eq!(relay.deadline(), None);
}

#[test]
fn nobody_stays_for_ever() {
    let (mut relay, config) = (met(), RelayConfig::default());
    let (mut now, mut talked) = (START, Duration::ZERO);
    while let Some(deadline) = relay.deadline() {
        relay.timer(now);
        if now < deadline {
            relay.message(now, A, Bytes::new());
            relay.written(B, 1);
        }
        now = now.after(Duration::from_mins(1));
        talked += Duration::from_mins(1);
        assert!(talked < config.lifetime + Duration::from_mins(3), "they talk for ever");
    }
    assert!(talked >= config.lifetime);
}

#[test]
fn the_end_of_the_relay_closes_all() {
    let mut relay = met();
    relay.open(START, C, &path(2));
    relay.shutdown(START);
    assert_eq!(closed(&mut relay), [(A, 1001), (B, 1001), (C, 1001)]);
    relay.open(START, RelaySide(4), &path(3));
    assert_eq!(closed(&mut relay), [(RelaySide(4), 1001)], "who comes too late");
}

#[test]
fn the_operator_learns_who_met_and_how_it_ended() {
    let mut relay = with_bounds();
    relay.open(START, A, &path(1));
    relay.open(START, B, &path(1));
    relay.open(START, C, &path(1));
    relay.message(START, A, Bytes::from_static(b"1234"));
    let later = START.after(Duration::from_secs(5));
    relay.closed(later, A, Some(close::DONE));
    let ended = |side, by, code, bytes, seconds| RelayEvent::Closed {
        side,
        by,
        code: Some(code),
        bytes,
        lasted: Duration::from_secs(seconds),
    };
    let expected = [
        RelayEvent::Waiting(A),
        RelayEvent::Met { side: B, with: A },
        ended(C, RelayEnd::Relay, close::RENDEZVOUS_ERROR, 0, 0),
        ended(A, RelayEnd::Client, close::DONE, 4, 5),
        ended(B, RelayEnd::Peer, close::DONE, 0, 5),
    ];
    assert_eq!(log(&mut relay), expected);
}
