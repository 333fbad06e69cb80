//! The stores without a keyring, which has tests of its own in `tests/keyring.rs`.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::*;
use crate::protocol::GroupSecret;

struct Says(&'static str);

impl AskPassphrase for Says {
    fn existing(&mut self, _: &str) -> Result<Passphrase, PromptError> {
        Ok(Passphrase::from(self.0))
    }

    fn fresh(&mut self, question: &str) -> Result<Passphrase, PromptError> {
        self.existing(question)
    }

    fn may_ask(&self) -> bool {
        false
    }
}

fn secret() -> GroupSecret {
    GroupSecret::from_hex(&"5a".repeat(32)).unwrap()
}

fn file_stores(directory: &Path) -> [KeyStore; 2] {
    let places = KeyPaths::below(directory, None, "work").unwrap();
    [KeyStore::KeyFile(places.key_file), KeyStore::PassphraseFile(places.passphrase_file)]
}

#[test]
fn files_keep_a_key_and_only_for_their_owner() {
    let home = tempfile::tempdir().unwrap();
    for store in file_stores(&home.path().join("not/yet")) {
        assert!(matches!(store.load("work", &mut Says("p")), Err(KeyStoreError::NotThere { .. })), "{store}");
        store.save("work", &secret(), &mut Says("p")).unwrap();
        store.save("work", &secret(), &mut Says("p")).unwrap();
        assert_eq!(store.load("work", &mut Says("p")).unwrap().expose_hex(), secret().expose_hex());
        let (KeyStore::KeyFile(path) | KeyStore::PassphraseFile(path)) = &store else { unreachable!() };
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o600, "{store}");
        let directory = path.parent().unwrap();
        assert_eq!(fs::metadata(directory).unwrap().mode() & 0o777, 0o700, "{store}");
        assert_eq!(fs::read_dir(directory).unwrap().count(), 1, "nothing but {store}");
        store.delete("work").unwrap();
        assert!(matches!(store.delete("work"), Err(KeyStoreError::NotThere { .. })), "{store}");
    }
}

#[test]
fn a_key_file_replaces_a_link_and_does_not_follow_it() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = home.path().join("elsewhere");
    fs::write(&elsewhere, "untouched").unwrap();
    let [store, _] = file_stores(home.path());
    std::os::unix::fs::symlink(&elsewhere, home.path().join("work.key")).unwrap();
    store.save("work", &secret(), &mut Says("")).unwrap();
    assert_eq!(fs::read_to_string(elsewhere).unwrap(), "untouched");
}

#[test]
fn a_credential_is_read_by_its_own_name_first_and_never_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = KeyStore::SystemdCredential(directory.path().to_owned());
    assert!(matches!(store.load("work", &mut Says("")), Err(KeyStoreError::NotThere { .. })));
    let put = |name: &str, digits: &str| {
        let path = directory.path().join(name);
        fs::write(&path, digits.repeat(32)).unwrap();
        // As systemd does for users that are not root: an ACL, which shows as the group's bits.
        fs::set_permissions(path, Permissions::from_mode(0o440)).unwrap();
    };
    put("d2mtop.key", "11");
    assert_eq!(*store.load("work", &mut Says("")).unwrap().expose_hex(), "11".repeat(32));
    put("d2mtop-work", "22");
    assert_eq!(*store.load("work", &mut Says("")).unwrap().expose_hex(), "22".repeat(32));
    assert!(matches!(store.save("work", &secret(), &mut Says("")), Err(KeyStoreError::ReadOnly)));
    assert!(matches!(store.delete("work"), Err(KeyStoreError::ReadOnly)));
}

#[test]
fn names_that_are_paths_are_refused() {
    let long = "x".repeat(65);
    for name in ["", ".", "..", "../x", "a/b", ".hidden", "a b", "a\nb", "ä", &long] {
        assert!(matches!(KeyPaths::below(Path::new("/"), None, name), Err(KeyStoreError::Name)), "{name:?}");
        assert!(matches!(KeyStore::Keyring.load(name, &mut Says("")), Err(KeyStoreError::Name)), "{name:?}");
    }
    assert!(KeyPaths::below(Path::new("/"), None, "work-2.old_x").is_ok());
}
