//! What is stored is what is read; what people wrote stays; what is not understood is named with its line.

use crate::os::private_files;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::profile::journal::{JournalAge, KeptConversations};
use crate::profile::name::ProfileName;
use crate::profile::proxy_setting::{KeepAlive, ProxySetting};
use crate::profile::record::{Exhausted, JoinMark, KeyLocation, Record, Slot, StoredDialect};
use crate::profile::secret_source::SecretSource;
use crate::protocol::DeviceId;
use crate::session::Presence;

const SAMPLE: &str = include_str!("../sample.toml");

fn store() -> (tempfile::TempDir, ProfileStore) {
    let home = tempfile::tempdir().unwrap();
    let store = ProfileStore::at(home.path().join("d2mtop"));
    (home, store)
}

fn write(store: &ProfileStore, text: &str) {
    private_files::replace(&store.path(), text.as_bytes()).unwrap();
}

fn name(text: &str) -> ProfileName {
    text.parse().unwrap()
}

fn least(mediator: &str) -> Record {
    toml_edit::de::from_str(&format!("mediator = {mediator:?}\nserver_group = \"01\"")).unwrap()
}

#[test]
fn the_sample_parses_and_names_every_key() {
    let (_home, store) = store();
    write(&store, SAMPLE);
    let profiles = store.read().unwrap();
    let (_, home) = profiles.find("home").unwrap();
    let (_, lab) = profiles.find("lab").unwrap();
    assert_eq!(profiles.default_name().unwrap(), &name("home"));
    assert_eq!(home.mediator, crate::profile::record::expand_preset("production"));
    assert_eq!((lab.slot, lab.exhausted, lab.presence), (Slot::Volatile, Exhausted::Reject, Presence::Stay));
    let mut all = home.clone();
    all.ca.clone_from(&lab.ca);
    all.key = lab.key;
    // What is as usual is not written.
    (all.journal, all.journal_rows) = (false, 7);
    (all.journal_conversations, all.journal_age) = (KeptConversations::Plain, JournalAge(None));
    all.keep_alive = KeepAlive(Duration::from_secs(90));
    let all = toml_edit::ser::to_document(&all).unwrap();
    assert_eq!(all.len(), 21, "every key of a profile");
    for (key, _) in all.iter() {
        assert!(SAMPLE.contains(&format!("\n{key} = ")), "{key} is in the sample");
    }
}

#[test]
fn what_is_not_understood_is_named_with_its_line() {
    let least = "[profile.home]\nmediator = \"wss://m.example/\"\nserver_group = \"01\"\n";
    for (text, line, words) in [
        (format!("{least}colour = \"red\"\n"), 4, "colour"),
        (format!("# a remark\nthem = 1\n{least}"), 2, "them"),
        (format!("{least}slot = \"forever\"\n"), 4, "forever"),
        (format!("{least}device_id = \"12\"\n"), 4, "16 hex digits"),
        (format!("{least}pins = [\n  \"abc\",\n]\n"), 4, "a pin is"),
        (format!("{least}presence = \"visit=1s\"\n"), 4, "visit"),
        (format!("{least}read_only = \"yes\"\n"), 4, "boolean"),
        (format!("{least}mediator = \"twice\"\n"), 4, "duplicate"),
        ("[profile.home]\nserver_group = \"01\"\n".to_owned(), 1, "mediator"),
        (format!("\n\n{}", least.replace("home", "\"../etc\"")), 3, "profile name"),
        (format!("{least}label = \"open\n"), 4, ""),
        ("profile = 7".to_owned(), 1, ""),
    ] {
        let (_home, store) = store();
        write(&store, &text);
        let error = store.read().unwrap_err().to_string();
        let place = format!("profiles.toml:{line}: ");
        assert!(error.contains(&place) && error.contains(words), "{error}\n{text}");
        let changed = store.change(|profiles| profiles.add(name("new"), least_record()));
        assert!(changed.is_err(), "nothing is written over it");
        assert_eq!(fs::read_to_string(store.path()).unwrap(), text);
    }
}

fn least_record() -> Record {
    least("wss://m.example/")
}

