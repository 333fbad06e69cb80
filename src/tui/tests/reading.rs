//! What stays readable while a feed goes on: names of devices that are gone, rows that leave memory, rows of the journal,
//! a filter that is half typed.

use crossterm::event::KeyCode;

use super::fixture::*;
use crate::group::*;
use crate::protocol::*;
use crate::runtime::OlderRows;
use crate::text::Clean;
use crate::tui::state::feed::row_key::RowKey;
use crate::tui::state::{Overlay, Ui};
use crate::tui::{Keeping, Settings};

const DIALECTS: [Dialect; 2] = [Dialect::Mk, Dialect::Dgk];

fn shown(ui: &mut Ui, group: &Group) -> String {
    symbols(&draw(ui, group, (80, 24)))
}

fn feed_title(ui: &mut Ui, group: &Group) -> String {
    let screen = shown(ui, group);
    screen.lines().find(|line| line.contains("4 Feed")).unwrap().to_owned()
}

fn texts(ids: std::ops::Range<u32>) -> Event {
    Event::Reflected(ids.map(|id| text(id, 1_000)).collect())
}

/// Rows of a journal, acknowledged but for the first; those with even numbers from someone else.
fn page(numbers: std::ops::Range<u64>) -> OlderRows {
    let first = numbers.start;
    let row = |number: u64| {
        let mut row = FeedRow::new(&text(u32::try_from(number).unwrap(), 1_000));
        row.acknowledged_after = (number > first).then_some(std::time::Duration::from_millis(7));
        if let (Ok(summary), true) = (&mut row.content, number.is_multiple_of(2)) {
            summary.conversation = Some(contact("someone #a1b2"));
        }
        (number, row)
    };
    OlderRows::Rows { rows: numbers.map(row).collect(), more: false }
}

#[test]
fn what_a_device_that_is_gone_has_reflected_keeps_its_name() {
    let without_phone = devices().into_iter().filter(|(id, _)| *id != PHONE).collect();
    for gone in [Event::DeviceDropped(PHONE), Event::Devices(without_phone)] {
        for dialect in DIALECTS {
            let mut group = normal();
            group.apply(NOW, &gone);
            let mut ui = Ui::new(Settings { dialect, ..settings() });
            let screen = shown(&mut ui, &group);
            // `mk` tells no author, so its rows have no column for it.
            let row =
                if dialect.tells_author() { "Pixel 9     ← text from ECHOECHO" } else { "20 ← text from ECHOECHO" };
            assert!(screen.contains(row), "the rows after {gone:?} in {dialect}: {screen}");
            assert!(!screen.contains(&PHONE.to_string()), "{screen}");
            for (filter, rows) in [("from:pixel", 1_199), ("from:android", 1_199), ("from:nobody", 0)] {
                last_reaction(&mut ui, &group, &format!("/{filter}\n"));
                work(&mut ui, &group);
                assert_eq!(ui.feed_state.lines(&group).len(), rows, "{filter} after {gone:?}");
                last_reaction(&mut ui, &group, "\u{1b}");
            }
            last_reaction(&mut ui, &group, "/from:pix\t");
            let Overlay::Prompt(line) = &ui.overlay else { panic!("the line is open") };
            assert_eq!(line.prompt.text(), "from:\"Pixel 9\"");
            last_reaction(&mut ui, &group, "\u{1b}\n");
            let detail = shown(&mut ui, &group);
            assert!(detail.contains(&format!("Pixel 9 ({PHONE}, gone)")), "{detail}");
        }
    }
}

