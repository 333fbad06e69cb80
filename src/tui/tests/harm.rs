//! What the screen says so that nobody comes to harm: closes, clocks, visits, and devices that nobody expected.

use std::fmt::Write as _;

use super::fixture::*;
use super::screens::{after, compare};
use crate::group::*;
use crate::protocol::d2d::Platform;
use crate::protocol::*;
use crate::runtime::Reaction;
use crate::session::{Command, Presence};
use crate::text::Clean;
use crate::tui::Settings;
use crate::tui::state::Ui;

const SIZES: [(u16, u16); 3] = [(40, 12), (80, 24), (160, 50)];

/// All codes of the protocol, and some that it does not have.
const CODES: [u16; 20] = [
    1000, 1001, 1006, 1011, 4000, 4001, 4009, 4010, 4011, 4012, 4013, 4110, 4111, 4112, 4113, 4114, 4115, 4150, 4200,
    4999,
];

pub(super) fn closed(mut group: Group, code: u16) -> Group {
    let next = match CloseCode(code).reconnect_class() {
        ReconnectClass::UserInteraction => NextStep::WaitForUser,
        // The longest that is ever shown.
        _ => NextStep::RetryAt { at: Millis(NOW.0 + 119_000), attempt: 99 },
    };
    // Who never was there is new.
    let expected = if group.login().is_some() { SlotState::Existing } else { SlotState::New };
    let cause = DisconnectCause::ClosedByServer { code: CloseCode(code), reason: Clean::literal(""), expected };
    group.apply(NOW, &Event::Disconnected { cause, next });
    group
}

/// The first and the last line of an 80x24 screen.
fn ends(settings: &Settings, group: &Group) -> (String, String) {
    let mut ui = Ui::new(settings.clone());
    // What had happened before is read.
    last_reaction(&mut ui, &normal(), "?\u{1b}");
    let shown = symbols(&draw(&mut ui, group, (80, 24)));
    (shown.lines().next().unwrap().to_owned(), shown.lines().last().unwrap().to_owned())
}

#[test]
fn every_close_code_has_its_own_sentence_and_its_key_and_neither_is_cut() {
    let long_title = Settings { title: Clean::literal("mediator.a-long-name.example:443"), ..settings() };
    let mut table = String::new();
    let mut headers = std::collections::BTreeSet::new();
    for code in CODES {
        for (settings, group) in
            [(settings(), normal()), (long_title.clone(), normal()), (settings(), Group::default())]
        {
            let group = closed(group, code);
            let (header, last) = ends(&settings, &group);
            assert!(header.contains(&code.to_string()), "{code}: {header}");
            let (_, state) = header.split_once("   ").unwrap();
            assert!(!state.contains('…'), "{code}: {header}");
            let waits = CloseCode(code).reconnect_class() == ReconnectClass::UserInteraction;
            assert!(header.contains(if waits { "c connect" } else { "c now" }), "{code}: {header}");
            let unknown = CloseCode(code).reconnect_class() == ReconnectClass::Unknown;
            assert_eq!(last.starts_with(" !"), waits || unknown, "{code}: {last}");
            assert!(!last.contains('…'), "{code}: {last}");
            if settings.title.as_str() == "home" {
                let known = if group.login().is_some() { "" } else { ", never logged in" };
                let _ = write!(table, "{code}{known}\n{header}\n");
                if last.starts_with(" !") {
                    table.push_str(&last);
                    table.push('\n');
                }
                headers.insert(header.replace(&code.to_string(), ""));
            }
        }
    }
    // 4150, 4200 and 4999 share two sentences; all others have their own.
    assert!(headers.len() >= CODES.len() - 2, "{headers:#?}");
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots", omit_expression => true }, {
        insta::assert_snapshot!("close-codes", table);
    });
}

