//! Reading the feed: filter, search, times, marks, detail, clipboard, latency.

use crossterm::event::{Event as TerminalEvent, KeyCode};

use super::fixture::*;
use super::screens::{after, compare};
use crate::group::*;
use crate::protocol::d2d::Detail;
use crate::protocol::*;
use crate::runtime::Reaction;
use crate::session::Command;
use crate::text::Clean;
use crate::tui::Settings;
use crate::tui::input::pane::Pane;
use crate::tui::state::feed::row_key::RowKey;
use crate::tui::state::{Overlay, Ui};

const SIZES: [(u16, u16); 3] = [(40, 12), (80, 24), (160, 50)];
const DIALECTS: [Dialect; 2] = [Dialect::Mk, Dialect::Dgk];
const SECRET: &str = "meet me at the old mill";

fn shown(ui: &mut Ui, group: &Group) -> String {
    symbols(&draw(ui, group, (80, 24)))
}

fn with_text(dialect: Dialect) -> Group {
    after(vec![Event::Reflected(vec![sealed(dialect, 111, 7_200, SECRET)])])
}

#[test]
fn filter_screens() {
    let group = normal();
    let prepare = |keys: &'static str| {
        let group = &group;
        move |ui: &mut Ui| {
            last_reaction(ui, group, keys);
            work(ui, group);
        }
    };
    compare("filtered", &SIZES, &group, &settings(), prepare("/kind:text !is:again\n"));
    compare("filter-typed", &SIZES, &group, &settings(), prepare("/kind:text from:pix"));
    compare("filter-wrong", &SIZES, &group, &settings(), prepare("/kind:text size>lots"));
    compare("filter-completed", &SIZES, &group, &settings(), prepare("/!is:\t\t"));
    compare("filter-empty", &[(80, 24)], &group, &settings(), prepare("/nobody\n"));
    compare("searching", &SIZES, &group, &settings(), prepare("fnickname\n"));
}

#[test]
fn a_filter_shows_while_it_is_typed_and_escape_shows_all_again() {
    let group = normal();
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "/nickname");
    work(&mut ui, &group);
    assert_eq!(ui.feed_state.lines(&group).len(), 1);
    last_reaction(&mut ui, &group, "\u{1b}");
    assert_eq!(ui.feed_state.lines(&group).len(), group.feed().len(), "given up");
    last_reaction(&mut ui, &group, "/nickname\n");
    work(&mut ui, &group);
    assert_eq!(ui.feed_state.lines(&group).len(), 1, "kept");
    last_reaction(&mut ui, &group, "/ size>lots\n");
    assert!(matches!(ui.overlay, Overlay::Prompt(_)), "a line that is wrong stays open");
    last_reaction(&mut ui, &group, "\u{1b}");
    work(&mut ui, &group);
    assert_eq!(ui.feed_state.lines(&group).len(), 1, "and the filter is as it was before");
    last_reaction(&mut ui, &group, "\u{1b}");
    assert_eq!(ui.feed_state.lines(&group).len(), group.feed().len());
}

#[test]
fn keys_are_text_while_a_line_is_typed() {
    let group = normal();
    for opening in ["/", "f", "t"] {
        let mut ui = started(&group);
        assert_eq!(last_reaction(&mut ui, &group, &format!("{opening}qDLr?")), Reaction::Redraw);
        let Overlay::Prompt(line) = &ui.overlay else { panic!("the line after {opening} is gone") };
        assert_eq!(line.prompt.text(), "qDLr?");
        ui.handle(&TerminalEvent::Paste("\u{1b}[31mD\t\n".to_owned()), &group, NOW);
        let Overlay::Prompt(line) = &ui.overlay else { panic!("pasted text closed the line") };
        assert_eq!(line.prompt.text(), "qDLr? [31mD  ");
    }
}

#[test]
fn rows_that_come_are_filtered_too_and_counted_as_new() {
    let group = normal();
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "/nickname\n ");
    work(&mut ui, &group);
    let grown = after(vec![Event::Reflected((0..37).map(|id| text(200 + id, 7_500)).collect())]);
    assert!(!shown(&mut ui, &grown).contains("new ─"), "none of them fits");
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "/kind:text\n ");
    work(&mut ui, &group);
    let text = shown(&mut ui, &grown);
    assert!(text.contains("+37 new"), "{text}");
}

#[test]
fn the_first_page_of_a_filter_is_there_with_the_key() {
    let mut group = Group::default();
    group.apply(START, &Event::Reflected((0..50_000).map(|id| text(id, 1_000)).collect()));
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "4/kind:text");
    let lines = ui.feed_state.lines(&group).len();
    assert!((100..50_000).contains(&lines), "{lines} rows: a page, but not all at once");
    assert_eq!(ui.feed_state.selected(&group), Some(RowKey::Memory(49_999)));
    work(&mut ui, &group);
    assert_eq!(ui.feed_state.lines(&group).len(), 50_000);
}

