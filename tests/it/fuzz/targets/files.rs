//! Files that people edit, that other programs made, or that were damaged.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use chrono::NaiveDate;
use d2mtop::journal::{History, Journal, Options, Query};
use d2mtop::profile::import::{Trust, desktop, oppf};
use d2mtop::profile::secrets::Passphrase;
use d2mtop::profile::store::ProfileStore;
use d2mtop::protocol::{Dialect, GroupKeys, GroupSecret, Millis, PseudonymKey};
use prost::Message as _;
use tempfile::TempDir;

use super::choices::Choices;
use super::network;

thread_local! {
    /// Where a file is written that is read by its path alone.
    static FOLDER: TempDir = TempDir::new().expect("a temporary folder can be made");
}

fn with_file<T>(name: &str, bytes: &[u8], read: impl FnOnce(PathBuf) -> T) -> T {
    FOLDER.with(|folder| {
        fs::write(folder.path().join(name), bytes).expect("the folder is ours");
        read(folder.path().to_owned())
    })
}

pub fn profiles(data: &[u8]) {
    with_file("profiles.toml", data, |folder| {
        let store = ProfileStore::at(folder);
        let Ok(profiles) = store.read() else { return };
        for (name, record) in profiles.iter() {
            let found = profiles.find(name.as_str()).expect("what is listed is found");
            assert_eq!(found.1.mediator, record.mediator);
        }
    });
}

fn trust() -> Trust {
    Trust { keys: vec![[1; 32]], today: NaiveDate::from_ymd_opt(2026, 11, 28).unwrap() }
}

/// The outer message of a key storage.
#[derive(Clone, PartialEq, prost::Message)]
struct Storage {
    #[prost(bytes = "vec", tag = "1")]
    sealed: Vec<u8>,
    #[prost(message, tag = "2")]
    costs: Option<Costs>,
    #[prost(uint32, tag = "3")]
    schema_version: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Costs {
    #[prost(int32, tag = "1")]
    version: i32,
    #[prost(bytes = "vec", tag = "2")]
    salt: Vec<u8>,
    #[prost(uint32, tag = "3")]
    memory_bytes: u32,
    #[prost(uint32, tag = "4")]
    iterations: u32,
    #[prost(uint32, tag = "5")]
    parallelism: u32,
}

pub fn key_storage(data: &[u8]) {
    // The cost of a password is what the file says: here it must not say much.
    let cheap = Storage::decode(data).ok().and_then(|mut storage| {
        let costs = storage.costs.as_mut()?;
        costs.memory_bytes %= 64 * 1024;
        costs.iterations %= 3;
        Some(storage.encode_to_vec())
    });
    let opened = desktop::open(cheap.as_deref().unwrap_or(data), &Passphrase::from("password"), &trust());
    assert!(opened.is_err(), "nobody made this file with this password");
}

pub fn provisioning(data: &[u8]) {
    assert!(oppf::read(data, &trust()).is_err(), "nobody signed this file with this key");
}

/// A journal of ours, as bytes.
fn whole_journal() -> &'static [u8] {
    static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("journal");
        let keys = GroupKeys::derive(Dialect::Dgk, &GroupSecret::new(&mut [7; 32]));
        let now = Millis(1_700_000_000_000);
        let mut journal = Journal::open(&path, Options::hashed(PseudonymKey::of(&keys)), now).unwrap().journal;
        for _ in 0..20 {
            let messages = network::messages();
            journal.append(&messages).unwrap();
        }
        journal.flush().unwrap();
        drop(journal);
        fs::read(&path).unwrap()
    })
}

/// Each three bytes change one of the file, wherever it is.
pub fn journal(data: &[u8]) {
    let mut file = whole_journal().to_vec();
    let mut choices = Choices::new(data);
    if choices.of(8) == 7 {
        file.truncate(choices.of(256) * file.len() / 256);
    }
    while let (Some(high), Some(low), Some(change)) = (choices.next(), choices.next(), choices.next()) {
        let at = (usize::from(high) << 8 | usize::from(low)) * file.len() / 65_536;
        if let Some(byte) = file.get_mut(at) {
            *byte ^= change;
        }
    }
    with_file("journal", &file, |folder| {
        let path = folder.join("journal");
        let Ok(history) = History::open(&path) else { return };
        // Rows, or why there are none: never a panic, and never without an end.
        assert!(history.rows(Query::default()).take(100_000).count() < 100_000, "rows without an end");
    });
}