#[test]
fn a_file_with_the_password_of_a_proxy_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_home, store) = store();
    for (proxy, mode, is_read) in [
        ("http://me:hunter2@proxy:1", 0o600, true),
        ("http://me:hunter2@proxy:1", 0o644, false),
        ("http://proxy:1", 0o644, true),
    ] {
        let text = format!("[profile.a]\nmediator = \"wss://m/\"\nserver_group = \"01\"\nproxy = \"{proxy}\"\n");
        write(&store, &text);
        std::fs::set_permissions(store.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let read = store.read();
        assert_eq!(read.is_ok(), is_read, "{proxy} {mode:o}: {read:?}");
        assert!(!format!("{read:?}").contains("hunter2"));
        if let Err(error) = read {
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }
}

#[test]
fn what_is_not_understood_cannot_move_the_cursor() {
    let (_home, store) = store();
    write(&store, "\"\\u001b[2J\" = 1\n");
    let error = store.read().unwrap_err().to_string();
    assert!(!error.contains('\u{1b}'), "{error:?}");
}

#[test]
fn changes_keep_what_people_wrote() {
    let (_home, store) = store();
    write(&store, SAMPLE);
    store.change(|profiles| profiles.add(name("new.one"), least_record())).unwrap();
    let renamed = |profiles: &mut Profiles| {
        profiles.rename(&name("home"), name("house"))?;
        profiles.set_key(&name("house"), &SecretSource::file(PathBuf::from("/elsewhere/house.key")))
    };
    store.change(renamed).unwrap();
    let text = fs::read_to_string(store.path()).unwrap();
    for line in SAMPLE.lines().filter(|line| line.starts_with('#')) {
        assert!(text.contains(line), "{line:?} is still in\n{text}");
    }
    let lab = text.split_once("[profile.lab]").unwrap().1.split('[').next().unwrap();
    assert!(!lab.contains("slot"), "what was left out stays out: {lab}");
    let profiles = store.read().unwrap();
    assert_eq!(profiles.default_name().unwrap(), &name("house"), "the default follows");
    assert_eq!(profiles.find("house").unwrap().1.key_file, Some(PathBuf::from("/elsewhere/house.key")));
    assert!(profiles.find("home").is_err() && profiles.find("new.one").is_ok());
    store.change(|profiles| profiles.remove(&name("house")).map(drop)).unwrap();
    let error = store.read().unwrap().default_name().unwrap_err().to_string();
    assert!(error.contains("lab, new.one"), "{error}");
}

#[test]
fn names_are_one_of_a_kind_and_the_missing_are_told_with_those_that_are_there() {
    let (_home, store) = store();
    store.change(|profiles| profiles.add(name("home"), least_record())).unwrap();
    assert_eq!(store.read().unwrap().default_name().unwrap(), &name("home"), "the only one");
    for other in ["home", "HOME"] {
        let error = store.change(|profiles| profiles.add(name(other), least_record())).unwrap_err();
        assert!(matches!(error, ProfileStoreError::Exists(_)), "{error}");
    }
    store.change(|profiles| profiles.rename(&name("home"), name("Home"))).unwrap();
    let error = store.read().unwrap().find("\u{1b}[2J").unwrap_err().to_string();
    assert!(error.contains("there are: Home") && !error.contains('\u{1b}'), "{error}");
    let failed = store.change(|profiles| profiles.set_default(&name("nobody")));
    assert!(failed.is_err());
}

#[test]
fn the_file_is_private_and_a_lax_one_is_closed_at_the_next_change() {
    let (_home, store) = store();
    fs::create_dir_all(store.directory()).unwrap();
    fs::set_permissions(store.directory(), Permissions::from_mode(0o755)).unwrap();
    fs::write(store.path(), "").unwrap();
    fs::set_permissions(store.path(), Permissions::from_mode(0o644)).unwrap();
    store.change(|profiles| profiles.add(name("home"), least_record())).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&store.path()), mode(store.directory())), (0o600, 0o700));
}

