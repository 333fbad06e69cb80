use std::collections::BTreeMap;

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::fixture::*;
use crate::group::*;
use crate::protocol::d2d::Platform;
use crate::protocol::*;
use crate::runtime::Reaction;
use crate::session::Command;
use crate::session::command::Confirmed;
use crate::text::Clean;
use crate::tui::Settings;
use crate::tui::input::pane::Pane;
use crate::tui::state::feed::row_key::Spot;
use crate::tui::state::{Overlay, Ui};

const CTRL: KeyModifiers = KeyModifiers::CONTROL;

fn started(group: &Group) -> Ui {
    let mut ui = Ui::new(settings());
    draw(&mut ui, group, (80, 24));
    ui
}

fn waiting(code: Option<CloseCode>, next: NextStep) -> Group {
    let mut group = normal();
    let cause = match code {
        Some(code) => DisconnectCause::closed(code),
        None => DisconnectCause::NoAnswer,
    };
    group.apply(NOW, &Event::Disconnected { cause, next });
    group
}

fn with_lock(state: LockEvent) -> Group {
    let mut group = normal();
    group.apply(NOW, &Event::Lock(state));
    group
}

#[test]
fn keys_lead_to_reactions() {
    let retry = NextStep::RetryAt { at: later(60_000), attempt: 2 };
    let user = NextStep::WaitForUser;
    let scope = Some(TransactionScope::GroupSync);
    let ours = || with_lock(LockEvent::Acquired { scope, expires_at: None });
    let command = Reaction::Command;
    let take =
        Command::TakeLock { scope: TransactionScope::UserProfileSync, ttl: Some(std::time::Duration::from_secs(60)) };
    let as_new = || command(Command::Reconnect { expect: Some(SlotState::New) });
    let cases = vec![
        ("q", normal(), Reaction::Quit),
        ("x", normal(), Reaction::Nothing),
        ("\u{1b}", normal(), Reaction::Nothing),
        ("?", normal(), Reaction::Redraw),
        ("?q", normal(), Reaction::Redraw),
        ("?x", normal(), Reaction::Nothing),
        ("k", normal(), Reaction::Nothing),
        ("j", normal(), Reaction::Redraw),
        ("r", normal(), command(Command::RefreshDevices)),
        ("r", waiting(None, retry), Reaction::Redraw),
        ("c", waiting(None, retry), command(Command::Reconnect { expect: None })),
        ("c", waiting(Some(CloseCode::DEVICE_LIMIT_REACHED), user), command(Command::Reconnect { expect: None })),
        ("c", waiting(Some(CloseCode::DROPPED_BY_DEVICE), user), Reaction::Redraw),
        ("c\n", waiting(Some(CloseCode::DROPPED_BY_DEVICE), user), Reaction::Redraw),
        ("c\t\n", waiting(Some(CloseCode::DROPPED_BY_DEVICE), user), as_new()),
        ("c\t\n", waiting(Some(CloseCode::REFLECTION_QUEUE_LIMIT), user), as_new()),
        ("c\t\n", waiting(Some(CloseCode::SLOT_STATE_MISMATCH), user), as_new()),
        ("c", waiting(None, NextStep::End), Reaction::Redraw),
        ("c", normal(), Reaction::Redraw),
        ("P\n", normal(), Reaction::Redraw),
        ("P\t\n", normal(), command(Command::Probe(Confirmed::after_asking(())))),
        ("P\t\n", waiting(None, retry), Reaction::Nothing),
        ("D\n", normal(), Reaction::Redraw),
        ("Dy", normal(), Reaction::Nothing),
        ("D\t\u{1b}", normal(), Reaction::Redraw),
        ("D\t\n", normal(), command(Command::DropDevice(Confirmed::after_asking(PHONE)))),
        ("GD\t\n", normal(), command(Command::DropDevice(Confirmed::after_asking(TABLET)))),
        ("D\t\n", waiting(None, retry), Reaction::Nothing),
        ("L\n", normal(), Reaction::Redraw),
        ("L\t\n", normal(), command(take)),
        ("L\n", ours(), Reaction::Redraw),
        ("L\t\n", ours(), command(Command::ReleaseLock)),
        ("L\t\n", with_lock(LockEvent::Requested(scope)), command(Command::ReleaseLock)),
    ];
    for (keys, group, reaction) in cases {
        let mut ui = started(&group);
        // What had happened before is read.
        last_reaction(&mut ui, &group, "?\u{1b}");
        assert_eq!(last_reaction(&mut ui, &group, keys), reaction, "{keys:?} in {:?}", group.connection());
    }
}

