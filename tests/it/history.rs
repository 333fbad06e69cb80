//! `d2mtop history` as a person and a script use it, on a journal that a session could have written.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use d2mtop::group::ReflectedMessage;
use d2mtop::journal::{Journal, Options};
use d2mtop::protocol::d2d::{Composer, MessageDraft};
use d2mtop::protocol::{
    DeviceId, Dialect, GroupKeys, GroupSecret, MessageId, Millis, Nonce, PseudonymKey, ReflectedHeader, ReflectedId,
    Sealed,
};
use serde_json::{Value, json};

use crate::support::program::{KEY, d2mtop, key_file, run};
use crate::support::schema;
use crate::support::terminal::Terminal;

const PHONE: &str = "0200000000000000";
/// 2026-11-01 12:00:00 UTC.
const NOON: u64 = 1_793_534_400_000;

fn keys(dialect: Dialect) -> GroupKeys {
    GroupKeys::derive(dialect, &GroupSecret::from_hex(KEY).unwrap())
}

fn journal_file(home: &Path) -> PathBuf {
    home.join(".local/state/d2mtop/profiles/home/journal.sqlite")
}

/// A home with a profile.
fn home(dialect: Dialect, more: &[&str]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let key = key_file(home.path());
    let dialect = dialect.to_string();
    let mut arguments = vec!["profile", "add", "home", "--mediator", "ws://127.0.0.1:1/", "--server-group", "01"];
    arguments.extend(["--dialect", &dialect, "--key-file", key.to_str().unwrap()]);
    arguments.extend(more);
    let added = run(home.path(), &arguments);
    assert_eq!(added.status.code(), Some(0), "{}", String::from_utf8_lossy(&added.stderr));
    home
}

/// A text of the phone, a minute after the one before.
fn text(dialect: Dialect, contact: &str, number: u32) -> ReflectedMessage {
    let draft = MessageDraft::text(MessageId(u64::from(number)), Millis(NOON), "a body that nobody keeps");
    let composer = Composer::new(dialect, DeviceId(2));
    let envelope = composer.incoming(contact, draft, Nonce([4; 24]));
    let mut nonce = [0; 24];
    nonce[20..].copy_from_slice(&number.to_le_bytes());
    let sealed = Sealed::seal(&envelope, &keys(dialect), Nonce(nonce));
    let received_at = Millis(NOON + u64::from(number) * 60_000);
    ReflectedMessage {
        id: ReflectedId(number),
        stored_at: Millis(received_at.0 - 250),
        received_at,
        size: u32::try_from(sealed.len()).unwrap(),
        header: ReflectedHeader::default(),
        ephemeral: false,
        redelivered: false,
        repeated_nonce: false,
        nonce: sealed.nonce(),
        content: sealed.open(&keys(dialect)).map(|envelope| envelope.summary()),
        unknown_fields: Vec::new(),
        envelope: sealed,
    }
}

/// A journal with these messages, all acknowledged but the last.
fn write_journal(home: &Path, dialect: Dialect, messages: &[ReflectedMessage]) {
    let options = Options::hashed(PseudonymKey::of(&keys(dialect)));
    let mut journal = Journal::open(&journal_file(home), options, Millis(NOON)).unwrap().journal;
    journal.append(messages).unwrap();
    journal.acknowledged(messages.len() - 1, Millis(NOON), Duration::from_micros(900));
    journal.flush().unwrap();
}

fn history(home: &Path, arguments: &[&str]) -> Output {
    run(home, &[&["history", "--utc"], arguments].concat())
}

