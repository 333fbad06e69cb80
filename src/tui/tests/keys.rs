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
use crate::tui::feed::Spot;
use crate::tui::layout::Pane;
use crate::tui::ui::{Overlay, Ui};

const CTRL: KeyModifiers = KeyModifiers::CONTROL;

fn started(group: &Group) -> Ui {
    let mut ui = Ui::new(settings());
    draw(&mut ui, group, (80, 24));
    ui
}

fn waiting(code: Option<CloseCode>, next: NextStep) -> Group {
    let mut group = normal();
    let cause = match code {
        Some(code) => DisconnectCause::ClosedByServer { code, reason: Clean::default() },
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