/// Where the session tries the other state by itself, it says which.
#[test]
fn a_slot_that_is_not_as_expected_is_told_as_what_was_expected_of_it() {
    for (expected, words) in
        [(SlotState::Existing, "slot expired, taking a new one"), (SlotState::New, "our slot is there already")]
    {
        for mut group in [normal(), Group::default()] {
            let code = CloseCode::SLOT_STATE_MISMATCH;
            let cause = DisconnectCause::ClosedByServer { code, reason: Clean::default(), expected };
            group.apply(NOW, &Event::Disconnected { cause, next: NextStep::RetryAt { at: later(2_000), attempt: 2 } });
            let (header, _) = ends(&settings(), &group);
            assert!(header.contains(words), "{header}");
        }
    }
}

#[test]
fn what_the_network_says_is_in_the_last_line_and_what_was_lost_with_the_connection_goes_first() {
    let refused = "127.0.0.1:18080 cannot be reached: connection refused";
    let next = NextStep::RetryAt { at: Millis(NOW.0 + 2_000), attempt: 3 };
    for (cause, short) in [
        (DisconnectCause::Unreachable(Clean::literal(refused)), "back in 2 s, try 3: no connection   c now"),
        (DisconnectCause::Broken(Clean::literal(refused)), "back in 2 s, try 3: connection lost   c now"),
    ] {
        let end = Event::Disconnected { cause, next };
        let (header, last) = ends(&settings(), &after(vec![end.clone()]));
        assert!(header.ends_with(short), "{header}");
        assert_eq!(last, format!(" ! {refused}"));
        let refusal = Event::Refused(Refusal::NotLocked);
        let (_, last) = ends(&settings(), &after(vec![refusal, end]));
        assert!(last.contains("not locked"), "{last}");
    }
}

#[test]
fn who_is_alone_is_told_so() {
    let own = devices().into_iter().filter(|(id, _)| *id == OWN).collect();
    let back_at = Millis(NOW.0 + 59_000);
    let group = after(vec![
        Event::Devices(own),
        Event::RoleGivenUp { back_at, promotions_in_a_row: 1 },
        Event::Disconnected { cause: DisconnectCause::LeaderRole, next: NextStep::RetryAt { at: back_at, attempt: 1 } },
    ]);
    let (header, _) = ends(&settings(), &group);
    assert!(header.ends_with("! back in 59 s: alone in the group, left so as not to lead   c now"), "{header}");
    for size in [(80, 24), (160, 50)] {
        let say = |group: &Group| symbols(&draw(&mut Ui::new(settings()), group, size)).contains("if there should be");
        assert_eq!((say(&group), say(&normal())), (true, false), "{size:?}");
    }
}

#[test]
fn the_detail_of_a_device_agrees_with_its_row_when_the_list_is_not_current() {
    let next = NextStep::RetryAt { at: Millis(NOW.0 + 2_000), attempt: 3 };
    let group = after(vec![Event::Disconnected { cause: DisconnectCause::NoAnswer, next }]);
    for (keys, words) in [("j\n", "was on, as of 14:02"), ("G\n", "off: not connected"), ("\n", "was off, as of 14:02")]
    {
        let mut ui = Ui::new(settings());
        draw(&mut ui, &group, (80, 24));
        last_reaction(&mut ui, &group, keys);
        let shown = symbols(&draw(&mut ui, &group, (80, 24)));
        assert!(shown.contains(words) && !shown.contains("it is connected"), "{keys:?}: {shown}");
    }
}

#[test]
fn the_explanation_goes_with_the_next_key_and_comes_with_the_next_close() {
    let group = closed(normal(), 4113);
    let mut ui = Ui::new(settings());
    let shows = |ui: &mut Ui, group: &Group| symbols(&draw(ui, group, (80, 24))).contains("last list 14:02, 4 devices");
    assert!(shows(&mut ui, &group));
    typed(&mut ui, &group, "j");
    assert!(!shows(&mut ui, &group));
    let mut again = closed(normal(), 4113);
    let cause = DisconnectCause::closed(CloseCode(4113));
    again.apply(later(20_000), &Event::Disconnected { cause, next: NextStep::WaitForUser });
    assert!(shows(&mut ui, &again));
}