#[test]
fn control_keys_work_whatever_is_open() {
    let group = normal();
    let cases = [('c', Reaction::Quit), ('z', Reaction::Suspend), ('l', Reaction::Repaint)];
    for before in ["", "?", "D", "L", "\n"] {
        for (key, reaction) in cases.clone() {
            let mut ui = started(&group);
            last_reaction(&mut ui, &group, before);
            let event = TerminalEvent::Key(KeyEvent::new(KeyCode::Char(key), CTRL));
            assert_eq!(ui.handle(&event, &group, NOW), reaction, "Ctrl-{key} after {before:?}");
        }
    }
}

#[test]
fn what_is_not_a_key_does_nothing() {
    let group = normal();
    let mut ui = started(&group);
    let release = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
    let inputs = [TerminalEvent::Key(release), TerminalEvent::Paste("D\t\n".to_owned()), TerminalEvent::FocusGained];
    for input in inputs {
        assert_eq!(ui.handle(&input, &group, NOW), Reaction::Nothing, "{input:?}");
    }
    assert_eq!(ui.handle(&TerminalEvent::Resize(80, 24), &group, NOW), Reaction::Repaint);
}

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
    let on = Activity::ConnectedSince(minutes_before(2));
    let own = device("d2mtop", Platform::Desktop, "0.1.0", "", on);
    let laptop = device("Work laptop", Platform::Desktop, "2.0", "", on);
    let mut two = normal();
    two.apply(NOW, &Event::Devices(BTreeMap::from([(OWN, own), (LAPTOP, laptop)])));
    let cases = [(normal(), "D", false, false), (normal(), "jD", false, true), (two, "jD", true, false)];
    for (group, keys, last, own) in cases {
        for size in [(40, 12), (80, 24)] {
            let mut ui = Ui::new(settings());
            draw(&mut ui, &group, (80, 24));
            last_reaction(&mut ui, &group, keys);
            let shown = symbols(&draw(&mut ui, &group, size)).replace(['│', '\n'], " ");
            let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(shown.contains("It is the last other device"), last, "{shown}");
            assert_eq!(shown.contains("This is the device you look through"), own, "{shown}");
        }
    }
}

#[test]
fn panes_are_reached_by_number_and_by_tab() {
    let group = normal();
    for (keys, pane) in [("", Pane::Devices), ("\t", Pane::Lock), ("4", Pane::Feed), ("5\t", Pane::Devices)] {
        let mut ui = started(&group);
        last_reaction(&mut ui, &group, keys);
        assert_eq!(ui.focus, pane, "after {keys:?}");
    }
    let mut ui = started(&group);
    press(&mut ui, &group, KeyCode::BackTab);
    assert_eq!(ui.focus, Pane::Latency);
}

#[test]
fn escape_goes_one_level_back() {
    let group = normal();
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "4k+\n");
    assert!(matches!(ui.overlay, Overlay::Page(_)) && ui.zoomed && ui.reading.scroll.is_paused());
    press(&mut ui, &group, KeyCode::Esc);
    assert!(matches!(ui.overlay, Overlay::None) && ui.zoomed);
    press(&mut ui, &group, KeyCode::Esc);
    assert!(!ui.zoomed && ui.reading.scroll.is_paused());
    press(&mut ui, &group, KeyCode::Esc);
    assert!(!ui.reading.scroll.is_paused());
}

