//! Full disks, damaged files, links, locks: what failed is said, and nothing is lost.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};

use super::super::JournalError;
use super::*;

/// Does something to a file.
type Damage<'a> = &'a dyn Fn(&Path);

fn refused(home: &Home) -> JournalError {
    Journal::open(&home.path, options(Dialect::Dgk), NOW).unwrap_err()
}

#[test]
fn after_a_full_disk_appending_goes_on_and_nothing_is_lost() {
    let home = Home::new();
    let mut journal = home.open().journal;
    journal.append(&[message(0)]).unwrap();
    journal.acknowledged(1, NOW, WAITED);
    let pages: i64 = journal.database().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let limit = |journal: &Journal, pages: i64| {
        journal.database().pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    };
    limit(&journal, pages + 1);
    let detail =
        |number| with(message(number), |summary| summary.detail = Some(Detail::Words(Clean::literal("new words"))));
    let messages: Vec<_> = (1..2_000).map(detail).collect();
    for _ in 0..2 {
        let error = journal.append(&messages).unwrap_err();
        assert!(matches!(error, JournalError::Full(_)), "{error}");
        assert!(error.to_string().contains("disk is full"), "{error}");
    }
    assert_eq!(home.rows().len(), 1, "nothing of the batch is stored");
    limit(&journal, pages + 100_000);
    journal.append(&messages).unwrap();
    journal.acknowledged(messages.len(), NOW, WAITED);
    journal.flush().unwrap();
    let rows = home.rows();
    assert_eq!(rows.len(), 2_000);
    assert!(rows.iter().all(|row| row.acknowledged_at.is_some()), "the acknowledgements, too");
    let words = |row: &HistoryRow| row.row.content.as_ref().unwrap().detail.clone();
    assert!(rows[1..].iter().all(|row| words(row) == Some(Detail::Words(Clean::literal("new words")))));
    assert_eq!(History::open(&home.path).unwrap().rows(Query::default()).count(), 2_000);
    drop(journal);
    assert_eq!(home.open().nonces.len(), 2_000, "each nonce once");
}

#[test]
fn what_is_no_journal_is_set_aside_and_said() {
    let foreign = |path: &Path| {
        rusqlite::Connection::open(path).unwrap().execute_batch("CREATE TABLE theirs (row INTEGER)").unwrap();
    };
    let gutted = |path: &Path| {
        drop(Journal::open(path, options(Dialect::Dgk), NOW).unwrap());
        rusqlite::Connection::open(path).unwrap().execute_batch("DROP TABLE message").unwrap();
    };
    let cases: [(&str, bool, Damage<'_>); 4] = [
        ("text", true, &|path| fs::write(path, "no database at all, but a text of some length".repeat(20)).unwrap()),
        ("another program's", true, &foreign),
        ("a table is missing", false, &gutted),
        ("cut off", false, &|path| {
            let mut journal = Journal::open(path, options(Dialect::Dgk), NOW).unwrap().journal;
            journal.append(&(0..5_000).map(message).collect::<Vec<_>>()).unwrap();
            drop(journal);
            let length = fs::metadata(path).unwrap().len();
            fs::File::options().write(true).open(path).unwrap().set_len(length / 2).unwrap();
        }),
    ];
    for (what, untouched, damage) in cases {
        let home = Home::new();
        fs::create_dir_all(home.path.parent().unwrap()).unwrap();
        damage(&home.path);
        let before = fs::read(&home.path).unwrap();
        let Opened { mut journal, set_aside, nonces, .. } = home.open();
        let aside = set_aside.unwrap_or_else(|| panic!("{what} is set aside"));
        let kept = fs::read(&aside).unwrap();
        // Opening a journal writes to its header.
        assert!(kept.len() == before.len() && (!untouched || kept == before), "{what}: as it was");
        let name = aside.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(name, "journal.sqlite.damaged-2026-11-02T000000Z", "{what}");
        assert!(nonces.is_empty());
        journal.append(&[message(0)]).unwrap();
        assert_eq!(home.rows().len(), 1, "{what}: a new one is begun");
        drop(journal);
        // In the same second once more.
        fs::write(&home.path, "again no database".repeat(100)).unwrap();
        let again = home.open().set_aside.unwrap();
        assert!(again.to_str().unwrap().ends_with("Z-2") && aside.exists(), "{what}: nothing is overwritten");
    }
}

#[test]
fn damage_that_shows_later_is_told() {
    let home = Home::new();
    let mut journal = home.open().journal;
    journal.append(&(0..5_000).map(message).collect::<Vec<_>>()).unwrap();
    drop(journal);
    let mut bytes = fs::read(&home.path).unwrap();
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 4_096].fill(0xff);
    fs::write(&home.path, bytes).unwrap();
    let history = History::open(&home.path).unwrap();
    let rows = history.rows(Query::default()).map(Result::unwrap).count() as u64;
    let lost: u64 = history.unreadable().iter().map(|range| range.end() - range.start() + 1).sum();
    assert!(lost > 0 && rows + lost == 5_000, "{rows} rows and {lost} that cannot be read");
    assert!(home.path.with_file_name("journal.sqlite.suspect").exists(), "the next start looks it through");
    assert!(home.open().set_aside.is_some());
}