/// The header says what comes next; the pane of the role must not say something else.
#[test]
fn after_a_close_that_waits_for_the_user_the_role_pane_does_not_promise_to_be_back() {
    let back_at = Millis(NOW.0 + 59_000);
    let next = NextStep::RetryAt { at: back_at, attempt: 1 };
    let left = vec![
        Event::RoleGivenUp { back_at, promotions_in_a_row: 1 },
        Event::Disconnected { cause: DisconnectCause::LeaderRole, next },
    ];
    let shown = |group: &Group| symbols(&draw(&mut Ui::new(settings()), group, (160, 50)));
    let on_the_way = after(left);
    assert!(shown(&on_the_way).contains("back at 14:03 (c: now)"), "{}", shown(&on_the_way));
    for code in [4110, 4111, 4112, 4113, 4114, 4115] {
        let mut group = after(vec![Event::RoleGivenUp { back_at, promotions_in_a_row: 1 }]);
        group.apply(NOW, &Event::Disconnected { cause: DisconnectCause::LeaderRole, next });
        group.apply(NOW, &Event::Connecting { attempt: 1 });
        let shown = shown(&closed(group, code));
        assert!(!shown.contains("back at") && !shown.contains("was made leader"), "{code}: {shown}");
    }
}

pub(super) fn clock_off(ahead: i64) -> Group {
    let Event::LoggedIn(login) = login() else { unreachable!() };
    after(vec![Event::LoggedIn(Login { clock_offset: Some(ahead), ..login }), Event::QueueDry, Event::Following])
}

#[test]
fn a_clock_far_off_is_warned_about_with_both_times_until_accepted() {
    for (minutes, warns, words) in [
        (34, true, "clock 34 min behind: here 14:02, mediator 14:36"),
        (-34, true, "clock 34 min ahead: here 14:02, mediator 13:28"),
        (21, true, "a accept"),
        (20, false, ""),
        (-20, false, ""),
    ] {
        let group = clock_off(minutes * 60_000);
        let (header, _) = ends(&settings(), &group);
        assert_eq!(header.contains("a accept"), warns, "{header}");
        assert!(header.contains(words), "{header}");
    }
    let group = clock_off(34 * 60_000);
    compare("clock", &SIZES, &group, &settings(), |_| ());
    let mut ui = Ui::new(settings());
    typed(&mut ui, &group, "a");
    let shown = symbols(&draw(&mut ui, &group, (80, 24)));
    assert!(!shown.contains("a accept") && shown.contains("live"), "{shown}");
    typed(&mut ui, &normal(), "a");
    assert!(symbols(&draw(&mut ui, &normal(), (80, 24))).contains("nothing to accept"));
}

#[test]
fn visits_say_what_comes_next() {
    let settings = Settings { presence: Presence::Visit(std::time::Duration::from_secs(600)), ..settings() };
    compare("visiting", &[(80, 24), (160, 50)], &normal(), &settings, |_| ());
    let over = after(vec![Event::Disconnected {
        cause: DisconnectCause::VisitOver,
        next: NextStep::RetryAt { at: Millis(NOW.0 + 600_000), attempt: 1 },
    }]);
    compare("visit-over", &SIZES, &over, &settings, |_| ());
}

pub(super) fn left() -> Group {
    after(vec![Event::Disconnected { cause: DisconnectCause::LeftGroup, next: NextStep::End }])
}

#[test]
fn having_left_is_said() {
    compare("left-group", &[(80, 24)], &left(), &settings(), |_| ());
}

