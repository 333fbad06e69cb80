//! Visits, and leaving the group for good.

use std::collections::BTreeMap;

use super::*;
use crate::group::LockEvent;
use crate::protocol::{DeviceActivity, DeviceEntry};

const INTERVAL: Duration = Duration::from_mins(10);

fn visiting(dialect: Dialect) -> SessionConfig {
    SessionConfig { presence: Presence::Visit(INTERVAL), ..config(dialect) }
}

pub(super) fn list(bench: &Bench, devices: &[(DeviceId, &str)]) -> ServerMessage {
    let entry = |label: &str| DeviceEntry {
        device_info: Sealed::seal(
            &DeviceInfo { label: Clean::new(label), ..DeviceInfo::default() },
            &bench.session.config.keys,
            // A device that changes its description seals it anew.
            Nonce([label.bytes().fold(4, |sum: u8, byte| sum.wrapping_mul(31).wrapping_add(byte)); 24]),
        ),
        activity: DeviceActivity::ConnectedSince(Millis(1)),
        expiration_policy: None,
    };
    let devices: BTreeMap<_, _> = devices.iter().map(|(id, label)| (*id, entry(label))).collect();
    ServerMessage::DevicesInfo(devices)
}

fn both(bench: &Bench) -> ServerMessage {
    list(bench, &[(OWN, "own"), (PHONE, "phone")])
}

fn last_end(bench: &mut Bench) -> Option<(DisconnectCause, NextStep)> {
    bench.events().into_iter().rev().find_map(|event| match event {
        Event::Disconnected { cause, next } => Some((cause, next)),
        _ => None,
    })
}

#[test]
fn a_visit_takes_in_what_waits_lists_leaves_and_comes_back() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(visiting(dialect));
        for _ in 0..3 {
            bench.server(&reflected(1, false));
            bench.server(&ServerMessage::ReflectionQueueDry);
            bench.wait(Duration::from_secs(5));
            assert_eq!(bench.closed(), None, "the list is still to come");
            let both = both(&bench);
            bench.server(&both);
            bench.wait(Duration::from_secs(1));
            assert_eq!(bench.closed(), Some(CloseCode::NORMAL), "the visit is over");
            let Some((DisconnectCause::VisitOver, NextStep::RetryAt { at, attempt: 1 })) = last_end(&mut bench) else {
                panic!("the visit says when it comes back")
            };
            let wait = at.since(bench.now);
            assert_eq!(wait.as_secs(), 599, "since the list came");
            bench.wait(wait.saturating_sub(Duration::from_millis(1)));
            assert_eq!(bench.count(&SessionOutput::Connect), 0);
            bench.wait(Duration::from_millis(1));
            assert_eq!(bench.count(&SessionOutput::Connect), 1);
            bench.log_in(SlotState::Existing);
            bench.sent();
        }
    });
}

/// Lets time pass with a server that answers pings.
fn alive(bench: &mut Bench, seconds: u64) {
    for _ in 0..seconds {
        bench.wait(Duration::from_secs(1));
        if bench.count(&SessionOutput::Ping) > 0 {
            bench.input(SessionInput::Pong);
        }
    }
}

#[test]
fn whoever_asks_for_something_keeps_the_visit_going() {
    let mut bench = Bench::logged_in(visiting(Dialect::Dgk));
    bench.command(Command::RefreshDevices);
    let both = both(&bench);
    bench.servers(&[both.clone(), both, ServerMessage::ReflectionQueueDry]);
    alive(&mut bench, 59);
    assert_eq!(bench.closed(), None);
    bench.command(Command::TakeLock { scope: TransactionScope::ContactSync, ttl: Some(Duration::from_mins(5)) });
    bench.server(&ServerMessage::BeginTransactionAck);
    alive(&mut bench, 90);
    assert_eq!(bench.closed(), None, "the lock is ours");
    bench.command(Command::ReleaseLock);
    bench.server(&ServerMessage::CommitTransactionAck);
    alive(&mut bench, 59);
    assert_eq!(bench.closed(), None);
    alive(&mut bench, 2);
    assert_eq!(bench.closed(), Some(CloseCode::NORMAL));
}

#[test]
fn a_server_that_never_lists_does_not_keep_a_visit() {
    let mut bench = Bench::logged_in(visiting(Dialect::Dgk));
    bench.server(&ServerMessage::ReflectionQueueDry);
    alive(&mut bench, 31);
    assert_eq!(bench.closed(), Some(CloseCode::NORMAL));
}

