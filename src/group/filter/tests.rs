use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::group::{Event, ListedDevice, Login, ReflectedMessage};
use crate::protocol::d2d::{ContentKind, Conversation, EnvelopeSummary, MessageType, NameChange, Platform};
use crate::protocol::{DeviceActivity, DeviceInfo, MessageId, OpenError, ReflectedId};
use crate::text::Clean;

const DESKTOP: DeviceId = DeviceId(0x11);
const PHONE: DeviceId = DeviceId(0x22);
const MOMENT: FilterMoment = FilterMoment { now: Millis(1_000_000), zone: 0 };

fn group() -> Group {
    let mut group = Group::with_feed_rows(1_000);
    let device = |label, platform| ListedDevice {
        info: Ok(DeviceInfo { label: Clean::literal(label), platform, ..DeviceInfo::default() }),
        activity: DeviceActivity::Unknown,
        expiration_policy: None,
    };
    let login = Login { own: PHONE, clock_offset: Some(1_000), ..Login::example() };
    let devices = [(DESKTOP, device("Ada's Desk", Platform::Desktop)), (PHONE, device("Pocket", Platform::Android))];
    group.apply(Millis(1), &Event::LoggedIn(login));
    group.apply(Millis(1), &Event::Devices(BTreeMap::from(devices)));
    group
}

fn message(id: u32, content: Result<EnvelopeSummary, OpenError>) -> ReflectedMessage {
    ReflectedMessage {
        id: ReflectedId(id),
        stored_at: Millis(900_000),
        received_at: Millis(900_000),
        size: 300 * id,
        content,
        ..ReflectedMessage::example()
    }
}

fn text(author: DeviceId, with: Conversation) -> EnvelopeSummary {
    EnvelopeSummary {
        author: Some(author),
        conversation: Some(with),
        message_type: Some(MessageType::TEXT),
        ..EnvelopeSummary::blank(ContentKind::IncomingMessage)
    }
}

fn echo() -> Conversation {
    Conversation::Contact(Clean::literal("ECHOECHO"))
}

fn club() -> Conversation {
    Conversation::Group { id: MessageId(0xab), creator: Clean::literal("CREATOR1") }
}

/// Rows 0 to 6, ids 1 to 7.
fn rows() -> Vec<ReflectedMessage> {
    let named = EnvelopeSummary {
        name: Some(NameChange::Whole(Clean::literal("Chess Club"))),
        conversation: Some(club()),
        ..EnvelopeSummary::blank(ContentKind::GroupSync)
    };
    let receipt = EnvelopeSummary { message_type: Some(MessageType::DELIVERY_RECEIPT), ..text(PHONE, echo()) };
    let file = EnvelopeSummary {
        kind: ContentKind::OutgoingMessage,
        message_type: Some(MessageType::GROUP_FILE),
        ..text(DESKTOP, club())
    };
    vec![
        message(1, Ok(named)),
        message(2, Ok(text(DESKTOP, echo()))),
        message(3, Ok(file)),
        ReflectedMessage { ephemeral: true, ..message(4, Ok(receipt)) },
        message(5, Err(OpenError::DoesNotDecrypt)),
        ReflectedMessage { repeated_nonce: true, received_at: Millis(950_000), ..message(6, Ok(text(PHONE, club()))) },
        message(9, Ok(EnvelopeSummary::blank(ContentKind::SettingsSync))),
    ]
}

fn filled() -> Group {
    let mut group = group();
    group.apply(Millis(2), &Event::Reflected(rows()));
    let ids = vec![ReflectedId(1), ReflectedId(2)];
    group.apply(Millis(2), &Event::Acknowledged { ids, waited: Duration::from_millis(20) });
    group
}

fn found(matches: &FilterMatches) -> Vec<u64> {
    matches.numbers_from(0, usize::MAX).collect()
}

fn exhaust(matches: &mut FilterMatches, group: &Group) -> Vec<u64> {
    while matches.is_behind(group) {
        matches.advance(group, 3);
    }
    found(matches)
}

/// By expanding every row.
fn by_rows(filter: &Filter, group: &Group) -> Vec<u64> {
    let context = FilterContext::of(group, MOMENT);
    let rows = group.feed().rows_from(0, usize::MAX);
    rows.filter(|(_, row)| filter.matches(row, &context)).map(|(number, _)| number).collect()
}

