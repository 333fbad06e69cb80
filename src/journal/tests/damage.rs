//! Flipped bits and cut values: what can still be read is read, and what cannot is counted or said.

use std::fs;

use super::super::JournalError;
use super::*;

const ROWS: u32 = 6_000;

fn long_journal() -> Home {
    let home = Home::new();
    let mut journal = home.open().journal;
    let detail = |number: u32| {
        let words = if number.is_multiple_of(7) { Some(Clean::literal("new words")) } else { None };
        with(message(number), |summary| summary.detail = words.clone().map(Detail::Words))
    };
    for batch in 0..ROWS / 500 {
        journal.append(&(batch * 500..(batch + 1) * 500).map(detail).collect::<Vec<_>>()).unwrap();
        journal.acknowledged(500, NOW, WAITED);
    }
    journal.flush().unwrap();
    drop(journal);
    home
}

fn page_size(file: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([file[16], file[17]]))
}

/// All that can be had of a file, or why nothing: never nothing without a word.
fn read_all(home: &Home, what: &str) -> Option<(u64, u64)> {
    let told = |error: &JournalError| {
        let words = error.to_string();
        assert!(words.contains("journal.sqlite"), "{what}: {words}");
        assert!(!words.contains("malformed") && !words.contains("no such table"), "{what}: {words}");
        if error.is_damage() {
            assert!(words.contains(".recover"), "{what}: {words}");
        }
    };
    let history = History::open(&home.path).inspect_err(told).ok()?;
    let mut rows = 0;
    for row in history.rows(Query::default()) {
        row.inspect_err(told).ok()?;
        rows += 1;
    }
    assert!(rows > 0, "{what}: an empty answer");
    let lost = history.unreadable().iter().map(|range| range.end() - range.start() + 1).sum();
    let stats = history.stats(&Query::default(), |_| 0).inspect_err(told).ok()?;
    assert!(!stats.is_empty(), "{what}: no figures");
    Some((rows, lost))
}

#[test]
fn a_flipped_bit_never_hides_a_history() {
    let home = long_journal();
    let sound = fs::read(&home.path).unwrap();
    let page = page_size(&sound);
    let mut read_on = 0;
    // The headers of all pages, and places all over them.
    let headers = (0..sound.len() / page).flat_map(|number| [0, 3, 6].map(|at| number * page + at));
    let places = (0..400).map(|number| number * 7_919 * 13 % sound.len());
    for (number, place) in headers.step_by(5).chain(places).enumerate() {
        let mut bytes = sound.clone();
        bytes[place] ^= 1 << (number % 8);
        fs::write(&home.path, &bytes).unwrap();
        if read_all(&home, &format!("byte {place}, bit {}", number % 8)).is_some_and(|(rows, _)| rows > 5_000) {
            read_on += 1;
        }
    }
    assert!(read_on > 300, "{read_on} can still be read");
}

#[test]
fn a_cut_value_costs_its_row_only() {
    let home = long_journal();
    let database = rusqlite::Connection::open(&home.path).unwrap();
    for (row, value) in [(3, "substr(rest, 1, 5)"), (2_500, "x''"), (6_000, "substr(rest, 1, 30)")] {
        database.execute(&format!("UPDATE message SET rest = {value} WHERE row = {row}"), []).unwrap();
    }
    drop(database);
    let history = History::open(&home.path).unwrap();
    assert_eq!(history.rows(Query::default()).map(Result::unwrap).count(), 5_997);
    assert_eq!(history.unreadable(), [3..=3, 2_500..=2_500, 6_000..=6_000]);
    let newest = history.page(&Query::default(), Within::Newest, 2).unwrap();
    assert_eq!(newest.iter().map(|row| row.number).collect::<Vec<_>>(), [5_998, 5_999]);
    assert_eq!(history.stats(&Query::default(), |_| 0).unwrap()[0].figures.count, 5_997);
    assert!(home.path.with_file_name("journal.sqlite.suspect").exists());
}

