use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use ratatui::style::Color;

use super::fixture::*;
use crate::group::*;
use crate::protocol::*;
use crate::runtime::Reaction;
use crate::session::Command;
use crate::tui::state::Ui;
use crate::tui::state::feed::row_key::RowKey;
use crate::tui::{Colour, Glyphs, Settings};

/// Every key that a keyboard has, near enough.
fn keyboard() -> Vec<KeyEvent> {
    let mut keys: Vec<KeyEvent> = Vec::new();
    for modifiers in [KeyModifiers::NONE, KeyModifiers::SHIFT, KeyModifiers::CONTROL, KeyModifiers::ALT] {
        keys.extend((' '..='~').map(|character| KeyEvent::new(KeyCode::Char(character), modifiers)));
        let named = [
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Backspace,
            KeyCode::Delete,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Insert,
            KeyCode::F(1),
        ];
        keys.extend(named.map(|code| KeyEvent::new(code, modifiers)));
    }
    keys
}

fn destroys(reaction: &Reaction) -> bool {
    matches!(
        reaction,
        Reaction::Command(
            Command::DropDevice(_)
                | Command::TakeLock { .. }
                | Command::LookAtLock
                | Command::ReleaseLock
                | Command::SetSharedDeviceData(_)
                | Command::Reflect { .. }
                | Command::Probe(_)
        )
    )
}

#[test]
fn no_two_keys_destroy_anything() {
    let mut ours = group_with(0);
    ours.apply(NOW, &Event::Lock(LockEvent::Acquired { scope: None, expires_at: None }));
    for group in [group_with(0), ours] {
        for first in keyboard() {
            let mut probe = Ui::new(settings());
            draw(&mut probe, &group, (80, 24));
            let reaction = probe.handle(&TerminalEvent::Key(first), &group, NOW);
            assert!(!destroys(&reaction), "{first:?}: {reaction:?}");
            for second in keyboard() {
                let mut ui = Ui::new(settings());
                ui.handle(&TerminalEvent::Key(first), &group, NOW);
                let reaction = ui.handle(&TerminalEvent::Key(second), &group, NOW);
                assert!(!destroys(&reaction), "{first:?} {second:?}: {reaction:?}");
            }
        }
    }
}

#[test]
fn any_size_can_be_drawn() {
    let mut group = group_with(3);
    let tiny = (0..4).flat_map(|width| (0..4).map(move |height| (width, height)));
    let sizes: Vec<_> =
        tiny.chain([(40, 10), (41, 11), (71, 15), (72, 16), (119, 30), (120, 30), (300, 100), (1, 300)]).collect();
    for keys in ["", "?", "D", "L", "4\n", "\n", "5+", "5\n", "/kind:", "/bad:", "fECHO", "t", "4mk\n"] {
        for size in &sizes {
            let mut ui = Ui::new(settings());
            draw(&mut ui, &group, (80, 24));
            typed(&mut ui, &group, &keys.replace('\n', ""));
            if keys.ends_with('\n') {
                press(&mut ui, &group, KeyCode::Enter);
            }
            draw(&mut ui, &group, *size);
            draw(&mut ui, &group, (80, 24));
        }
    }
    group.apply(NOW, &Event::Disconnected { cause: DisconnectCause::ByUser, next: NextStep::End });
    for size in sizes {
        draw(&mut Ui::new(settings()), &group, size);
    }
}

#[test]
fn a_frame_reads_the_rows_in_sight_only() {
    let reads = |rows: u32| {
        let mut group = Group::default();
        group.apply(START, &Event::Reflected((0..rows).map(|id| text(id, 1_000)).collect()));
        let mut ui = Ui::new(settings());
        draw(&mut ui, &group, (160, 50));
        typed(&mut ui, &group, "4gkj");
        let before = group.feed().reads();
        draw(&mut ui, &group, (160, 50));
        group.feed().reads() - before
    };
    let few = reads(1_000);
    assert!(few <= 50, "{few} rows read for a screen of 50 lines");
    assert_eq!(reads(100_000), few);
}

#[test]
fn an_idle_screen_sleeps() {
    let group = normal();
    let mut ui = Ui::new(settings());
    let mut frame = |now: Millis| {
        let mut buffer = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, 160, 50));
        let area = buffer.area;
        ui.draw(&mut buffer, area, &group, now);
        (buffer, ui.wrong_at())
    };
    // Quiet for long: nothing moves but minutes.
    let start = Millis(NOW.0 + 10_000);
    let mut now = start;
    let mut frames = 0;
    while now.0 < start.0 + 10 * 60_000 {
        let (shown, wrong_at) = frame(now);
        let next = wrong_at.expect("the minutes of \"live\" pass");
        assert!(next > now, "frames must not come at once again");
        let (just_before, _) = frame(Millis(next.0 - 1));
        assert_eq!(shown, just_before, "nothing may change before it is said to");
        now = next;
        frames += 1;
    }
    // Three times a minute: what is told of the connection, of the lock, and the charts of the hour.
    assert!(frames <= 35, "{frames} frames in ten idle minutes");
    let mut empty = Ui::new(settings());
    draw(&mut empty, &Group::default(), (160, 50));
    assert_eq!(empty.wrong_at(), None, "without a connection, nothing passes");
}

#[test]
fn colours_are_optional_and_no_background_is_set() {
    let mut group = normal();
    group.apply(NOW, &Event::Lock(LockEvent::Acquired { scope: None, expires_at: None }));
    for (colour, coloured) in [(Colour::Sixteen, true), (Colour::None, false)] {
        let mut ui = Ui::new(Settings { colour, ..settings() });
        typed(&mut ui, &group, "D");
        let buffer = draw(&mut ui, &group, (160, 50));
        assert_eq!(buffer.content.iter().any(|cell| cell.fg != Color::Reset), coloured);
        assert!(buffer.content.iter().all(|cell| cell.bg == Color::Reset));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_keys_at_any_size_keep_the_screen_whole(
        keys in prop::collection::vec((0_usize..512, 0_u16..170, 0_u16..52), 0..24),
        ascii: bool,
    ) {
        let keyboard = keyboard();
        let mut group = group_with(40);
        let glyphs = if ascii { Glyphs::Ascii } else { Glyphs::Unicode };
        let mut ui = Ui::new(Settings { glyphs, ..settings() });
        for (index, (key, width, height)) in keys.into_iter().enumerate() {
            let key = keyboard[key % keyboard.len()];
            ui.handle(&TerminalEvent::Key(key), &group, NOW);
            group.apply(NOW, &Event::Reflected(vec![text(u32::try_from(index).unwrap() + 500, 7_000)]));
            let shown = draw(&mut ui, &group, (width, height));
            let in_rows = group.feed();
            if let Some(RowKey::Memory(selected)) = ui.feed_state.selected(&group) {
                prop_assert!((in_rows.first()..in_rows.end()).contains(&selected));
            }
            prop_assert!(!ascii || shown.content.iter().all(|cell| cell.symbol().is_ascii()));
        }
    }
}
