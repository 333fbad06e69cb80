//! Devices that are new, changed, unreadable or gone.

use super::presence::list;
use super::*;
use crate::group::{DeviceChange, KnownDevices};

const LAPTOP: DeviceId = DeviceId(0x0303_0303_0303_0303);

fn changes(bench: &mut Bench) -> Vec<(DeviceId, &'static str)> {
    let changes = bench.events().into_iter().filter_map(|event| match event {
        Event::DeviceChanged { device, change } => Some((
            device,
            match change {
                DeviceChange::New { .. } => "new",
                DeviceChange::Changed { .. } => "changed",
                DeviceChange::Undecryptable { .. } => "undecryptable",
                DeviceChange::Gone { .. } => "gone",
            },
        )),
        _ => None,
    });
    changes.collect()
}

fn unreadable(message: &ServerMessage, device: DeviceId) -> ServerMessage {
    let ServerMessage::DevicesInfo(mut devices) = message.clone() else { panic!("not a list") };
    devices.get_mut(&device).unwrap().device_info = Sealed::from_wire(Bytes::from_static(&[1; 60]));
    ServerMessage::DevicesInfo(devices)
}

#[test]
fn what_differs_from_the_last_list_is_told_once_and_our_own_device_is_no_news() {
    in_both_dialects(|dialect| {
        let mut bench = Bench::logged_in(config(dialect));
        let first = list(&bench, &[(PHONE, "phone")]);
        let more = list(&bench, &[(PHONE, "phone"), (LAPTOP, "laptop"), (OWN, "own")]);
        let renamed = list(&bench, &[(PHONE, "fon"), (LAPTOP, "laptop"), (OWN, "other")]);
        let steps = [
            (first.clone(), vec![]),
            (first, vec![]),
            (more.clone(), vec![(LAPTOP, "new")]),
            (more.clone(), vec![]),
            (renamed.clone(), vec![(PHONE, "changed")]),
            (unreadable(&renamed, PHONE), vec![(PHONE, "undecryptable")]),
            (renamed, vec![(PHONE, "changed")]),
            (list(&bench, &[(OWN, "own")]), vec![(PHONE, "gone"), (LAPTOP, "gone")]),
        ];
        for (step, (list, expected)) in steps.into_iter().enumerate() {
            bench.server(&list);
            assert_eq!(changes(&mut bench), expected, "step {step}");
        }
    });
}

#[test]
fn what_changed_while_we_were_away_is_told_by_what_was_known() {
    let mut bench = Bench::new(config(Dialect::Dgk));
    let known = KnownDevices::from_iter([(
        PHONE,
        Some(DeviceInfo { label: Clean::literal("phone"), ..DeviceInfo::default() }),
    )]);
    bench.session = Session::new(config(Dialect::Dgk), StdRng::seed_from_u64(1)).knowing(Some(known));
    bench.log_in(SlotState::Existing);
    let list = list(&bench, &[(PHONE, "phone"), (LAPTOP, "laptop")]);
    bench.server(&list);
    assert_eq!(changes(&mut bench), [(LAPTOP, "new")]);
}

#[test]
fn what_we_drop_ourselves_is_no_news() {
    let mut bench = Bench::logged_in(config(Dialect::Dgk));
    let full = list(&bench, &[(PHONE, "phone"), (LAPTOP, "laptop")]);
    bench.server(&full);
    bench.command(Command::DropDevice(Confirmed::after_asking(LAPTOP)));
    bench.servers(&[ServerMessage::BeginTransactionAck, full, ServerMessage::DropDeviceAck(LAPTOP)]);
    bench.server(&ServerMessage::CommitTransactionAck);
    let rest = list(&bench, &[(PHONE, "phone")]);
    bench.server(&rest);
    assert_eq!(changes(&mut bench), []);
}

#[test]
fn taking_note_works_connected_or_not() {
    let mut bench = Bench::new(config(Dialect::Dgk));
    bench.command(Command::AcknowledgeDevices);
    assert!(bench.events().contains(&Event::DevicesAcknowledged));
}