#[test]
fn a_search_goes_from_hit_to_hit_and_n_notes_only_without_one() {
    let group = normal();
    let end = group.feed().end();
    let mut ui = started(&group);
    let mut at = |keys: &str| {
        last_reaction(&mut ui, &group, keys);
        work(&mut ui, &group);
        ui.feed_state.selected(&group)
    };
    assert_eq!(at("fmessages"), Some(RowKey::Memory(end - 8)), "found while it is typed");
    assert_eq!(at("\u{1b}"), Some(RowKey::Memory(end - 1)), "and back");
    assert_eq!(at("fkind:text\n"), Some(RowKey::Memory(end - 1)), "the selected row is a hit itself");
    assert_eq!(at("n"), Some(RowKey::Memory(end - 3)));
    assert_eq!(at("n"), Some(RowKey::Memory(end - 4)));
    assert_eq!(at("N"), Some(RowKey::Memory(end - 3)));
    assert_eq!(at("NN"), Some(RowKey::Memory(end - 1)), "there is nothing newer");
    assert!(shown(&mut ui, &group).contains("found nothing newer"));
    last_reaction(&mut ui, &group, "\u{1b}");
    assert!(!ui.feed_state.is_searching());
    last_reaction(&mut ui, &group, "n");
    assert!(shown(&mut ui, &group).contains("nothing to mark as known"), "without a search, n takes note");
}

#[test]
fn a_search_looks_only_among_what_is_filtered() {
    let group = normal();
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "/kind:text\nfnickname\n");
    work(&mut ui, &group);
    let text = shown(&mut ui, &group);
    assert!(text.contains("0 hits") && text.contains("found nothing older"), "{text}");
}

#[test]
fn the_alarm_does_not_promise_a_key_that_does_something_else() {
    let change = DeviceChange::New { returned: false, now: None };
    let group = after(vec![Event::DeviceChanged { device: PHONE, change: change.clone() }]);
    let mut ui = started(&group);
    assert!(shown(&mut ui, &group).contains("n mark as known"));
    last_reaction(&mut ui, &group, "ftext\n");
    let mut again = after(vec![Event::DeviceChanged { device: PHONE, change: change.clone() }]);
    again.apply(NOW, &Event::DeviceChanged { device: LAPTOP, change });
    assert!(!shown(&mut ui, &again).contains("n mark as known"));
    last_reaction(&mut ui, &again, "1");
    assert_eq!(last_reaction(&mut ui, &again, "n"), Reaction::Command(Command::AcknowledgeDevices));
}

#[test]
fn a_time_is_gone_to_or_refused_in_words() {
    let group = normal();
    let first = group.feed().end() - 10;
    for (keys, at) in [("t14:02:12\n", first), ("t2s\n", first + 8), ("t1min\n", first), ("t23:00\n", 0)] {
        let mut ui = started(&group);
        last_reaction(&mut ui, &group, keys);
        assert_eq!(ui.feed_state.selected(&group), Some(RowKey::Memory(at)), "{keys:?}");
    }
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "tnoon\n");
    let text = shown(&mut ui, &group);
    assert!(text.contains("not a time: type a time as 14:02"), "{text}");
    last_reaction(&mut ui, &group, "\u{1b}");
    assert!(!ui.feed_state.scroll.is_paused());
}

#[test]
fn mark_screens() {
    let group = normal();
    compare("marked", &SIZES, &group, &settings(), |ui| {
        last_reaction(ui, &group, "4kkkkmjj");
    });
    compare("differences", &SIZES, &group, &settings(), |ui| {
        last_reaction(ui, &group, "4kkkkmjj\n");
    });
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "4km");
    assert!(ui.feed_state.marked().is_some());
    last_reaction(&mut ui, &group, "m");
    assert!(ui.feed_state.marked().is_none(), "the same key takes the mark off");
}

#[test]
fn detail_screens() {
    for dialect in DIALECTS {
        let group = with_text(dialect);
        let settings = Settings { dialect, keys: Some(keys(dialect)), ..settings() };
        compare(&format!("detail-{dialect}"), &SIZES, &group, &settings, |ui| {
            last_reaction(ui, &group, "4\n");
        });
    }
    let group = with_text(Dialect::Dgk);
    compare("detail-end", &[(40, 12), (80, 24)], &group, &settings(), |ui| {
        last_reaction(ui, &group, "4\n");
        draw(ui, &group, (80, 24));
        last_reaction(ui, &group, "G");
    });
    compare("revealed", &[(160, 50)], &group, &settings(), |ui| {
        last_reaction(ui, &group, "4\nb");
    });
}

