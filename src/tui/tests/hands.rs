//! Mouse, palette, files: what the hands do beside single keys.

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::fixture::*;
use crate::group::*;
use crate::output::device_order::DeviceSort;
use crate::protocol::*;
use crate::runtime::Reaction;
use crate::session::Command;
use crate::text::Clean;
use crate::tui::input::pane::Pane;
use crate::tui::settings::Neighbours;
use crate::tui::state::chooser::ThemeChoice;
use crate::tui::state::page::{Page, PageSubject};
use crate::tui::state::{Overlay, Ui};
use crate::tui::theme::Palette;
use crate::tui::{Preferences, SavedFilters, Settings};

fn mouse(ui: &mut Ui, group: &Group, kind: MouseEventKind, (column, row): (u16, u16), at: u64) -> Reaction {
    let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
    ui.handle(&TerminalEvent::Mouse(event), group, Millis(NOW.0 + at))
}

fn click(ui: &mut Ui, group: &Group, place: (u16, u16), at: u64) -> Reaction {
    mouse(ui, group, MouseEventKind::Down(MouseButton::Left), place, at)
}

/// Where the words stand in the frame.
fn place(shown: &str, words: &str) -> (u16, u16) {
    let found = shown.lines().enumerate().find_map(|(row, line)| line.find(words).map(|at| (row, &line[..at])));
    let (row, before) = found.unwrap_or_else(|| panic!("no {words}: {shown}"));
    (u16::try_from(before.chars().count()).unwrap(), u16::try_from(row).unwrap())
}

fn shown(ui: &mut Ui, group: &Group) -> String {
    symbols(&draw(ui, group, (80, 24)))
}

fn click_on(ui: &mut Ui, group: &Group, words: &str, at: u64) -> Reaction {
    let place = place(&shown(ui, group), words);
    click(ui, group, place, at)
}

#[test]
fn a_click_selects_and_focuses_and_a_second_one_opens() {
    let group = group_with(40);
    let mut ui = started(&group);
    click_on(&mut ui, &group, "iPad", 0);
    assert_eq!((ui.focus, ui.selected_of(&ui.order.of(&group))), (Pane::Devices, Some(TABLET)));
    click_on(&mut ui, &group, "iPad", 300);
    assert!(matches!(&ui.overlay, Overlay::Page(Page { subject: PageSubject::Device(TABLET), .. })));
    // A click beside the page closes it.
    click(&mut ui, &group, (2, 0), 5_000);
    click_on(&mut ui, &group, "Pixel 9", 6_000);
    let row = place(&shown(&mut ui, &group), "does not decrypt");
    click(&mut ui, &group, row, 7_000);
    assert_eq!(ui.focus, Pane::Feed);
    assert!(ui.feed_state.scroll.is_paused());
    click(&mut ui, &group, row, 9_000);
    assert!(matches!(ui.overlay, Overlay::None), "two clicks that are not a double click");
    click(&mut ui, &group, row, 9_200);
    assert!(matches!(&ui.overlay, Overlay::Page(Page { subject: PageSubject::Row(_), .. })));
}

#[test]
fn the_wheel_scrolls_what_is_under_it() {
    let group = group_with(200);
    let mut ui = started(&group);
    let feed = place(&shown(&mut ui, &group), "4 Feed");
    let end = group.feed().end();
    mouse(&mut ui, &group, MouseEventKind::ScrollUp, (feed.0, feed.1 + 4), 0);
    assert_eq!(ui.focus, Pane::Devices, "the focus stays");
    assert_eq!(ui.feed_state.selected(&group), Some(crate::tui::state::feed::row_key::RowKey::Memory(end - 4)));
    mouse(&mut ui, &group, MouseEventKind::ScrollDown, (feed.0, feed.1 + 4), 0);
    mouse(&mut ui, &group, MouseEventKind::ScrollDown, (feed.0, feed.1 + 4), 0);
    assert!(!ui.feed_state.scroll.is_paused());
    last_reaction(&mut ui, &group, "?");
    shown(&mut ui, &group);
    mouse(&mut ui, &group, MouseEventKind::ScrollDown, (10, 10), 0);
    assert!(matches!(&ui.overlay, Overlay::Page(page) if page.top == 3));
    for kind in [MouseEventKind::Moved, MouseEventKind::Drag(MouseButton::Left), MouseEventKind::Up(MouseButton::Left)]
    {
        assert_eq!(mouse(&mut ui, &group, kind, (10, 10), 0), Reaction::Nothing);
    }
}