#[test]
fn the_feed_follows_until_one_scrolls_and_again_from_the_end() {
    let group = normal();
    let end = group.feed().end();
    let cases = [
        ("4", None),
        ("4k", Some(end - 2)),
        ("4kkj", Some(end - 2)),
        ("4kj", Some(end - 1)),
        ("4kjj", None),
        ("4g", Some(0)),
        ("4gG", None),
        ("4 ", Some(end - 1)),
        ("4  ", None),
    ];
    for (keys, paused_at) in cases {
        let mut ui = started(&group);
        last_reaction(&mut ui, &group, keys);
        let at = ui.reading.selected(&group).filter(|_| ui.reading.scroll.is_paused());
        assert_eq!(at, paused_at.map(Spot::Memory), "after {keys:?}");
    }
}

#[test]
fn a_notice_stays_until_the_next_key_that_means_something() {
    let mut group = normal();
    group.apply(NOW, &Event::Refused(Refusal::NoLock));
    let mut ui = started(&group);
    let notice = Refusal::NoLock.to_string();
    let shows = |ui: &mut Ui, text: &str| symbols(&draw(ui, &group, (80, 24))).contains(text);
    assert!(shows(&mut ui, &notice));
    assert_eq!(press(&mut ui, &group, KeyCode::F(9)), Reaction::Nothing);
    assert!(shows(&mut ui, &notice));
    assert_eq!(press(&mut ui, &group, KeyCode::Char('k')), Reaction::Redraw, "k itself changes nothing here");
    assert!(!shows(&mut ui, &notice));
    ui.notify(Clean::literal("the log could not be written"));
    assert!(shows(&mut ui, "the log could not be written"));
}

#[test]
fn devices_are_sorted_and_keep_their_selection() {
    let group = normal();
    let order = |keys: &str| {
        let mut ui = started(&group);
        last_reaction(&mut ui, &group, keys);
        ui.order.of(&group)
    };
    assert_eq!(order(""), [PHONE, OWN, LAPTOP, TABLET], "connected first, the newest first");
    assert_eq!(order("S"), [TABLET, LAPTOP, OWN, PHONE]);
    assert_eq!(order("s"), [OWN, TABLET, PHONE, LAPTOP], "by name");
    assert_eq!(order("ss"), [PHONE, TABLET, OWN, LAPTOP], "by platform");
    assert_eq!(order("ssss"), order(""));
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "js");
    assert_eq!(ui.selected_of(&ui.order.of(&group)), Some(OWN));
}

#[test]
fn the_selection_is_a_device_and_never_another_one_by_itself() {
    let mut group = normal();
    let mut ui = started(&group);
    // The laptop comes anew, and is now the first; nobody has moved.
    let mut listed = devices();
    listed.get_mut(&LAPTOP).unwrap().activity = Activity::ConnectedSince(later(1_000));
    group.apply(NOW, &Event::Devices(listed.clone()));
    assert_eq!(ui.order.of(&group)[0], LAPTOP);
    draw(&mut ui, &group, (80, 24));
    let drop = |device| Reaction::Command(Command::DropDevice(Confirmed::after_asking(device)));
    assert_eq!(last_reaction(&mut ui, &group, "D\t\n"), drop(PHONE), "which was selected before");
    // It is dropped: the one that takes its place is selected, and not the first.
    group.apply(NOW, &Event::DeviceDropped(PHONE));
    assert_eq!(last_reaction(&mut ui, &group, "D"), Reaction::Redraw, "nobody has seen yet what is selected now");
    draw(&mut ui, &group, (80, 24));
    assert_eq!(ui.selected_of(&ui.order.of(&group)), Some(OWN), "the next one");
    last_reaction(&mut ui, &group, "G");
    assert_eq!(last_reaction(&mut ui, &group, "D\t\n"), drop(TABLET));
    group.apply(NOW, &Event::DeviceDropped(TABLET));
    draw(&mut ui, &group, (80, 24));
    assert_eq!(ui.selected_of(&ui.order.of(&group)), Some(OWN), "the last one has none after it");
}