#[test]
fn only_who_was_listed_is_gone_and_one_that_is_back_is_not() {
    let mut group = normal();
    let unknown = DeviceId(0x77);
    let mut row = text(111, 7_000);
    if let Ok(summary) = &mut row.content {
        summary.author = Some(unknown);
    }
    group.apply(NOW, &Event::Reflected(vec![row]));
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "4\n");
    let detail = shown(&mut ui, &group);
    assert!(detail.contains(&format!("{unknown}, not in the list  ")), "{detail}");
    let unreadable = ListedDevice { info: Err(OpenError::DoesNotDecrypt), ..devices().remove(&PHONE).unwrap() };
    for listed in [devices().remove(&PHONE).unwrap(), unreadable] {
        group.apply(NOW, &Event::Devices(devices().into_iter().chain([(unknown, listed)]).collect()));
        assert!(!shown(&mut ui, &group).contains("not in the list"), "it is listed");
        group.apply(NOW, &Event::Devices(devices()));
        let detail = shown(&mut ui, &group);
        assert!(
            detail.contains(&format!("{unknown}, gone")) || detail.contains(&format!("({unknown}, gone)")),
            "{detail}"
        );
    }
    group.apply(NOW, &Event::Devices(devices().into_iter().filter(|(id, _)| *id != PHONE).collect()));
    group.apply(NOW, &Event::DeviceDropped(PHONE));
    group.apply(NOW, &Event::Devices(devices()));
    assert!(!group.devices().is_gone(PHONE));
    assert_eq!(group.devices().former().map(|(id, _)| id).collect::<Vec<_>>(), [unknown]);
}

#[test]
fn devices_of_earlier_runs_keep_their_names_in_the_journal() {
    let info = DeviceInfo { label: Clean::literal("Old phone"), ..DeviceInfo::default() };
    let known: KnownDevices = [(PHONE, Some(info))].into_iter().collect();
    let group = Group::default().remembering(&known);
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "4k");
    ui.take_older(page(1..5), &group);
    assert!(shown(&mut ui, &group).contains("Old phone"));
    last_reaction(&mut ui, &group, "\n");
    let detail = shown(&mut ui, &group);
    assert!(detail.contains(&format!("Old phone ({PHONE})")), "gone is not said before there is a list: {detail}");
}

#[test]
fn an_opened_row_stays_while_it_leaves_memory() {
    for dialect in DIALECTS {
        let mut group = Group::with_feed_rows(10).with_envelopes(1 << 20);
        group.apply(START, &Event::Reflected(vec![sealed(dialect, 1, 1_000, "meet me at the old mill")]));
        let mut ui = Ui::new(Settings { dialect, keys: Some(keys(dialect)), ..settings() });
        draw(&mut ui, &group, (160, 50));
        last_reaction(&mut ui, &group, "4\n");
        let waited = std::time::Duration::from_millis(3);
        group.apply(START, &Event::Acknowledged { ids: vec![ReflectedId(1)], waited });
        draw(&mut ui, &group, (160, 50));
        group.apply(START, &texts(2..40));
        for (keys, words) in [
            ("", "this page keeps it"),
            ("", "text from ECHOECHO"),
            ("", ", 3 ms later"),
            ("", "b shows it"),
            ("b", "meet me at the old mill"),
        ] {
            last_reaction(&mut ui, &group, keys);
            let detail = symbols(&draw(&mut ui, &group, (120, 60)));
            assert!(detail.contains(words), "{words} in {dialect}: {detail}");
        }
        last_reaction(&mut ui, &group, "y");
        assert!(ui.take_copied().unwrap().contains("ECHOECHO"));
    }
}

#[test]
fn a_selected_row_that_leaves_memory_is_told_of_once() {
    for (keeping, words) in [
        (Keeping::Journal, "has left memory: k reads on in the journal"),
        (Keeping::Never, "has left memory: this is the oldest that is left"),
    ] {
        let mut group = Group::with_feed_rows(10);
        group.apply(START, &texts(0..10));
        let mut ui = Ui::new(Settings { keeping, ..settings() });
        draw(&mut ui, &group, (80, 24));
        last_reaction(&mut ui, &group, "4kkk");
        group.apply(START, &texts(10..16));
        assert!(!shown(&mut ui, &group).contains("left memory"), "it is still there");
        group.apply(START, &texts(16..20));
        let screen = shown(&mut ui, &group);
        assert!(screen.contains(words) && screen.contains("paused at the oldest row"), "{screen}");
        last_reaction(&mut ui, &group, "x?\u{1b}");
        group.apply(START, &texts(20..24));
        let screen = shown(&mut ui, &group);
        assert!(!screen.contains("left memory") && screen.contains("paused at the oldest row"), "{screen}");
        assert_eq!(ui.feed_state.selected(&group), Some(RowKey::Memory(14)));
        last_reaction(&mut ui, &group, "j");
        assert!(feed_title(&mut ui, &group).contains("paused at 14:02:12"), "another row is selected");
    }
}

