//! Carrying a chat client: what passes, who leads meanwhile, and what becomes of the connection when it goes.

use super::*;

fn frame(fill: u8) -> Bytes {
    Bytes::from(vec![fill; 48])
}

fn carried(bench: &mut Bench) -> Vec<Bytes> {
    let frame = |output| match output {
        SessionOutput::Proxy(ProxyOutput::Frame(frame)) => Some(frame),
        _ => None,
    };
    let is_frame = |output: &mut SessionOutput| matches!(output, SessionOutput::Proxy(ProxyOutput::Frame(_)));
    bench.outputs.extract_if(.., is_frame).filter_map(frame).collect()
}

const CLIENT: ChatClientId = ChatClientId(1);

fn begin(bench: &mut Bench) {
    bench.command(Command::BeginProxy(CLIENT));
}

fn begins(bench: &mut Bench) -> usize {
    bench.count(&SessionOutput::Proxy(ProxyOutput::Begins(CLIENT)))
}

fn ends(bench: &mut Bench) -> usize {
    bench.count(&SessionOutput::Proxy(ProxyOutput::Ends))
}

fn connects(bench: &mut Bench) -> usize {
    bench.count(&SessionOutput::Connect)
}

#[test]
fn frames_pass_both_ways_with_their_boundaries() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        begin(&mut bench);
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
fn what_the_chat_server_says_before_the_login_is_done_does_not_end_it() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::new(config(dialect));
        bench.greet();
        bench.server(&ServerMessage::Proxy(frame(1)));
        assert_eq!((bench.closed(), carried(&mut bench)), (None, vec![]));
    });
}

#[test]
fn a_promotion_is_kept_as_long_as_a_client_is_there() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        begin(&mut bench);
        bench.server(&ServerMessage::ReflectionQueueDry);
        bench.server(&ServerMessage::RolePromotedToLeader);
        // With an answer to each ping.
        for _ in 0..60 {
            bench.wait(Duration::from_secs(10));
            bench.input(SessionInput::Pong);
        }
        assert_eq!(bench.closed(), None, "the leader stays");
        bench.command(Command::EndProxy);
        assert_eq!(bench.closed(), Some(CloseCode::NORMAL), "and gives the role up without a client");
        assert!(bench.events().iter().any(|event| matches!(event, Event::RoleGivenUp { .. })));
        bench.wait(Duration::from_secs(50));
        assert_eq!(connects(&mut bench), 0, "away for a minute");
        begin(&mut bench);
        assert_eq!(connects(&mut bench), 1, "but back at once for the next client");
    });
}

#[test]
fn a_login_that_serves_a_client_is_no_promotion_in_a_row() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let mut in_a_row = |serves: bool| {
            if serves {
                begin(&mut bench);
                bench.command(Command::Proxy(frame(1)));
            }
            bench.servers(&[ServerMessage::ReflectionQueueDry, ServerMessage::RolePromotedToLeader]);
            bench.server(&ServerMessage::DevicesInfo(std::collections::BTreeMap::new()));
            bench.command(Command::EndProxy);
            let given_up = bench.events().into_iter().find_map(|event| match event {
                Event::RoleGivenUp { back_at, promotions_in_a_row } => Some((back_at, promotions_in_a_row)),
                _ => None,
            });
            let (back_at, promotions) = given_up.expect("the role is given up");
            bench.wait(back_at.since(bench.now));
            bench.log_in(SlotState::Existing);
            promotions
        };
        let counts = [false, false, true, true, false].map(&mut in_a_row);
        assert_eq!(counts, [1, 2, 1, 1, 2]);
    });
}

#[test]
fn a_client_begins_on_a_login_and_ends_with_it() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.servers(&[ServerMessage::ReflectionQueueDry, ServerMessage::RolePromotedToLeader]);
        bench.server(&ServerMessage::DevicesInfo(std::collections::BTreeMap::new()));
        assert_eq!(bench.closed(), Some(CloseCode::NORMAL), "alone, the role is given up");
        begin(&mut bench);
        assert_eq!((begins(&mut bench), connects(&mut bench)), (0, 1), "it waits for the login, which comes at once");
        bench.log_in(SlotState::Existing);
        assert_eq!((begins(&mut bench), ends(&mut bench)), (1, 0), "none is promised what is about to be left");
        bench.closed_by_server(1001);
        assert_eq!(ends(&mut bench), 1);
        bench.command(Command::EndProxy);
        begin(&mut bench);
        bench.wait(Duration::from_secs(10));
        bench.input(SessionInput::LinkDown(LinkEnd::Broken(Clean::literal("gone"))));
        assert_eq!((begins(&mut bench), ends(&mut bench)), (0, 0), "who waits goes on waiting");
        bench.wait(Duration::from_secs(10));
        bench.log_in(SlotState::Existing);
        assert_eq!(begins(&mut bench), 1);
        bench.command(Command::EndProxy);
        assert_eq!((ends(&mut bench), bench.closed()), (0, None), "a client knows of its own end");
    });
}