#[test]
fn what_was_written_shows_only_after_a_key_and_only_on_that_page() {
    for dialect in DIALECTS {
        let group = with_text(dialect);
        let mut ui = Ui::new(Settings { dialect, keys: Some(keys(dialect)), ..settings() });
        let mut seen = |keys: &str| {
            last_reaction(&mut ui, &group, keys);
            symbols(&draw(&mut ui, &group, (220, 60))).contains("old mill")
        };
        for (keys, expected) in
            [("4", false), ("\n", false), ("b", true), ("b", false), ("b", true), ("\u{1b}", false), ("\n", false)]
        {
            assert_eq!(seen(keys), expected, "{keys:?} in {dialect}");
        }
        last_reaction(&mut ui, &group, "by");
        let copied = ui.take_copied().unwrap();
        assert!(copied.contains("ECHOECHO") && !copied.contains("old mill"), "{copied}");
    }
    let group = with_text(Dialect::Dgk);
    let mut ui = Ui::new(Settings { keys: None, ..settings() });
    last_reaction(&mut ui, &group, "4\nb");
    assert!(symbols(&draw(&mut ui, &group, (160, 50))).contains("there is no key"));
}

#[test]
fn what_is_copied_is_clean_and_comes_once() {
    let group = normal();
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "4y");
    let copied = ui.take_copied().unwrap();
    assert_eq!(copied, "110\t2026-11-27 14:02:18.104\tPixel 9\ttext from ECHOECHO\tECHOECHO\t212 B");
    assert_eq!(ui.take_copied(), None);
    assert!(shown(&mut ui, &group).contains(&format!("copied, {} bytes", copied.len())));
    last_reaction(&mut ui, &Group::default(), "y");
    assert!(shown(&mut ui, &Group::default()).contains("nothing to copy"));
}

#[test]
fn latency_screens() {
    let group = normal();
    compare("latency", &SIZES, &group, &settings(), |ui| {
        last_reaction(ui, &group, "5\n");
    });
    compare("latency-empty", &[(80, 24)], &Group::default(), &settings(), |ui| {
        last_reaction(ui, &Group::default(), "5\n");
    });
}

#[test]
fn enter_on_a_slow_row_goes_there() {
    let group = normal();
    let slow: Vec<u64> = group.latency().slowest().iter().map(|slow| slow.number).collect();
    for (steps, number) in slow.iter().enumerate().take(3) {
        let mut ui = started(&group);
        last_reaction(&mut ui, &group, "5\n");
        draw(&mut ui, &group, (80, 24));
        last_reaction(&mut ui, &group, &"j".repeat(steps));
        draw(&mut ui, &group, (80, 24));
        last_reaction(&mut ui, &group, "\n");
        assert_eq!((ui.focus, ui.feed_state.selected(&group)), (Pane::Feed, Some(RowKey::Memory(*number))));
    }
}

#[test]
fn hostile_text_is_shown_not_obeyed_wherever_it_is() {
    let evil = "\u{1b}]52;c;aGk=\u{7}\u{202e}gnp.exe\u{200b}\r\n\t\u{9b}31m";
    let mut row = sealed(Dialect::Dgk, 111, 7_200, evil);
    if let Ok(summary) = &mut row.content {
        summary.conversation = Some(d2d::Conversation::Contact(Clean::new(evil)));
        summary.detail = Some(Detail::Words(Clean::new(evil)));
        summary.nickname = Some(Clean::new(evil));
    }
    let group = after(vec![Event::Reflected(vec![row])]);
    compare("hostile-detail", &SIZES, &group, &settings(), |ui| {
        last_reaction(ui, &group, "4\nb");
    });
    let mut ui = Ui::new(settings());
    draw(&mut ui, &group, (160, 50));
    ui.handle(&TerminalEvent::Key(KeyCode::Char('/').into()), &group, NOW);
    ui.handle(&TerminalEvent::Paste(evil.to_owned()), &group, NOW);
    let mut all = symbols(&draw(&mut ui, &group, (160, 50)));
    last_reaction(&mut ui, &group, "\u{1b}4\nby");
    all.push_str(&symbols(&draw(&mut ui, &group, (160, 50))));
    all.push_str(&ui.take_copied().unwrap());
    let hostile =
        |character: char| character.is_control() && character != '\n' || "\u{202e}\u{200b}".contains(character);
    assert!(!all.contains(hostile), "{all:?}");
}
