//! Handshake, close codes and coming back.

use super::*;

#[test]
fn the_login_proves_the_key_and_asks_for_the_list() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::new(config(dialect));
        let hello = bench.log_in(SlotState::New);
        let group = keys(dialect).device_group_id();
        assert!(hello.response.proves(&CHALLENGE, &SERVER_SECRET, &group), "the challenge's answer opens");
        assert_eq!((hello.version, hello.device_id), (0, OWN));
        assert_eq!(hello.device_info.open(&keys(dialect)).unwrap().label.as_str(), "test");
        assert_eq!(bench.sent(), [ClientMessage::GetDevicesInfo]);
        let events = bench.events();
        let login = events.iter().find_map(|event| match event {
            Event::LoggedIn(login) => Some(login.clone()),
            _ => None,
        });
        assert_eq!(login.unwrap().clock_offset, (dialect == Dialect::Dgk).then_some(250));
    });
}

#[test]
fn a_login_in_the_wrong_order_is_a_protocol_error_and_retried() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::new(config(dialect));
        bench.input(SessionInput::Timer);
        bench.input(SessionInput::LinkUp);
        bench.server(&ServerMessage::ReflectionQueueDry);
        assert_eq!(bench.closed(), Some(CloseCode::PROTOCOL_ERROR));
        let retries = |event: &Event| {
            matches!(
                event,
                Event::Disconnected { cause: DisconnectCause::ServerProtocolError(_), next: NextStep::RetryAt { .. } }
            )
        };
        assert!(bench.events().iter().any(retries), "it says so and tries again");
    });
}

#[test]
fn garbage_after_the_login_is_skipped_and_said() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let frames: Vec<Bytes> = [&[0x55, 0, 0, 0][..], &[0x31, 0, 0, 0, 0xff], &[0x82, 0, 0, 0, 1], &[]]
            .into_iter()
            .map(Bytes::copy_from_slice)
            .collect();
        bench.input(SessionInput::Frames(frames));
        bench.input(SessionInput::TextFrame);
        assert_eq!(bench.events().iter().filter(|event| matches!(event, Event::Ignored(_))).count(), 5);
        assert_eq!((bench.closed(), bench.sent()), (None, vec![]));
    });
}

#[test]
fn close_codes_decide_whether_to_come_back() {
    for (code, comes_back) in [
        (1000, true),
        (1001, true),
        (1006, true),
        (1011, true),
        (4000, true),
        (4001, true),
        (4009, true),
        (4010, true),
        (4011, true),
        (4012, true),
        (4013, true),
        (4110, false),
        (4111, false),
        (4112, false),
        (4113, false),
        (4114, false),
        (4115, false),
        (4199, false),
        (4999, true),
    ] {
        let expiration_policy = ExpirationPolicy::Persistent;
        let mut bench = Bench::logged_in(SessionConfig { expiration_policy, ..config(Dialect::Dgk) });
        bench.closed_by_server(code);
        let (_, next) = bench.disconnected();
        assert_eq!(matches!(next, NextStep::RetryAt { .. }), comes_back, "code {code} leads to {next:?}");
        bench.wait(Duration::from_secs(3_600));
        assert_eq!(bench.count(&SessionOutput::Connect) > 0, comes_back, "code {code}");
        if !comes_back {
            bench.command(Command::Reconnect { expect: Some(SlotState::New) });
            assert_eq!(bench.count(&SessionOutput::Connect), 1, "the user brings it back after code {code}");
        }
    }
}

#[test]
fn a_returning_device_expects_its_slot() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    bench.closed_by_server(1001);
    bench.wait(Duration::from_secs(10));
    let hello = bench.log_in(SlotState::Existing);
    assert_eq!(hello.expected_slot_state, SlotState::Existing);
}

/// A volatile slot that is not there has expired, or the mediator has forgotten it; a persistent one was dropped.
#[test]
fn a_volatile_slot_that_is_gone_is_taken_anew_but_a_drop_is_respected() {
    use ExpirationPolicy::{Persistent, Volatile};
    for (expiration_policy, code, comes_back) in
        [(Volatile, 4115, true), (Persistent, 4115, false), (Volatile, 4113, false), (Volatile, 4114, false)]
    {
        let mut bench = Bench::logged_in(SessionConfig { expiration_policy, ..config(Dialect::Dgk) });
        bench.input(SessionInput::LinkDown(LinkEnd::Broken(Clean::default())));
        bench.now = bench.now.after(Duration::from_secs(5));
        bench.input(SessionInput::Timer);
        bench.input(SessionInput::LinkUp);
        bench.events();
        bench.closed_by_server(code);
        let (_, next) = bench.disconnected();
        assert_eq!(matches!(next, NextStep::RetryAt { .. }), comes_back, "{code} {expiration_policy:?}");
        if comes_back {
            assert_eq!(bench.log_in(SlotState::New).expected_slot_state, SlotState::New);
        }
    }
}