#[test]
fn damage_found_while_running_is_set_aside_by_the_next_start() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let home = Home::new();
        let mut journal = home.open_with(options(dialect)).journal;
        journal.append(&[message(0)]).unwrap();
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'detail'";
        let root: u32 = journal.database().query_row(root, [], |row| row.get(0)).unwrap();
        let root = usize::try_from(root).unwrap();
        let page: i64 = journal.database().pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
        let page = usize::try_from(page).unwrap();
        drop(journal);
        let mut bytes = fs::read(&home.path).unwrap();
        bytes[(root - 1) * page..root * page].fill(0xff);
        fs::write(&home.path, bytes).unwrap();
        let opened = home.open_with(options(dialect));
        assert_eq!(opened.set_aside, None, "what opening reads is sound");
        let mut journal = opened.journal;
        let words = with(message(1), |summary| summary.detail = Some(Detail::Words(Clean::literal("new words"))));
        for _ in 0..2 {
            let error = journal.append(std::slice::from_ref(&words)).unwrap_err();
            assert!(error.is_damage() && error.to_string().contains("restart d2mtop"), "{error}");
        }
        let note = home.path.with_file_name("journal.sqlite.suspect");
        assert_eq!(fs::metadata(&note).unwrap().mode() & 0o777, 0o600);
        drop(journal);
        let Opened { mut journal, set_aside, .. } = home.open_with(options(dialect));
        assert!(set_aside.is_some_and(|aside| aside.exists()) && !note.exists());
        journal.append(&[words]).unwrap();
        drop(journal);
        fs::write(&note, "").unwrap();
        let opened = home.open_with(options(dialect));
        assert_eq!((opened.set_aside, opened.last), (None, Some(ReflectedId(1))), "what is sound stays");
        assert!(!note.exists());
    }
}

#[test]
fn pruning_a_file_that_gives_no_room_back_comes_to_an_end() {
    let home = Home::new();
    drop(home.open());
    let somebody = rusqlite::Connection::open(&home.path).unwrap();
    let without = "PRAGMA auto_vacuum = NONE; VACUUM;
        CREATE TABLE much (bytes BLOB); INSERT INTO much VALUES (zeroblob(12000000)); DROP TABLE much;";
    somebody.execute_batch(without).unwrap();
    drop(somebody);
    let mut journal = home.open().journal;
    let free: i64 = journal.database().pragma_query_value(None, "freelist_count", |row| row.get(0)).unwrap();
    assert!(free > 1_200, "{free} pages could be given back");
    assert!(!journal.prune(NOW).unwrap());
}