#[test]
fn escape_and_a_key_in_one_read_are_both_heard() {
    let group = normal();
    let alt = |ui: &mut Ui, code| ui.handle(&TerminalEvent::Key(KeyEvent::new(code, KeyModifiers::ALT)), &group, NOW);
    for (before, code, then) in [
        ("", 'q', Reaction::Quit),
        ("?", 'q', Reaction::Quit),
        ("D\t", 'q', Reaction::Quit),
        ("/kind", 'q', Reaction::Quit),
        ("/kind", 'x', Reaction::Redraw),
        ("L", 'x', Reaction::Redraw),
        ("", 'x', Reaction::Nothing),
    ] {
        let mut ui = started(&group);
        // What had happened before is read.
        last_reaction(&mut ui, &group, "?\u{1b}");
        last_reaction(&mut ui, &group, before);
        assert_eq!(alt(&mut ui, KeyCode::Char(code)), then, "Esc and {code} after {before:?}");
        assert!(matches!(ui.overlay, Overlay::None), "Esc was heard after {before:?}");
    }
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "D\t");
    assert_eq!(alt(&mut ui, KeyCode::Enter), Reaction::Redraw, "the answer is not given");
    assert!(matches!(ui.overlay, Overlay::Page(_)), "Enter opens the detail");
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
fn the_drop_dialog_follows_a_list_that_comes_while_it_is_open() {
    let mut group = normal();
    let mut ui = started(&group);
    assert_eq!(last_reaction(&mut ui, &group, "D"), Reaction::Command(Command::RefreshDevices));
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
fn a_lock_that_was_waited_for_is_told_and_one_that_came_at_once_is_seen() {
    let scope = Some(TransactionScope::GroupSync);
    let (held, ended) = (LockEvent::HeldBy { holder: LAPTOP, scope }, LockEvent::Ended { holder: LAPTOP, scope });
    let acquired = LockEvent::Acquired { scope, expires_at: None };
    for (events, told) in [
        (vec![LockEvent::Requested(scope), acquired.clone()], false),
        (vec![LockEvent::Requested(scope), held.clone(), ended.clone(), acquired.clone()], true),
        (vec![held, ended, LockEvent::Requested(scope), acquired], false),
    ] {
        let mut group = normal();
        for event in &events {
            group.apply(NOW, &Event::Lock(event.clone()));
        }
        let shown = symbols(&draw(&mut Ui::new(settings()), &group, (80, 24)));
        assert_eq!(shown.contains("the lock is ours now"), told, "{events:?}");
    }
}

#[test]
fn the_last_line_offers_only_what_does_something_and_the_way_out() {
    let group = normal();
    let last = |settings: Settings, keys: &str, size| {
        let mut ui = Ui::new(settings);
        draw(&mut ui, &group, size);
        // What had happened before is read.
        last_reaction(&mut ui, &group, "?\u{1b}");
        last_reaction(&mut ui, &group, keys);
        symbols(&draw(&mut ui, &group, size)).lines().last().unwrap().to_owned()
    };
    let read_only = || Settings { read_only: true, ..settings() };
    for (settings, offers) in [(settings(), true), (read_only(), false)] {
        let hints = last(settings, "", (80, 24));
        assert_eq!((hints.contains("D drop"), hints.contains("L lock")), (offers, offers), "{hints}");
        assert!(hints.ends_with("q quit  ? help"), "{hints}");
    }
    for size in [(40, 12), (80, 24)] {
        let hints = last(settings(), "L", size);
        assert!(hints.contains("Enter answer") && hints.contains("Tab choose"), "{hints}");
        assert!(!last(read_only(), "L", size).contains("Tab"), "there is nothing to choose");
    }
}

#[test]
fn of_two_devices_of_one_name_the_dropped_one_is_told_by_its_id() {
    let mut group = normal();
    let mut listed = devices();
    listed.insert(DeviceId(9), device("iPad", Platform::Ios, "7.2.2", "", Activity::Unknown));
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
    assert!(shown(2).0.contains("2 of 4 on") || shown(2).0.contains("3 of 4 on"), "{}", shown(2).0);
    assert!(shown(2).0.contains("2 min old"), "{}", shown(2).0);
}

/// Where only the lack of room is shown, nobody sees what a key does.
#[test]
fn without_room_keys_do_nothing_but_end_suspend_and_repaint() {
    let group = normal();
    let mut ui = Ui::new(settings());
    draw(&mut ui, &group, (39, 9));
    for key in ['D', 'L', 'P', 'r', 'n', '/', '?', '2'] {
        assert_eq!(press(&mut ui, &group, KeyCode::Char(key)), Reaction::Nothing, "{key} without room");
    }
    assert_eq!(press(&mut ui, &group, KeyCode::Enter), Reaction::Nothing);
    assert_eq!(press(&mut ui, &group, KeyCode::Char('q')), Reaction::Quit);
    draw(&mut ui, &group, (80, 24));
    assert_eq!(press(&mut ui, &group, KeyCode::Char('?')), Reaction::Redraw, "with room again");
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
    for (dialect, limit) in
        [(Dialect::Dgk, "closes the connection (4011); d2mtop comes back"), (Dialect::Mk, "gives it back after 60 s")]
    {
        for (group, holder) in [
            (normal(), None),
            (with_lock(LockEvent::HeldBy { holder: LAPTOP, scope }), Some("Work laptop holds it: d2mtop waits")),
        ] {
            let mut ui = Ui::new(Settings { dialect, ..settings() });
            draw(&mut ui, &group, (80, 24));
            press(&mut ui, &group, KeyCode::Char('L'));
            let screen = symbols(&draw(&mut ui, &group, (80, 24)));
            let inside = |line: &str| line.split('│').nth(1).unwrap_or_default().trim().to_owned();
            let text = screen.lines().map(inside).collect::<Vec<_>>().join(" ");
            assert!(text.contains(limit), "{dialect}: {screen}");
            assert_eq!(text.contains("L stops the waiting"), holder.is_some(), "{dialect}: {screen}");
            assert!(holder.is_none_or(|holder| text.contains(holder)), "{dialect}: {screen}");
        }
    }
}

#[test]
fn devices_are_sorted_from_any_pane_and_it_is_said_where_they_may_be_out_of_sight() {
    let group = normal();
    for (keys, words) in [("4s", "devices are sorted by name"), ("4zsS", "devices are sorted by name ↑")] {
        let mut ui = started(&group);
        last_reaction(&mut ui, &group, keys);
        let shown = symbols(&draw(&mut ui, &group, (80, 24)));
        assert!(shown.lines().last().unwrap().contains(words), "{keys}: {shown}");
    }
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "s");
    let shown = symbols(&draw(&mut ui, &group, (80, 24)));
    assert!(shown.contains("by name") && !shown.contains("are sorted"), "{shown}");
}