#[test]
fn each_condition_shows_its_rows() {
    let cases: [(&str, &[u64]); 42] = [
        ("", &[0, 1, 2, 3, 4, 5, 6]),
        ("kind:text", &[1, 5]),
        ("kind:FILE", &[2]),
        ("kind:text,file", &[1, 2, 5]),
        ("kind:delivery-receipt", &[3]),
        ("kind:receipt", &[3]),
        ("kind:sync", &[0, 6]),
        ("type:unreadable", &[4]),
        ("kind:message !kind:text", &[2, 3]),
        ("from:desk", &[1, 2]),
        ("from:\"ada's desk\"", &[1, 2]),
        ("from:android", &[3, 5]),
        ("from:me", &[3, 5]),
        ("from:1100", &[1, 2]),
        ("from:unsaid", &[0, 4, 6]),
        ("in", &[1, 3, 5]),
        ("out", &[2]),
        ("sync", &[0, 6]),
        ("-in -out", &[0, 4, 6]),
        ("conversation:echo", &[1, 3]),
        ("with:chess", &[0, 2, 5]),
        ("with:ab00", &[0, 2, 5]),
        ("with:creator1,ECHOECHO", &[0, 1, 2, 3, 5]),
        ("id:5", &[4]),
        ("id>=6", &[5, 6]),
        ("size>1k", &[3, 4, 5, 6]),
        ("size<=0.3k", &[0]),
        ("size:600", &[1]),
        ("age>10s", &[5]),
        ("age<=1s", &[0, 1, 2, 3, 4, 6]),
        // The mediator's clock is a second ahead.
        ("age>=1s", &[0, 1, 2, 3, 4, 5, 6]),
        ("ack", &[0, 1]),
        ("!ack", &[2, 3, 4, 5, 6]),
        ("ack>10ms", &[0, 1]),
        ("ack<20ms", &[]),
        ("since:1m", &[5]),
        ("until:60s", &[0, 1, 2, 3, 4, 6]),
        ("is:replay,gap", &[5, 6]),
        ("is:ephemeral", &[3]),
        ("CHESS !in", &[0, 2]),
        ("\"does not decrypt\"", &[4]),
        ("pocket", &[3, 5]),
    ];
    let group = filled();
    for (text, expected) in cases {
        let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(by_rows(&filter, &group), expected, "row by row: {text}");
        assert_eq!(exhaust(&mut FilterMatches::new(filter, MOMENT), &group), expected, "packed: {text}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_is_possible() {
    let cases = [
        ("text knd:x", 5, "there is no “knd:”; there is kind, type, from"),
        ("kind:nothing", 5, "no kind is called “nothing”; some are text"),
        ("kind:text,", 10, "a value is missing, such as kind:text"),
        ("in is:odd", 6, "no row is “odd”; rows are replay, again"),
        ("size>big", 5, "“big” is not a size, such as 200"),
        ("size>1.2.3k", 5, "is not a size"),
        ("age>5", 4, "“5” is not a span of time, such as 10ms"),
        ("since:noon", 6, "“noon” is not a time, such as 14:05"),
        ("id:x", 3, "“x” is not an id"),
        ("from>x", 5, "this has no more or less; write from:desktop"),
        ("size>1,2", 7, "one value only, such as size>1k"),
        ("age>99999999999999999999d", 4, "is not a span"),
        ("from:", 5, "a value is missing, such as from:desktop"),
    ];
    for (text, at, words) in cases {
        let error = Filter::parse(text).expect_err(text);
        assert_eq!(error.at, at, "{text}: {error}");
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
}

#[test]
fn what_is_still_being_typed_can_be_shown_but_not_kept() {
    for (text, unfinished) in [
        ("\"open", Some((0, "a closing \" is missing"))),
        ("in from:\"Pixel 9", Some((8, "a closing \" is missing"))),
        ("!", Some((0, "something is missing after the sign, such as !ack"))),
        ("in - ack", Some((3, "something is missing after the sign, such as !ack"))),
        ("\"whole words\" !ack -\"a b\"", None),
        ("", None),
    ] {
        assert!(Filter::parse(text).is_ok(), "{text}");
        let error = Filter::finished(text).err().map(|error| (error.at, error.to_string()));
        assert_eq!(error, unfinished.map(|(at, words)| (at, words.to_owned())), "{text}");
    }
}

#[test]
fn completions_offer_keys_and_then_what_is_known() {
    let group = filled();
    let cases = [
        ("", "kind:", 0),
        ("!fr", "from:", 1),
        ("in kind:te", "text", 8),
        ("kind:text,fi", "file", 10),
        ("from:ada", "\"Ada's Desk\"", 5),
        ("from:22", "Pocket", 5),
        ("with:che", "\"Chess Club\"", 5),
        ("with:ab", "\"Chess Club\"", 5),
        ("conversation:ech", "ECHOECHO", 13),
        ("is:re", "replay", 3),
    ];
    for (text, expected, from) in cases {
        let offered = complete(text, text.len(), &group);
        assert!(offered.candidates.iter().any(|candidate| candidate == expected), "{text}: {offered:?}");
        assert_eq!((offered.from, offered.to), (from, text.len()), "{text}");
        let completed = format!("{}{expected}", &text[..from]);
        assert!(Filter::parse(&completed).is_ok() || expected.ends_with(':'), "{completed}");
    }
    // Another name of a key is offered only to those who begin to type it.
    assert!(!complete("", 0, &group).candidates.iter().any(|key| ["age>", "with:", "type:"].contains(&key.as_str())));
    assert_eq!(complete("ag", 2, &group).candidates, ["age>"]);
    assert_eq!(complete("a", 1, &group).candidates, ["ack>", "ack"]);
    assert_eq!(complete("nothing:x", 9, &group).candidates, Vec::<String>::new());
    assert_eq!(complete("ä", 1, &group).from, 0, "a cursor within a character");
}

#[test]
fn only_the_unquoted_word_at_the_cursor_may_become_a_key() {
    for (text, cursor, expected) in [
        ("k", 1, true),
        ("KIN", 3, true),
        ("kind", 4, true),
        ("text !siz", 9, true),
        ("siz text", 3, true),
        ("kinx", 4, false),
        ("kind ", 5, false),
        ("kind", 2, false),
        ("kind:", 5, false),
        ("\"kin\"", 5, false),
        ("in", 2, false),
        ("ack", 3, false),
        ("", 0, false),
        ("!", 1, false),
    ] {
        assert_eq!(may_become_key(text, cursor), expected, "{text:?} with the cursor at {cursor}");
    }
}

#[test]
fn the_newest_matches_come_first() {
    let mut group = group();
    group.apply(Millis(2), &Event::Reflected((0..100).map(|id| message(id, Ok(text(PHONE, echo())))).collect()));
    let mut matches = FilterMatches::new(Filter::parse("kind:text").unwrap(), MOMENT);
    let progress = matches.advance(&group, 10);
    assert_eq!((progress.searched, progress.of, progress.is_complete()), (10, 100, false));
    assert_eq!(found(&matches), (90..100).collect::<Vec<_>>());
    group.apply(Millis(3), &Event::Reflected(vec![message(100, Ok(text(PHONE, echo())))]));
    matches.advance(&group, 5);
    assert_eq!(found(&matches), (86..101).collect::<Vec<_>>());
    assert_eq!((matches.place(90), matches.get(4), matches.place(7)), (Ok(4), Some(90), Err(0)));
}

#[test]
fn matches_follow_rows_that_change_and_fall_out() {
    let mut group = Group::with_feed_rows(3);
    let mut matches = FilterMatches::new(Filter::parse("!ack").unwrap(), MOMENT);
    group.apply(Millis(2), &Event::Reflected((1..=3).map(|id| message(id, Ok(text(PHONE, echo())))).collect()));
    assert_eq!(exhaust(&mut matches, &group), [0, 1, 2]);
    let waited = Duration::from_millis(1);
    group.apply(Millis(3), &Event::Acknowledged { ids: vec![ReflectedId(2)], waited });
    matches.advance(&group, 0);
    assert_eq!(found(&matches), [0, 2]);
    group.apply(Millis(4), &Event::Reflected(vec![message(4, Ok(text(PHONE, echo())))]));
    assert_eq!(exhaust(&mut matches, &group), [2, 3]);
    let many: Vec<_> = (0..20_000).map(|id| message(id, Ok(text(PHONE, echo())))).collect();
    group.apply(Millis(5), &Event::Reflected(many));
    let ids = (0..20_000).map(ReflectedId).collect();
    group.apply(Millis(6), &Event::Acknowledged { ids, waited });
    assert_eq!(exhaust(&mut matches, &group), Vec::<u64>::new(), "more changes than are remembered");
}

/// What rows share is kept only as long as a row names it; its place then goes to something else.
#[test]
fn an_answer_about_what_fell_out_is_not_that_about_what_took_its_place() {
    let by = |author| text(DeviceId(author), echo());
    let with = |name| text(PHONE, Conversation::Contact(Clean::literal(name)));
    let words = |words| EnvelopeSummary {
        detail: Some(crate::protocol::d2d::Detail::Words(Clean::literal(words))),
        ..text(PHONE, echo())
    };
    let authors = || [0x11, 0x33, 0x44, 0x22].map(by);
    let parties = || ["ECHOECHO", "BETWEEN1", "BETWEEN2", "OTHER123"].map(with);
    for (filter, rows) in [
        ("from:desk", authors()),
        ("desk", authors()),
        ("with:echo", parties()),
        ("echoecho", parties()),
        ("sunset", ["sunset", "x", "y", "place"].map(words)),
    ] {
        let mut group = Group::with_feed_rows(2);
        let login = Login { own: PHONE, ..Login::example() };
        group.apply(Millis(1), &Event::LoggedIn(login));
        let device = |label| ListedDevice {
            info: Ok(DeviceInfo { label: Clean::literal(label), ..DeviceInfo::default() }),
            activity: DeviceActivity::Unknown,
            expiration_policy: None,
        };
        let devices = [(DESKTOP, device("Ada's Desk")), (PHONE, device("Pocket"))];
        group.apply(Millis(1), &Event::Devices(BTreeMap::from(devices)));
        let mut matches = FilterMatches::new(Filter::parse(filter).unwrap(), MOMENT);
        for (number, row) in (0_u32..).zip(rows) {
            // The third pushes the first out, and the fourth gets the place of what only the first named.
            group.apply(Millis(2), &Event::Reflected(vec![message(number, Ok(row))]));
            let expected: &[u64] = if number < 2 { &[0] } else { &[] };
            assert_eq!(exhaust(&mut matches, &group), expected, "{filter}, row {number}");
            assert_eq!(by_rows(matches.filter(), &group), expected, "{filter}, row {number}");
        }
    }
}

#[test]
fn a_name_that_is_learnt_later_counts_for_all_rows() {
    let mut group = group();
    group.apply(Millis(2), &Event::Reflected(vec![message(1, Ok(text(PHONE, club())))]));
    let mut matches = FilterMatches::new(Filter::parse("with:chess").unwrap(), MOMENT);
    assert_eq!(exhaust(&mut matches, &group), Vec::<u64>::new());
    group.apply(Millis(3), &Event::Reflected(vec![rows().remove(0)]));
    matches.advance(&group, 100);
    assert_eq!(exhaust(&mut matches, &group), [0, 1]);
}

#[test]
fn a_search_goes_both_ways_and_stays_among_what_is_shown() {
    let group = filled();
    let mut shown = FilterMatches::new(Filter::parse("kind:text,file").unwrap(), MOMENT);
    exhaust(&mut shown, &group);
    let mut search = FilterMatches::new(Filter::words("chess"), MOMENT);
    let mut next = |from, backwards, among, budget| search.find_next(&group, from, backwards, among, budget);
    assert_eq!(next(0, false, None, 100), FilterHit::At(2));
    assert_eq!(next(2, false, None, 2), FilterHit::Continue(4));
    assert_eq!(next(4, false, None, 2), FilterHit::At(5));
    assert_eq!(next(5, false, None, 100), FilterHit::Nowhere);
    assert_eq!(next(2, true, None, 100), FilterHit::At(0));
    assert_eq!(next(2, true, Some(&shown), 100), FilterHit::Nowhere);
    assert_eq!(next(u64::MAX, true, Some(&shown), 100), FilterHit::At(5));
    assert_eq!(next(3, false, Some(&shown), 100), FilterHit::At(5));
    assert!(search.shows(&group, 0) && !search.shows(&group, 1));
}

fn any_filter_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "(kind|from|with|id|size|age|ack|since|until|is)[:<>=]{1,2}",
        "[-!\":<>=,. a-zA-Z0-9äİΣ]{0,6}",
        Just("text,file".to_owned()),
        Just("10ms ".to_owned()),
        Just("1.5k ".to_owned()),
        Just("14:05 ".to_owned()),
        Just("2026-01-31 ".to_owned()),
        Just("replay ".to_owned()),
        Just(" in ack sync ".to_owned()),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_written_reads_as_the_same_filter(text in prop_oneof![any_filter_text(), any::<String>()]) {
        if let Ok(filter) = Filter::parse(&text) {
            let written = filter.to_string();
            prop_assert_eq!(Filter::parse(&written), Ok(filter), "{:?} was written as {:?}", text, written);
        }
        let _ = may_become_key(&text, text.len() / 2);
        let offered = complete(&text, text.len() / 2, &Group::default());
        prop_assert!(offered.from <= offered.to && text.is_char_boundary(offered.from));
    }

    #[test]
    fn packed_rows_are_judged_as_whole_ones(text in any_filter_text()) {
        let group = filled();
        if let Ok(filter) = Filter::parse(&text) {
            let expected = by_rows(&filter, &group);
            prop_assert_eq!(exhaust(&mut FilterMatches::new(filter, MOMENT), &group), expected, "{:?}", text);
        }
    }
}