fn good(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn objects(output: &Output) -> Vec<Value> {
    schema::lines(good(output).as_bytes())
}

#[test]
fn what_was_received_is_shown_without_a_login_in_both_dialects() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let home = home(dialect, &[]);
        let contacts = ["ECHOECHO", "ABCDEFGH"];
        let messages: Vec<_> = (0..30).map(|number| text(dialect, contacts[number as usize % 2], number)).collect();
        write_journal(home.path(), dialect, &messages);

        let shown = good(&history(home.path(), &[]));
        assert_eq!(shown.lines().count(), 20, "{dialect}: the newest");
        assert!(shown.starts_with("2026-11-01 12:10:00  "), "{shown}");
        assert!(shown.lines().all(|line| line.contains("  in ") && line.contains("text from #")), "{shown}");
        assert!(shown.lines().last().unwrap().ends_with("[no acknowledgement known]"), "{shown}");
        assert!(!shown.contains("ECHOECHO"), "names are not kept");

        let lines = objects(&history(home.path(), &["home", "--json", "--since", "2026-11-01"]));
        assert_eq!(lines.len(), 30, "{dialect}: all since then");
        assert_eq!((lines[0]["event"].as_str(), lines[0]["at"].as_u64()), (Some("reflected"), Some(NOON)));
        assert_eq!((lines[3]["row"].as_u64(), lines[3]["id"].as_u64()), (Some(4), Some(3)));
        assert_eq!((lines[3]["waited_us"].as_u64(), lines[3]["acknowledged_at"].as_u64()), (Some(900), Some(NOON)));
        assert_eq!(lines[29]["acknowledged_at"], Value::Null);
        assert_eq!((lines[0]["kind"].as_str(), lines[0]["type"].as_str()), (Some("incoming_message"), Some("text")));
        let author = if dialect == Dialect::Dgk { Some(PHONE) } else { None };
        assert_eq!(lines[0]["from"].as_str(), author);

        let with = |who: &str| objects(&history(home.path(), &["--json", "--conversation", who, "--limit", "99"]));
        let echo = with("ECHOECHO");
        assert_eq!(echo.len(), 15, "{dialect}: found by its name");
        let pseudonym = echo[0]["conversation_pseudonym"].as_str().unwrap();
        assert_eq!(with(&format!("#{}", &pseudonym[..8])), echo, "and by its pseudonym");
        assert!(with("NOBODY00").is_empty());

        let between = ["--since", "2026-11-01T12:05", "--until", "2026-11-01T12:08", "--json"];
        let ids: Vec<_> = objects(&history(home.path(), &between)).iter().map(|line| line["id"].clone()).collect();
        assert_eq!(ids, [5, 6, 7]);
        let none = history(home.path(), &["--kind", "group_sync"]);
        assert!(good(&none).is_empty());
        assert_eq!(String::from_utf8_lossy(&none.stderr), "d2mtop: nothing like that was received\n");
        let from_phone = objects(&history(home.path(), &["--from", PHONE, "--json", "--limit", "99"])).len();
        assert_eq!(from_phone, if dialect == Dialect::Dgk { 30 } else { 0 }, "{dialect}");
    }
}

#[test]
fn devices_that_are_gone_keep_their_names() {
    let home = home(Dialect::Dgk, &[]);
    write_journal(home.path(), Dialect::Dgk, &[text(Dialect::Dgk, "ECHOECHO", 0)]);
    let known = journal_file(home.path()).with_file_name("known.json");
    let device = |id: &str, label: &str| {
        let info = json!({ "label": label, "platform": "android", "app_version": "6", "platform_details": "" });
        json!({ "id": id, "info": info })
    };
    let former = ["0a0a0a0a0a0a0a0a", "0b0b0b0b0b0b0b0b"].map(|id| device(id, "Tablet"));
    let former = [&[device(PHONE, "Old phone"), device("0c0c0c0c0c0c0c0c", "Laptop")], &former[..]].concat();
    let devices = [device("0d0d0d0d0d0d0d0d", "Laptop")];
    std::fs::write(&known, json!({ "version": 1, "devices": devices, "former": former }).to_string()).unwrap();
    let shown = good(&history(home.path(), &["--from", "Old phone"]));
    assert!(shown.contains("  Old phone  "), "{shown}");
    let words = String::from_utf8(history(home.path(), &["--from", "Tablet"]).stderr).unwrap();
    assert!(words.contains("0a0a0a0a0a0a0a0a, 0b0b0b0b0b0b0b0b"), "{words}");
    assert_eq!(good(&history(home.path(), &["--from", "Laptop"])), "", "the one that is there is meant");

    let path = home.path().to_str().unwrap();
    let mut terminal = Terminal::start(&["home", "--utc"], 30, 120, &[("HOME", path)]);
    terminal.wait_for("k looks in the journal");
    terminal.press("4k");
    terminal.wait_for("Old phone");
    terminal.wait_for("1 from the journal");
    terminal.press("q");
    assert_eq!(terminal.end().exit_code(), 0);
}

#[test]
fn figures_are_told_by_day_device_and_kind() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let home = home(dialect, &[]);
        let messages: Vec<_> = (0..1_000).map(|number| text(dialect, "ECHOECHO", number)).collect();
        write_journal(home.path(), dialect, &messages);
        let lines = objects(&history(home.path(), &["--stats", "--json"]));
        assert_eq!(lines.len(), 2, "noon and the next day: {lines:?}");
        assert_eq!((lines[0]["day"].as_str(), lines[0]["count"].as_u64()), (Some("2026-11-01"), Some(720)));
        assert_eq!((lines[1]["day"].as_str(), lines[1]["count"].as_u64()), (Some("2026-11-02"), Some(280)));
        // In mk the envelope does not say who reflected it.
        let from = if dialect == Dialect::Dgk { Some(PHONE) } else { None };
        assert_eq!((lines[0]["from"].as_str(), lines[0]["kind"].as_str()), (from, Some("incoming_message")));
        assert!((248..=253).contains(&lines[0]["age_ms"]["median"].as_u64().unwrap()), "{}", lines[0]);
        assert!((895..=907).contains(&lines[0]["waited_us"]["max"].as_u64().unwrap()), "{}", lines[0]);
        let shown = good(&history(home.path(), &["--stats"]));
        assert_eq!(shown.lines().count(), 3);
        assert!(shown.lines().nth(1).unwrap().contains("incoming_message"), "{shown}");
    }
}