#[test]
fn a_followed_feed_is_followed_after_a_detail_and_a_paused_one_stays_paused() {
    let mut group = normal();
    for (before, paused) in [("4", false), ("4 ", true), ("4kk", true)] {
        for close in ["\u{1b}", "\n"] {
            let mut ui = started(&group);
            last_reaction(&mut ui, &group, &format!("{before}\n"));
            group.apply(NOW, &Event::Reflected(vec![text(500, 7_000)]));
            last_reaction(&mut ui, &group, close);
            assert_eq!(ui.reading.scroll.is_paused(), paused, "{before:?}, Enter, {close:?}");
        }
    }
}

#[test]
fn a_holder_of_the_lock_is_told_by_its_label_as_soon_as_the_list_has_it() {
    let (holder, scope) = (DeviceId(5), Some(TransactionScope::GroupSync));
    let mut group = with_lock(LockEvent::HeldBy { holder, scope });
    let mut ui = started(&group);
    let shows = |ui: &mut Ui, group: &Group, words: &str| {
        let shown = symbols(&draw(ui, group, (160, 50)));
        assert!(shown.contains(words), "{words}: {shown}");
    };
    shows(&mut ui, &group, &format!("held by {holder}"));
    let tablet = device("New tablet", Platform::Ios, "7.2.2", "", Activity::Unknown);
    group.apply(NOW, &Event::Devices(devices().into_iter().chain([(holder, tablet)]).collect()));
    shows(&mut ui, &group, "held by New tablet");
    group.apply(NOW, &Event::Lock(LockEvent::Ended { holder, scope }));
    shows(&mut ui, &group, "GROUP_SYNC  New tablet");
}
