//! Pings, dead peers and what an observer sends.

use super::*;
use crate::group::Probe;

#[test]
fn a_silent_peer_is_given_up_after_an_unanswered_ping() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        // The shortest limit of a load balancer that is common is 20 s.
        bench.wait(Duration::from_secs(15));
        assert_eq!(bench.count(&SessionOutput::Ping), 1);
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
    bench.wait(Duration::from_secs(15));
    bench.now = bench.now.after(Duration::from_millis(40));
    bench.input(SessionInput::Pong);
    let elapsed = Duration::from_millis(40);
    assert!(bench.events().contains(&Event::RoundTrip { probe: Probe::Ping, elapsed }));
}

#[test]
fn any_sign_of_life_moves_the_deadline() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    bench.wait(Duration::from_secs(25));
    bench.server(&reflected(1, false));
    bench.wait(Duration::from_secs(10));
    assert_eq!(bench.closed(), None, "the peer spoke after the ping");
    bench.wait(Duration::from_secs(10));
    assert_eq!(bench.closed(), Some(CloseCode::GOING_AWAY));
}

/// What says nothing that is told is a word all the same, and is told when it counts: at the end.
#[test]
fn what_was_heard_last_is_told_at_the_end_and_only_if_nothing_was_told_then() {
    in_both_dialects(|dialect| {
        let flood = |bench: &mut Bench| (0..30).for_each(|_| bench.input(SessionInput::TextFrame));
        let ping = |bench: &mut Bench| bench.input(SessionInput::Alive);
        let answer = |bench: &mut Bench| bench.input(SessionInput::Pong);
        let told = |bench: &mut Bench| bench.server(&ServerMessage::ReflectionQueueDry);
        let unread = |bench: &mut Bench| bench.input(SessionInput::NotReading);
        let words = [
            ("a ping", &ping as &dyn Fn(&mut Bench), true),
            ("a pong that nobody asked for", &answer, true),
            ("nonsense of which not all is told", &flood, true),
            ("a message", &told, false),
            ("what may wait while nothing is read", &unread, false),
        ];
        for (what, word, is_heard) in words {
            for end in [LinkEnd::Broken(Clean::default()), LinkEnd::Unreachable(Clean::default())] {
                let mut bench = Bench::logged_in(config(dialect));
                flood(&mut bench);
                bench.events();
                bench.now = bench.now.after(Duration::from_secs(4));
                word(&mut bench);
                let heard_at = bench.now;
                bench.now = bench.now.after(Duration::from_secs(7));
                bench.input(SessionInput::LinkDown(end));
                let events = bench.events();
                let last_heard = events.iter().position(|event| *event == Event::LastHeard { at: heard_at });
                let ended = events.iter().position(|event| matches!(event, Event::Disconnected { .. })).unwrap();
                assert_eq!(last_heard.is_some(), is_heard, "{dialect}: {what}: {events:?}");
                assert!(last_heard.is_none_or(|heard| heard < ended), "{dialect}: {what}: {events:?}");
            }
        }
    });
}

#[test]
fn who_does_not_read_gives_nobody_up_and_takes_nobody_for_a_leader() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.server(&ServerMessage::ReflectionQueueDry);
        for _ in 0..20 {
            bench.wait(Duration::from_secs(5));
            bench.input(SessionInput::NotReading);
        }
        assert_eq!(bench.closed(), None);
        assert!(!bench.events().contains(&Event::Following), "{dialect}: nobody has said anything");
        bench.input(SessionInput::Alive);
        bench.wait(Duration::from_millis(1));
        assert!(bench.events().contains(&Event::Following), "{dialect}");
    });
}

#[test]
fn a_connection_that_never_came_about_is_not_called_a_handshake() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::new(config(dialect));
        bench.input(SessionInput::Timer);
        bench.wait(Duration::from_secs(20));
        let DisconnectCause::Unreachable(why) = bench.disconnected().0 else { panic!("there was no connection") };
        assert!(why.as_str().contains("no connection within 20 s"), "{why}");
    });
}

#[test]
fn a_login_that_never_ends_is_given_up() {
    let mut bench = Bench::new(config(Dialect::Dgk));
    bench.input(SessionInput::Timer);
    bench.input(SessionInput::LinkUp);
    bench.wait(Duration::from_secs(20));
    let late = |event: &Event| matches!(event, Event::Disconnected { cause: DisconnectCause::HandshakeTimeout, .. });
    assert!(bench.events().iter().any(late));
}