#[test]
fn hits_in_the_journal_are_counted_and_marked() {
    let group = group_with(3);
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "4fsomeone\n");
    work(&mut ui, &group);
    assert!(feed_title(&mut ui, &group).contains("─ 0 hits ─"));
    last_reaction(&mut ui, &group, "g");
    ui.take_older(page(90..100), &group);
    assert!(feed_title(&mut ui, &group).contains("─ 5 hits ─"));
    last_reaction(&mut ui, &group, "nnn");
    assert_eq!(ui.feed_state.selected(&group), Some(RowKey::Journal(94)));
    let screen = shown(&mut ui, &group);
    assert!(screen.contains("paused at 14:02:12  journal"), "{screen}");
    let signs = [("*", "someone"), ("·", "ECHOECHO")];
    for line in screen.lines().filter(|line| line.starts_with(['*', '·'])) {
        assert!(signs.iter().any(|(sign, words)| line.starts_with(sign) && line.contains(words)), "{line}");
        assert!(line.ends_with("7 ms"), "the acknowledgement stands there: {line}");
    }
    assert!(signs.iter().all(|(sign, _)| screen.lines().any(|line| line.starts_with(sign))), "{screen}");
    last_reaction(&mut ui, &group, "gk");
    assert!(shown(&mut ui, &group).lines().any(|line| line.starts_with('▸') && line.ends_with(" ?")), "none is known");
    last_reaction(&mut ui, &group, "\u{1b}");
    assert!(!shown(&mut ui, &group).lines().any(|line| line.starts_with('*')), "nothing is looked for any more");
}

#[test]
fn the_words_that_are_found_stand_out() {
    use ratatui::style::Modifier;
    let group = normal();
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "4fnick !typing\nk");
    let buffer = draw(&mut ui, &group, (80, 24));
    let is_found = |cell: &&ratatui::buffer::Cell| cell.modifier.contains(Modifier::UNDERLINED);
    let found: String = buffer.content.iter().filter(is_found).map(ratatui::buffer::Cell::symbol).collect();
    assert_eq!(found, "nick");
}

#[test]
fn an_empty_memory_with_a_journal_says_where_one_is() {
    let mut group = Group::default();
    group.apply(NOW, &Event::Journal(JournalState::Keeps));
    let mut ui = started(&group);
    assert!(shown(&mut ui, &group).contains("k looks in the journal"));
    last_reaction(&mut ui, &group, "4k");
    ui.take_older(page(0..0), &group);
    let screen = shown(&mut ui, &group);
    assert!(screen.contains("the journal has nothing before") && !screen.contains("k looks"), "{screen}");
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "4k");
    ui.take_older(page(1..5), &group);
    let title = feed_title(&mut ui, &group);
    assert!(title.contains("paused at 14:02:12  journal ─ 4 from the journal"), "{title}");
    assert_eq!(ui.feed_state.selected(&group), Some(RowKey::Journal(4)), "the newest of them");
}

#[test]
fn rows_that_left_memory_are_lost_only_without_a_journal() {
    for (journal, title, header) in [
        (JournalState::Keeps, "older rows: journal", None),
        (JournalState::Off, "4 older rows gone", Some("older rows gone")),
    ] {
        let mut group = Group::with_feed_rows(10);
        group.apply(NOW, &login());
        group.apply(NOW, &Event::QueueDry);
        group.apply(NOW, &Event::Journal(journal));
        group.apply(NOW, &texts(0..14));
        let mut ui = started(&group);
        assert!(feed_title(&mut ui, &group).contains(title), "{title}");
        let first = shown(&mut ui, &group).lines().next().unwrap().to_owned();
        assert_eq!(first.contains("older rows"), header.is_some(), "{first}");
        assert!(header.is_none_or(|words| first.contains(words)), "{first}");
    }
}