pub(super) fn alarmed() -> Group {
    let info = |label: &str| DeviceInfo { platform: Platform::Web, label: Clean::new(label), ..DeviceInfo::default() };
    let stranger = DeviceId(5);
    let mut listed = devices();
    let on = DeviceActivity::ConnectedSince(minutes_before(1));
    listed.insert(stranger, device("Not mine", Platform::Web, "1.0", "Chrome", on));
    listed.get_mut(&TABLET).unwrap().info = Err(OpenError::DoesNotDecrypt);
    after(vec![
        Event::DeviceChanged {
            device: LAPTOP,
            change: DeviceChange::Changed { before: Some(info("Old")), now: info("Work laptop") },
        },
        Event::DeviceChanged { device: TABLET, change: DeviceChange::Undecryptable { before: info("iPad") } },
        Event::DeviceChanged {
            device: stranger,
            change: DeviceChange::New { returned: false, now: Some(info("Not mine")) },
        },
        Event::Devices(listed),
    ])
}

#[test]
fn devices_that_nobody_expected_stand_out_until_noted() {
    let mut group = alarmed();
    compare("alarm", &SIZES, &group, &settings(), |_| ());
    let mut ui = Ui::new(settings());
    draw(&mut ui, &group, (80, 24));
    let key = crossterm::event::KeyCode::Char('n');
    assert_eq!(press(&mut ui, &group, key), Reaction::Command(Command::AcknowledgeDevices));
    group.apply(NOW, &Event::DevicesAcknowledged);
    let shown = symbols(&draw(&mut ui, &group, (80, 24)));
    assert!(!shown.contains("new ·") && !shown.contains("changed"), "{shown}");
    assert_eq!(press(&mut ui, &group, key), Reaction::Redraw, "nothing is left to note, and that is said");
    let cases = [(DeviceChange::Gone { before: None }, 0), (DeviceChange::New { returned: false, now: None }, 1)];
    for (change, marked) in cases {
        let group = after(vec![Event::DeviceChanged { device: PHONE, change }]);
        assert_eq!(group.devices().alarms(), marked);
    }
}

#[test]
fn what_counts_as_known_is_what_was_noted() {
    let mut group = alarmed();
    let known = group.known().unwrap();
    let label = |known: &KnownDevices, id| {
        known.iter().find(|(device, _)| *device == id).map(|(_, info)| info.map(|info| info.label.to_string()))
    };
    assert_eq!(label(&known, DeviceId(5)), None, "new, and not noted");
    assert_eq!(label(&known, LAPTOP), Some(Some("Old".to_owned())), "as before");
    assert_eq!(label(&known, TABLET), Some(Some("iPad".to_owned())), "as before");
    assert_eq!(label(&known, OWN), None, "our own device is no news");
    group.apply(NOW, &Event::DevicesAcknowledged);
    let known = group.known().unwrap();
    assert_eq!(label(&known, DeviceId(5)), Some(Some("Not mine".to_owned())));
    assert_eq!(label(&known, TABLET), Some(None), "unreadable, and noted");
}

