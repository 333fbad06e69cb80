//! [`finish_joins`]: what joins have left over is finished at the next start.

use std::sync::Arc;

use super::join_mediator::{GivenUp, JoinLogin};
use super::session_setup::through;
use crate::net::{Address, TlsOptions};
use crate::os::event_loop::event_loop;
use crate::output::Failure;
use crate::profile::join::{forget_joined, sweep};
use crate::profile::record::{KeyLocation, Slot, expand_preset};
use crate::profile::secrets::{KeyStoreError, PassphraseSource};
use crate::profile::{
    JoinMark, ProfileError, ProfileLock, ProfileName, ProfileStore, Record, SecretError, SecretSource, default_label,
    fresh_random, own_info,
};
use crate::protocol::{GroupKeys, ServerGroup};
use crate::session::{LeaderPolicy, Presence, Session, SessionConfig};
use crate::text::Clean;

/// What came of what a join had left over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftOver {
    /// The join had not been finished: there is neither slot nor profile any more.
    TakenBack(ProfileName),
    /// It could not be taken back: why. It is tried again at the next start.
    Stays(ProfileName, Clean),
    /// The join was over, and the group does not know this device: the other side undid it, or has dropped it.
    Undone(ProfileName),
}

/// Finishes what joins have left over: takes back the slot of one that was broken off, and looks whether the other side
/// has heard that one succeeded. Profiles that are open, or being joined, are left alone.
///
/// # Errors
/// If the system gives no event loop.
pub fn finish_joins(store: &ProfileStore) -> Result<Vec<LeftOver>, Failure> {
    // Who needs the profiles says what is wrong with them.
    let Ok(profiles) = store.read() else { return Ok(Vec::new()) };
    sweep(store);
    let mut found = Vec::new();
    for (name, record) in profiles.iter() {
        let Some(mark) = record.join else { continue };
        let Ok(_lock) = ProfileLock::take(name) else { continue };
        // It may have gone on before it was ours.
        if store.read().ok().and_then(|now| now.find(name.as_str()).ok().and_then(|(_, now)| now.join)) != Some(mark) {
            continue;
        }
        found.extend(match mark {
            JoinMark::Joining => Some(take_back(store, name, record)?),
            JoinMark::Registered => look(store, name, record)?,
        });
    }
    Ok(found)
}

/// Gives the slot up, and deletes the profile.
///
/// # Errors
/// If the system gives no event loop.
pub fn take_back(store: &ProfileStore, name: &ProfileName, record: &Record) -> Result<LeftOver, Failure> {
    let stays = |why: &str| Ok(LeftOver::Stays(name.clone(), Clean::new(why)));
    match login(store, name, record) {
        // The key is stored last, and before the mediator hears of us.
        Ok(None) => {}
        Ok(Some(login)) => match event_loop().map_err(Failure::Start)?.block_on(login.give_up()) {
            GivenUp::Free => {}
            GivenUp::Unreached(why) => return stays(why.as_str()),
        },
        Err(why) => return stays(&why.to_string()),
    }
    match forget_joined(store, name) {
        Ok(()) => Ok(LeftOver::TakenBack(name.clone())),
        Err(error) => stays(&error.to_string()),
    }
}

fn look(store: &ProfileStore, name: &ProfileName, record: &Record) -> Result<Option<LeftOver>, Failure> {
    let is_volatile = record.slot == Slot::Volatile;
    let asks = record.key == Some(KeyLocation::PassphraseFile);
    // A volatile slot may have expired since. And nobody is asked twice for a passphrase.
    let listed = match login(store, name, record) {
        Ok(Some(login)) if !is_volatile && !asks => {
            event_loop().map_err(Failure::Start)?.block_on(login.look()).map_err(|end| end.to_string())
        }
        _ => Ok(Some(1)),
    };
    match listed {
        Ok(Some(1..)) => {
            if let Err(error) = store.change(|profiles| profiles.set_join(name, None)) {
                tracing::warn!("cannot note that the join of {name} is over: {error}");
            }
            Ok(None)
        }
        Ok(Some(0) | None) => Ok(Some(LeftOver::Undone(name.clone()))),
        Err(why) => {
            tracing::info!("could not look whether the join of {name} was heard: {why}");
            Ok(None)
        }
    }
}

/// Who has the slot; [`None`] if there is no key, and so no slot.
fn login(store: &ProfileStore, name: &ProfileName, record: &Record) -> Result<Option<JoinLogin>, Failure> {
    let source = SecretSource::of(name, record, store.directory()).map_err(ProfileError::from)?;
    let secret = match source.load(name, &mut PassphraseSource::new(None)) {
        Err(SecretError::Store(KeyStoreError::NotThere { .. })) => return Ok(None),
        loaded => loaded.map_err(ProfileError::from)?,
    };
    let Some(device) = record.device_id else { return Ok(None) };
    let keys = Arc::new(GroupKeys::derive(record.dialect.into(), &secret));
    let label = record.label.as_deref().map_or_else(default_label, Clean::new);
    let config = SessionConfig {
        device_info: own_info(label),
        expiration_policy: record.slot.into(),
        leader_policy: LeaderPolicy::Stay,
        presence: Presence::Stay,
        ..SessionConfig::of(keys, device)
    };
    let group = ServerGroup::parse(&record.server_group, record.dialect.into()).map_err(ProfileError::from)?;
    let tls = TlsOptions {
        trust_roots: record.ca.as_ref().map(|path| store.directory().join(path)),
        pins: record.pins.clone(),
        ..TlsOptions::default()
    };
    let url = Session::new(config.clone(), fresh_random()).url(expand_preset(&record.mediator), group);
    let address = through(Address::new(&url, &tls)?, record.proxy.as_ref(), &tls)?;
    Ok(Some(JoinLogin::of_left_over(config, address)))
}
