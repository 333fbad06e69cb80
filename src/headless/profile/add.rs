//! `profile add` and `profile import`.

use std::path::{Path, PathBuf};

use super::{failure, new_name, say};
use crate::cli::{AddArgs, ExhaustedArg, ImportArgs, KeyKindArg, SettingsArgs, SlotArg};
use crate::net::{Address, TlsOptions};
use crate::profile::record::{Exhausted, Slot, expand_preset};
use crate::profile::{self, ProfileName, Record, SecretSource, Store, StoreError};
use crate::protocol::{ClientUrlInfo, DeviceGroupId, DeviceId, Dialect, GroupSecret, ServerGroup};
use crate::runtime::Failure;
use rand::Rng as _;

/// Adds a profile whose key stays in its file.
pub(super) fn add(store: &Store, options: &AddArgs) -> Result<(), Failure> {
    let name = new_name(&options.name)?;
    let mut record = record(&options.settings, None)?;
    if let Some(path) = &options.key_file {
        let path = absolute(path)?;
        // Better to say now what is wrong with it than at the first login.
        SecretSource::KeyFile(path.clone()).load(&name).map_err(failure)?;
        record.key_file = Some(path);
    }
    let has_key = record.key_file.is_some();
    let is_default = put(store, &name, record, options.settings.default)?;
    if !has_key {
        say(&format!("it has no key yet: name its file as key_file in {}", store.path().display()))?;
    }
    tell(&name, is_default)
}

/// Adds a profile and takes the key into keeping.
pub(super) fn import(store: &Store, options: &ImportArgs) -> Result<(), Failure> {
    let name = new_name(&options.name)?;
    let of_mk = options.mk.is_some();
    let mut record = record(&options.settings, of_mk.then_some(Dialect::Mk))?;
    let file = options.mk.as_ref().or(options.key_file.as_ref());
    let file = absolute(file.ok_or_else(|| Failure::Usage("which file holds the key? --key-file FILE".to_owned()))?)?;
    let mut secret = SecretSource::KeyFile(file.clone()).load(&name).map_err(failure)?;
    if of_mk && options.from == KeyKindArg::ClientKey {
        secret = GroupSecret::mediator_key_from_client_key(&secret);
    }
    // Before the key is put anywhere, where it could replace another's.
    if let Some((taken, _)) = store.read().map_err(failure)?.iter().find(|(other, _)| other.is_like(&name)) {
        return Err(failure(StoreError::Exists(taken.clone())));
    }
    let source = SecretSource::keep(&name, &secret, store.directory()).map_err(failure)?;
    record.key_file = source.key_file().map(Path::to_owned);
    let is_default = match put(store, &name, record, options.settings.default) {
        Ok(is_default) => is_default,
        Err(error) => {
            let _ = source.discard(&name, store.directory());
            return Err(error);
        }
    };
    say(&format!("the key is kept in the {source}; {} is not needed any more", file.display()))?;
    tell(&name, is_default)
}

fn put(store: &Store, name: &ProfileName, record: Record, as_default: bool) -> Result<bool, Failure> {
    store
        .change(|book| {
            let is_first = book.is_empty();
            book.add(name.clone(), record)?;
            if as_default || is_first {
                book.set_default(name)?;
            }
            Ok(as_default || is_first)
        })
        .map_err(failure)
}

fn tell(name: &ProfileName, is_default: bool) -> Result<(), Failure> {
    let short = if is_default { ", or just: d2mtop" } else { "" };
    say(&format!("added the profile {name}; open it with: d2mtop {name}{short}"))
}

/// The record that the options make, every part of it checked.
fn record(settings: &SettingsArgs, forced: Option<Dialect>) -> Result<Record, Failure> {
    let usage = |option: &str, error: &dyn std::fmt::Display| Failure::Usage(format!("{option}: {error}"));
    let dialect = match (settings.dialect.map(profile::dialect), forced) {
        (Some(Dialect::Dgk), Some(Dialect::Mk)) => return Err(usage("--mk", &"is for --dialect mk only")),
        (_, Some(forced)) => forced,
        (said, None) => said.unwrap_or(Dialect::Dgk),
    };
    let server_group =
        ServerGroup::parse(&settings.server_group, dialect).map_err(|error| usage("--server-group", &error))?;
    let mediator = expand_preset(&settings.mediator);
    let ca = settings.ca.as_deref().map(absolute).transpose()?;
    check_mediator(mediator, dialect, server_group.clone(), ca.as_deref())?;
    let device_id: DeviceId = match &settings.device_id {
        Some(text) => text.parse().map_err(|error| usage("--device-id", &error))?,
        None => DeviceId(profile::fresh_random().r#gen()),
    };
    let pins = settings.pins.iter().map(|pin| pin.parse().map_err(|error| usage("--pin", &error)));
    Ok(Record {
        dialect: dialect.into(),
        mediator: mediator.to_owned(),
        server_group: server_group.as_str().to_owned(),
        label: settings.label.clone(),
        device_id: Some(device_id),
        slot: match settings.slot {
            SlotArg::Volatile => Slot::Volatile,
            SlotArg::Persistent => Slot::Persistent,
        },
        exhausted: match settings.exhausted {
            ExhaustedArg::Reject => Exhausted::Reject,
            ExhaustedArg::DropLeastRecent => Exhausted::DropLeastRecent,
        },
        pins: pins.collect::<Result<_, _>>()?,
        ca,
        presence: settings.presence.parse().map_err(|error| usage("--presence", &error))?,
        key_file: None,
        read_only: settings.read_only,
    })
}

/// Whether some group could be reached there.
fn check_mediator(
    mediator: &str,
    dialect: Dialect,
    server_group: ServerGroup,
    ca: Option<&Path>,
) -> Result<(), Failure> {
    let somebody = ClientUrlInfo { dialect, device_group_id: DeviceGroupId([0; 32]), server_group };
    let tls = TlsOptions { trust_roots: ca.map(Path::to_owned), ..TlsOptions::default() };
    Address::new(&somebody.url(mediator), &tls)?;
    Ok(())
}

/// The profile is opened from anywhere.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}
