//! What the keys do, wherever the user is.

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::fixture::*;
use crate::group::*;
use crate::protocol::d2d::Platform;
use crate::protocol::*;
use crate::runtime::Reaction;
use crate::session::Command;
use crate::session::Confirmed;
use crate::text::Clean;
use crate::tui::Settings;
use crate::tui::input::pane::Pane;
use crate::tui::state::feed::row_key::RowKey;
use crate::tui::state::{Overlay, Ui};

const CTRL: KeyModifiers = KeyModifiers::CONTROL;

fn waiting(code: Option<CloseCode>, next: NextStep) -> Group {
    let mut group = normal();
    let cause = match code {
        Some(code) => DisconnectCause::closed(code),
        None => DisconnectCause::NoAnswer,
    };
    group.apply(NOW, &Event::Disconnected { cause, next });
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
        ("x", normal(), Reaction::Redraw),
        ("xx", normal(), Reaction::Nothing),
        ("x\u{1b}x", normal(), Reaction::Nothing),
        ("\u{1b}", normal(), Reaction::Nothing),
        ("?", normal(), Reaction::Redraw),
        ("?q", normal(), Reaction::Redraw),
        ("?x", normal(), Reaction::Redraw),
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
        ("Dy", normal(), Reaction::Redraw),
        ("Dy\n", normal(), command(Command::DropDevice(Confirmed::after_asking(TABLET)))),
        ("Dn\n", normal(), Reaction::Redraw),
        ("Dyn\n", normal(), Reaction::Redraw),
        ("D\t\u{1b}", normal(), Reaction::Redraw),
        ("D\t\n", normal(), command(Command::DropDevice(Confirmed::after_asking(TABLET)))),
        ("jjD\t\n", normal(), command(Command::DropDevice(Confirmed::after_asking(LAPTOP)))),
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
    assert!(matches!(ui.overlay, Overlay::Page(_)) && ui.zoomed && ui.feed_state.scroll.is_paused());
    press(&mut ui, &group, KeyCode::Esc);
    assert!(matches!(ui.overlay, Overlay::None) && ui.zoomed);
    press(&mut ui, &group, KeyCode::Esc);
    assert!(!ui.zoomed && ui.feed_state.scroll.is_paused());
    press(&mut ui, &group, KeyCode::Esc);
    assert!(!ui.feed_state.scroll.is_paused());
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
        let at = ui.feed_state.selected(&group).filter(|_| ui.feed_state.scroll.is_paused());
        assert_eq!(at, paused_at.map(RowKey::Memory), "after {keys:?}");
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
        ("", 'x', Reaction::Redraw),
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
        assert!(hints.contains("Enter confirm") && hints.contains("Tab switch"), "{hints}");
        assert!(!last(read_only(), "L", size).contains("Tab"), "there is nothing to choose");
    }
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
fn a_followed_feed_is_followed_after_a_detail_and_a_paused_one_stays_paused() {
    let mut group = normal();
    for (before, paused) in [("4", false), ("4 ", true), ("4kk", true)] {
        for close in ["\u{1b}", "\n"] {
            let mut ui = started(&group);
            last_reaction(&mut ui, &group, &format!("{before}\n"));
            group.apply(NOW, &Event::Reflected(vec![text(500, 7_000)]));
            last_reaction(&mut ui, &group, close);
            assert_eq!(ui.feed_state.scroll.is_paused(), paused, "{before:?}, Enter, {close:?}");
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
    let tablet = device("New tablet", Platform::Ios, "7.2.2", "", DeviceActivity::Unknown);
    group.apply(NOW, &Event::Devices(devices().into_iter().chain([(holder, tablet)]).collect()));
    shows(&mut ui, &group, "held by New tablet");
    group.apply(NOW, &Event::Lock(LockEvent::Ended { holder, scope }));
    shows(&mut ui, &group, "GROUP_SYNC  New tablet");
}
