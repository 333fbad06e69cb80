//! What is appended is what history returns, whatever comes in between.

mod damage;
mod properties;
mod trouble;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::waiting::MOST_RECENT;
use super::{Conversations, History, HistoryRow, Journal, Opened, Options, Query, Retention, Synchronous, Who, Within};
use crate::group::ReflectedMessage;
use crate::protocol::d2d::{ContentKind, Conversation, Detail, EnvelopeSummary, MessageType};
use crate::protocol::{
    DecodeError, DeviceId, Dialect, GroupKeys, GroupSecret, MessageId, Millis, Nonce, OpenError, PseudonymKey,
    ReflectedHeader, ReflectedId, Sealed,
};
use crate::text::Clean;

const NOW: Millis = Millis(1_793_577_600_000);
const WAITED: Duration = Duration::from_micros(1_234);

struct Home {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Home {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("profile").join(super::FILE);
        Self { _directory: directory, path }
    }

    fn open(&self) -> Opened {
        self.open_with(options(Dialect::Dgk))
    }

    fn open_with(&self, options: Options) -> Opened {
        Journal::open(&self.path, options, NOW).unwrap()
    }

    fn rows(&self) -> Vec<HistoryRow> {
        History::open(&self.path).unwrap().rows(Query::default()).map(Result::unwrap).collect()
    }

    fn find(&self, query: &Query) -> Vec<u64> {
        let rows = History::open(&self.path).unwrap().page(query, Within::Newest, 1_000).unwrap();
        rows.iter().map(|row| row.number).collect()
    }
}

fn key(dialect: Dialect) -> PseudonymKey {
    PseudonymKey::of(&GroupKeys::derive(dialect, &GroupSecret::new(&mut [1; 32])))
}

fn options(dialect: Dialect) -> Options {
    // What survives a power failure cannot be tested here, and waiting for the disk takes long.
    Options { synchronous: Synchronous::Normal, ..Options::hashed(key(dialect)) }
}

/// A text from a contact.
fn message(number: u32) -> ReflectedMessage {
    let mut nonce = [9; 24];
    nonce[20..].copy_from_slice(&number.to_le_bytes());
    let summary = EnvelopeSummary {
        author: Some(DeviceId(u64::MAX - 1)),
        conversation: Some(Conversation::Contact(Clean::literal("ECHOECHO"))),
        message_type: Some(MessageType::TEXT),
        message_id: Some(MessageId(u64::MAX - u64::from(number))),
        created_at: Some(Millis(NOW.0 - 5_000)),
        body_length: 11,
        ..EnvelopeSummary::blank(ContentKind::IncomingMessage)
    };
    ReflectedMessage {
        id: ReflectedId(number),
        stored_at: Millis(NOW.0 - 1_000),
        received_at: Millis(NOW.0 + u64::from(number)),
        size: 200,
        header: ReflectedHeader { length: 16, flags: 0xfffe },
        nonce: Some(Nonce(nonce)),
        content: Ok(summary),
        ..ReflectedMessage::example()
    }
}

fn with(message: ReflectedMessage, change: impl FnOnce(&mut EnvelopeSummary)) -> ReflectedMessage {
    let mut message = message;
    change(message.content.as_mut().unwrap());
    message
}

