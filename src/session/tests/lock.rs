//! Taking, waiting for and releasing the lock.

use super::*;
use crate::group::{LockEvent, Refusal};

const SCOPE: TransactionScope = TransactionScope::ContactSync;
const TAKE: Command = Command::TakeLock { scope: SCOPE, ttl: None };

fn begins(bench: &mut Bench) -> usize {
    bench.sent().iter().filter(|message| matches!(message, ClientMessage::BeginTransaction { .. })).count()
}

/// The server answers pings as they come.
fn alive_for(bench: &mut Bench, span: Duration) {
    let mut left = span;
    while !left.is_zero() {
        let step = left.min(Duration::from_secs(1));
        bench.wait(step);
        bench.input(SessionInput::Pong);
        left -= step;
    }
}

fn lock_events(bench: &mut Bench) -> Vec<LockEvent> {
    let events = bench.events().into_iter().filter_map(|event| match event {
        Event::Lock(event) => Some(event),
        _ => None,
    });
    events.collect()
}

#[test]
fn the_lock_is_taken_and_released() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(Command::TakeLock { scope: SCOPE, ttl: Some(Duration::from_secs(30)) });
        assert_eq!(begins(&mut bench), 1);
        bench.server(&ServerMessage::BeginTransactionAck);
        let expires_at = Some(bench.now.after(Duration::from_secs(30)));
        assert_eq!(
            lock_events(&mut bench),
            [LockEvent::Requested(Some(SCOPE)), LockEvent::Acquired { scope: Some(SCOPE), expires_at }]
        );
        bench.command(Command::ReleaseLock);
        assert_eq!(bench.sent(), [ClientMessage::CommitTransaction]);
        bench.server(&ServerMessage::CommitTransactionAck);
        assert_eq!(lock_events(&mut bench), [LockEvent::Released(Some(SCOPE))]);
    });
}

#[test]
fn a_lease_is_given_back_in_time() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(Command::TakeLock { scope: SCOPE, ttl: Some(Duration::from_secs(7)) });
        // The answer takes its time, which counts.
        bench.wait(Duration::from_secs(2));
        let expires_at = Some(bench.now.after(Duration::from_secs(5)));
        bench.server(&ServerMessage::BeginTransactionAck);
        assert!(lock_events(&mut bench).contains(&LockEvent::Acquired { scope: Some(SCOPE), expires_at }));
        bench.sent();
        // Before the server closes the connection for it.
        let early = Duration::from_millis(if dialect == Dialect::Dgk { 350 } else { 0 });
        alive_for(&mut bench, Duration::from_millis(4_999).saturating_sub(early));
        assert_eq!(bench.sent(), [], "{dialect}: not yet");
        alive_for(&mut bench, Duration::from_millis(1));
        assert_eq!(bench.sent(), [ClientMessage::CommitTransaction], "{dialect}");
    });
}

#[test]
fn a_lock_without_a_limit_is_a_minute_s() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(TAKE);
        let minute = dialect.limits_transactions().then_some(Duration::from_mins(1));
        let is_wanted =
            |message: &ClientMessage| matches!(message, ClientMessage::BeginTransaction { ttl, .. } if *ttl == minute);
        assert!(bench.sent().iter().any(is_wanted), "{dialect}");
        bench.server(&ServerMessage::BeginTransactionAck);
        alive_for(&mut bench, Duration::from_secs(59));
        assert!(!bench.sent().contains(&ClientMessage::CommitTransaction), "{dialect}: not yet");
        alive_for(&mut bench, Duration::from_secs(1));
        assert!(bench.sent().contains(&ClientMessage::CommitTransaction), "{dialect}");
    });
}

#[test]
fn a_silent_server_has_a_lock_lost_in_six_seconds() {
    in_both_dialects(|dialect| {
        for commits in [false, true] {
            let mut bench = Bench::logged_in(config(dialect));
            bench.command(TAKE);
            bench.server(&ServerMessage::BeginTransactionAck);
            if commits {
                bench.command(Command::ReleaseLock);
            }
            bench.wait(Duration::from_secs(2));
            assert_eq!(bench.count(&SessionOutput::Ping), 1, "{dialect}");
            bench.wait(Duration::from_millis(3_999));
            assert_eq!(bench.closed(), None, "{dialect}");
            bench.wait(Duration::from_millis(1));
            assert_eq!(bench.closed(), Some(CloseCode::GOING_AWAY), "{dialect}");
            assert!(lock_events(&mut bench).contains(&LockEvent::Lost(Some(SCOPE))), "{dialect}");
        }
    });
}