/// The mediator has restarted in between, as may be.
#[test]
fn what_was_refused_before_a_failure_may_be_right_after_it() {
    for state in [SlotState::New, SlotState::Existing] {
        let mut bench = Bench::new(SessionConfig { expects: SlotExpectation::First(state), ..config(Dialect::Dgk) });
        let refuse = |bench: &mut Bench| {
            bench.input(SessionInput::Timer);
            bench.input(SessionInput::LinkUp);
            bench.closed_by_server(4115);
            bench.disconnected().1
        };
        assert!(matches!(refuse(&mut bench), NextStep::RetryAt { .. }), "{state:?}");
        bench.input(SessionInput::LinkDown(LinkEnd::Unreachable(Clean::default())));
        bench.now = bench.now.after(Duration::from_secs(60));
        assert!(matches!(refuse(&mut bench), NextStep::RetryAt { .. }), "{state:?} again");
        assert_eq!(bench.log_in(state).expected_slot_state, state);
    }
}

/// An earlier run was there, and nobody told whether its slot has expired.
#[test]
fn a_session_that_is_not_certain_of_its_slot_tries_the_other_state_once_and_at_once() {
    use SlotExpectation::{First, Only};
    for expects in [SlotState::Existing, SlotState::New].into_iter().flat_map(|state| [First(state), Only(state)]) {
        let config = SessionConfig { expects, ..config(Dialect::Dgk) };
        let mut bench = Bench::new(config);
        let mut refuse = || {
            bench.input(SessionInput::Timer);
            bench.input(SessionInput::LinkUp);
            bench.closed_by_server(4115);
            let (cause, next) = bench.disconnected();
            let DisconnectCause::ClosedByServer { expected, .. } = cause else { panic!("{cause:?}") };
            (expected, next, bench.now)
        };
        let (first, next, now) = refuse();
        assert_eq!(first, expects.state());
        let First(expected) = expects else {
            assert_eq!(next, NextStep::WaitForUser, "{expects:?}");
            continue;
        };
        assert_eq!(next, NextStep::RetryAt { at: now, attempt: 1 }, "{expects:?}");
        let (second, next, _) = refuse();
        assert_eq!((second, next), (expected.other(), NextStep::WaitForUser), "once only");
    }
}

#[test]
fn a_server_that_wants_to_be_left_alone_is_until_a_user_asks() {
    in_both_dialects(|dialect| {
        let (why, retry_after) = (Clean::new("it wants to be asked again in 600 s"), Duration::from_secs(600));
        let mut bench = Bench::new(config(dialect));
        let refuse = |bench: &mut Bench| {
            bench.input(SessionInput::LinkDown(LinkEnd::Busy { why: why.clone(), retry_after }));
            let Some(Event::Disconnected { cause, next: NextStep::RetryAt { at, .. } }) = bench.events().pop() else {
                panic!("it comes back by itself")
            };
            assert_eq!(cause, DisconnectCause::Unreachable(why.clone()));
            assert_eq!(at.since(bench.now), retry_after);
        };
        bench.input(SessionInput::Timer);
        refuse(&mut bench);
        bench.wait(Duration::from_secs(599));
        assert!(!bench.events().iter().any(|event| matches!(event, Event::Connecting { .. })), "it is left alone");
        bench.wait(Duration::from_secs(1));
        assert!(bench.events().iter().any(|event| matches!(event, Event::Connecting { .. })), "the time is over");
        refuse(&mut bench);
        bench.command(Command::Reconnect { expect: None });
        assert!(bench.events().iter().any(|event| matches!(event, Event::Connecting { .. })), "the user asked");
    });
}

