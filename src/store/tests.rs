//! The store on a real disk: what it keeps, and what it refuses.

use std::fs;
use std::sync::mpsc;

use rusqlite::Connection;

use super::file::Store;
use super::{StoreError, schema::SCHEMA};
use crate::mediator::{
    Batch, Change, ConnectionId, Fetch, GroupPrefixes, StoreReply, StoreRequest, StoredGroup, StoredMessage,
    StoredSlot, StoredState, queue_bytes,
};
use crate::protocol::{DeviceGroupId, DeviceId, ExpirationPolicy, Millis, Sealed};

const GROUP: DeviceGroupId = DeviceGroupId([7; 32]);
const DEVICES: [DeviceId; 2] = [DeviceId(1), DeviceId(u64::MAX)];

fn login(device: DeviceId, at: u64) -> Change {
    Change::LoggedIn {
        group: GROUP,
        device,
        device_info: Sealed::from_wire("info".into()),
        policy: ExpirationPolicy::Volatile,
        at: Millis(at),
        next: 1,
    }
}

fn message(number: u64, text: &str) -> Change {
    let envelope = Sealed::from_wire(text.to_owned().into());
    Change::Message {
        group: GROUP,
        timestamp: Millis(100 + number),
        envelope,
        to: DEVICES.map(|device| (device, number)).to_vec(),
    }
}

fn acknowledged(first: u64, last: u64) -> Change {
    let bytes = usize::try_from(last - first + 1).unwrap() * queue_bytes(&Sealed::from_wire("m".into()));
    Change::Acknowledged { group: GROUP, device: DEVICES[0], first, last, bytes }
}

fn batch(number: u64, changes: Vec<Change>) -> Batch {
    Batch { number, changes }
}

fn fetch(device: DeviceId, from: u64) -> Fetch {
    Fetch { connection: ConnectionId(1), group: GROUP, device, from, messages: 100, bytes: 1_000 }
}

fn numbers(messages: &[StoredMessage]) -> Vec<u64> {
    messages.iter().map(|message| message.number).collect()
}

/// Two devices, six messages for each.
fn filled(directory: &std::path::Path) -> Store {
    let (mut store, state) = Store::open(directory).unwrap();
    assert_eq!(state, StoredState { groups: Vec::new(), moved: GroupPrefixes::NONE });
    store.write(&[batch(1, DEVICES.map(|device| login(device, 5)).to_vec())]).unwrap();
    store.write(&[batch(2, (1..=6).map(|number| message(number, "m")).collect())]).unwrap();
    store
}

#[test]
fn what_is_written_is_there_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let mut store = filled(home.path());
    let data = Sealed::from_wire("shared".into());
    store
        .write(&[
            batch(
                3,
                vec![
                    acknowledged(1, 2),
                    acknowledged(5, 5),
                    Change::SharedDeviceData { group: GROUP, data: data.clone() },
                ],
            ),
            batch(4, vec![acknowledged(3, 3), Change::LoggedOut { group: GROUP, device: DEVICES[1], at: Millis(9) }]),
            batch(5, vec![login(DEVICES[0], 8)]),
        ])
        .unwrap();
    drop(store);
    let (store, groups) = Store::open(home.path()).unwrap();
    let slot = |messages: usize, last_login, last_disconnect| StoredSlot {
        device_info: Sealed::from_wire("info".into()),
        policy: ExpirationPolicy::Volatile,
        last_login: Millis(last_login),
        last_disconnect,
        next: 7,
        messages,
        bytes: messages * queue_bytes(&Sealed::from_wire("m".into())),
    };
    let slots = [(DEVICES[0], slot(2, 8, None)), (DEVICES[1], slot(6, 5, Some(Millis(9))))];
    assert_eq!(groups.groups, [StoredGroup { id: GROUP, shared_device_data: data, slots: slots.into() }]);
    let left = store.fetch(&fetch(DEVICES[0], 0)).unwrap();
    assert_eq!(numbers(&left), [4, 6]);
    assert_eq!((left[0].timestamp, left[0].envelope.as_bytes().as_ref()), (Millis(104), &b"m"[..]));
    assert_eq!(numbers(&store.fetch(&fetch(DEVICES[1], 3)).unwrap()), [3, 4, 5, 6]);
}