#[test]
fn who_was_stopped_has_lost_the_lock_whatever_waits_in_the_socket() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(TAKE);
        bench.server(&ServerMessage::BeginTransactionAck);
        bench.now = bench.now.after(Duration::from_secs(6));
        bench.input(SessionInput::Pong);
        assert_eq!(bench.closed(), Some(CloseCode::GOING_AWAY), "{dialect}");
        assert!(lock_events(&mut bench).contains(&LockEvent::Lost(Some(SCOPE))), "{dialect}");
    });
}

#[test]
fn a_moved_wall_clock_neither_ends_a_lease_nor_makes_it_longer() {
    in_both_dialects(|dialect| {
        for moved in [-40_000, 40_000, 86_400_000, -1_500, 1_500] {
            let Bench { mut session, now: start, .. } = Bench::logged_in(config(dialect));
            let mut at = |seconds: u64, moved: i64, input| {
                let wall = start.after(Duration::from_secs(seconds)).offset_by(moved);
                let precise = Duration::from_millis(start.0) + Duration::from_secs(seconds);
                session.handle(Now { wall, precise }, input);
                std::iter::from_fn(|| session.poll()).collect::<Vec<_>>()
            };
            let commits = |outputs: &[SessionOutput]| {
                let commit = SessionOutput::Send(ClientMessage::CommitTransaction.encode(dialect));
                assert!(!outputs.iter().any(|output| matches!(output, SessionOutput::Close(_))), "{dialect}, {moved}");
                outputs.contains(&commit)
            };
            at(0, 0, SessionInput::Command(Command::TakeLock { scope: SCOPE, ttl: Some(Duration::from_secs(10)) }));
            at(0, 0, SessionInput::Frames(vec![ServerMessage::BeginTransactionAck.encode(dialect)]));
            for second in 1..10 {
                let moved = if second < 3 { 0 } else { moved };
                assert!(!commits(&at(second, moved, SessionInput::Pong)), "{dialect}, {moved}: after {second} s");
            }
            assert!(commits(&at(10, moved, SessionInput::Pong)), "{dialect}, {moved}");
        }
    });
}

#[test]
fn a_refused_lock_is_asked_for_again_when_the_holder_ends() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(TAKE);
        begins(&mut bench);
        let scope = bench.scope(TransactionScope::GroupSync);
        bench.server(&ServerMessage::TransactionRejected { holder: PHONE, scope: scope.clone() });
        assert_eq!(begins(&mut bench), 0, "it waits");
        bench.server(&ServerMessage::TransactionEnded { holder: PHONE, scope });
        assert_eq!(begins(&mut bench), 1, "the end is the signal");
        bench.server(&ServerMessage::BeginTransactionAck);
        let holder = PHONE;
        let other = Some(TransactionScope::GroupSync);
        assert_eq!(
            lock_events(&mut bench),
            [
                LockEvent::Requested(Some(SCOPE)),
                LockEvent::HeldBy { holder, scope: other },
                LockEvent::Ended { holder, scope: other },
                LockEvent::Acquired { scope: Some(SCOPE), expires_at: Some(bench.now.after(Duration::from_mins(1))) },
            ]
        );
    });
}

#[test]
fn waiting_can_be_given_up_at_any_point() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    bench.command(TAKE);
    bench.command(Command::ReleaseLock);
    bench.server(&ServerMessage::BeginTransactionAck);
    assert!(bench.sent().contains(&ClientMessage::CommitTransaction), "what came too late is given back");
    bench.server(&ServerMessage::CommitTransactionAck);
    bench.command(TAKE);
    let scope = bench.scope(SCOPE);
    bench.server(&ServerMessage::TransactionRejected { holder: PHONE, scope: scope.clone() });
    lock_events(&mut bench);
    bench.command(Command::ReleaseLock);
    assert_eq!(lock_events(&mut bench), [LockEvent::Abandoned]);
    begins(&mut bench);
    bench.server(&ServerMessage::TransactionEnded { holder: PHONE, scope });
    assert_eq!(begins(&mut bench), 0, "nobody waits any more");
}

#[test]
fn a_second_wish_and_an_idle_release_are_refused() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    bench.command(Command::ReleaseLock);
    bench.command(TAKE);
    bench.command(TAKE);
    let refusals: Vec<Event> = bench.events().into_iter().filter(|event| matches!(event, Event::Refused(_))).collect();
    assert_eq!(refusals, [Event::Refused(Refusal::NoLock), Event::Refused(Refusal::LockBusy)]);
}