#[test]
fn failures_back_off_and_a_stable_login_starts_over() {
    let mut bench = Bench::new(config(Dialect::Dgk));
    let delays = |bench: &mut Bench, times: usize| -> Vec<Duration> {
        (0..times)
            .map(|_| {
                bench.input(SessionInput::Timer);
                bench.input(SessionInput::LinkDown(LinkEnd::Unreachable(Clean::default())));
                let Some(Event::Disconnected { next: NextStep::RetryAt { at, .. }, .. }) = bench.events().pop() else {
                    panic!("an unreachable server is tried again")
                };
                let delay = at.since(bench.now);
                bench.now = at;
                delay
            })
            .collect()
    };
    let first = delays(&mut bench, 40);
    assert!(first[0] <= Duration::from_millis(2_400) && first[1] >= Duration::from_millis(3_200), "{first:?}");
    assert!(first.iter().all(|delay| *delay <= Duration::from_secs(72)), "{first:?}");
    bench.log_in(SlotState::New);
    bench.wait(Duration::from_secs(31));
    bench.closed_by_server(1011);
    let Some(Event::Disconnected { next: NextStep::RetryAt { at, .. }, .. }) = bench.events().pop() else {
        panic!("1011 is tried again")
    };
    assert!(at.since(bench.now) <= Duration::from_millis(2_400), "the backoff starts over");
}

#[test]
fn leaving_closes_normally_and_is_final() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(Command::Leave);
        assert_eq!(bench.closed(), Some(CloseCode::NORMAL));
        assert!(bench.session.is_over() && bench.session.deadline().is_none());
    });
}

#[test]
fn a_login_whose_answer_was_lost_finds_its_slot_but_what_is_another_devices_or_was_dropped_is_left_alone() {
    use SlotState::{Existing, New};
    for (expected, answer_lost, comes_back) in [(New, true, true), (New, false, false), (Existing, true, false)] {
        let mut bench = Bench::new(SessionConfig { expects: SlotExpectation::Only(expected), ..config(Dialect::Dgk) });
        if answer_lost {
            bench.greet();
            bench.input(SessionInput::LinkDown(LinkEnd::Broken(Clean::default())));
            bench.now = bench.now.after(Duration::from_secs(5));
        }
        bench.greet();
        bench.closed_by_server(4115);
        let (_, next) = bench.disconnected();
        assert_eq!(matches!(next, NextStep::RetryAt { .. }), comes_back, "{expected:?} {answer_lost}: {next:?}");
        if comes_back {
            assert_eq!(bench.log_in(Existing).expected_slot_state, Existing);
        }
    }
}

#[test]
fn a_clock_that_is_set_back_delays_nothing() {
    let mut bench = Bench::new(config(Dialect::Dgk));
    bench.input(SessionInput::Timer);
    bench.input(SessionInput::LinkDown(LinkEnd::Unreachable(Clean::default())));
    bench.now = Millis(bench.now.0 - 3_600_000);
    bench.input(SessionInput::Timer);
    let due = bench.session.deadline().unwrap();
    assert!(due.since(bench.now) <= Duration::from_secs(3), "the next try is due in {:?}", due.since(bench.now));
    bench.wait(Duration::from_secs(3));
    bench.log_in(SlotState::New);
    bench.count(&SessionOutput::Ping);
    bench.now = Millis(bench.now.0 - 3_600_000);
    bench.input(SessionInput::Timer);
    bench.wait(Duration::from_secs(30));
    assert_eq!(bench.count(&SessionOutput::Ping), 1, "the next ping goes out in its time");
}

#[test]
fn a_flood_of_nonsense_is_told_as_a_number() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    for _ in 0..10_000 {
        bench.input(SessionInput::TextFrame);
    }
    let told = bench.events().iter().filter(|event| matches!(event, Event::Ignored(_))).count();
    assert_eq!(told, 20);
}

#[test]
fn a_clock_that_is_moved_between_logins_moves_the_offset_to_the_server_s() {
    in_both_dialects(|dialect| {
        for (moved, told) in [(7_200_000, true), (-7_200_000, true), (1_001, true), (-1_001, true), (900, false)] {
            let Bench { mut session, now: start, .. } = Bench::logged_in(config(dialect));
            let wall = start.after(Duration::from_secs(1)).offset_by(moved);
            let precise = Duration::from_millis(start.0) + Duration::from_secs(1);
            session.handle(Now { wall, precise }, SessionInput::Timer);
            let outputs: Vec<_> = std::iter::from_fn(|| session.poll()).collect();
            let clock_offset = (dialect == Dialect::Dgk).then_some(250 - moved);
            let is_told = outputs.contains(&SessionOutput::Event(Event::ClockMoved { by: moved, clock_offset }));
            assert_eq!(is_told, told, "{dialect}: {moved} ms");
        }
    });
}