fn files(path: &Path) -> Vec<u8> {
    let directory = std::fs::read_dir(path.parent().unwrap()).unwrap();
    directory.flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn acknowledgements_find_their_rows_however_late_they_are_written() {
    let home = Home::new();
    let mut journal = home.open().journal;
    let ephemeral = ReflectedMessage { ephemeral: true, ..message(1) };
    journal.append(&[message(0), ephemeral, message(2), message(3)]).unwrap();
    journal.acknowledged(2, NOW, WAITED);
    assert!(home.rows().iter().all(|row| row.acknowledged_at.is_none()), "nothing is written yet");
    journal.append(&[message(4)]).unwrap();
    let acknowledged = |home: &Home| home.rows().iter().map(|row| row.acknowledged_at.is_some()).collect::<Vec<_>>();
    assert_eq!(acknowledged(&home), [true, false, true, false, false]);
    journal.acknowledged(99, Millis(NOW.0 + 7), WAITED);
    journal.flush().unwrap();
    assert_eq!(acknowledged(&home), [true, false, true, true, true]);
    let rows = home.rows();
    assert_eq!((rows[0].acknowledged_at, rows[4].acknowledged_at), (Some(NOW), Some(Millis(NOW.0 + 7))));
    assert_eq!(rows[0].row.acknowledged_after, Some(WAITED));
    journal.flush().unwrap();
}

#[test]
fn what_comes_again_is_one_row_also_after_a_restart() {
    let home = Home::new();
    let Opened { mut journal, expected, last, .. } = home.open();
    assert_eq!((expected.len(), last), (0, None));
    journal.append(&[message(0), message(1), message(2)]).unwrap();
    journal.acknowledged(1, NOW, WAITED);
    journal.disconnected();
    // The first acknowledgement was lost on the way.
    let again = |number| ReflectedMessage { redelivered: true, received_at: NOW.after(WAITED), ..message(number) };
    journal.append(&[again(0), again(1)]).unwrap();
    journal.acknowledged(2, Millis(NOW.0 + 1), WAITED);
    journal.flush().unwrap();
    drop(journal);

    let Opened { mut journal, expected, last, nonces, fingerprinter, .. } = home.open();
    assert_eq!(last, Some(ReflectedId(2)));
    assert_eq!(nonces.len(), 3, "a nonce is kept once");
    let fingerprint = fingerprinter.of(&message(2).nonce.unwrap());
    assert!(expected.iter().any(|expected| (expected.id, expected.fingerprint) == (ReflectedId(2), fingerprint)));
    // The session does not know any more that it was there, and takes it for a replay.
    let mistaken = ReflectedMessage { repeated_nonce: true, ..message(2) };
    // The same id with another nonce is another message: of another slot.
    let other = ReflectedMessage { id: ReflectedId(1), ..message(77) };
    journal.append(&[mistaken, other]).unwrap();
    journal.acknowledged(2, Millis(NOW.0 + 2), WAITED);
    journal.flush().unwrap();
    let rows = home.rows();
    assert_eq!(rows.iter().map(|row| row.row.id.0).collect::<Vec<_>>(), [0, 1, 2, 1]);
    assert_eq!(rows.iter().map(|row| row.row.marks.redelivered).collect::<Vec<_>>(), [true, true, true, false]);
    assert!(rows.iter().all(|row| !row.row.marks.repeated_nonce), "none is a replay");
    let at: Vec<u64> = rows.iter().map(|row| row.acknowledged_at.unwrap().0 - NOW.0).collect();
    assert_eq!(at, [0, 1, 2, 2], "of two acknowledgements the first");
}

#[test]
fn acknowledgements_that_were_lost_with_the_connection_double_nothing() {
    let home = Home::new();
    let messages: Vec<_> = (0..u32::try_from(MOST_RECENT).unwrap()).map(message).collect();
    let mut journal = home.open().journal;
    journal.append(&messages).unwrap();
    journal.acknowledged(messages.len(), NOW, WAITED);
    journal.flush().unwrap();
    // On the next connection of the same run, and in the next run.
    journal.disconnected();
    journal.append(&messages).unwrap();
    drop(journal);
    let Opened { mut journal, expected, .. } = home.open();
    assert_eq!(expected.len(), messages.len(), "the server may deliver all of them again");
    journal.append(&messages).unwrap();
    assert_eq!(home.rows().len(), messages.len());
}

#[test]
fn who_waits_for_the_writer_goes_on_when_it_has_gone() {
    let home = Home::new();
    let journal = home.open().journal;
    let (sender, waited) = std::sync::mpsc::channel();
    let path = home.path.clone();
    std::thread::spawn(move || sender.send(super::wait_for_writer(&path)));
    assert!(waited.recv_timeout(Duration::from_millis(200)).is_err(), "it is still written");
    drop(journal);
    waited.recv_timeout(Duration::from_secs(40)).expect("it goes on").unwrap();
}

#[test]
fn a_replay_is_a_row_and_its_nonce_is_not_kept_twice() {
    let home = Home::new();
    let replay = ReflectedMessage { id: ReflectedId(9), repeated_nonce: true, ..message(1) };
    home.open().journal.append(&[message(1), replay]).unwrap();
    assert!(home.rows()[1].row.marks.repeated_nonce);
    assert_eq!(home.open().nonces.len(), 1);
}

#[test]
fn bodies_names_and_conversations_are_not_in_the_file() {
    for dialect in [Dialect::Mk, Dialect::Dgk] {
        let home = Home::new();
        let hostile = |number| {
            with(message(number), |summary| {
                summary.nickname = Some(Clean::literal("Ada-Nickname"));
                summary.sender = Some(Clean::literal("SENDERS7"));
                summary.detail = Some(Detail::Words(Clean::literal("read receipts")));
            })
        };
        let group = |message| {
            with(message, |summary| {
                summary.conversation =
                    Some(Conversation::Group { id: MessageId(7), creator: Clean::literal("CREATOR9") });
            })
        };
        let envelope = Sealed::from_wire(bytes::Bytes::from_static(b"the sealed envelope"));
        let sealed = ReflectedMessage { envelope, ..message(1) };
        let mut journal = home.open_with(options(dialect)).journal;
        journal.append(&[hostile(0), sealed, group(message(2))]).unwrap();
        let secret = ["Ada-Nickname", "SENDERS7", "ECHOECHO", "CREATOR9", "the sealed envelope"];
        for text in secret {
            assert!(!has(&files(&home.path), text), "{dialect}: {text} is in the write-ahead log");
        }
        drop(journal);
        for text in secret {
            assert!(!has(&files(&home.path), text), "{dialect}: {text} is in the file");
        }
        assert!(has(&files(&home.path), "read receipts"), "the search finds what is there");

        let plain = Options { conversations: Conversations::Plain, ..options(dialect) };
        home.open_with(plain).journal.append(&[hostile(3)]).unwrap();
        assert!(has(&files(&home.path), "ECHOECHO") && !has(&files(&home.path), "Ada-Nickname"));
    }
}

#[test]
fn rows_are_found_by_time_kind_device_and_conversation() {
    let home = Home::new();
    let mut journal = home.open().journal;
    let group = Some(Conversation::Group { id: MessageId(7), creator: Clean::literal("CREATOR9") });
    let early = ReflectedMessage { received_at: Millis(NOW.0 - 50), ..message(4) };
    journal.append(&[message(0), message(1)]).unwrap();
    journal.append(&[with(message(2), |summary| summary.conversation.clone_from(&group))]).unwrap();
    let other =
        |summary: &mut EnvelopeSummary| (summary.author, summary.kind) = (Some(DeviceId(5)), ContentKind::SettingsSync);
    journal.append(&[with(message(3), other), early]).unwrap();
    drop(journal);
    // From now on as they are.
    let plain = Options { conversations: Conversations::Plain, ..options(Dialect::Dgk) };
    let mut journal = home.open_with(plain).journal;
    journal.append(&[message(5), with(message(6), |summary| summary.conversation.clone_from(&group))]).unwrap();

    let key = key(Dialect::Dgk);
    let query = Query::default;
    let who = |who| Query { who: Some(who), ..query() };
    let echo = Clean::literal("ECHOECHO");
    assert_eq!(home.find(&query()), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(home.find(&Query { since: Some(Millis(NOW.0 + 3)), ..query() }), [4, 6, 7]);
    assert_eq!(home.find(&Query { until: Some(Millis(NOW.0 + 1)), ..query() }), [1, 5], "the clock was set back");
    assert_eq!(home.find(&Query { since: Some(Millis(u64::MAX)), ..query() }), [0; 0]);
    assert_eq!(home.find(&Query { kinds: vec![ContentKind::SettingsSync, ContentKind::Unknown], ..query() }), [4]);
    assert_eq!(home.find(&Query { from: Some(DeviceId(5)), ..query() }), [4]);
    assert_eq!(home.find(&who(Who::contact(&echo, Some(&key)))), [1, 2, 4, 5, 6]);
    assert_eq!(home.find(&who(Who::contact(&echo, None))), [6], "without the key only what is plain");
    assert_eq!(home.find(&who(Who::id(MessageId(7), Some(&key)))), [3, 7]);
    let pseudonym = key.contact(&echo).to_string();
    assert_eq!(home.find(&who(Who::pseudonym(&pseudonym[..6]).unwrap())), [1, 2, 4, 5]);
    assert_eq!(Who::pseudonym("%"), None);

    let history = History::open(&home.path).unwrap();
    let page =
        |within| -> Vec<u64> { history.page(&query(), within, 2).unwrap().iter().map(|row| row.number).collect() };
    assert_eq!(
        (page(Within::Newest), page(Within::Before(4)), page(Within::After(4))),
        (vec![6, 7], vec![2, 3], vec![5, 6])
    );
    assert_eq!(history.bounds().unwrap(), Some((1, 7)));
    let rows = home.rows();
    assert_eq!(rows[0].sentence().as_str(), format!("text from #{}", &pseudonym[..8]));
    assert_eq!(rows[5].sentence().as_str(), "text from ECHOECHO");
}

/// The conversation alone has another name: its pseudonym's.
#[test]
fn a_group_of_which_only_a_pseudonym_is_kept_is_told_as_live() {
    let home = Home::new();
    let mut journal = home.open().journal;
    let group = Conversation::Group { id: MessageId(7), creator: Clean::literal("CREATOR9") };
    let kinds = [
        ContentKind::IncomingMessage,
        ContentKind::OutgoingMessage,
        ContentKind::IncomingMessageUpdate,
        ContentKind::OutgoingMessageUpdate,
        ContentKind::GroupSync,
    ];
    let types = [MessageType(0x41), MessageType(0x43), MessageType(0x90), MessageType(0x82), MessageType(0xfe)];
    let messages: Vec<ReflectedMessage> = (0_u32..)
        .zip(kinds.into_iter().flat_map(|kind| types.map(|of| (kind, of))))
        .map(|(number, (kind, of))| {
            with(message(number), |summary| {
                (summary.kind, summary.message_type) = (kind, Some(of));
                summary.conversation = Some(group.clone());
            })
        })
        .collect();
    journal.append(&messages).unwrap();
    let pseudonym = format!("#{:.8}", key(Dialect::Dgk).conversation(&group));
    for (message, row) in messages.iter().zip(home.rows()) {
        let live = crate::group::FeedRow::new(message).sentence(&crate::group::ConversationNames::none());
        assert_eq!(row.sentence().as_str(), live.as_str().replace("0700…00", &pseudonym));
    }
}

#[test]
fn figures_count_by_day_device_and_kind() {
    let home = Home::new();
    let mut journal = home.open().journal;
    let unreadable = ReflectedMessage { content: Err(OpenError::DoesNotDecrypt), ..message(200) };
    let messages: Vec<_> = (0..100).map(message).chain([unreadable]).collect();
    journal.append(&messages).unwrap();
    journal.acknowledged(50, NOW, Duration::from_millis(1));
    journal.acknowledged(50, NOW, Duration::from_millis(3));
    journal.flush().unwrap();
    let stats = |query: &Query| {
        let day = |at: Millis| i64::try_from(at.0 / 86_400_000).unwrap();
        History::open(&home.path).unwrap().stats(query, day).unwrap()
    };
    let lines = stats(&Query::default());
    assert_eq!(lines.len(), 2, "{lines:?}");
    let texts = lines.iter().find(|line| line.kind == Some(ContentKind::IncomingMessage)).unwrap();
    assert_eq!((texts.device, texts.figures.count, texts.figures.bytes), (Some(DeviceId(u64::MAX - 1)), 100, 20_000));
    let age = texts.figures.age.unwrap();
    assert!((1_040..1_060).contains(&age.median.as_millis()), "{age:?}");
    let waited = texts.figures.acknowledgement.unwrap();
    assert!(waited.median < Duration::from_micros(1_020) && waited.p95 > Duration::from_millis(2), "{waited:?}");
    let unread = lines.iter().find(|line| line.kind.is_none()).unwrap();
    assert_eq!((unread.device, unread.figures.count, unread.figures.acknowledgement), (None, 1, None));
    assert_eq!(stats(&Query { from: Some(DeviceId(1)), ..Query::default() }), []);
}

#[test]
fn old_rows_go_step_by_step_and_nonces_stay() {
    let home = Home::new();
    let retention = Retention { age: Some(Duration::from_secs(10)), rows: Some(2_500) };
    let mut journal = home.open_with(Options { retention, ..options(Dialect::Dgk) }).journal;
    let messages: Vec<_> = (0..10_000).map(message).collect();
    for batch in messages.chunks(700) {
        journal.append(batch).unwrap();
        journal.acknowledged(batch.len(), NOW, WAITED);
    }
    let prune = |journal: &mut Journal, now| (1..100).find(|_| !journal.prune(now).unwrap()).unwrap();
    assert!(prune(&mut journal, NOW) > 3, "not all at once");
    assert_eq!(home.find(&Query::default()).len(), 1_000);
    assert_eq!(History::open(&home.path).unwrap().bounds().unwrap(), Some((7_501, 10_000)));
    // By age: all but the last second.
    prune(&mut journal, Millis(NOW.0 + 19_000));
    assert_eq!(History::open(&home.path).unwrap().bounds().unwrap(), Some((9_001, 10_000)));
    prune(&mut journal, Millis(u64::MAX));
    assert_eq!(History::open(&home.path).unwrap().bounds().unwrap(), Some((10_000, 10_000)), "the newest stays");
    journal.flush().unwrap();
    drop(journal);
    let Opened { mut journal, nonces, .. } = home.open();
    assert_eq!(nonces.len(), 10_000);
    journal.append(&[message(10_000)]).unwrap();
    assert_eq!(home.rows().last().unwrap().number, 10_001, "no number is used twice");
}

#[test]
fn room_is_given_back_to_the_disk() {
    let home = Home::new();
    let retention = Retention { age: None, rows: Some(1) };
    let mut journal = home.open_with(Options { retention, ..options(Dialect::Dgk) }).journal;
    let messages: Vec<_> = (0..100_000).map(message).collect();
    journal.append(&messages).unwrap();
    let pages = |journal: &Journal| -> i64 {
        journal.database().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap()
    };
    let before = pages(&journal);
    while journal.prune(NOW).unwrap() {}
    assert!(pages(&journal) < before, "of {before} pages {} are left", pages(&journal));
}

/// A message that comes alone is a transaction of its own, and each changes several pages.
#[test]
fn what_waits_beside_the_file_is_bounded_in_bytes_however_messages_come() {
    let home = Home::new();
    let mut journal = home.open().journal;
    let aside = || super::file::bytes_aside(&home.path);
    let mut most = 0;
    for number in 0..400 {
        journal.append(&[message(number)]).unwrap();
        journal.acknowledged(1, Millis(NOW.0 + u64::from(number)), Duration::from_millis(3));
        journal.flush().unwrap();
        most = most.max(aside());
    }
    assert!(most < 4 << 20, "{most} bytes in a trickle");
    let all: Vec<_> = (1_000..21_000).map(message).collect();
    journal.append(&all).unwrap();
    assert!(aside() > 4 << 20, "the batch was too small to show anything");
    journal.flush().unwrap();
    journal.append(&[message(30_000)]).unwrap();
    assert!(aside() < 4 << 20, "{} bytes after a batch", aside());
}

#[test]
fn words_without_number_do_not_fill_the_file() {
    let home = Home::new();
    let mut journal = home.open().journal;
    let detail = |number: u32| Some(Detail::Type(number.into()));
    let messages: Vec<_> =
        (0..5_000).map(|number| with(message(number), |summary| summary.detail = detail(number))).collect();
    journal.append(&messages).unwrap();
    let rows = home.rows();
    let detail_of = |index: usize| rows[index].row.content.as_ref().unwrap().detail.clone();
    assert_eq!((detail_of(0), detail_of(4_095), detail_of(4_096)), (detail(0), detail(4_095), None));
}

#[test]
fn an_envelope_that_cannot_be_read_is_told_with_its_reason() {
    let home = Home::new();
    let malformed = OpenError::Undecodable(DecodeError::Malformed("envelope"));
    let errors = [OpenError::TooShort, OpenError::DoesNotDecrypt, malformed];
    let messages = errors.map(|error| ReflectedMessage { content: Err(error), nonce: None, ..message(0) });
    home.open().journal.append(&messages).unwrap();
    let found: Vec<_> = home.rows().into_iter().map(|row| row.row.content.unwrap_err()).collect();
    assert_eq!(found, errors);
    assert_eq!(home.open().nonces.len(), 0);
}
