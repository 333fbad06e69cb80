//! `profile import` and `profile move`: what takes a key into keeping.

use super::add::{KnownSettings, absolute, put, record, tell};
use super::{failure, find, new_name};
use crate::cli::secrets::MoveArgs;
use crate::cli::{ImportArgs, KeyKindArg};
use crate::output::Failure;
use crate::output::words::say;
use crate::profile::import::{self, Trust};
use crate::profile::secrets::{KeyStoreKind, PassphraseSource};
use crate::profile::{ProfileLock, ProfileName, ProfileStore, ProfileStoreError, SecretSource};
use crate::protocol::{Dialect, GroupSecret};

/// A group's key, what else its source knows, and what the source is called.
struct FoundKey {
    secret: GroupSecret,
    known: KnownSettings,
    /// The file that nobody needs any more.
    spent: Option<String>,
}

/// Adds a profile and takes the key into keeping.
pub(super) fn import(store: &ProfileStore, options: &ImportArgs) -> Result<(), Failure> {
    let name = new_name(&options.name)?;
    // Before anything is asked, and before the key is put anywhere, where it could replace another's.
    if let Some((taken, _)) = store.read().map_err(failure)?.iter().find(|(other, _)| other.is_like(&name)) {
        return Err(failure(ProfileStoreError::Exists(taken.clone())));
    }
    let found = source(&name, options)?;
    let mut record = record(&options.settings, &found.known)?;
    let mut passphrase = PassphraseSource::new(options.passphrase.passphrase_fd);
    let wanted = options.store.map(KeyStoreKind::from);
    let (source, why) =
        SecretSource::keep(&name, &found.secret, wanted, store.directory(), &mut passphrase).map_err(failure)?;
    source.note_in(&mut record);
    let is_default = match put(store, &name, record, options.settings.default) {
        Ok(is_default) => is_default,
        Err(error) => {
            let _ = source.discard(&name, store.directory());
            return Err(error);
        }
    };
    let why = why.map(|why| format!(", because {why}")).unwrap_or_default();
    let spent = found.spent.map(|file| format!("; {file} is not needed any more")).unwrap_or_default();
    say(&format!("the key is kept in {source}{why}{spent}"))?;
    tell(&name, is_default)
}

fn source(name: &ProfileName, options: &ImportArgs) -> Result<FoundKey, Failure> {
    let trust = Trust::built_in();
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    if let Some(directory) = &options.source.threema_desktop {
        let mut password = PassphraseSource::new(options.source.password_fd);
        let imported =
            import::threema_desktop(directory.as_deref(), &mut password, &trust).map_err(|error| usage(&error))?;
        if let Some(identity) = &imported.identity {
            say(&format!("found the group of {identity}"))?;
        }
        let known = KnownSettings {
            dialect: Some(imported.dialect),
            mediator: imported.mediator,
            server_group: Some(imported.server_group.as_str().to_owned()),
            pins: imported.pins,
        };
        return Ok(FoundKey { secret: imported.secret, known, spent: None });
    }
    let mut known = KnownSettings { dialect: options.mk.is_some().then_some(Dialect::Mk), ..KnownSettings::default() };
    if let Some(path) = &options.source.oppf {
        let provisioning = import::provisioning_file(path, &trust).map_err(|error| usage(&error))?;
        (known.mediator, known.pins) = (Some(provisioning.mediator), provisioning.pins);
    }
    let file = options.mk.as_ref().or(options.key_file.as_ref());
    let file = absolute(file.ok_or_else(|| usage(&"which file holds the key? --key-file FILE"))?)?;
    let mut secret = SecretSource::file(file.clone()).load(name, &mut PassphraseSource::new(None)).map_err(failure)?;
    if options.mk.is_some() && options.from == KeyKindArg::ClientKey {
        secret = GroupSecret::mediator_key_from_client_key(&secret);
    }
    Ok(FoundKey { secret, known, spent: Some(file.display().to_string()) })
}

/// Moves a key: it is removed where it was only when the new store has given it back and the profile says so.
pub(super) fn relocate(store: &ProfileStore, options: &MoveArgs) -> Result<(), Failure> {
    let (name, record) = find(store, &options.name)?;
    let _lock = ProfileLock::take(&name).map_err(failure)?;
    let old = SecretSource::of(&name, &record, store.directory()).map_err(failure)?;
    let wanted = KeyStoreKind::from(options.to);
    if old.kind() == wanted && (wanted != KeyStoreKind::KeyFile || old.is_kept_for(&name, store.directory())) {
        return say(&format!("the key of {name} is in {old} already"));
    }
    let mut passphrase = PassphraseSource::new(options.passphrase.passphrase_fd);
    let secret = old.load(&name, &mut passphrase).map_err(failure)?;
    let (new, _) =
        SecretSource::keep(&name, &secret, Some(wanted), store.directory(), &mut passphrase).map_err(failure)?;
    if let Err(error) = store.change(|profiles| profiles.set_key(&name, &new)) {
        let _ = new.discard(&name, store.directory());
        return Err(failure(error));
    }
    say(&format!("the key of {name} is kept in {new} from now on"))?;
    match old.discard(&name, store.directory()) {
        Ok(true) => Ok(()),
        Ok(false) => say(&format!("d2mtop does not keep {old}: remove the key there yourself if it is not needed")),
        Err(error) => Err(Failure::Usage(format!("a copy stays in {old}, which could not be deleted: {error}"))),
    }
}
