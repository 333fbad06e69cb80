//! `d2mtop profile`: the profiles, and where their keys are.

mod add;
mod depart;
mod import;
mod names;
mod show;

use crate::output::words::ask;
use crate::output::words::can_ask;
use crate::output::words::say;
use clap::CommandFactory as _;

use crate::cli::{Cli, ProfileArgs, ProfileCommand, RemoveArgs, RenameArgs};
use crate::output::Failure;
use crate::output::Outcome;
use crate::profile::record::KeyLocation;
use crate::profile::secrets::PassphraseSource;
use crate::profile::store::ProfileStoreError;
use crate::profile::{
    self, ProfileError, ProfileLock, ProfileLockError, ProfileName, ProfileStore, Record, SecretSource, slot_memory,
};
use crate::protocol::DeviceId;
use crate::session::Confirmed;
pub(super) use add::absolute;
use depart::Leaving;
pub use names::{perhaps_a_command, remind_of_namesake};

/// A profile file that parses, with every key explained.
pub const SAMPLE: &str = include_str!("../../profile/sample.toml");

/// Does what was asked.
///
/// # Errors
/// If it cannot be done: why, and what to do.
pub fn run(options: &ProfileArgs) -> Result<Outcome, Failure> {
    let store = || ProfileStore::of_user().map_err(failure);
    match &options.command {
        ProfileCommand::Add(options) => add::add(&store()?, options)?,
        ProfileCommand::Import(options) => import::import(&store()?, options)?,
        ProfileCommand::List(options) => show::list(&store()?, *options)?,
        ProfileCommand::Show(options) => show::show(&store()?, &options.name)?,
        ProfileCommand::Move(options) => import::relocate(&store()?, options)?,
        ProfileCommand::Rename(options) => rename(&store()?, options)?,
        ProfileCommand::Default(options) => choose(&store()?, &options.name)?,
        ProfileCommand::Remove(options) => remove(&store()?, options)?,
        ProfileCommand::Sample => say(SAMPLE.trim_end())?,
    }
    Ok(Outcome::Normal)
}

fn failure(error: impl Into<ProfileError>) -> Failure {
    Failure::Profile(error.into())
}

/// A name for a new profile, which no command has.
pub(super) fn new_name(text: &str) -> Result<ProfileName, Failure> {
    let name: ProfileName = text.parse().map_err(|error| Failure::Usage(format!("{error}")))?;
    let command = Cli::command();
    if text == "help" || command.get_subcommands().any(|command| command.get_name() == text) {
        return Err(Failure::Usage(format!("{text} is a command of d2mtop; choose another name")));
    }
    if names::AFTER_PROFILES.contains(&text) {
        return Err(Failure::Usage(format!("{text} is to become a command of d2mtop; choose another name")));
    }
    Ok(name)
}

fn find(store: &ProfileStore, name: &str) -> Result<(ProfileName, Record), Failure> {
    let profiles = store.read().map_err(failure)?;
    profiles.find(name).map(|(name, record)| (name.clone(), record.clone())).map_err(failure)
}

fn choose(store: &ProfileStore, name: &str) -> Result<(), Failure> {
    let (name, _) = find(store, name)?;
    store.change(|profiles| profiles.set_default(&name)).map_err(failure)?;
    say(&format!("d2mtop opens {name} from now on"))
}