#[test]
fn a_click_on_a_head_sorts_and_on_a_hint_presses() {
    let group = normal();
    let mut ui = started(&group);
    // What had happened before is read.
    last_reaction(&mut ui, &group, "?\u{1b}");
    for (head, sort) in [("app ", DeviceSort::Platform), ("seen │", DeviceSort::Seen), ("device ", DeviceSort::Name)]
    {
        for reversed in [false, true] {
            click_on(&mut ui, &group, head, 0);
            assert_eq!((ui.order.by, ui.order.reversed), (sort, reversed), "{head}");
        }
    }
    click_on(&mut ui, &group, "? help", 0);
    assert!(matches!(&ui.overlay, Overlay::Page(Page { subject: PageSubject::Help(_), .. })));
    click_on(&mut ui, &group, "Esc close", 0);
    assert!(matches!(ui.overlay, Overlay::None));
}

#[test]
fn a_click_never_confirms_a_dialog_that_it_did_not_open() {
    let group = normal();
    let destroyed = |reaction: &Reaction| matches!(reaction, Reaction::Command(Command::DropDevice(_)));
    // Opened by a key.
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "D");
    for (answer, at) in [("  Drop", 0), ("[ Drop ]", 10_000), ("[ Drop ]", 10_100)] {
        let reaction = click_on(&mut ui, &group, answer, at);
        assert!(!destroyed(&reaction) && matches!(ui.overlay, Overlay::Dialog(_)), "{reaction:?}");
    }
    assert!(destroyed(&press(&mut ui, &group, KeyCode::Enter)), "the click has chosen");
    // Neither by the hint.
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "?\u{1b}D\t");
    let reaction = click_on(&mut ui, &group, "Enter confirm", 10_000);
    assert!(!destroyed(&reaction) && matches!(ui.overlay, Overlay::Dialog(_)), "{reaction:?}");
    // Opened by a click: but not with the same double click.
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "?\u{1b}");
    click_on(&mut ui, &group, "D drop", 0);
    assert!(matches!(ui.overlay, Overlay::Dialog(_)));
    let reaction = click_on(&mut ui, &group, "  Drop", 300);
    assert!(!destroyed(&reaction), "{reaction:?}");
    let reaction = click_on(&mut ui, &group, "[ Drop ]", 1_000);
    assert!(destroyed(&reaction), "{reaction:?}");
    // Cancel is harmless.
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "D");
    click_on(&mut ui, &group, "Cancel", 0);
    assert!(matches!(ui.overlay, Overlay::None));
}

#[test]
fn a_click_may_hit_anything_and_destroys_nothing() {
    let group = group_with(30);
    for keys in ["", "?", "D", "L", "4\n", "/x", ":", "+"] {
        for column in (1..80).step_by(8) {
            for row in (0..24).step_by(2) {
                let mut ui = started(&group);
                last_reaction(&mut ui, &group, keys);
                draw(&mut ui, &group, (80, 24));
                for at in [0, 100] {
                    let reaction = click(&mut ui, &group, (column, row), at);
                    let is_harmless =
                        !matches!(&reaction, Reaction::Command(command) if *command != Command::RefreshDevices);
                    assert!(is_harmless, "{keys:?} at {column}, {row}: {reaction:?}");
                    draw(&mut ui, &group, (80, 24));
                }
            }
        }
    }
}