#[test]
fn a_promoted_visitor_leaves_at_once_and_stays_away_for_its_interval_at_least() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(visiting(dialect));
        let mut waits = Vec::new();
        for _ in 0..6 {
            let own = list(&bench, &[(OWN, "own")]);
            bench.servers(&[own, ServerMessage::ReflectionQueueDry, ServerMessage::RolePromotedToLeader]);
            assert_eq!(bench.closed(), Some(CloseCode::NORMAL));
            let Some((DisconnectCause::LeaderRole, NextStep::RetryAt { at, .. })) = last_end(&mut bench) else {
                panic!("the role is given up")
            };
            waits.push(at.since(bench.now).as_secs());
            bench.wait(at.since(bench.now));
            bench.log_in(SlotState::Existing);
        }
        assert_eq!(waits, [600, 600, 600, 600, 900, 900]);
    });
}

fn own_drop_sent(dialect: Dialect) -> Bench {
    let mut bench = Bench::logged_in(config(dialect));
    let both = both(&bench);
    bench.server(&both);
    bench.command(Command::LeaveGroup(Confirmed::after_asking(())));
    assert!(matches!(bench.sent().as_slice(), [ClientMessage::BeginTransaction { .. }]), "first the lock");
    bench.server(&ServerMessage::BeginTransactionAck);
    assert_eq!(bench.sent(), [ClientMessage::GetDevicesInfo], "then the list");
    bench.server(&both);
    assert_eq!(bench.sent(), [ClientMessage::DropDevice(OWN)], "then the drop");
    bench.events();
    bench
}

fn assert_left(bench: &mut Bench, how: &str) {
    let events = bench.events();
    assert!(events.contains(&Event::DeviceDropped(OWN)), "{how}: {events:?}");
    let end = Event::Disconnected { cause: DisconnectCause::LeftGroup, next: NextStep::End };
    assert_eq!(events.last(), Some(&end), "{how}");
    assert!(bench.session.is_over(), "{how}");
}

#[test]
fn leaving_the_group_ends_with_the_acknowledgement_or_with_4113() {
    in_both_dialects(|dialect| {
        let mut bench = own_drop_sent(dialect);
        bench.server(&ServerMessage::DropDeviceAck(OWN));
        assert_eq!(bench.sent(), [ClientMessage::CommitTransaction]);
        assert_eq!(bench.closed(), Some(CloseCode::NORMAL));
        let released = |output: &SessionOutput| {
            let released = LockEvent::Released(Some(TransactionScope::DropDevice));
            *output == SessionOutput::Event(Event::Lock(released))
        };
        assert!(bench.outputs.iter().any(released), "the lock went with the slot, and is not told as lost");
        assert_left(&mut bench, "acknowledged");

        let mut bench = own_drop_sent(dialect);
        bench.closed_by_server(4113);
        assert_left(&mut bench, "closed with 4113");
    });
}

#[test]
fn a_lost_answer_to_leaving_is_found_out_at_the_next_login() {
    in_both_dialects(|dialect| {
        let mut bench = own_drop_sent(dialect);
        bench.input(SessionInput::LinkDown(LinkEnd::Broken(Clean::default())));
        assert!(bench.events().contains(&Event::Refused(Refusal::Unconfirmed)));
        bench.wait(Duration::from_secs(3));
        bench.input(SessionInput::LinkUp);
        bench.closed_by_server(4115);
        assert_left(&mut bench, "the slot is gone");

        let mut bench = own_drop_sent(dialect);
        bench.input(SessionInput::LinkDown(LinkEnd::Broken(Clean::default())));
        bench.wait(Duration::from_secs(10));
        bench.log_in(SlotState::Existing);
        bench.events();
        bench.closed_by_server(4113);
        let waits =
            Event::Disconnected { cause: DisconnectCause::closed(CloseCode(4113)), next: NextStep::WaitForUser };
        assert_eq!(bench.events().pop(), Some(waits), "the slot was still there: this drop is another's");
    });
}

#[test]
fn dropping_our_own_device_is_leaving_and_read_only_does_neither() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    let both = both(&bench);
    bench.server(&both);
    bench.command(Command::DropDevice(Confirmed::after_asking(OWN)));
    bench.servers(&[ServerMessage::BeginTransactionAck, both, ServerMessage::DropDeviceAck(OWN)]);
    assert_left(&mut bench, "by DropDevice");
    let mut bench = Bench::logged_in(SessionConfig { read_only: true, ..config(Dialect::Dgk) });
    bench.sent();
    bench.command(Command::LeaveGroup(Confirmed::after_asking(())));
    assert_eq!(bench.events(), [Event::Refused(Refusal::ReadOnly)]);
    assert_eq!(bench.sent(), []);
}
