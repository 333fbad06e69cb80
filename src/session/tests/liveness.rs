//! Pings, dead peers and what an observer sends.

use super::*;
use crate::group::Probe;

#[test]
fn a_silent_peer_is_given_up_after_an_unanswered_ping() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.wait(Duration::from_secs(30));
        assert_eq!(bench.count(&Output::Ping), 1);
        bench.wait(Duration::from_millis(14_999));
        assert_eq!(bench.closed(), None);
        bench.wait(Duration::from_millis(1));
        let gone = |event: &Event| matches!(event, Event::Disconnected { cause: DisconnectCause::NoAnswer, .. });
        assert!(bench.events().iter().any(gone), "the header can say why");
    });
}

#[test]
fn an_answered_ping_is_a_round_trip() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    bench.wait(Duration::from_secs(30));
    bench.now = bench.now.after(Duration::from_millis(40));
    bench.input(Input::Pong);
    let elapsed = Duration::from_millis(40);
    assert!(bench.events().contains(&Event::RoundTrip { probe: Probe::Ping, elapsed }));
}

#[test]
fn any_sign_of_life_moves_the_deadline() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    bench.wait(Duration::from_secs(40));
    bench.server(&reflected(1, false));
    bench.wait(Duration::from_secs(10));
    assert_eq!(bench.closed(), None, "the peer spoke after the ping");
    bench.wait(Duration::from_secs(10));
    assert_eq!(bench.closed(), Some(CloseCode::GOING_AWAY));
}

#[test]
fn a_login_that_never_ends_is_given_up() {
    let mut bench = Bench::new(config(Dialect::Dgk));
    bench.input(Input::Timer);
    bench.input(Input::LinkUp);
    bench.wait(Duration::from_secs(20));
    let late = |event: &Event| matches!(event, Event::Disconnected { cause: DisconnectCause::HandshakeTimeout, .. });
    assert!(bench.events().iter().any(late));
}

#[test]
fn an_observer_sends_nothing_but_acknowledgements_lists_and_pings() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let end = bench.now.after(Duration::from_secs(1_000 * 3_600));
        let mut id = 0;
        let mut lists = 0;
        while bench.now < end {
            bench.wait(Duration::from_secs(14));
            id += 1;
            bench.server(&reflected(id, false));
            if bench.count(&Output::Ping) > 0 {
                bench.input(Input::Pong);
            }
            for message in bench.sent() {
                match message {
                    ClientMessage::ReflectedAck(acknowledged) => assert_eq!(acknowledged.0, id),
                    ClientMessage::GetDevicesInfo => {
                        lists += 1;
                        bench.server(&ServerMessage::DevicesInfo(std::collections::BTreeMap::new()));
                    }
                    other => panic!("an observer has no reason to send {other:?}"),
                }
            }
            assert_eq!(bench.closed(), None, "after {:?}", end.since(bench.now));
            bench.forget();
        }
        assert!((11_000..=12_100).contains(&lists), "{lists} lists in 1,000 hours");
    });
}