#[test]
fn a_reader_who_goes_away_ends_it_quietly() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let home = home(dialect, &[]);
        let messages: Vec<_> = (0..5_000).map(|number| text(dialect, "ECHOECHO", number)).collect();
        write_journal(home.path(), dialect, &messages);
        let mut command = d2mtop(home.path(), &["history", "--json", "--since", "2026-11-01"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(first.starts_with("{\"event\":\"reflected\""), "{first}");
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    }
}

#[test]
fn what_cannot_be_shown_is_said() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let home = home(dialect, &[]);
        for (arguments, code, words) in [
            (&[][..], 1, "no journal yet"),
            (&["nobody"], 2, "nobody"),
            (&["--since", "soon"], 2, "--since: a time is"),
            (&["--kind", "gossip"], 2, "incoming_message"),
            (&["--from", "Pixel"], 2, "no device is or was called Pixel"),
            (&["--conversation", "#xyz"], 2, "hex digits"),
            (&["--limit", "0"], 2, "--limit"),
        ] {
            let output = history(home.path(), arguments);
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
            assert!(stderr.contains(words), "{arguments:?} says: {stderr}");
        }
        assert!(!journal_file(home.path()).exists(), "looking makes nothing");
        std::fs::remove_file(home.path().join("group.key")).unwrap();
        write_journal(home.path(), dialect, &[text(dialect, "ECHOECHO", 0)]);
        let output = history(home.path(), &["--conversation", "ECHOECHO"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains("needs the group's key"));
        assert_eq!(good(&history(home.path(), &[])).lines().count(), 1, "everything else needs no key");
    }
}

#[test]
fn a_row_that_is_damaged_is_told_and_no_answer_is_empty_without_an_error() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let home = home(dialect, &[]);
        write_journal(
            home.path(),
            dialect,
            &(0..3).map(|number| text(dialect, "ECHOECHO", number)).collect::<Vec<_>>(),
        );
        let database = rusqlite::Connection::open(journal_file(home.path())).unwrap();
        // Row 2 is of 12:01; a bit of its time is another one, so that it looks much older.
        database.execute("UPDATE message SET received_at = received_at - (1 << 38) WHERE row = 2", []).unwrap();
        drop(database);
        let all = history(home.path(), &["--since", "2026-11-01T12:00"]);
        assert_eq!(good(&all).lines().count(), 2);
        let told = String::from_utf8(all.stderr).unwrap();
        assert!(told.contains("damaged: row 2 could not be read and is left out"), "{told}");
        for more in [&[][..], &["--stats"], &["--limit", "3"], &["--json"]] {
            let window = ["--since", "2026-11-01T12:01", "--until", "2026-11-01T12:02"];
            let none = history(home.path(), &[&window, more].concat());
            let told = String::from_utf8(none.stderr).unwrap();
            assert_eq!(none.status.code(), Some(1), "{more:?}: {told}");
            assert!(told.contains("damaged: row 2 could not be read"), "{more:?}: {told}");
            assert!(!told.contains("nothing like that"), "{more:?}: {told}");
        }
        let before = history(home.path(), &["--until", "2026-10-01T12:00", "--stats"]);
        assert_eq!(before.status.code(), Some(0), "what the spans leave out is not read");
        assert!(String::from_utf8(before.stderr).unwrap().contains("nothing like that was received"));
    }
}

#[test]
fn a_profile_says_how_its_journal_is_kept() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let home =
            home(dialect, &["--journal-conversations", "none", "--journal-age", "forever", "--journal-rows", "7"]);
        let shown = good(&run(home.path(), &["profile", "show", "home"]));
        assert!(shown.contains("kept forever, at most 7 messages, without conversations"), "{shown}");
        let toml = std::fs::read_to_string(home.path().join(".config/d2mtop/profiles.toml")).unwrap();
        for line in ["journal_conversations = \"none\"", "journal_age = \"forever\"", "journal_rows = 7"] {
            assert!(toml.contains(line), "{line} in {toml}");
        }
        write_journal(home.path(), dialect, &[text(dialect, "ECHOECHO", 0)]);
        let output = history(home.path(), &["--conversation", "ECHOECHO"]);
        assert!(String::from_utf8(output.stderr).unwrap().contains("keeps no conversations"));
        let other = run(
            home.path(),
            &["profile", "add", "other", "--mediator", "ws://127.0.0.1:1/", "--server-group", "01", "--no-journal"],
        );
        assert_eq!(other.status.code(), Some(0));
        assert!(good(&run(home.path(), &["profile", "show", "other"])).contains("journal       none"));
    }
}