#[test]
fn half_a_key_or_a_wrong_line_leaves_the_feed_as_it_was() {
    let group = normal();
    let all = group.feed().len();
    let mut ui = started(&group);
    press(&mut ui, &group, crossterm::event::KeyCode::Char('/'));
    let mut after = |keys: &str| {
        last_reaction(&mut ui, &group, keys);
        work(&mut ui, &group);
        (ui.feed_state.lines(&group).len(), ui.feed_state.filter_words().to_owned())
    };
    for key in ["k", "i", "n", "d", ":"] {
        assert_eq!(after(key), (all, String::new()), "after {key}");
    }
    let (texts, words) = after("text");
    assert!(texts < all && words == "kind:text", "{texts} rows of {words:?}");
    for key in [" ", "s", "i", "z", "e", ">", "x"] {
        assert_eq!(after(key), (texts, "kind:text".to_owned()), "after {key}");
    }
    assert_eq!(after("\u{1b}/kin"), (all, String::new()), "this may become a key");
    assert_eq!(after(" "), (0, "kin".to_owned()), "this is a word");
    assert_eq!(after("\u{1b}/kin\n"), (0, "kin".to_owned()), "Enter applies what is written");
    assert_eq!(after("\u{1b}/!typ"), (all, String::new()), "a sign changes nothing in that");
    assert_eq!(after("\u{1b}/nick").1, "nick", "a word that is no key shows as it is typed");
    assert_eq!(after("\u{1b}/in").1, "in", "and so does what stands alone");
}

#[test]
fn the_title_keeps_counts_and_place_where_there_is_little_room() {
    let group = normal();
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "4/kind:text from:pixel,laptop size>100\nftext from\nkk");
    work(&mut ui, &group);
    let grown = {
        let mut group = normal();
        group.apply(NOW, &texts(200..237));
        group
    };
    work(&mut ui, &grown);
    let title = feed_title(&mut ui, &grown);
    for words in ["1,235 of", "1,234 hits", "paused at 14:02:17", "+37 new"] {
        assert!(title.contains(words), "{words} in {title}");
    }
    let at_120 = symbols(&draw(&mut ui, &grown, (120, 24)));
    assert!(at_120.contains("filter kind:text from:pix"), "{at_120}");
}

#[test]
fn the_key_that_shows_what_was_written_is_offered_only_where_there_is_something() {
    for dialect in DIALECTS {
        let mut group = normal();
        let mut ui = Ui::new(Settings { dialect, keys: Some(keys(dialect)), ..settings() });
        draw(&mut ui, &group, (80, 24));
        last_reaction(&mut ui, &group, "4\n");
        assert!(!shown(&mut ui, &group).contains("b text"), "nobody has its envelope");
        group.apply(NOW, &Event::Reflected(vec![sealed(dialect, 111, 7_200, "hello")]));
        last_reaction(&mut ui, &group, "\u{1b}G\n");
        assert!(shown(&mut ui, &group).contains("b text"), "{dialect}");
    }
}

#[test]
fn the_help_begins_with_what_one_needs_first() {
    let group = normal();
    for (pane, keys) in [
        ("1", &["Enter ", "s ", "S ", "D ", "n ", "j k ", "Tab ", "Esc ", "? ", "q "][..]),
        ("4", &["Enter ", "/ ", "f ", "n N ", "t ", "Space ", "m ", "y ", "j k ", "Tab ", "Esc "]),
    ] {
        let mut ui = started(&group);
        last_reaction(&mut ui, &group, &format!("{pane}?"));
        let page = shown(&mut ui, &group);
        for key in keys {
            assert!(page.lines().any(|line| line.starts_with(&format!("│ {key}"))), "{key} on the first page: {page}");
        }
    }
}

#[test]
fn a_page_shows_only_the_lines_that_are_looked_for_and_all_again_after_escape() {
    let group = normal();
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "?/COPY");
    let page = shown(&mut ui, &group);
    assert!(page.contains("copy the row") && page.contains("Reading the feed"), "{page}");
    assert!(!page.contains("quit at once"), "{page}");
    last_reaction(&mut ui, &group, " nonsense\n");
    assert!(shown(&mut ui, &group).contains("no line has these words"));
    last_reaction(&mut ui, &group, "\u{1b}");
    assert!(shown(&mut ui, &group).contains("j k "), "{}", shown(&mut ui, &group));
    last_reaction(&mut ui, &group, "\u{1b}");
    assert!(matches!(ui.overlay, Overlay::None));
}