#[test]
fn a_lock_of_ours_that_ends_is_told_with_why_and_instead_of_what_was_said_before() {
    let scope = Some(TransactionScope::GroupSync);
    let lock = Event::Lock;
    let acquired = lock(LockEvent::Acquired { scope, expires_at: Some(later(7_000)) });
    let (asked, held) = (LockEvent::Requested(scope), LockEvent::HeldBy { holder: LAPTOP, scope });
    let ended = LockEvent::Ended { holder: LAPTOP, scope };
    let at_once = vec![lock(asked.clone()), acquired.clone()];
    let after_waiting = vec![lock(asked), lock(held), lock(ended), acquired];
    let closed = |code, next| {
        let cause = DisconnectCause::closed(code);
        Event::Disconnected { cause, next }
    };
    let retry = NextStep::RetryAt { at: later(60_000), attempt: 2 };
    let refused = "127.0.0.1:18080 cannot be reached: connection refused";
    let broken = Event::Disconnected { cause: DisconnectCause::Broken(Clean::literal(refused)), next: retry };
    let lock_lost = || lock(LockEvent::Lost(scope));
    let dropped = closed(CloseCode::DROPPED_BY_DEVICE, NextStep::WaitForUser);
    let cases = [
        (vec![lock_lost(), closed(CloseCode::TRANSACTION_EXPIRED, retry)], " ! the lock is lost: time limit reached"),
        (vec![lock_lost(), broken.clone()], " ! the lock is lost: the connection ended"),
        (vec![broken], " ! the lock is lost: the connection ended"),
        (vec![lock_lost(), dropped], " ! dropped; last list"),
        (
            vec![lock_lost(), Event::Refused(Refusal::Unconfirmed), closed(CloseCode(1001), retry)],
            " ! the connection ended before",
        ),
        (vec![lock(LockEvent::Released(scope))], " ✓ the lock is released: time limit reached"),
    ];
    for before in [at_once, after_waiting] {
        for (events, words) in &cases {
            let mut group = after(before.clone());
            let mut ui = Ui::new(settings());
            // A key, and what it said, before the lock ended.
            for keys in ["?\u{1b}", "c"] {
                last_reaction(&mut ui, &group, keys);
                draw(&mut ui, &group, (80, 24));
            }
            for event in events {
                group.apply(NOW, event);
            }
            let shown = symbols(&draw(&mut ui, &group, (80, 24)));
            let last = shown.lines().last().unwrap();
            let is_whole = !last.contains('…') || words.contains("before");
            assert!(last.starts_with(words) && is_whole, "{events:?} after {before:?}: {last}");
        }
    }
}

#[test]
fn what_was_refused_for_lack_of_a_connection_is_not_said_of_the_next_one() {
    let next = NextStep::RetryAt { at: Millis(NOW.0 + 2_000), attempt: 3 };
    let mut group = after(vec![Event::Disconnected { cause: DisconnectCause::NoAnswer, next }]);
    let mut ui = Ui::new(settings());
    let last = |ui: &mut Ui, group: &Group| symbols(&draw(ui, group, (80, 24))).lines().last().unwrap().to_owned();
    last(&mut ui, &group);
    last_reaction(&mut ui, &group, "r");
    assert!(last(&mut ui, &group).contains("not done: not connected"));
    group.apply(NOW, &Event::Connecting { attempt: 3 });
    assert!(last(&mut ui, &group).contains("not done: not connected"), "it is as true as before");
    let back = normal();
    assert!(!last(&mut ui, &back).contains("not connected"));
}

#[test]
fn a_list_that_does_not_come_is_told() {
    let line = |group: &Group, ui: &mut Ui, at: Millis| {
        let area = ratatui::layout::Rect::new(0, 0, 80, 24);
        let mut buffer = ratatui::buffer::Buffer::empty(area);
        ui.draw(&mut buffer, area, group, at);
        symbols(&buffer).lines().last().unwrap().to_owned()
    };
    let started = || {
        let (mut ui, group) = (Ui::new(settings()), normal());
        last_reaction(&mut ui, &group, "r");
        assert!(line(&group, &mut ui, NOW).contains("asked for the device list"));
        (ui, group)
    };
    let (mut ui, group) = started();
    let due = Millis(NOW.0 + 25_000);
    assert!(ui.wrong_at().is_some_and(|at| at <= due), "the screen is drawn again then");
    assert!(line(&group, &mut ui, Millis(due.0 - 1)).contains("asked for the device list"));
    assert!(line(&group, &mut ui, due).contains("! no device list came within 25 s"));
    for (cause, words) in [
        (DisconnectCause::NoAnswer, "! the device list did not come: the connection ended"),
        (DisconnectCause::Broken(Clean::literal("reset by the other side")), "! reset by the other side"),
    ] {
        let (mut ui, mut group) = started();
        let next = NextStep::RetryAt { at: later(60_000), attempt: 2 };
        group.apply(NOW, &Event::Disconnected { cause, next });
        let last = line(&group, &mut ui, NOW);
        assert!(last.contains(words), "{last}");
    }
}
