//! The device list, and dropping a device by the full steps.

use std::collections::BTreeMap;

use super::*;
use crate::group::{LockEvent, Probe};
use crate::protocol::{DeviceActivity, DeviceEntry};

pub(super) fn list(bench: &Bench, ids: &[DeviceId]) -> ServerMessage {
    let entry = |label| DeviceEntry {
        device_info: Sealed::seal(
            &DeviceInfo { label: Clean::literal(label), ..DeviceInfo::default() },
            &bench.session.config.keys,
            Nonce([5; 24]),
        ),
        activity: bench.dialect.activity(Millis(1), Some(Millis(1)), None),
        expiration_policy: Some(ExpirationPolicy::Persistent),
    };
    ServerMessage::DevicesInfo(ids.iter().map(|id| (*id, entry("phone"))).collect())
}

fn drop_phone() -> Command {
    Command::DropDevice(Confirmed::after_asking(PHONE))
}

#[test]
fn a_list_is_read_and_measures_the_round_trip() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.now = bench.now.after(Duration::from_millis(12));
        let message = list(&bench, &[OWN, PHONE]);
        bench.server(&message);
        let events = bench.events();
        let elapsed = Duration::from_millis(12);
        assert!(events.contains(&Event::RoundTrip { probe: Probe::DevicesInfo, elapsed }));
        let Some(Event::Devices(devices)) = events.last() else { panic!("the list is told") };
        assert_eq!(devices[&PHONE].info.as_ref().unwrap().label.as_str(), "phone");
        let activity = match dialect {
            Dialect::Mk => DeviceActivity::LastLogin(Millis(1)),
            Dialect::Dgk => DeviceActivity::ConnectedSince(Millis(1)),
        };
        assert_eq!(devices[&PHONE].activity, activity);
    });
}

#[test]
fn a_device_is_dropped_by_the_full_steps() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let both = list(&bench, &[OWN, PHONE]);
        bench.server(&both);
        bench.command(drop_phone());
        let [ClientMessage::BeginTransaction { scope, ttl: None }] = &bench.sent()[..] else { panic!("begins first") };
        assert_eq!(scope.open(&keys(dialect)), Ok(TransactionScope::DropDevice));
        bench.server(&ServerMessage::BeginTransactionAck);
        assert_eq!(bench.sent(), [ClientMessage::GetDevicesInfo], "then the list is refreshed");
        bench.server(&both);
        assert_eq!(bench.sent(), [ClientMessage::DropDevice(PHONE)], "then the device is dropped");
        bench.events();
        bench.server(&ServerMessage::DropDeviceAck(PHONE));
        assert_eq!(bench.events(), [Event::DeviceDropped(PHONE)]);
        assert_eq!(bench.sent(), [ClientMessage::CommitTransaction]);
        bench.server(&ServerMessage::CommitTransactionAck);
        assert_eq!(bench.sent(), [ClientMessage::GetDevicesInfo], "and the list is shown anew");
    });
}

#[test]
fn a_list_asked_for_earlier_does_not_drop() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    bench.command(drop_phone());
    bench.server(&ServerMessage::BeginTransactionAck);
    bench.sent();
    let both = list(&bench, &[OWN, PHONE]);
    bench.server(&both);
    assert_eq!(bench.sent(), [], "that was the answer to the login's request");
    bench.server(&both);
    assert_eq!(bench.sent(), [ClientMessage::DropDevice(PHONE)]);
}

#[test]
fn a_device_that_is_gone_is_not_dropped() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let alone = list(&bench, &[OWN]);
        bench.server(&alone);
        bench.command(drop_phone());
        bench.server(&ServerMessage::BeginTransactionAck);
        bench.sent();
        bench.server(&alone);
        assert_eq!(bench.sent(), [ClientMessage::CommitTransaction]);
        assert!(bench.events().contains(&Event::Refused(Refusal::NoSuchDevice)));
    });
}

#[test]
fn a_drop_cut_short_is_said_to_be_unconfirmed() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        bench.server(&ServerMessage::DevicesInfo(BTreeMap::new()));
        bench.command(drop_phone());
        bench.server(&ServerMessage::BeginTransactionAck);
        bench.input(SessionInput::LinkDown(LinkEnd::Broken(Clean::default())));
        let events = bench.events();
        assert!(events.contains(&Event::Refused(Refusal::Unconfirmed)));
        assert!(events.contains(&Event::Lock(LockEvent::Lost(Some(TransactionScope::DropDevice)))));
    });
}

#[test]
fn a_promotion_during_a_drop_waits_for_its_end() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let both = list(&bench, &[OWN, PHONE]);
        bench.server(&both);
        bench.command(drop_phone());
        bench.server(&ServerMessage::BeginTransactionAck);
        bench.server(&both);
        bench.servers(&[ServerMessage::DropDeviceAck(PHONE), ServerMessage::RolePromotedToLeader]);
        assert_eq!(bench.closed(), None, "the drop is committed first");
        bench.server(&ServerMessage::CommitTransactionAck);
        bench.server(&both);
        assert_eq!(bench.closed(), Some(CloseCode::NORMAL), "and the list is shown anew");
    });
}

