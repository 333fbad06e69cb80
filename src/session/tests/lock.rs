//! Taking, waiting for and releasing the lock.

use super::*;
use crate::group::LockEvent;

const SCOPE: TransactionScope = TransactionScope::ContactSync;
const TAKE: Command = Command::TakeLock { scope: SCOPE, ttl: None };

fn begins(bench: &mut Bench) -> usize {
    bench.sent().iter().filter(|message| matches!(message, ClientMessage::BeginTransaction { .. })).count()
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
fn where_the_server_takes_no_lock_back_we_give_it_back_in_time() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.command(Command::TakeLock { scope: SCOPE, ttl: Some(Duration::from_secs(7)) });
        bench.server(&ServerMessage::BeginTransactionAck);
        bench.sent();
        bench.wait(Duration::from_millis(6_999));
        assert_eq!(bench.sent(), [], "{dialect}: not yet");
        bench.wait(Duration::from_millis(1));
        let commits = if dialect == Dialect::Mk { vec![ClientMessage::CommitTransaction] } else { Vec::new() };
        assert_eq!(bench.sent(), commits, "{dialect}");
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
                LockEvent::Acquired { scope: Some(SCOPE), expires_at: None },
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
            let answer = Timing::default().answer;
            bench.wait(answer.saturating_sub(Duration::from_millis(1)));
            bench.input(Input::Pong);
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
            let broken = || Input::LinkDown(LinkEnd::Broken(Clean::default()));
            for (end, told) in [(broken(), !is_given_up), (Input::Command(Command::Leave), false)] {
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
    bench.command(TAKE);
    bench.server(&ServerMessage::BeginTransactionAck);
    for _ in 0..10 {
        bench.wait(Duration::from_secs(14));
        bench.input(Input::Pong);
    }
    assert_eq!(bench.closed(), None);
}