#[test]
fn the_list_is_refreshed_after_scopes_that_change_it() {
    for (scope, refreshes) in [
        (TransactionScope::DropDevice, true),
        (TransactionScope::NewDeviceSync, true),
        (TransactionScope::Unknown(99), true),
        (TransactionScope::ContactSync, false),
    ] {
        let mut bench = Bench::logged_in(config(Dialect::Dgk));
        let listed = super::device_list::list(&bench, &[OWN, PHONE]);
        bench.server(&listed);
        let scope_sealed = bench.scope(scope);
        bench.server(&ServerMessage::TransactionEnded { holder: PHONE, scope: scope_sealed });
        // The login has just asked for one.
        bench.wait(Duration::from_secs(10));
        assert_eq!(!bench.sent().is_empty(), refreshes, "after {scope}");
    }
}

fn lists(bench: &mut Bench) -> usize {
    bench.sent().into_iter().filter(|message| matches!(message, ClientMessage::GetDevicesInfo)).count()
}

#[test]
fn the_list_is_asked_for_at_most_once_in_ten_seconds_whatever_ends() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.server(&ServerMessage::DevicesInfo(std::collections::BTreeMap::new()));
        bench.wait(Duration::from_secs(11));
        lists(&mut bench);
        let scope = bench.scope(TransactionScope::DropDevice);
        let ended: Vec<_> =
            (0..300).map(|_| ServerMessage::TransactionEnded { holder: PHONE, scope: scope.clone() }).collect();
        bench.servers(&ended);
        assert_eq!(lists(&mut bench), 1, "the first is followed at once");
        // What ended after the list was asked for may not be in it.
        bench.servers(&ended);
        bench.server(&ServerMessage::DevicesInfo(std::collections::BTreeMap::new()));
        bench.wait(Duration::from_millis(9_999));
        assert_eq!(lists(&mut bench), 0);
        bench.wait(Duration::from_millis(1));
        assert_eq!(lists(&mut bench), 1);
        bench.command(Command::RefreshDevices);
        assert_eq!(lists(&mut bench), 1, "what a user asks for is asked at once");
    });
}

#[test]
fn unanswered_requests_are_bounded() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    (0..10_000).for_each(|_| bench.command(Command::RefreshDevices));
    assert_eq!(lists(&mut bench), 255, "the login's is one of 256");
    assert!(bench.events().contains(&Event::Refused(Refusal::Busy)));
}

#[test]
fn leaving_releases_a_held_lock_first() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    bench.command(TAKE);
    bench.server(&ServerMessage::BeginTransactionAck);
    bench.sent();
    bench.command(Command::Leave);
    assert_eq!(bench.sent(), [ClientMessage::CommitTransaction]);
    assert_eq!(bench.closed(), Some(CloseCode::NORMAL));
}

#[test]
fn nothing_works_without_a_connection() {
    let mut bench = Bench::new(config(Dialect::Dgk));
    bench.command(TAKE);
    assert!(bench.events().contains(&Event::Refused(Refusal::NotConnected)));
}

#[test]
fn a_server_that_owes_an_answer_about_the_lock_does_not_keep_it_locked() {
    in_both_dialects(|dialect| {
        let drop = Command::DropDevice(Confirmed::after_asking(PHONE));
        for (command, granted) in [(TAKE, false), (drop.clone(), false), (drop, true)] {
            let mut bench = Bench::logged_in(config(dialect));
            bench.command(command);
            if granted {
                bench.server(&ServerMessage::BeginTransactionAck);
            }
            let answer = SessionTiming::default().answer;
            alive_for(&mut bench, answer.saturating_sub(Duration::from_millis(1)));
            assert_eq!(bench.closed(), None, "not too soon");
            bench.wait(Duration::from_millis(1));
            assert_eq!(bench.closed(), Some(CloseCode::GOING_AWAY), "the connection goes, and the lock with it");
        }
    });
}

