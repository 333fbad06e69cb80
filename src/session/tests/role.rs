//! Giving the leader role up.

use super::*;

fn empty_list() -> ServerMessage {
    ServerMessage::DevicesInfo(std::collections::BTreeMap::new())
}

fn waits(bench: &mut Bench) -> Option<Duration> {
    let now = bench.now;
    bench.events().into_iter().find_map(|event| match event {
        Event::RoleGivenUp { back_at, .. } => Some(back_at.since(now)),
        _ => None,
    })
}

#[test]
fn a_promotion_is_answered_by_leaving_and_the_waits_grow() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let mut expected = [60, 120, 240, 480, 900, 900].into_iter();
        for slot_state in std::iter::once(None).chain(std::iter::repeat_n(Some(SlotState::Existing), 5)) {
            if let Some(slot_state) = slot_state {
                bench.log_in(slot_state);
            }
            bench.servers(&[ServerMessage::ReflectionQueueDry, ServerMessage::RolePromotedToLeader]);
            assert_eq!(bench.closed(), None, "the list that was asked for is still to come");
            bench.server(&empty_list());
            assert_eq!(bench.closed(), Some(CloseCode::NORMAL), "the role is given up at once");
            let wait = waits(&mut bench).unwrap();
            assert_eq!(Some(wait.as_secs()), expected.next());
            bench.wait(wait.saturating_sub(Duration::from_millis(1)));
            assert_eq!(bench.count(&SessionOutput::Connect), 0, "not back too soon");
            bench.wait(Duration::from_millis(1));
            assert_eq!(bench.count(&SessionOutput::Connect), 1, "back when it said");
        }
    });
}

#[test]
fn a_login_that_stays_follower_starts_the_waits_over() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        for _ in 0..3 {
            bench.servers(&[ServerMessage::ReflectionQueueDry, ServerMessage::RolePromotedToLeader, empty_list()]);
            let wait = waits(&mut bench).unwrap();
            bench.wait(wait);
            bench.log_in(SlotState::Existing);
        }
        bench.servers(&[empty_list(), ServerMessage::ReflectionQueueDry]);
        bench.wait(Duration::from_secs(11));
        assert!(!bench.events().contains(&Event::Following), "a server that is silent says nothing of the role");
        assert_eq!(bench.count(&SessionOutput::Ping), 1, "it is asked whether it is still there");
        bench.input(SessionInput::Pong);
        assert!(bench.events().contains(&Event::Following), "another device leads");
        bench.server(&ServerMessage::RolePromotedToLeader);
        assert_eq!(waits(&mut bench), Some(Duration::from_secs(60)));
    });
}

#[test]
fn a_frozen_server_does_not_make_a_follower() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.servers(&[empty_list(), ServerMessage::ReflectionQueueDry]);
        bench.wait(Duration::from_secs(24));
        assert_eq!(bench.closed(), None, "the ping may still be answered");
        bench.wait(Duration::from_secs(1));
        assert_eq!(bench.closed(), Some(CloseCode::GOING_AWAY));
        assert!(!bench.events().contains(&Event::Following));
    });
}

#[test]
fn what_was_received_is_acknowledged_before_leaving() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.servers(&[
            reflected(1, false),
            reflected(2, false),
            ServerMessage::ReflectionQueueDry,
            ServerMessage::RolePromotedToLeader,
            empty_list(),
        ]);
        let acks = bench.sent().into_iter().filter(|message| matches!(message, ClientMessage::ReflectedAck(_))).count();
        assert_eq!((acks, bench.closed()), (2, Some(CloseCode::NORMAL)));
        let told = bench.count(&SessionOutput::Acknowledged(vec![ReflectedId(1), ReflectedId(2)]));
        assert_eq!(told, 1, "and that is told");
    });
}

#[test]
fn a_journal_that_stalls_does_not_keep_the_role() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    let frames =
        [reflected(1, false), ServerMessage::RolePromotedToLeader].map(|message| message.encode(Dialect::Dgk)).to_vec();
    bench.session.handle(bench.now, SessionInput::Frames(frames));
    // Nothing ever becomes durable.
    while bench.session.poll().is_some() {}
    bench.wait(Duration::from_secs(2));
    assert_eq!(bench.closed(), Some(CloseCode::NORMAL));
}

#[test]
fn staying_leader_is_possible_if_asked_for() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(SessionConfig { leader_policy: LeaderPolicy::Stay, ..config(dialect) });
        bench.servers(&[ServerMessage::ReflectionQueueDry, ServerMessage::RolePromotedToLeader]);
        for _ in 0..4 {
            bench.wait(Duration::from_secs(10));
            bench.input(SessionInput::Pong);
        }
        assert_eq!(bench.closed(), None);
        assert!(bench.events().contains(&Event::Promoted));
    });
}

/// Only others who are connected could lead instead of us; then the waits start over.
#[test]
fn company_is_another_device_that_is_connected() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let expected = match dialect {
            // The seed's lists do not say who is connected.
            Dialect::Mk => [60, 120, 240, 480, 900],
            Dialect::Dgk => [60, 120, 60, 120, 240],
        };
        for (step, (company, expected)) in [false, false, true, true, false].into_iter().zip(expected).enumerate() {
            let list = presence::list(&bench, &[(OWN, "own"), (PHONE, "phone")]);
            let ServerMessage::DevicesInfo(mut devices) = list else { unreachable!() };
            if !company {
                devices.get_mut(&PHONE).unwrap().activity = crate::protocol::DeviceActivity::LastDisconnect(Millis(1));
            }
            bench.servers(&[
                ServerMessage::ReflectionQueueDry,
                ServerMessage::RolePromotedToLeader,
                ServerMessage::DevicesInfo(devices),
            ]);
            let wait = waits(&mut bench).unwrap();
            assert_eq!(wait.as_secs(), expected, "step {step}");
            bench.wait(wait);
            bench.log_in(SlotState::Existing);
        }
    });
}
