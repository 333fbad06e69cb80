//! What is said of the lock wherever the user looks: no size, notice or alert hides a lock of ours, and "free" never stands
//! alone.

use super::fixture::*;
use super::screens::after;
use crate::group::*;
use crate::protocol::*;
use crate::tui::Settings;
use crate::tui::input::keymap::Keymap;
use crate::tui::preferences::Preferences;
use crate::tui::state::Ui;

/// With panes, with too little room for them, and with none at all.
const SIZES: [(u16, u16); 8] = [(30, 8), (40, 10), (40, 12), (60, 24), (80, 15), (80, 24), (100, 16), (160, 50)];
const SCOPE: LockScope = Some(TransactionScope::GroupSync);

fn ours(left: u64) -> Event {
    Event::Lock(LockEvent::Acquired { scope: SCOPE, expires_at: Some(Millis(NOW.0 + left)) })
}

fn shown(settings: &Settings, group: &Group, keys: &str, size: (u16, u16)) -> String {
    let mut ui = Ui::new(settings.clone());
    draw(&mut ui, group, size);
    typed(&mut ui, group, keys);
    symbols(&draw(&mut ui, group, size))
}

#[test]
fn a_lock_of_ours_counts_down_at_every_size_and_on_every_page() {
    let clock = Event::ClockMoved { by: 0, clock_offset: Some(34 * 60_000) };
    for size in [(160, 50), (80, 24)] {
        let moved = shown(&settings(), &after(vec![clock.clone()]), "", size);
        assert!(moved.contains("by the last login"), "{size:?}: {moved}");
    }
    let failed = Event::Journal(JournalState::Failed(crate::text::Clean::literal("the disk is full")));
    for events in [vec![ours(42_000)], vec![clock, ours(42_000)], vec![ours(42_000), Event::Promoted, failed]] {
        let group = after(events);
        for size in SIZES {
            for keys in ["", "?", "5+", "2", "4", "4+", "1\n", "!", ":", "/kind"] {
                let screen = shown(&settings(), &group, keys, size);
                assert!(screen.contains("42 s"), "{size:?}, {keys:?}: {screen}");
            }
        }
    }
    let mut ui = Ui::new(settings());
    draw(&mut ui, &after(vec![ours(42_000)]), (40, 12));
    assert_eq!(ui.wrong_at(), Some(Millis(NOW.0 + 1_000)), "it says something else after a second");
}

/// The session gives it back by a clock that is never set; what is shown must agree.
#[test]
fn a_moved_wall_clock_changes_nothing_of_what_is_left() {
    // In mk the mediator does not tell the time.
    for (moved, offset) in [(-3_600_000, Some(0)), (-40_000, None), (40_000, Some(0)), (86_400_000, None)] {
        let clock_offset = offset.map(|offset: i64| offset + 200 - moved);
        let group = after(vec![ours(42_000), Event::ClockMoved { by: moved, clock_offset }]);
        for size in SIZES {
            let mut buffer = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, size.0, size.1));
            let area = buffer.area;
            Ui::new(settings()).draw(&mut buffer, area, &group, NOW.offset_by(moved));
            let screen = symbols(&buffer);
            assert!(screen.contains("42 s"), "{moved}, {size:?}: {screen}");
        }
    }
}

#[test]
fn the_last_ten_seconds_of_a_lock_of_ours_stand_out() {
    for size in [(40, 12), (80, 24), (160, 50)] {
        let style = |left| {
            let group = after(vec![ours(left)]);
            let buffer = draw(&mut Ui::new(settings()), &group, size);
            let at = symbols(&buffer).lines().take(2).map(str::to_owned).enumerate().find_map(|(y, line)| {
                let column = line.split("lock ").next().filter(|before| before.len() < line.len())?;
                Some((u16::try_from(column.chars().count()).unwrap(), u16::try_from(y).unwrap()))
            });
            buffer.cell(at.expect("the header has it")).unwrap().style()
        };
        assert_eq!(style(42_000), style(11_000), "{size:?}");
        assert_ne!(style(11_000), style(10_000), "{size:?}");
        assert_eq!(style(10_000), style(1), "{size:?}");
    }
}