/// What an observer sends in 1,000 hours, by kind.
#[derive(Debug, Default)]
struct Sent {
    hellos: u64,
    acknowledgements: u64,
    lists: u64,
    pings: u64,
    closes: u64,
}

/// An hour is quiet but for a message now and then; then the connection breaks, the server restarts, or we are promoted.
fn observe(presence: Presence, dialect: Dialect) -> Sent {
    let mut bench = Bench::new(SessionConfig { presence, ..config(dialect) });
    let end = bench.now.after(Duration::from_secs(1_000 * 3_600));
    let mut sent = Sent::default();
    let (mut id, mut next_message, mut next_trouble) = (0, bench.now, bench.now.after(Duration::from_secs(3_600)));
    let mut troubles = 0_u64;
    bench.input(SessionInput::Timer);
    while bench.now < end {
        let mut pinged = false;
        for output in std::mem::take(&mut bench.outputs) {
            match output {
                SessionOutput::Connect => {
                    sent.hellos += 1;
                    bench.log_in(if sent.hellos == 1 { SlotState::New } else { SlotState::Existing });
                    bench.server(&ServerMessage::ReflectionQueueDry);
                }
                SessionOutput::Send(frame) => match ClientMessage::decode(frame, dialect).unwrap() {
                    ClientMessage::ReflectedAck(acknowledged) => {
                        assert_eq!(acknowledged.0, id);
                        sent.acknowledgements += 1;
                    }
                    ClientMessage::GetDevicesInfo => {
                        sent.lists += 1;
                        bench.server(&ServerMessage::DevicesInfo(std::collections::BTreeMap::new()));
                    }
                    other => panic!("an observer has no reason to send {other:?}"),
                },
                SessionOutput::Ping => {
                    sent.pings += 1;
                    pinged = true;
                }
                SessionOutput::Close(code) => {
                    assert_eq!(code, CloseCode::NORMAL, "an observer closes politely");
                    sent.closes += 1;
                }
                SessionOutput::Reflected { .. }
                | SessionOutput::Acknowledged(_)
                | SessionOutput::Proxy(_)
                | SessionOutput::Event(_) => {}
            }
        }
        if pinged {
            bench.input(SessionInput::Pong);
        }
        let online = matches!(bench.session.phase, Phase::Online(_));
        if online && bench.now >= next_message {
            id += 1;
            next_message = bench.now.after(Duration::from_secs(300));
            bench.server(&reflected(id, false));
        } else if online && bench.now >= next_trouble {
            next_trouble = bench.now.after(Duration::from_secs(3_600));
            troubles += 1;
            match troubles % 3 {
                0 => bench.input(SessionInput::LinkDown(LinkEnd::Broken(Clean::default()))),
                1 => bench.closed_by_server(1001),
                _ => bench.server(&ServerMessage::RolePromotedToLeader),
            }
        } else if bench
            .outputs
            .iter()
            .all(|output| matches!(output, SessionOutput::Event(_) | SessionOutput::Acknowledged(_)))
        {
            let due = bench.session.deadline().expect("an observer always has something to wait for");
            bench.now = bench.now.max(due);
            bench.input(SessionInput::Timer);
        }
    }
    sent
}

#[test]
fn an_observer_sends_nothing_but_logins_acknowledgements_lists_and_pings() {
    in_both_dialects(|dialect| {
        let sent = observe(Presence::Stay, dialect);
        println!("1,000 hours of staying: {sent:?}");
        assert!((900..1_100).contains(&sent.hellos) && sent.closes > 300, "{sent:?}");
        assert!((58_000..=63_000).contains(&sent.lists) && (200_000..242_000).contains(&sent.pings), "{sent:?}");
        assert!((11_000..=12_100).contains(&sent.acknowledgements), "{sent:?}");
        let sent = observe(Presence::Visit(Duration::from_secs(1_800)), dialect);
        println!("1,000 hours of visits: {sent:?}");
        assert!((1_950..=3_000).contains(&sent.hellos) && sent.lists <= 2 * sent.hellos, "{sent:?}");
        assert!(sent.pings == 0 && sent.closes > 1_900, "{sent:?}");
    });
}
