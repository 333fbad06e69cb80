//! Devices and the lock: the list, what is selected in it, and what is asked before something is done.

use std::collections::BTreeMap;

use crossterm::event::KeyCode;

use super::fixture::*;
use crate::group::*;
use crate::profile::seen_devices;
use crate::protocol::d2d::Platform;
use crate::protocol::*;
use crate::runtime::Reaction;
use crate::session::Command;
use crate::session::Confirmed;
use crate::tui::Settings;
use crate::tui::state::Ui;
use crate::tui::theme::Role;

#[test]
fn read_only_explains_and_never_commands() {
    let group = normal();
    for keys in ["D", "L", "P\t\n", "D\t\n", "L\t\n", "L\t\t\n"] {
        let mut ui = Ui::new(Settings { read_only: true, ..settings() });
        draw(&mut ui, &group, (80, 24));
        let reaction = last_reaction(&mut ui, &group, keys);
        assert!(!matches!(reaction, Reaction::Command(_)), "{keys:?} gave {reaction:?}");
    }
    let mut ui = Ui::new(Settings { read_only: true, ..settings() });
    draw(&mut ui, &group, (80, 24));
    last_reaction(&mut ui, &group, "D");
    let shown = symbols(&draw(&mut ui, &group, (80, 24)));
    assert!(shown.contains("Read-only") && shown.contains("--read-only"), "{shown}");
}

#[test]
fn the_last_other_device_and_our_own_get_stronger_warnings() {
    let on = DeviceActivity::ConnectedSince(minutes_before(2));
    let own = device("d2mtop", Platform::Desktop, "0.1.0", "", on);
    let laptop = device("Work laptop", Platform::Desktop, "2.0", "", on);
    let mut two = normal();
    two.apply(NOW, &Event::Devices(BTreeMap::from([(OWN, own), (LAPTOP, laptop)])));
    let cases = [(normal(), "D", false, false), (normal(), "GD", false, true), (two, "D", true, false)];
    for (group, keys, last, own) in cases {
        for size in [(40, 12), (80, 24)] {
            let mut ui = Ui::new(settings());
            draw(&mut ui, &group, (80, 24));
            last_reaction(&mut ui, &group, keys);
            let shown = symbols(&draw(&mut ui, &group, size)).replace(['│', '\n'], " ");
            let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(shown.contains("It is the last other device"), last, "{shown}");
            assert_eq!(shown.contains("This is this d2mtop"), own, "{shown}");
        }
    }
}

#[test]
fn the_drop_dialog_follows_a_list_that_comes_while_it_is_open() {
    let mut group = normal();
    let mut ui = started(&group);
    assert_eq!(last_reaction(&mut ui, &group, "jD"), Reaction::Command(Command::RefreshDevices));
    last_reaction(&mut ui, &group, "\t");
    let shown = |ui: &mut Ui, group: &Group| symbols(&draw(ui, group, (160, 50)));
    assert!(!shown(&mut ui, &group).contains("It is the last other device"));
    let two = devices().into_iter().filter(|(id, _)| [OWN, PHONE].contains(id)).collect();
    group.apply(NOW, &Event::Devices(two));
    let now = shown(&mut ui, &group);
    assert!(now.contains("It is the last other device") && now.contains("[ Drop ]"), "{now}");
    group.apply(NOW, &Event::Devices(devices().into_iter().filter(|(id, _)| *id != PHONE).collect()));
    assert!(shown(&mut ui, &group).contains("no longer in the list"));
}

#[test]
fn a_drop_is_refused_before_it_is_asked_about_where_the_lock_is_ours_or_awaited() {
    let scope = Some(TransactionScope::GroupSync);
    for (event, refused) in [
        (LockEvent::Requested(scope), true),
        (LockEvent::Acquired { scope, expires_at: None }, true),
        (LockEvent::HeldBy { holder: LAPTOP, scope }, false),
    ] {
        let group = with_lock(event.clone());
        let mut ui = started(&group);
        let asked = press(&mut ui, &group, KeyCode::Char('D')) == Reaction::Command(Command::RefreshDevices);
        let shown = symbols(&draw(&mut ui, &group, (160, 50)));
        assert_eq!((asked, shown.contains(&Refusal::LockBusy.to_string())), (!refused, refused), "{event:?}: {shown}");
    }
}

