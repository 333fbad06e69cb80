//! Scrolling on into the journal.

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};

use super::fixture::*;
use super::screens::compare;
use crate::group::*;
use crate::runtime::{OlderRows, Reaction};
use crate::text::Clean;
use crate::tui::state::feed::row_key::RowKey;

const SIZES: [(u16, u16); 3] = [(40, 12), (80, 24), (160, 50)];

/// Rows of a journal, those with even numbers from someone else.
fn page(numbers: std::ops::Range<u64>, more: bool) -> OlderRows {
    let row = |number: u64| {
        let mut message = text(u32::try_from(number).unwrap(), 1_000);
        message.stored_at = minutes_before(1_000 - number);
        message.received_at = minutes_before(1_000 - number);
        if let (Ok(summary), true) = (&mut message.content, number.is_multiple_of(2)) {
            summary.conversation = Some(crate::protocol::d2d::Conversation::Contact(Clean::literal("someone #a1b2")));
        }
        (number, FeedRow::new(&message))
    };
    OlderRows::Rows { rows: numbers.map(row).collect(), more }
}

#[test]
fn journal_screens() {
    let group = group_with(3);
    compare("journal", &SIZES, &group, &settings(), |ui| {
        last_reaction(ui, &group, "4gk");
        ui.take_older(page(0..5, true), &group);
        last_reaction(ui, &group, "k");
    });
    compare("journal-reading", &[(80, 24)], &group, &settings(), |ui| {
        last_reaction(ui, &group, "4g");
    });
    compare("journal-detail", &[(80, 24)], &group, &settings(), |ui| {
        last_reaction(ui, &group, "4g");
        ui.take_older(page(0..5, true), &group);
        last_reaction(ui, &group, "\n");
    });
}

#[test]
fn the_feed_goes_on_into_the_journal_and_back() {
    let group = group_with(3);
    let mut ui = started(&group);
    let ask = |before| Reaction::Older { before, count: 500 };
    assert_eq!(last_reaction(&mut ui, &group, "4g"), ask(None));
    assert_eq!(last_reaction(&mut ui, &group, "k"), Reaction::Redraw, "asked for already");
    assert_eq!(ui.take_older(page(90..100, true), &group), Reaction::Redraw);
    assert_eq!(ui.feed_state.selected(&group), Some(RowKey::Journal(99)), "one row up, as was asked for");
    assert_eq!(last_reaction(&mut ui, &group, "j"), Reaction::Redraw);
    assert_eq!(ui.feed_state.selected(&group), Some(RowKey::Memory(0)), "and down again");
    assert_eq!(last_reaction(&mut ui, &group, "g"), ask(Some(90)));
    ui.take_older(page(80..90, false), &group);
    assert_eq!(last_reaction(&mut ui, &group, "g"), Reaction::Redraw);
    assert_eq!(ui.feed_state.selected(&group), Some(RowKey::Journal(80)));
    assert!(symbols(&draw(&mut ui, &group, (80, 24))).contains("this is the beginning of the journal"));
    last_reaction(&mut ui, &group, "G");
    assert!(!ui.feed_state.scroll.is_paused());
}

#[test]
fn a_page_that_nobody_waits_for_any_more_is_not_taken_in() {
    let group = group_with(3);
    let mut ui = started(&group);
    let escape = TerminalEvent::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE));
    let newest = Reaction::Older { before: None, count: 500 };
    last_reaction(&mut ui, &group, "4g");
    ui.take_older(page(90..100, true), &group);
    assert_eq!(last_reaction(&mut ui, &group, "g"), Reaction::Older { before: Some(90), count: 500 });
    ui.handle(&escape, &group, NOW);
    assert_eq!(ui.take_older(page(80..90, true), &group), Reaction::Nothing);
    let in_memory = ui.feed_state.lines(&group).nth(0);
    assert_eq!(in_memory, Some(RowKey::Memory(0)), "rows 90 to 99 would be missing");
    assert_eq!(last_reaction(&mut ui, &group, "g"), newest);
    ui.handle(&escape, &group, NOW);
    assert_eq!(last_reaction(&mut ui, &group, "g"), Reaction::Redraw, "one answer is still to come");
    assert_eq!(ui.take_older(page(90..100, true), &group), newest, "and is not the one to this");
    ui.take_older(page(95..105, true), &group);
    assert_eq!(ui.feed_state.lines(&group).nth(9), Some(RowKey::Journal(104)));
}

