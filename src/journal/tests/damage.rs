//! Flipped bits and cut values: what can still be read is read, and what cannot is counted or said.

use std::fs;
use std::ops::RangeInclusive;

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
            assert!(newest.len() > 5_900, "{what}: {} rows backwards", newest.len());
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

/// What a query finds of the numbers that it should find, and which are told as unreadable.
fn found_and_told(home: &Home, query: &Query) -> (Vec<u64>, Vec<RangeInclusive<u64>>) {
    let history = History::open(&home.path).unwrap();
    let found: Vec<u64> = history.rows(query.clone()).map(|row| row.unwrap().number).collect();
    let newest = history.page(query, Within::Newest, 10_000).unwrap();
    assert_eq!(newest.iter().map(|row| row.number).collect::<Vec<_>>(), found);
    let counted: u64 = history.stats(query, |_| 0).unwrap().iter().map(|line| line.figures.count).sum();
    assert_eq!(counted, found.len() as u64);
    (found, history.unreadable())
}

fn change(home: &Home, sql: &str) {
    let database = rusqlite::Connection::open(&home.path).unwrap();
    assert_eq!(database.execute(sql, []).unwrap(), 1, "{sql}");
}

#[test]
fn a_flipped_bit_of_a_span_hides_no_row() {
    let home = long_journal();
    let sound = fs::read(&home.path).unwrap();
    let late = Millis(NOW.0 + 4_000);
    let queries = [
        Query { since: Some(late), ..Query::default() },
        Query { until: Some(late), ..Query::default() },
        Query { since: Some(Millis(late.0 - 2_500)), until: Some(late), ..Query::default() },
    ];
    let expected = queries.each_ref().map(|query| found_and_told(&home, query).0);
    assert!(expected.iter().all(|rows| !rows.is_empty()));
    for column in ["first_row", "last_row", "earliest", "latest", "checksum"] {
        for (place, bit) in [(0, 1), (0, 44), (3, 0), (3, 12), (3, 33), (1, 7), (2, 3), (2, 40)] {
            fs::write(&home.path, &sound).unwrap();
            let flip = format!("({column} | {0}) - ({column} & {0})", 1_u64 << bit);
            let span = format!("(SELECT first_row FROM span ORDER BY first_row LIMIT 1 OFFSET {place})");
            change(&home, &format!("UPDATE span SET {column} = {flip} WHERE first_row = {span}"));
            for (query, expected) in queries.iter().zip(&expected) {
                let (found, told) = found_and_told(&home, query);
                assert_eq!((&found, told), (expected, Vec::new()), "bit {bit} of {column} of span {place}");
            }
            assert!(home.path.with_file_name("journal.sqlite.suspect").exists(), "{column}");
            // The next writer makes them anew, and goes on from there.
            let mut journal = home.open().journal;
            journal.append(&[message(ROWS)]).unwrap();
            drop(journal);
            let _ = fs::remove_file(home.path.with_file_name("journal.sqlite.suspect"));
            assert_eq!(found_and_told(&home, &queries[1]).0, expected[1], "bit {bit} of {column} of span {place}");
            assert!(!home.path.with_file_name("journal.sqlite.suspect").exists(), "{column}");
        }
    }
}

#[test]
fn a_row_that_no_longer_says_what_was_written_is_told_whoever_looks_for_it() {
    let home = long_journal();
    let sound = fs::read(&home.path).unwrap();
    let (kind, author) = (ContentKind::IncomingMessage, DeviceId(0x0102_0304_0506_0708));
    let all = found_and_told(&home, &Query::default()).0;
    let queries = [
        Query::default(),
        Query { since: Some(NOW), ..Query::default() },
        Query { kinds: vec![kind], ..Query::default() },
        Query { from: Some(author), ..Query::default() },
        Query { who: Who::pseudonym("ab"), ..Query::default() },
    ];
    let flipped = |column: &str, bit: u32| format!("({column} | {0}) - ({column} & {0})", 1_u64 << bit);
    let changes = [
        ("received_at", flipped("received_at", 41)),
        ("received_at", flipped("received_at", 3)),
        ("marks", flipped("marks", 0)),
        ("kind", flipped("kind", 2)),
        ("kind", "NULL".to_owned()),
        ("author", flipped("author", 17)),
        ("conversation", "substr(conversation, 2)".to_owned()),
        ("conversation", "x'8100'".to_owned()),
        ("detail", "4".to_owned()),
        ("rest", "CAST(substr(rest, 1, 20) || x'5a' || substr(rest, 22) AS BLOB)".to_owned()),
        ("rest", "CAST(rest || x'00' AS BLOB)".to_owned()),
        // A bit that says that there is a checksum.
        ("rest", "CAST(x'4d' || substr(rest, 2) AS BLOB)".to_owned()),
    ];
    for ((column, value), row) in changes.into_iter().zip([1, 2_500, u64::from(ROWS)].into_iter().cycle()) {
        fs::write(&home.path, &sound).unwrap();
        change(&home, &format!("UPDATE message SET {column} = {value} WHERE row = {row}"));
        for query in &queries {
            let (found, told) = found_and_told(&home, query);
            assert_eq!(told, [row..=row], "{column} of row {row} is {value}");
            assert!(!found.contains(&row));
            if *query == Query::default() {
                assert_eq!(found.len(), all.len() - 1);
            }
        }
    }
}

#[test]
fn a_journal_from_before_there_were_checksums_goes_on() {
    let home = long_journal();
    let database = rusqlite::Connection::open(&home.path).unwrap();
    database.execute_batch("ALTER TABLE span DROP COLUMN checksum; PRAGMA user_version = 1; BEGIN").unwrap();
    let mut statement = database.prepare("SELECT row, rest FROM message").unwrap();
    let rows: Vec<(i64, Vec<u8>)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    drop(statement);
    for (row, mut rest) in rows {
        rest[0] &= 0x3f;
        rest.truncate(rest.len() - 4);
        database.execute("UPDATE message SET rest = ?2 WHERE row = ?1", rusqlite::params![row, rest]).unwrap();
    }
    database.execute_batch("COMMIT").unwrap();
    drop(database);
    let since = Query { since: Some(Millis(NOW.0 + 5_000)), ..Query::default() };
    let before = found_and_told(&home, &since);
    assert!(before.0.len() > 900 && before.1.is_empty(), "{before:?}");
    drop(home.open());
    let _ = fs::remove_file(home.path.with_file_name("journal.sqlite.suspect"));
    assert_eq!(found_and_told(&home, &since), before);
    assert!(!home.path.with_file_name("journal.sqlite.suspect").exists(), "its spans were made anew");
}