#[test]
fn the_palette_finds_by_a_few_letters_and_does_it() {
    let group = normal();
    let choose = |ui: &mut Ui, words: &str| last_reaction(ui, &group, &format!(":{words}\n"));
    let mut ui = started(&group);
    assert_eq!(choose(&mut ui, "refr"), Reaction::Command(Command::RefreshDevices));
    assert_eq!(choose(&mut ui, "quit"), Reaction::Quit);
    choose(&mut ui, "drop");
    assert!(matches!(&ui.overlay, Overlay::Dialog(dialog) if dialog.title == "Drop device"), "it asks all the same");
    last_reaction(&mut ui, &group, "n");
    // What belongs to a pane goes there first.
    choose(&mut ui, "pause");
    assert!(ui.focus == Pane::Feed && ui.feed_state.scroll.is_paused());
    choose(&mut ui, "show-text");
    assert!(shown(&mut ui, &group).contains("for the detail of a row"));
    choose(&mut ui, "iPad");
    assert!(matches!(&ui.overlay, Overlay::Page(Page { subject: PageSubject::Device(TABLET), .. })));
    // From a page and back to it.
    last_reaction(&mut ui, &group, ":");
    let page = shown(&mut ui, &group);
    assert!(page.contains("› ") && page.contains("drop the selected device"), "{page}");
    press(&mut ui, &group, KeyCode::Esc);
    assert!(matches!(ui.overlay, Overlay::Page(_)));
    press(&mut ui, &group, KeyCode::Esc);
    choose(&mut ui, "nothing is called like this");
    assert!(matches!(ui.overlay, Overlay::None));
    // Letters of other scripts are text here, and what has accents is found without.
    choose(&mut ui, "ф");
    assert!(matches!(ui.overlay, Overlay::None));
}

#[test]
fn the_palette_has_filters_themes_and_profiles() {
    let group = normal();
    let saved = SavedFilters::of([("mine".to_owned(), "from:me".to_owned())].into());
    let preferences = Preferences { filters: saved, ..Preferences::default() };
    let [home, work, other] = ["home", "work", "other"].map(Clean::new);
    let neighbours = Neighbours { tabs: vec![home.clone(), work.clone()], profiles: vec![home, work, other] };
    let settings = || Settings {
        preferences: std::sync::Arc::new(Preferences {
            filters: preferences.filters.clone(),
            ..Preferences::default()
        }),
        neighbours: std::sync::Arc::new(neighbours.clone()),
        ..settings()
    };
    let mut ui = Ui::new(settings());
    draw(&mut ui, &group, (80, 24));
    last_reaction(&mut ui, &group, ":@mine\n");
    assert_eq!(ui.feed_state.filter_words(), "@mine");
    last_reaction(&mut ui, &group, ":gruvbox light\n");
    assert_eq!(ui.take_theme(), Palette::named("gruvbox-light").map(ThemeChoice::Named));
    assert_eq!(last_reaction(&mut ui, &group, ":work profile\n"), Reaction::Tab(1));
    assert_eq!(last_reaction(&mut ui, &group, ":other profile\n"), Reaction::Open(Clean::literal("other")));
}

fn work(ui: &mut Ui, group: &Group) {
    while ui.work(group, 7).more {}
}