#[test]
fn who_asks_for_the_lock_is_told_who_holds_it_and_what_its_limit_means() {
    let scope = Some(TransactionScope::GroupSync);
    // In both, our own clock ends it.
    let limit = "gives it back after 60 s";
    for dialect in [Dialect::Dgk, Dialect::Mk] {
        for (group, holder) in [
            (normal(), None),
            (with_lock(LockEvent::HeldBy { holder: LAPTOP, scope }), Some("held by Work laptop, told at 14:02:19")),
        ] {
            let mut ui = Ui::new(Settings { dialect, ..settings() });
            draw(&mut ui, &group, (80, 24));
            press(&mut ui, &group, KeyCode::Char('L'));
            let screen = symbols(&draw(&mut ui, &group, (80, 24)));
            let inside = |line: &str| line.split('│').nth(1).unwrap_or_default().trim().to_owned();
            let text = screen.lines().map(inside).collect::<Vec<_>>().join(" ");
            assert!(text.contains(limit), "{dialect}: {screen}");
            assert_eq!(text.contains("Take waits for its end"), holder.is_some(), "{dialect}: {screen}");
            assert!(holder.is_none_or(|holder| text.contains(holder)), "{dialect}: {screen}");
        }
    }
}

#[test]
fn devices_are_sorted_and_keep_their_selection() {
    let group = normal();
    let order = |keys: &str| {
        let mut ui = started(&group);
        last_reaction(&mut ui, &group, keys);
        ui.order.of(&group)
    };
    assert_eq!(order(""), [TABLET, PHONE, LAPTOP, OWN], "by name, and our own at the end");
    assert_eq!(order("S"), [OWN, LAPTOP, PHONE, TABLET]);
    assert_eq!(order("s"), [PHONE, OWN, LAPTOP, TABLET], "connected first, the newest first");
    assert_eq!(order("ss"), [PHONE, TABLET, OWN, LAPTOP], "by platform");
    assert_eq!(order("ssss"), order(""));
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "js");
    assert_eq!(ui.selected_of(&ui.order.of(&group)), Some(PHONE));
}

#[test]
fn the_selection_is_a_device_and_never_another_one_by_itself() {
    let mut group = normal();
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "s");
    draw(&mut ui, &group, (80, 24));
    last_reaction(&mut ui, &group, "g");
    // The laptop comes anew, and is now the first; nobody has moved.
    let mut listed = devices();
    listed.get_mut(&LAPTOP).unwrap().activity = DeviceActivity::ConnectedSince(later(1_000));
    group.apply(NOW, &Event::Devices(listed.clone()));
    assert_eq!(ui.order.of(&group)[0], LAPTOP);
    draw(&mut ui, &group, (80, 24));
    let drop = |device| Reaction::Command(Command::DropDevice(Confirmed::after_asking(device)));
    assert_eq!(last_reaction(&mut ui, &group, "D\t\n"), drop(PHONE), "which was selected before");
    // It is dropped: the one that takes its place is selected, and not the first.
    group.apply(NOW, &Event::DeviceDropped(PHONE));
    assert_eq!(last_reaction(&mut ui, &group, "D"), Reaction::Redraw, "nobody has seen yet what is selected now");
    draw(&mut ui, &group, (80, 24));
    assert_eq!(ui.selected_of(&ui.order.of(&group)), Some(TABLET), "the next one, but not the own");
    last_reaction(&mut ui, &group, "G");
    assert_eq!(last_reaction(&mut ui, &group, "D\t\n"), drop(TABLET));
    group.apply(NOW, &Event::DeviceDropped(TABLET));
    draw(&mut ui, &group, (80, 24));
    assert_eq!(ui.selected_of(&ui.order.of(&group)), Some(LAPTOP), "the last one has none after it");
}

#[test]
fn the_list_that_was_asked_for_is_told_until_there_is_something_else_to_read() {
    let answer = |group: &mut Group| {
        let elapsed = std::time::Duration::from_micros(430);
        group.apply(NOW, &Event::RoundTrip { probe: Probe::DevicesInfo, elapsed });
        group.apply(NOW, &Event::Devices(devices()));
    };
    let mut group = normal();
    let mut ui = started(&group);
    let line = |ui: &mut Ui, group: &Group| symbols(&draw(ui, group, (80, 24))).lines().last().unwrap().to_owned();
    last_reaction(&mut ui, &group, "r");
    assert_eq!(line(&mut ui, &group), " ◌ asked for the device list…");
    answer(&mut group);
    assert_eq!(line(&mut ui, &group), " ✓ 4 devices, 0.4 ms");
    let mut group = normal();
    last_reaction(&mut ui, &group, "rj");
    answer(&mut group);
    assert!(line(&mut ui, &group).contains("? help"), "a key has ended it");
    let retry = NextStep::RetryAt { at: later(60_000), attempt: 2 };
    let mut group = normal();
    last_reaction(&mut ui, &group, "r");
    group.apply(NOW, &Event::Disconnected { cause: DisconnectCause::NoAnswer, next: retry });
    assert!(!line(&mut ui, &group).contains("asked for"), "nothing is asked any more");
}