#[test]
fn a_request_that_dies_with_the_connection_is_told() {
    in_both_dialects(|dialect| {
        let refused = |bench: &Bench| ServerMessage::TransactionRejected {
            holder: PHONE,
            scope: bench.scope(TransactionScope::GroupSync),
        };
        for (what, is_refused, is_given_up) in
            [("asked for", false, false), ("refused", true, false), ("given up", false, true)]
        {
            let broken = || SessionInput::LinkDown(LinkEnd::Broken(Clean::default()));
            for (end, told) in [(broken(), !is_given_up), (SessionInput::Command(Command::Leave), false)] {
                let mut bench = Bench::logged_in(config(dialect));
                bench.command(TAKE);
                if is_refused {
                    let refused = refused(&bench);
                    bench.server(&refused);
                }
                if is_given_up {
                    bench.command(Command::ReleaseLock);
                }
                let words = format!("{dialect}: {what}, then {end:?}");
                bench.input(end);
                assert_eq!(bench.events().contains(&Event::Refused(Refusal::NotLocked)), told, "{words}");
            }
        }
    });
}

#[test]
fn a_lock_that_is_held_owes_nothing() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    bench.command(Command::TakeLock { scope: SCOPE, ttl: Some(Duration::from_mins(5)) });
    bench.server(&ServerMessage::BeginTransactionAck);
    alive_for(&mut bench, Duration::from_secs(140));
    assert_eq!(bench.closed(), None);
}

#[test]
fn a_drop_half_done_is_not_to_be_released() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(Command::DropDevice(Confirmed::after_asking(PHONE)));
        for granted in [false, true] {
            if granted {
                bench.server(&ServerMessage::BeginTransactionAck);
            }
            bench.outputs.clear();
            bench.command(Command::ReleaseLock);
            assert_eq!(
                (bench.sent(), bench.events()),
                (vec![], vec![Event::Refused(Refusal::Busy)]),
                "granted: {granted}"
            );
        }
    });
}

#[test]
fn the_clock_is_looked_at_every_second_as_long_as_a_lock_is_wanted() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::new(config(dialect));
        assert!(!bench.session.wants_lock(), "there is no connection");
        bench.log_in(SlotState::New);
        assert!(!bench.session.wants_lock(), "nobody asked");
        bench.command(TAKE);
        assert!(bench.session.wants_lock(), "asked for");
        bench.server(&ServerMessage::BeginTransactionAck);
        assert!(bench.session.wants_lock(), "held");
        bench.command(Command::ReleaseLock);
        assert!(bench.session.wants_lock(), "not yet released");
        bench.server(&ServerMessage::CommitTransactionAck);
        assert!(!bench.session.wants_lock(), "released");
    });
}

#[test]
fn a_look_at_the_lock_gives_it_back_at_once_and_waits_for_nobody() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(Command::LookAtLock);
        let sent = bench.sent();
        let [ClientMessage::BeginTransaction { scope, ttl }] = sent.as_slice() else { panic!("{dialect}: {sent:?}") };
        let asked = scope.open(&keys(dialect)).unwrap();
        assert!(!matches!(asked, TransactionScope::NewDeviceSync | TransactionScope::DropDevice), "{dialect}: {asked}");
        let most = Duration::from_secs(20);
        assert!(!dialect.limits_transactions() || ttl.is_some_and(|ttl| ttl < most), "{dialect}: {ttl:?}");
        bench.server(&ServerMessage::BeginTransactionAck);
        assert_eq!(bench.sent(), [ClientMessage::CommitTransaction], "{dialect}");
        bench.server(&ServerMessage::CommitTransactionAck);
        assert_eq!(lock_events(&mut bench).last(), Some(&LockEvent::Released(Some(asked))), "{dialect}");

        bench.command(Command::LookAtLock);
        bench.sent();
        let scope = bench.scope(TransactionScope::GroupSync);
        bench.server(&ServerMessage::TransactionRejected { holder: PHONE, scope: scope.clone() });
        let held = LockEvent::HeldBy { holder: PHONE, scope: Some(TransactionScope::GroupSync) };
        assert!(lock_events(&mut bench).contains(&held), "{dialect}");
        bench.server(&ServerMessage::TransactionEnded { holder: PHONE, scope });
        assert_eq!(begins(&mut bench), 0, "{dialect}: it does not wait");
        // It is over: the lock can be taken.
        bench.command(TAKE);
        assert_eq!(begins(&mut bench), 1, "{dialect}");

        let mut bench = Bench::logged_in(SessionConfig { read_only: true, ..config(dialect) });
        bench.command(Command::LookAtLock);
        assert_eq!(bench.sent(), [], "{dialect}: looking makes others wait");
        assert!(bench.events().contains(&Event::Refused(Refusal::ReadOnly)), "{dialect}");
    });
}