#[test]
fn read_only_changes_nothing() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(SessionConfig { read_only: true, ..config(dialect) });
        bench.command(drop_phone());
        bench.command(Command::TakeLock { scope: TransactionScope::ContactSync, ttl: None });
        assert_eq!(bench.sent(), []);
        assert_eq!(bench.events(), vec![Event::Refused(Refusal::ReadOnly); 2]);
        bench.command(Command::RefreshDevices);
        assert_eq!(bench.sent(), [ClientMessage::GetDevicesInfo], "looking is allowed");
    });
}

/// A text that the phone reflects.
fn text(bench: &Bench, id: u32) -> ServerMessage {
    use crate::protocol::d2d::{Composer, MessageDraft};
    let draft = MessageDraft::text(crate::protocol::MessageId(u64::from(id)), bench.now, "hello");
    let envelope = Composer::new(bench.dialect, PHONE).incoming("ECHOECHO", draft, Nonce([1; 24]));
    ServerMessage::Reflected(Reflected {
        id: ReflectedId(id),
        ephemeral: false,
        timestamp: bench.now,
        header: crate::protocol::ReflectedHeader::default(),
        envelope: Sealed::seal(&envelope, &bench.session.config.keys, Nonce([u8::try_from(id).unwrap(); 24])),
    })
}

#[test]
fn a_device_that_the_list_does_not_have_makes_it_out_of_date() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let alone = list(&bench, &[OWN]);
        bench.servers(&[alone.clone(), ServerMessage::ReflectionQueueDry]);
        let mut lists = 0;
        for id in 1..=30 {
            bench.wait(Duration::from_secs(1));
            let message = text(&bench, id);
            bench.server(&message);
            for sent in bench.sent() {
                if sent == ClientMessage::GetDevicesInfo {
                    lists += 1;
                    bench.server(&alone);
                }
            }
        }
        // The seed's envelopes do not say who reflected them.
        assert_eq!(lists, if dialect == Dialect::Mk { 0 } else { 3 }, "asked for, but not all the time");
    });
}

#[test]
fn a_holder_of_the_lock_that_the_list_does_not_have_makes_it_out_of_date() {
    in_both_dialects(|dialect| {
        for (listed, refused) in [(false, true), (false, false), (true, true), (true, false)] {
            let mut bench = Bench::logged_in(config(dialect));
            let ids: &[DeviceId] = if listed { &[OWN, PHONE] } else { &[OWN] };
            let (before, after) = (list(&bench, ids), list(&bench, &[OWN, PHONE]));
            bench.servers(&[before, ServerMessage::ReflectionQueueDry]);
            bench.wait(Duration::from_secs(5));
            bench.input(SessionInput::Pong);
            let scope = bench.scope(TransactionScope::GroupSync);
            if refused {
                bench.command(Command::TakeLock { scope: TransactionScope::ContactSync, ttl: None });
                bench.server(&ServerMessage::TransactionRejected { holder: PHONE, scope });
            } else {
                bench.server(&ServerMessage::TransactionEnded { holder: PHONE, scope });
            }
            bench.sent();
            bench.wait(Duration::from_secs(4));
            bench.input(SessionInput::Pong);
            assert_eq!(bench.sent(), [], "{dialect}, refused: {refused}: not so soon after a list");
            bench.wait(Duration::from_secs(1));
            let asked = if listed { vec![] } else { vec![ClientMessage::GetDevicesInfo] };
            assert_eq!(bench.sent(), asked, "{dialect}, listed: {listed}, refused: {refused}");
            bench.server(&after);
            bench.input(SessionInput::Pong);
            bench.wait(Duration::from_secs(20));
            assert_eq!(bench.sent(), [], "{dialect}: once is enough");
        }
    });
}

#[test]
fn a_device_that_speaks_once_right_after_a_list_is_in_the_next_one_soon() {
    in_both_dialects(|dialect| {
        for answered in [true, false] {
            let mut bench = Bench::logged_in(config(dialect));
            let alone = list(&bench, &[OWN]);
            bench.servers(&[alone.clone(), ServerMessage::ReflectionQueueDry]);
            bench.wait(Duration::from_secs(20));
            bench.input(SessionInput::Pong);
            bench.command(Command::RefreshDevices);
            if answered {
                bench.server(&alone);
            }
            let message = text(&bench, 1);
            bench.server(&message);
            bench.sent();
            // The seed's envelopes do not say who reflected them: there the next list of the minute shows it.
            let soon = Duration::from_secs(if dialect == Dialect::Mk { 60 } else { 10 });
            for _ in 0..soon.as_secs() {
                assert_eq!(bench.sent(), [], "{dialect}, answered: {answered}: not all the time");
                bench.wait(Duration::from_secs(1));
                bench.input(SessionInput::Pong);
            }
            assert_eq!(bench.sent(), [ClientMessage::GetDevicesInfo], "{dialect}, answered: {answered}");
        }
    });
}