#[test]
fn rows_that_leave_memory_are_not_skipped_without_a_sign() {
    let mut group = Group::with_feed_rows(100);
    let rows = |from: u32, count: u32| Event::Reflected((from..from + count).map(|id| text(id, 1_000)).collect());
    group.apply(START, &rows(0, 100));
    let mut ui = started(&group);
    let newest = Reaction::Older { before: None, count: 500 };
    assert_eq!(last_reaction(&mut ui, &group, "4g"), newest);
    group.apply(START, &rows(100, 5));
    assert_eq!(ui.take_older(page(0..50, true), &group), newest, "what was read is not next to memory any more");
    ui.take_older(page(0..55, false), &group);
    last_reaction(&mut ui, &group, "g");
    group.apply(START, &rows(105, 5));
    let words = "older rows have left memory";
    assert!(!symbols(&draw(&mut ui, &group, (80, 24))).contains(words), "far from there");
    assert_eq!(ui.feed_state.selected(&group), Some(RowKey::Journal(0)), "one reads on");
    last_reaction(&mut ui, &group, &"j".repeat(54));
    assert_eq!(ui.feed_state.selected(&group), Some(RowKey::Journal(54)));
    last_reaction(&mut ui, &group, "j");
    assert!(symbols(&draw(&mut ui, &group, (80, 24))).contains(words));
    assert_eq!(ui.feed_state.selected(&group), Some(RowKey::Memory(10)));
    assert_eq!(last_reaction(&mut ui, &group, "k"), newest);
    ui.take_older(page(0..60, true), &group);
    assert_eq!(ui.feed_state.selected(&group), Some(RowKey::Journal(59)), "nothing is missing");
}

#[test]
fn without_a_journal_the_feed_says_so() {
    let group = group_with(3);
    for (page, words) in [
        (OlderRows::NoJournal, "nothing older is kept (no journal)"),
        (OlderRows::Failed(Clean::literal("disk on fire")), "the journal cannot be read: disk on fire"),
    ] {
        let mut ui = started(&group);
        last_reaction(&mut ui, &group, "4g");
        assert_eq!(ui.take_older(page, &group), Reaction::Redraw);
        assert!(symbols(&draw(&mut ui, &group, (80, 24))).contains(words));
        assert_eq!(last_reaction(&mut ui, &group, "k"), Reaction::Redraw, "it is not asked again");
    }
}

#[test]
fn the_filter_holds_in_the_journal_and_pages_are_read_until_one_fits() {
    let group = group_with(3);
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "4/#a1b2\n");
    work(&mut ui, &group);
    assert_eq!(last_reaction(&mut ui, &group, "g"), Reaction::Older { before: None, count: 500 });
    assert_eq!(ui.take_older(page(99..100, true), &group), Reaction::Older { before: Some(99), count: 500 });
    assert_eq!(ui.take_older(page(95..99, true), &group), Reaction::Redraw);
    assert_eq!(ui.feed_state.lines(&group).len(), 2, "96 and 98");
    last_reaction(&mut ui, &group, "/");
    let clear = KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL);
    ui.handle(&TerminalEvent::Key(clear), &group, NOW);
    last_reaction(&mut ui, &group, "ECHOECHO\n");
    work(&mut ui, &group);
    assert!(ui.feed_state.lines(&group).len() > 2);
}

#[test]
fn a_time_before_memory_is_read_back_to() {
    let group = group_with(3);
    let mut ui = started(&group);
    let asked = last_reaction(&mut ui, &group, "t901min\n");
    assert_eq!(asked, Reaction::Older { before: None, count: 500 });
    assert_eq!(ui.take_older(page(200..210, true), &group), Reaction::Older { before: Some(200), count: 500 });
    assert_eq!(ui.take_older(page(50..200, true), &group), Reaction::Redraw);
    assert_eq!(ui.feed_state.selected(&group), Some(RowKey::Journal(100)));
}