#[test]
fn what_stands_in_other_tables_hides_no_row() {
    for table in ["detail", "acknowledged", "span"] {
        let home = long_journal();
        let database = rusqlite::Connection::open(&home.path).unwrap();
        let root = format!("SELECT rootpage FROM sqlite_schema WHERE name = '{table}'");
        let root: u32 = database.query_row(&root, [], |row| row.get(0)).unwrap();
        let root = usize::try_from(root).unwrap();
        drop(database);
        let mut bytes = fs::read(&home.path).unwrap();
        let page = page_size(&bytes);
        bytes[(root - 1) * page..root * page].fill(0xff);
        fs::write(&home.path, bytes).unwrap();
        let history = History::open(&home.path).unwrap();
        let since = Query { since: Some(NOW), ..Query::default() };
        assert_eq!(history.rows(since).map(Result::unwrap).count(), 6_000, "{table}");
        assert!(history.unreadable().is_empty(), "{table}");
    }
}

/// The bytes of a row's number in the file, as a page of its table begins a row: its length, then its number.
fn number_place(bytes: &[u8], home: &Home, row: u64) -> usize {
    let database = rusqlite::Connection::open(&home.path).unwrap();
    let rest: Vec<u8> =
        database.query_row("SELECT rest FROM message WHERE row = ?", [row.cast_signed()], |row| row.get(0)).unwrap();
    drop(database);
    let content = bytes.windows(rest.len()).position(|window| window == rest).expect("the row is in the file");
    // Two bytes of seven bits each, the first with its high bit set, not far before the content.
    let number = [0x80 | u8::try_from(row >> 7).unwrap(), u8::try_from(row & 0x7f).unwrap()];
    let before = &bytes[content - 80..content];
    content - 80 + before.windows(2).rposition(|window| window == number).expect("its number")
}

#[test]
fn a_row_whose_number_is_not_what_it_was_hides_no_other() {
    let home = long_journal();
    let sound = fs::read(&home.path).unwrap();
    // In the middle of the file, in the middle of a page, and at both ends of either.
    for row in [1_000, 2_501, 4_097, 5_094, 5_999, 6_000] {
        let place = number_place(&sound, &home, row);
        for (byte, bit) in [(0, 6), (0, 5), (0, 1), (1, 6), (1, 0)] {
            let what = format!("row {row}, bit {bit} of byte {byte}");
            let mut bytes = sound.clone();
            bytes[place + byte] ^= 1 << bit;
            fs::write(&home.path, &bytes).unwrap();
            let history = History::open(&home.path).unwrap();
            let rows: Vec<_> = history.rows(Query::default()).map(|row| row.unwrap().number).collect();
            assert!(rows.len() > 5_900, "{what}: {} rows", rows.len());
            assert!(rows.is_sorted(), "{what}");
            let lost: u64 = history.unreadable().iter().map(|range| range.end() - range.start() + 1).sum();
            assert!(lost > 0 && rows.len() as u64 + lost >= 6_000, "{what}: {} rows, {lost} told", rows.len());
            let newest = history.page(&Query::default(), Within::Newest, 10_000).unwrap();
            assert_eq!(newest.len(), rows.len(), "{what}");
            let kind = Query { kinds: vec![ContentKind::IncomingMessage], ..Query::default() };
            assert!(history.rows(kind).count() > 5_900, "{what}: with a filter");
            let figures = history.stats(&Query::default(), |_| 0).unwrap();
            assert!(figures.iter().map(|line| line.figures.count).sum::<u64>() > 5_900, "{what}: figures");
            assert!(home.path.with_file_name("journal.sqlite.suspect").exists(), "{what}");
        }
    }
    fs::write(&home.path, &sound).unwrap();
    let history = History::open(&home.path).unwrap();
    assert_eq!((history.rows(Query::default()).count(), history.unreadable()), (6_000, Vec::new()));
}
