//! Carrying a chat client: what passes, who leads meanwhile, and what becomes of the connection when it goes.

use super::*;

fn frame(fill: u8) -> Bytes {
    Bytes::from(vec![fill; 48])
}

fn carried(bench: &mut Bench) -> Vec<Bytes> {
    let frame = |output| match output {
        Output::Proxy(frame) => Some(frame),
        _ => None,
    };
    bench.outputs.extract_if(.., |output| matches!(output, Output::Proxy(_))).filter_map(frame).collect()
}

fn connects(bench: &mut Bench) -> usize {
    bench.count(&Output::Connect)
}

#[test]
fn frames_pass_both_ways_with_their_boundaries() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(Command::BeginProxy);
        bench.command(Command::Proxy(frame(1)));
        bench.command(Command::Proxy(frame(2)));
        assert_eq!(bench.sent(), [1, 2].map(|fill| ClientMessage::Proxy(frame(fill))));
        bench.servers(&[ServerMessage::Proxy(frame(3)), reflected(1, false), ServerMessage::Proxy(frame(4))]);
        assert_eq!(carried(&mut bench), [frame(3), frame(4)]);
    });
}

#[test]
fn without_a_client_nothing_passes() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(Command::Proxy(frame(1)));
        bench.server(&ServerMessage::Proxy(frame(2)));
        bench.command(Command::EndProxy);
        assert_eq!((bench.sent(), carried(&mut bench)), (vec![], vec![]));
        assert_eq!(bench.closed(), None);
    });
}

#[test]
fn a_promotion_is_kept_as_long_as_a_client_is_there() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(Command::BeginProxy);
        bench.server(&ServerMessage::ReflectionQueueDry);
        bench.server(&ServerMessage::RolePromotedToLeader);
        // With an answer to each ping.
        for _ in 0..60 {
            bench.wait(Duration::from_secs(10));
            bench.input(Input::Pong);
        }
        assert_eq!(bench.closed(), None, "the leader stays");
        bench.command(Command::EndProxy);
        assert_eq!(bench.closed(), Some(CloseCode::NORMAL), "and gives the role up without a client");
        assert!(bench.events().iter().any(|event| matches!(event, Event::RoleGivenUp { .. })));
        bench.wait(Duration::from_secs(50));
        assert_eq!(connects(&mut bench), 0, "away for a minute");
        bench.command(Command::BeginProxy);
        assert_eq!(connects(&mut bench), 1, "but back at once for the next client");
    });
}

#[test]
fn a_promotion_that_is_about_to_be_given_up_is_kept_for_a_client_that_comes() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        // The device list is still to come, so that the role is not given up yet.
        bench.server(&ServerMessage::RolePromotedToLeader);
        assert_eq!(bench.closed(), None);
        bench.command(Command::BeginProxy);
        bench.server(&ServerMessage::DevicesInfo(std::collections::BTreeMap::new()));
        bench.wait(Duration::from_secs(10));
        assert_eq!(bench.closed(), None);
    });
}

#[test]
fn a_connection_that_carried_frames_goes_with_its_client() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(Command::BeginProxy);
        bench.command(Command::EndProxy);
        assert_eq!(bench.closed(), None, "nothing was said on it");
        bench.command(Command::BeginProxy);
        bench.command(Command::Proxy(frame(1)));
        bench.command(Command::EndProxy);
        assert_eq!(bench.closed(), Some(CloseCode::NORMAL));
        bench.command(Command::BeginProxy);
        assert_eq!(connects(&mut bench), 1, "the next client has not to wait");
        bench.sent();
        bench.command(Command::Proxy(frame(2)));
        assert_eq!(bench.sent(), [], "not before the login");
    });
}

#[test]
fn what_is_left_of_a_lost_connection_s_client_goes_nowhere() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(Command::BeginProxy);
        bench.command(Command::Proxy(frame(1)));
        bench.closed_by_server(4000);
        bench.wait(Duration::from_secs(10));
        assert_eq!(connects(&mut bench), 1, "4000 is followed by another try");
        bench.log_in(SlotState::Existing);
        bench.sent();
        bench.command(Command::Proxy(frame(2)));
        bench.server(&ServerMessage::Proxy(frame(3)));
        bench.command(Command::EndProxy);
        assert_eq!((bench.sent(), carried(&mut bench), bench.closed()), (vec![], vec![], None));
    });
}

#[test]
fn a_client_does_not_shorten_the_wait_after_a_failure() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.closed_by_server(4001);
        bench.command(Command::BeginProxy);
        assert_eq!(connects(&mut bench), 0);
        bench.wait(Duration::from_secs(10));
        assert_eq!(connects(&mut bench), 1);
    });
}

#[test]
fn a_visit_goes_on_as_long_as_a_client_is_there() {
    in_both_dialects(|dialect| {
        let presence = Presence::Visit(Duration::from_secs(600));
        let mut bench = Bench::logged_in(Config { presence, ..config(dialect) });
        bench.command(Command::BeginProxy);
        bench.server(&ServerMessage::ReflectionQueueDry);
        bench.server(&ServerMessage::DevicesInfo(std::collections::BTreeMap::new()));
        for _ in 0..30 {
            bench.wait(Duration::from_secs(10));
            bench.input(Input::Pong);
        }
        assert_eq!(bench.closed(), None);
        bench.command(Command::EndProxy);
        bench.server(&ServerMessage::DevicesInfo(std::collections::BTreeMap::new()));
        for _ in 0..7 {
            bench.wait(Duration::from_secs(10));
            bench.input(Input::Pong);
        }
        assert_eq!(bench.closed(), Some(CloseCode::NORMAL));
    });
}

#[test]
fn read_only_carries_nobody() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(Config { read_only: true, ..config(dialect) });
        bench.command(Command::BeginProxy);
        bench.command(Command::Proxy(frame(1)));
        assert_eq!(bench.sent(), []);
        assert!(bench.events().contains(&Event::Refused(Refusal::ReadOnly)));
    });
}

#[test]
fn a_frame_that_no_message_carries_is_refused() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(Command::BeginProxy);
        bench.command(Command::Proxy(Bytes::from(vec![0; 65_533])));
        assert_eq!(bench.sent(), []);
        assert!(bench.events().contains(&Event::Refused(Refusal::TooLarge)));
        bench.command(Command::Proxy(Bytes::from(vec![0; 65_532])));
        let [ClientMessage::Proxy(frame)] = &bench.sent()[..] else { panic!("the longest passes") };
        assert_eq!(frame.len(), 65_532);
    });
}