#[test]
fn of_two_devices_of_one_name_the_dropped_one_is_told_by_its_id() {
    let mut group = normal();
    let mut listed = devices();
    listed.insert(DeviceId(9), device("iPad", Platform::Ios, "7.2.2", "", DeviceActivity::Unknown));
    group.apply(NOW, &Event::Devices(listed));
    for (device, words) in [(TABLET, format!("dropped: iPad ({TABLET})")), (DeviceId(9), "dropped: iPad".to_owned())] {
        group.apply(NOW, &Event::DeviceDropped(device));
        assert_eq!(group.notices().last().unwrap().text.as_str(), words);
    }
}

#[test]
fn a_list_that_does_not_come_says_how_old_it_is_and_when_it_will_be_older() {
    let group = normal();
    let shown = |minutes: u64| {
        let mut ui = Ui::new(settings());
        let mut buffer = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, 80, 24));
        let area = buffer.area;
        ui.draw(&mut buffer, area, &group, later(minutes * 60_000));
        (symbols(&buffer), ui.wrong_at())
    };
    let (fresh, wrong_at) = shown(1);
    assert!(!fresh.contains(" old") && wrong_at.is_some_and(|at| at <= later(120_000)), "{wrong_at:?}\n{fresh}");
    assert!(shown(2).0.contains("2 of 4 connected") || shown(2).0.contains("3 of 4 connected"), "{}", shown(2).0);
    assert!(shown(2).0.contains("2 min old"), "{}", shown(2).0);
}

#[test]
fn devices_are_sorted_from_any_pane_and_it_is_said_where_they_may_be_out_of_sight() {
    let group = normal();
    for (keys, words) in [("4s", "devices are sorted by when seen"), ("4zsS", "devices are sorted by when seen ↑")] {
        let mut ui = started(&group);
        last_reaction(&mut ui, &group, keys);
        let shown = symbols(&draw(&mut ui, &group, (80, 24)));
        assert!(shown.lines().last().unwrap().contains(words), "{keys}: {shown}");
    }
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "s");
    let shown = symbols(&draw(&mut ui, &group, (80, 24)));
    assert!(shown.contains("↓ seen") && !shown.contains("are sorted"), "{shown}");
}

#[test]
fn a_drop_from_elsewhere_asks_which_device_first() {
    let group = normal();
    let mut ui = started(&group);
    assert_eq!(last_reaction(&mut ui, &group, "4D"), Reaction::Redraw);
    let shown = symbols(&draw(&mut ui, &group, (80, 24)));
    assert!(shown.contains("which device?") && shown.contains("▸1 Devices"), "{shown}");
    let drop = |device| Reaction::Command(Command::DropDevice(Confirmed::after_asking(device)));
    assert_eq!(last_reaction(&mut ui, &group, "D\t\n"), drop(TABLET), "the first one, but not the own");
}

#[test]
fn colours_are_given_in_the_order_of_first_sight_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let kept = Settings { seen_devices: Some(home.path().join("seen-devices")), ..settings() };
    let group = normal();
    let colours = |ui: &mut Ui| {
        draw(ui, &group, (80, 24));
        [PHONE, LAPTOP, TABLET, OWN].map(|device| ui.colours.role(device))
    };
    let path = kept.seen_devices.clone().unwrap();
    let mut ui = Ui::new(kept.clone());
    let first = colours(&mut ui);
    assert!(!path.exists(), "nothing is written while drawing");
    ui.work(&group, 1);
    assert_eq!(seen_devices::read(&path).len(), 4);
    assert_eq!(colours(&mut Ui::new(kept.clone())), first, "in the next run");
    seen_devices::write(&path, &[DeviceId(9), OWN]).unwrap();
    assert_eq!(colours(&mut Ui::new(kept))[3], Role::Device(1), "whoever has gone keeps its colour");
}

#[test]
fn a_mediator_that_invents_devices_neither_fills_the_order_nor_takes_a_colour() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("seen-devices");
    let mut ui = Ui::new(Settings { seen_devices: Some(path.clone()), ..settings() });
    let mut group = normal();
    draw(&mut ui, &group, (80, 24));
    let ours = [PHONE, LAPTOP, TABLET, OWN];
    let first = ours.map(|device| ui.colours.role(device));
    for list in 1..=40 {
        let mut listed = devices();
        let invented = (0..50).map(|index| DeviceId(list * 1_000_000 + index));
        listed.extend(invented.map(|id| (id, device("", Platform::Desktop, "", "", DeviceActivity::Unknown))));
        group.apply(Millis(NOW.0 + list), &Event::Devices(listed));
        draw(&mut ui, &group, (80, 24));
        ui.work(&group, 1);
        assert_ne!(ui.colours.role(DeviceId(list * 1_000_000 + 49)), Role::Text, "the newest have a colour, too");
        assert_eq!(ours.map(|device| ui.colours.role(device)), first, "after {list} lists");
    }
    assert!(std::fs::metadata(&path).unwrap().len() <= 17 * seen_devices::MOST as u64);
    assert_eq!(seen_devices::read(&path).len(), seen_devices::MOST);
}