#[test]
fn what_is_gone_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut store = filled(home.path());
    let gone = |device| Change::SlotRemoved { group: GROUP, device };
    // Removed and there again in one transaction, after it acknowledged.
    let again = vec![acknowledged(1, 1), gone(DEVICES[0]), login(DEVICES[0], 6), message(7, "m")];
    store.write(&[batch(3, again)]).unwrap();
    assert_eq!(numbers(&store.fetch(&fetch(DEVICES[0], 0)).unwrap()), [7]);
    let all = vec![gone(DEVICES[0]), gone(DEVICES[1]), Change::GroupRemoved { group: GROUP }];
    store.write(&[batch(4, all)]).unwrap();
    for table in ["device_group", "slot", "message"] {
        let sql = format!("SELECT count(*) FROM {table}");
        assert_eq!(store.connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap(), 0, "{table}");
    }
}

#[test]
fn a_fetch_keeps_to_its_bounds_and_has_one_message_at_least() {
    let home = tempfile::tempdir().unwrap();
    let mut store = filled(home.path());
    store.write(&[batch(3, vec![message(7, &"long".repeat(100)), message(8, "m")])]).unwrap();
    let bounded =
        |from, messages, bytes| numbers(&store.fetch(&Fetch { messages, bytes, ..fetch(DEVICES[1], from) }).unwrap());
    assert_eq!(bounded(0, 2, 1_000), [1, 2]);
    assert_eq!(bounded(5, 100, 3), [5, 6]);
    assert_eq!(bounded(7, 100, 3), [7]);
    assert_eq!(bounded(9, 100, 3), [] as [u64; 0]);
}

#[test]
fn a_commit_waits_for_the_disk() {
    let home = tempfile::tempdir().unwrap();
    let store = filled(home.path());
    let pragma = |name| store.connection.pragma_query_value(None, name, |row| row.get::<_, String>(0));
    let number = |name| store.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    assert_eq!(pragma("journal_mode").unwrap(), "wal");
    assert_eq!(number("synchronous").unwrap(), 2, "FULL: synced at each commit");
    assert_eq!(number("auto_vacuum").unwrap(), 2, "INCREMENTAL: room is given back");
}

#[test]
fn only_one_has_a_directory() {
    let home = tempfile::tempdir().unwrap();
    let store = filled(home.path());
    let Err(StoreError::InUse { holder, .. }) = Store::open(home.path()) else { panic!("it is in use") };
    assert_eq!(holder, Some(std::process::id()));
    drop(store);
    Store::open(home.path()).unwrap();
}

#[test]
fn what_is_damaged_foreign_or_newer_is_refused_and_stays_as_it_is() {
    type Spoil<'a> = &'a dyn Fn(&std::path::Path);
    let newer = |connection: &Connection| {
        connection.pragma_update(None, "application_id", SCHEMA.application_id).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
    };
    let foreign = |connection: &Connection| connection.execute_batch("CREATE TABLE theirs (row INTEGER)").unwrap();
    let gutted = |connection: &Connection| {
        newer(connection);
        connection.pragma_update(None, "user_version", 1).unwrap();
    };
    let cases: [(&str, Spoil<'_>); 4] = [
        ("schema 99", &|path| newer(&Connection::open(path).unwrap())),
        ("another program", &|path| foreign(&Connection::open(path).unwrap())),
        ("a table of it is missing", &|path| gutted(&Connection::open(path).unwrap())),
        ("first page", &|path| fs::write(path, [b'x'; 10_000]).unwrap()),
    ];
    for (words, spoil) in cases {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("mediator.sqlite");
        spoil(&path);
        let before = fs::read(&path).unwrap();
        let error = Store::open(home.path()).unwrap_err();
        assert!(error.to_string().contains(words) && !error.may_pass(), "{error}");
        // Apart from how it is read, which is not what it has.
        let same = fs::read(&path).unwrap();
        assert_eq!((before.len(), &before[100..]), (same.len(), &same[100..]), "{words}");
    }
}

#[test]
fn the_thread_tells_after_each_commit_and_answers_in_order() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(home.path()).unwrap();
    let (requests, asked) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    for request in [
        StoreRequest::Batch(batch(1, DEVICES.map(|device| login(device, 5)).to_vec())),
        StoreRequest::Batch(batch(2, vec![message(1, "m")])),
        StoreRequest::Fetch(fetch(DEVICES[0], 0)),
        StoreRequest::Batch(batch(3, vec![message(2, "m")])),
    ] {
        requests.send(request).unwrap();
    }
    drop(requests);
    store.run(&asked, move |reply| tell.send(reply).unwrap());
    let told: Vec<_> = told.try_iter().collect();
    let [StoreReply::Committed { batch: 2 }, StoreReply::Fetched { messages, .. }, StoreReply::Committed { batch: 3 }] =
        &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(numbers(messages), [1]);
}