#[test]
fn a_line_that_is_not_finished_says_what_is_missing_and_stays_open() {
    let group = normal();
    for question in ["/", "f"] {
        for (text, words) in [("\"open", "a closing \" is missing"), ("!", "something is missing after the sign")] {
            let mut ui = started(&group);
            last_reaction(&mut ui, &group, &format!("{question}{text}"));
            assert!(!shown(&mut ui, &group).contains("missing"), "{text} may still become something");
            last_reaction(&mut ui, &group, "\n");
            assert!(matches!(ui.overlay, Overlay::Prompt(_)), "{question}{text}");
            assert!(shown(&mut ui, &group).contains(words), "{question}{text}: {}", shown(&mut ui, &group));
        }
    }
}

/// However much else the title tells.
#[test]
fn that_a_filter_hides_rows_is_in_the_title_with_search_and_pause_on() {
    let mut group = normal();
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "/kind:text\nfecho\n4kk");
    work(&mut ui, &group);
    group.apply(NOW, &Event::Reflected(vec![text(500, 7_000)]));
    let screen = shown(&mut ui, &group);
    let title = screen.lines().find(|line| line.contains("4 Feed")).unwrap();
    for words in [" of 1,", "hits", "paused at", "+1 new"] {
        assert!(title.contains(words), "{words}: {title}");
    }
}

#[test]
fn the_detail_steps_to_the_rows_beside_it_and_messages_are_kept() {
    let group = normal();
    let mut ui = started(&group);
    let id = |ui: &Ui| match &ui.overlay {
        crate::tui::state::Overlay::Page(page) => match &page.subject {
            crate::tui::state::page::PageSubject::Row(opened) => opened.row.id.0,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    last_reaction(&mut ui, &group, "4kk\n");
    let here = id(&ui);
    press(&mut ui, &group, KeyCode::Left);
    let older = id(&ui);
    press(&mut ui, &group, KeyCode::Right);
    assert_eq!((older != here, id(&ui)), (true, here));
    press(&mut ui, &group, KeyCode::Right);
    assert_ne!(id(&ui), here, "and the newer one");
    let wide = symbols(&draw(&mut ui, &group, (220, 60)));
    let beside = |line: &&str| line.contains("4 Feed") && line.contains("┌─ Reflected message");
    assert!(wide.lines().any(|line| beside(&line)), "beside the feed: {wide}");
    last_reaction(&mut ui, &group, "\u{1b}N!");
    let shown = symbols(&draw(&mut ui, &group, (80, 24)));
    assert!(shown.contains("Messages") && shown.contains("nothing to go to: f finds rows first"), "{shown}");
}

#[test]
fn a_message_that_does_not_fit_opens_with_enter() {
    let mut group = normal();
    let long = format!("no room for the journal {}: the disk is full", "/a/very/long/way".repeat(6));
    let mut ui = started(&group);
    last_reaction(&mut ui, &group, "4");
    ui.say(Clean::new(&long));
    let line = |ui: &mut Ui, group: &Group| symbols(&draw(ui, group, (80, 24))).lines().last().unwrap().to_owned();
    assert!(line(&mut ui, &group).ends_with("…   Enter all of it"));
    press(&mut ui, &group, KeyCode::Enter);
    let page = symbols(&draw(&mut ui, &group, (80, 24)));
    assert!(page.contains("─ Messages") && page.contains("the disk is full"), "{page}");
    // One that fits does not stand in the way of the detail, and says what to do.
    last_reaction(&mut ui, &group, "\u{1b}");
    group.apply(NOW, &Event::Refused(Refusal::NotLocked));
    let told = line(&mut ui, &group);
    assert!(told.contains("; ask again (L)"), "{told}");
    press(&mut ui, &group, KeyCode::Enter);
    assert!(symbols(&draw(&mut ui, &group, (80, 24))).contains("─ Reflected message"));
    last_reaction(&mut ui, &group, "\u{1b}!");
    assert!(symbols(&draw(&mut ui, &group, (80, 24))).contains("(L)"), "in the history, too");
}