#[test]
fn a_connection_that_served_a_client_starts_the_backoff_over() {
    in_both_dialects(|dialect| {
        for (code, expected) in [(4000, [2, 2, 2]), (4009, [2, 2, 2]), (4001, [2, 3, 4])] {
            let mut bench = Bench::logged_in(config(dialect));
            let attempts = [(); 3].map(|()| {
                begin(&mut bench);
                bench.command(Command::Proxy(frame(1)));
                bench.closed_by_server(code);
                bench.command(Command::EndProxy);
                let (_, next) = bench.disconnected();
                let NextStep::RetryAt { at, attempt } = next else { panic!("{code}: {next:?}") };
                bench.wait(at.since(bench.now));
                bench.log_in(SlotState::Existing);
                attempt
            });
            assert_eq!(attempts, expected, "{code}");
        }
    });
}

#[test]
fn a_promotion_that_is_about_to_be_given_up_is_kept_for_a_client_that_comes() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        // The device list is still to come, so that the role is not given up yet.
        bench.server(&ServerMessage::RolePromotedToLeader);
        assert_eq!(bench.closed(), None);
        begin(&mut bench);
        bench.server(&ServerMessage::DevicesInfo(std::collections::BTreeMap::new()));
        bench.wait(Duration::from_secs(10));
        assert_eq!(bench.closed(), None);
    });
}

#[test]
fn a_connection_that_carried_frames_goes_with_its_client() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        begin(&mut bench);
        bench.command(Command::EndProxy);
        assert_eq!(bench.closed(), None, "nothing was said on it");
        begin(&mut bench);
        bench.command(Command::Proxy(frame(1)));
        bench.command(Command::EndProxy);
        assert_eq!(bench.closed(), Some(CloseCode::NORMAL));
        begin(&mut bench);
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
        begin(&mut bench);
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
        begin(&mut bench);
        assert_eq!(connects(&mut bench), 0);
        bench.wait(Duration::from_secs(10));
        assert_eq!(connects(&mut bench), 1);
    });
}

#[test]
fn a_visit_goes_on_as_long_as_a_client_is_there() {
    in_both_dialects(|dialect| {
        let presence = Presence::Visit(Duration::from_secs(600));
        let mut bench = Bench::logged_in(SessionConfig { presence, ..config(dialect) });
        begin(&mut bench);
        bench.server(&ServerMessage::ReflectionQueueDry);
        bench.server(&ServerMessage::DevicesInfo(std::collections::BTreeMap::new()));
        for _ in 0..30 {
            bench.wait(Duration::from_secs(10));
            bench.input(SessionInput::Pong);
        }
        assert_eq!(bench.closed(), None);
        bench.command(Command::EndProxy);
        bench.server(&ServerMessage::DevicesInfo(std::collections::BTreeMap::new()));
        for _ in 0..7 {
            bench.wait(Duration::from_secs(10));
            bench.input(SessionInput::Pong);
        }
        assert_eq!(bench.closed(), Some(CloseCode::NORMAL));
    });
}

#[test]
fn read_only_carries_nobody() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(SessionConfig { read_only: true, ..config(dialect) });
        begin(&mut bench);
        bench.command(Command::Proxy(frame(1)));
        assert_eq!(bench.sent(), []);
        assert!(bench.events().contains(&Event::Refused(Refusal::ReadOnly)));
    });
}

#[test]
fn a_frame_that_no_message_carries_is_refused() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        begin(&mut bench);
        bench.command(Command::Proxy(Bytes::from(vec![0; 65_533])));
        assert_eq!(bench.sent(), []);
        assert!(bench.events().contains(&Event::Refused(Refusal::TooLarge)));
        bench.command(Command::Proxy(Bytes::from(vec![0; 65_532])));
        let [ClientMessage::Proxy(frame)] = &bench.sent()[..] else { panic!("the longest passes") };
        assert_eq!(frame.len(), 65_532);
    });
}