#[test]
fn a_link_is_followed_and_stays_a_link() {
    let (home, store) = store();
    let kept = home.path().join("dotfiles/profiles.toml");
    fs::create_dir_all(store.directory()).unwrap();
    fs::create_dir_all(kept.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("../dotfiles/link", store.path()).unwrap();
    std::os::unix::fs::symlink("profiles.toml", home.path().join("dotfiles/link")).unwrap();
    // Nothing is there yet, then something is.
    store.change(|profiles| profiles.add(name("home"), least_record())).unwrap();
    let text = format!("# mine\n{}", fs::read_to_string(&kept).unwrap());
    fs::write(&kept, &text).unwrap();
    store.change(|profiles| profiles.add(name("work"), least_record())).unwrap();
    assert!(fs::read_to_string(&kept).unwrap().starts_with("# mine\n"));
    assert_eq!(store.read().unwrap().iter().count(), 2);
    assert!(fs::symlink_metadata(store.path()).unwrap().is_symlink());
    fs::remove_file(store.path()).unwrap();
    std::os::unix::fs::symlink(store.path(), store.path()).unwrap();
    assert!(store.change(|profiles| profiles.add(name("more"), least_record())).is_err(), "a circle leads nowhere");
}

#[test]
fn changes_at_the_same_time_are_all_there() {
    let (_home, store) = store();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let store = &store;
            scope.spawn(move || {
                store.change(|profiles| profiles.add(name(&format!("p{number}")), least_record())).unwrap();
            });
        }
    });
    assert_eq!(store.read().unwrap().iter().count(), 8);
}

fn any_record() -> impl Strategy<Value = Record> {
    let text = "\\PC{0,20}";
    let choices = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), option::of(60_u64..1_000_000));
    let path = || option::of("[ -~]{1,20}".prop_map(PathBuf::from));
    let pins = vec("[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=".prop_map(|pin| pin.parse().unwrap()), 0..3);
    let texts = (text, text, option::of(text));
    (texts, option::of(any::<u64>()), choices, pins, path(), path()).prop_map(
        |((mediator, server_group, label), id, (mk, persistent, drop, read_only, visit), pins, ca, key_file)| Record {
            dialect: if mk { StoredDialect::Mk } else { StoredDialect::Dgk },
            mediator,
            server_group,
            label,
            device_id: id.map(DeviceId),
            slot: if persistent { Slot::Persistent } else { Slot::Volatile },
            exhausted: if drop { Exhausted::DropLeastRecent } else { Exhausted::Reject },
            pins,
            ca,
            presence: visit.map_or(Presence::Stay, |seconds| Presence::Visit(Duration::from_secs(seconds))),
            proxy: drop.then(|| ProxySetting::new("socks5h://me:secret@127.0.0.1".to_owned())),
            keep_alive: KeepAlive(Duration::from_secs(if mk { 15 } else { 90 })),
            key: read_only.then_some(KeyLocation::PassphraseFile),
            key_file,
            read_only,
            journal: !drop,
            journal_conversations: if mk { KeptConversations::None } else { KeptConversations::Hashed },
            journal_age: JournalAge(visit.map(Duration::from_secs)),
            journal_rows: visit.unwrap_or(0),
            identity: drop.then(|| "ECHOECHO".to_owned()),
            join: mk.then_some(JoinMark::Joining),
        },
    )
}

fn any_profiles() -> impl Strategy<Value = Profiles> {
    let names = "[a-z0-9][a-z0-9._-]{0,10}".prop_map(|text: String| name(&text));
    (btree_map(names, any_record(), 0..4), any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(profiles, index, chosen)| {
            let names: Vec<_> = profiles.keys().cloned().collect();
            let default = (chosen && !names.is_empty()).then(|| index.get(&names).clone());
            Profiles { default, profiles }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever was there before, what is read is what was written.
    #[test]
    fn every_book_survives_being_stored(first in any_profiles(), second in any_profiles()) {
        let (_home, store) = store();
        for profiles in [first, second] {
            store.change(|stored| { *stored = profiles.clone(); Ok(()) }).unwrap();
            prop_assert_eq!(store.read().unwrap(), profiles);
        }
    }
}