fn rename(store: &ProfileStore, options: &RenameArgs) -> Result<(), Failure> {
    let (from, record) = find(store, &options.name)?;
    let to = new_name(&options.new_name)?;
    let _lock = ProfileLock::take(&from).map_err(failure)?;
    let taken = store.read().map_err(failure)?.find(to.as_str()).is_ok();
    if taken {
        return Err(failure(ProfileStoreError::Exists(to)));
    }
    // A key that d2mtop keeps is named after its profile.
    let source = SecretSource::of(&from, &record, store.directory()).ok();
    let kept = source.filter(|source| source.is_kept_for(&from, store.directory()));
    // No store that a key follows in asks for a passphrase.
    let mut nobody = PassphraseSource::new(None);
    let moved = kept.map(|source| source.follow(&from, &to, store.directory(), &mut nobody));
    let moved = moved.transpose().map_err(failure)?;
    let renamed = store.change(|profiles| {
        profiles.rename(&from, to.clone())?;
        moved.as_ref().map_or(Ok(()), |source| profiles.set_key(&to, source))
    });
    if let Err(error) = renamed {
        if let Some(moved) = moved {
            let _ = moved.follow(&to, &from, store.directory(), &mut nobody);
        }
        return Err(failure(error));
    }
    if profile::rename_profile_state(&from, &to).is_err() {
        say("what was known of its slot is lost; if the login is refused, say --expect existing once")?;
    }
    if record.key == Some(KeyLocation::Credential) {
        say(&format!("its credential must be called d2mtop-{to} in the unit from now on, unless it is d2mtop.key"))?;
    }
    say(&format!("{from} is called {to} from now on"))
}

fn remove(store: &ProfileStore, options: &RemoveArgs) -> Result<(), Failure> {
    let (name, record) = find(store, &options.name)?;
    if !options.yes && !can_ask() {
        let leave = if options.leave_group { " --leave-group" } else { "" };
        let again = format!("not removed without asking; d2mtop profile remove {name}{leave} --yes");
        return Err(not_confirmed(again));
    }
    let leaving = options.leave_group.then(|| Leaving::look(&name)).transpose()?;
    let _lock = match leaving.is_none().then(|| ProfileLock::take(&name)) {
        Some(Err(error @ ProfileLockError::Held { .. })) => return Err(failure(error)),
        hold => hold.and_then(Result::ok).flatten(),
    };
    if let Some(leaving) = &leaving {
        say(&leaving.words())?;
    }
    let source = SecretSource::of(&name, &record, store.directory()).ok();
    let kept = source.as_ref().filter(|source| source.is_kept_for(&name, store.directory()));
    let device = profile::device_of(&name, &record);
    if !options.yes && !agreed(&name, &record, device, kept)? {
        return Err(not_confirmed("nothing removed".to_owned()));
    }
    if let Some(leaving) = &leaving {
        say(&leaving.leave(Confirmed::after_asking(()))?.to_string())?;
        // What was known of the slot is no longer so.
        let _ = profile::forget_profile_state(&name);
    }
    let slot = show::known(&name, &record).filter(|known| known.slot == slot_memory::SlotStatus::Registered);
    store.change(|profiles| profiles.remove(&name)).map_err(failure)?;
    let _ = profile::forget_profile_state(&name);
    say(&format!("removed the profile {name}"))?;
    if let (Some(_), Some(device)) = (slot, device) {
        say(&format!("the mediator keeps the slot of its device {device} until it expires or is dropped"))?;
    }
    match &source {
        Some(source) => match source.discard(&name, store.directory()) {
            Ok(true) => say("its key is deleted, too"),
            Ok(false) if kept.is_some() => say(&format!("there was no key of it in {source}")),
            Ok(false) => say(&format!("its key stays in {source}")),
            Err(error) => Err(Failure::Usage(format!("its key could not be deleted from {source}: {error}"))),
        },
        None => Ok(()),
    }
}

fn not_confirmed(words: String) -> Failure {
    Failure::Ended { outcome: Outcome::NotConfirmed, words }
}

fn agreed(
    name: &ProfileName,
    record: &Record,
    device: Option<DeviceId>,
    kept: Option<&SecretSource>,
) -> Result<bool, Failure> {
    let device = device.map(|id| format!(", device {id}")).unwrap_or_default();
    let mut question = format!("Remove the profile {name} ({}{device})?", show::clean(&record.mediator));
    if kept.is_some() {
        question.push_str(" Its key is deleted, too: without another copy you must link a device again.");
    }
    ask(&question)
}