#[test]
fn rows_are_written_to_a_file_after_asking_and_without_what_people_wrote() {
    let home = tempfile::tempdir().unwrap();
    let mut group = group_with(40);
    group.apply(NOW, &Event::Reflected(vec![sealed(Dialect::Dgk, 900, 7_200, "a secret between us")]));
    let write = |name: &str, answer: &str| {
        let path = home.path().join(name);
        let mut ui = started(&group);
        last_reaction(&mut ui, &group, "e");
        ui.handle(
            &TerminalEvent::Key(crossterm::event::KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL)),
            &group,
            NOW,
        );
        last_reaction(&mut ui, &group, &format!("{}\n{answer}", path.display()));
        work(&mut ui, &group);
        (std::fs::read_to_string(&path).unwrap_or_default(), shown(&mut ui, &group))
    };
    let (ndjson, told) = write("feed.ndjson", "\n");
    assert_eq!(ndjson.lines().count(), 51, "{told}");
    assert!(told.contains("51 rows written to"), "{told}");
    for line in ndjson.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(row["event"], "reflected");
    }
    let (csv, _) = write("feed.csv", "\n");
    assert!(csv.starts_with("id,stored,from,what,") && csv.lines().count() == 52, "{csv}");
    let (markdown, _) = write("feed.md", "\t\n");
    assert!(
        markdown.lines().count() < 20 && markdown.starts_with("| id | stored |"),
        "only those in sight: {markdown}"
    );
    for text in [&ndjson, &csv, &markdown] {
        assert!(!text.contains("a secret between us"));
    }
    // A file that is there stays, unless somebody says otherwise.
    let (kept, asked) = write("feed.csv", "");
    assert!(kept == csv && asked.contains("would be overwritten") && asked.contains("[ Cancel ]"), "{asked}");
    let (again, _) = write("feed.csv", "y\n");
    assert_eq!(again, csv);
    let (_, told) = write("missing/feed.csv", "\n");
    assert!(told.contains("cannot write"), "{told}");
    let (_, told) = write("feed.txt", "");
    assert!(told.contains("has to end in .ndjson"), "{told}");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(home.path().join("feed.csv")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 3, "nothing is left behind");
}

#[test]
fn panes_get_more_room_and_less_and_the_screen_is_as_it_was_left() {
    let group = normal();
    let mut ui = Ui::new(settings());
    let feed_at = |ui: &mut Ui, size| place(&symbols(&draw(ui, &group, size)), "4 Feed");
    let before = (feed_at(&mut ui, (160, 50)), feed_at(&mut ui, (80, 24)));
    feed_at(&mut ui, (160, 50));
    last_reaction(&mut ui, &group, "1>>S");
    feed_at(&mut ui, (80, 24));
    last_reaction(&mut ui, &group, "4<+");
    let left = ui.left();
    let mut again = Ui::new(Settings { left: Some(left.clone()), ..settings() });
    assert_eq!(again.left(), left);
    assert!(again.zoomed && again.order.reversed);
    last_reaction(&mut again, &group, "+");
    let after = (feed_at(&mut again, (160, 50)), feed_at(&mut again, (80, 24)));
    assert_eq!((after.0.0, after.1.1), (before.0.0 + 8, before.1.1 + 1));
}

#[test]
fn the_lock_and_the_role_get_more_room_beside_the_devices_and_below_them() {
    let group = normal();
    for (size, pane, keys, moved) in [
        ((80, 24), "2 Lock", "2>", (-4, 0)),
        ((80, 24), "2 Lock", "3<", (4, 0)),
        ((160, 50), "2 Lock", "2>", (0, -1)),
        ((160, 50), "3 Role", "3>", (0, -1)),
        ((160, 50), "3 Role", "3<<", (0, 2)),
        // Beyond the last line nothing is added that would have to be taken back.
        ((160, 50), "2 Lock", &format!("2{}<", ">".repeat(150)), (0, -21)),
    ] {
        let mut ui = Ui::new(settings());
        let at = |ui: &mut Ui| place(&symbols(&draw(ui, &group, size)), pane);
        let before = at(&mut ui);
        for key in keys.chars() {
            last_reaction(&mut ui, &group, &key.to_string());
            at(&mut ui);
        }
        let after = at(&mut ui);
        let by = |from: u16, to: u16| i32::from(to) - i32::from(from);
        assert_eq!((by(before.0, after.0), by(before.1, after.1)), moved, "{keys} at {size:?}");
        assert_eq!(Ui::new(Settings { left: Some(ui.left()), ..settings() }).sizes, ui.sizes);
    }
}