#[test]
fn the_journal_of_a_later_version_stays_as_it_is() {
    let home = Home::new();
    drop(home.open());
    rusqlite::Connection::open(&home.path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    for error in [refused(&home), History::open(&home.path).unwrap_err()] {
        assert!(matches!(error, JournalError::Newer { found: 99, .. }), "{error}");
        assert!(error.to_string().contains("later d2mtop"), "{error}");
    }
}

#[test]
fn there_is_one_writer_and_any_number_of_readers() {
    let home = Home::new();
    let mut journal = home.open().journal;
    let error = refused(&home);
    assert!(matches!(error, JournalError::InUse(_)), "{error}");
    let history = History::open(&home.path).unwrap();
    let mut rows = history.rows(Query::default());
    journal.append(&[message(0)]).unwrap();
    assert_eq!(rows.next().unwrap().unwrap().number, 1, "what was written while it was open");
    drop(journal);
    drop(home.open());
    let somebody = rusqlite::Connection::open(&home.path).unwrap();
    let mut journal = home.open().journal;
    journal.database().busy_timeout(Duration::ZERO).unwrap();
    somebody.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = journal.append(&[message(1)]).unwrap_err();
    assert!(matches!(error, JournalError::Locked(_)), "{error}");
    somebody.execute_batch("ROLLBACK").unwrap();
    journal.append(&[message(1)]).unwrap();
    assert_eq!(home.rows().len(), 2);
}

#[test]
fn only_its_owner_can_read_it_and_no_link_is_followed() {
    let home = Home::new();
    let mut journal = home.open().journal;
    journal.append(&[message(0)]).unwrap();
    let directory = home.path.parent().unwrap();
    assert_eq!(fs::metadata(directory).unwrap().mode() & 0o777, 0o700);
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().mode() & 0o077, 0, "{:?} is private", entry.file_name());
    }
    drop(journal);
    let elsewhere = directory.join("elsewhere.sqlite");
    fs::rename(&home.path, &elsewhere).unwrap();
    let before = fs::read(&elsewhere).unwrap();
    symlink(&elsewhere, &home.path).unwrap();
    let error = refused(&home);
    assert!(error.to_string().contains("symbolic link"), "{error}");
    assert!(History::open(&home.path).is_err());
    assert_eq!(fs::read(&elsewhere).unwrap(), before);
    fs::remove_file(&home.path).unwrap();
    fs::create_dir(&home.path).unwrap();
    assert!(refused(&home).to_string().contains("not a file"));
}

#[test]
fn where_there_can_be_no_file_the_error_says_where() {
    let home = Home::new();
    let directory = home.path.parent().unwrap();
    fs::write(directory, "a file in the place of the directory").unwrap();
    let error = refused(&home);
    assert!(matches!(error, JournalError::File { .. }) && error.to_string().contains("journal.sqlite"), "{error}");
    fs::remove_file(directory).unwrap();
    assert!(matches!(History::open(&home.path).unwrap_err(), JournalError::Missing(_)));
    let mut journal = home.open().journal;
    journal.database().pragma_update(None, "query_only", true).unwrap();
    let error = journal.append(&[message(0)]).unwrap_err();
    assert!(matches!(error, JournalError::ReadOnly(_)), "{error}");
    journal.database().pragma_update(None, "query_only", false).unwrap();
    journal.append(&[message(0)]).unwrap();
    assert_eq!(home.rows().len(), 1);
}

#[test]
fn a_file_system_without_shared_memory_is_called_so() {
    use rusqlite::ffi::{self, SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMOPEN, SQLITE_IOERR_WRITE};
    let of = |code| {
        let cause = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        JournalError::of(Path::new("/tmp/journal.sqlite"), cause).to_string()
    };
    for code in [SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMOPEN] {
        let words = of(code);
        assert!(words.contains("cannot hold it") && words.contains("--no-journal") && words.contains("XDG_STATE_HOME"));
    }
    assert!(!of(SQLITE_IOERR_WRITE).contains("shared memory"));
}