#[test]
fn the_last_line_offers_to_release_our_lock_by_its_key_once() {
    let keymap = Keymap::with(&[("lock".to_owned(), vec!["Z".to_owned()])].into()).unwrap();
    let own_key =
        Settings { preferences: std::sync::Arc::new(Preferences { keymap, ..Preferences::default() }), ..settings() };
    for (settings, offer) in [(settings(), "L release"), (own_key, "Z release")] {
        for size in SIZES.into_iter().filter(|(width, _)| *width >= 40) {
            // With a notice, and after a key that ends it.
            let waited = vec![
                Event::Lock(LockEvent::Requested(SCOPE)),
                Event::Lock(LockEvent::HeldBy { holder: LAPTOP, scope: SCOPE }),
                Event::Lock(LockEvent::Ended { holder: LAPTOP, scope: SCOPE }),
                ours(42_000),
            ];
            for keys in ["", "4", "x"] {
                let screen = shown(&settings, &after(waited.clone()), keys, size);
                let last = screen.lines().last().unwrap();
                assert_eq!(last.matches(offer).count(), 1, "{size:?}, {keys:?}: {screen}");
                assert!(!screen.contains("(L)"), "{size:?}: {screen}");
            }
        }
    }
    let screen = shown(&settings(), &normal(), "4", (80, 24));
    assert!(!screen.contains("release"), "nothing is held: {screen}");
}

#[test]
fn free_never_stands_alone_and_grows_old() {
    for size in SIZES {
        for keys in ["", "2", "4", "5+", "?"] {
            let screen = shown(&settings(), &normal(), keys, size);
            let frees = screen.match_indices("free").count();
            assert_eq!(frees, screen.match_indices("free at 13:59").count(), "{size:?}, {keys:?}: {screen}");
            assert!(!shown(&settings(), &Group::default(), keys, size).contains("free"), "{size:?}, {keys:?}");
        }
        if size.0 >= 40 {
            let screen = shown(&settings(), &normal(), "2", size);
            assert!(screen.contains("3 min ago") && screen.contains("(CONTACT_SYNC"), "{size:?}: {screen}");
        }
    }
}

#[test]
fn who_refused_us_is_told_with_how_long_ago_that_was() {
    let refused = vec![
        Event::Lock(LockEvent::Requested(SCOPE)),
        Event::Lock(LockEvent::HeldBy { holder: LAPTOP, scope: SCOPE }),
        Event::Lock(LockEvent::Abandoned),
    ];
    let later = Millis(NOW.0 + 12_300);
    for size in SIZES.into_iter().filter(|(width, _)| *width >= 80) {
        let mut group = after(refused.clone());
        let mut ui = Ui::new(settings());
        let mut buffer = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, size.0, size.1));
        let area = buffer.area;
        ui.draw(&mut buffer, area, &group, later);
        let screen = symbols(&buffer);
        let said = screen.contains("12 s ago") || (screen.contains("told 12 s") && screen.contains("│ ago"));
        assert!(said && screen.contains("held"), "{size:?}: {screen}");
        // After the next login nobody knows more; what ended earlier is not the last that was told.
        group.apply(later, &Event::Disconnected { cause: DisconnectCause::NoAnswer, next: NextStep::WaitForUser });
        group.apply(later, &login());
        ui.draw(&mut buffer, area, &group, later);
        let screen = symbols(&buffer);
        let said = screen.contains("12 s ago") || (screen.contains("told 12 s") && screen.contains("│ ago"));
        assert!(said && !screen.contains("free at"), "{size:?}: {screen}");
    }
}

/// The mediator may not have seen yet that we are gone.
#[test]
fn a_lock_of_ours_that_is_lost_is_not_called_free() {
    let lost = Event::Disconnected { cause: DisconnectCause::NoAnswer, next: NextStep::WaitForUser };
    let screen = shown(&settings(), &after(vec![ours(42_000), lost]), "2+", (80, 24));
    assert!(screen.contains("lost at 14:02:19 (GROUP_SYNC by this device)"), "{screen}");
    assert!(!screen.contains("free at"), "{screen}");
}
