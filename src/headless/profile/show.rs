//! `profile list` and `profile show`.

use serde_json::json;

use super::{failure, find};
use crate::cli::ListArgs;
use crate::net::ProxyChoice;
use crate::output::Failure;
use crate::output::words::say;
use crate::profile;
use crate::profile::record::expand_preset;
use crate::profile::slot_memory::{KnownSlot, SlotStatus};
use crate::profile::{
    KeptConversations, ProfileLock, ProfileName, ProfileStore, ProxySetting, Record, SecretError, SecretSource,
    SlotMemory,
};
use crate::protocol::{Dialect, Millis};
use crate::runtime::clock;
use crate::text::Clean;

/// What people wrote into the file, fit to be shown.
pub(super) fn clean(text: &str) -> Clean {
    Clean::new(text)
}

/// One line a profile.
pub(super) fn list(store: &ProfileStore, options: ListArgs) -> Result<(), Failure> {
    let profiles = store.read().map_err(failure)?;
    let default = profiles.default_name().ok();
    let width = profiles.iter().map(|(name, _)| name.as_str().len()).max().unwrap_or(0);
    for (name, record) in profiles.iter() {
        let is_default = default == Some(name);
        let dialect = Dialect::from(record.dialect);
        if options.json {
            say(&as_json(store, name, record, is_default).to_string())?;
        } else {
            let mark = if is_default { '*' } else { ' ' };
            let mediator = clean(expand_preset(&record.mediator));
            say(&format!(
                "{mark} {name:width$}  {:3}  {mediator}  {}",
                dialect.to_string(),
                place(store, name, record)
            ))?;
        }
    }
    if profiles.is_empty() && !options.json {
        say("no profile yet; d2mtop profile add --help")?;
    }
    Ok(())
}

fn as_json(store: &ProfileStore, name: &ProfileName, record: &Record, is_default: bool) -> serde_json::Value {
    json!({
        "name": name,
        "default": is_default,
        "dialect": record.dialect,
        "mediator": clean(expand_preset(&record.mediator)),
        "server_group": clean(&record.server_group),
        "identity": record.identity.as_deref().map(clean),
        "join": record.join,
        "label": record.label.as_deref().map(clean),
        "device": profile::device_of(name, record),
        "slot": record.slot,
        "exhausted": record.exhausted,
        "presence": record.presence.to_string(),
        "proxy": record.proxy.as_ref().map(|setting| proxy(Some(setting))),
        "keep_alive": record.keep_alive.to_string(),
        "pins": record.pins.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "read_only": record.read_only,
        "journal": record.journal,
        "journal_conversations": record.journal_conversations,
        "journal_age": record.journal_age.to_string(),
        "journal_rows": record.journal_rows,
        "key": place(store, name, record),
        "known": known(name, record).map(|known| json!({"slot": known.slot, "since": known.since, "seen": known.seen})),
    })
}

/// Where the key is, never what it is.
fn place(store: &ProfileStore, name: &ProfileName, record: &Record) -> Clean {
    match SecretSource::of(name, record, store.directory()) {
        Ok(source) => Clean::new(&source.to_string()),
        Err(SecretError::Nowhere(_)) => Clean::literal("no key yet"),
        Err(error) => Clean::new(&error.to_string()),
    }
}

/// What was last known of the profile's slot.
pub(super) fn known(name: &ProfileName, record: &Record) -> Option<KnownSlot> {
    SlotMemory::read(name, profile::device_of(name, record)?, &record.mediator)?.known().cloned()
}

/// All that a profile says, one thing a line.
pub(super) fn show(store: &ProfileStore, name: &str) -> Result<(), Failure> {
    let (name, record) = find(store, name)?;
    let is_default = store.read().is_ok_and(|profiles| profiles.default_name().ok() == Some(&name));
    let word = |value: serde_json::Value| value.as_str().map(clean).unwrap_or_default();
    let roots = || Clean::literal("the built-in roots");
    let mut lines: Vec<(&str, Clean)> = vec![
        ("profile", clean(&format!("{name}{}", if is_default { " (default)" } else { "" }))),
        ("dialect", clean(&Dialect::from(record.dialect).to_string())),
        ("mediator", clean(expand_preset(&record.mediator))),
        ("server group", clean(&record.server_group)),
        ("identity", record.identity.as_deref().map_or(Clean::literal("not known"), clean)),
        ("label", record.label.as_deref().map_or_else(profile::default_label, clean)),
        (
            "device",
            profile::device_of(&name, &record)
                .map_or(Clean::literal("made at the first use"), |id| clean(&id.to_string())),
        ),
        ("slot", word(json!(record.slot))),
        ("known of it", known(&name, &record).map_or(Clean::literal("nothing yet"), |known| words(&known))),
        ("exhausted", word(json!(record.exhausted))),
        ("presence", clean(&record.presence.to_string())),
        ("proxy", proxy(record.proxy.as_ref())),
        ("keep-alive", clean(&record.keep_alive.to_string())),
        ("read-only", Clean::literal(if record.read_only { "yes" } else { "no" })),
        ("journal", clean(&journal(&record))),
        ("certificates", record.ca.as_ref().map_or_else(roots, |path| clean(&path.to_string_lossy()))),
    ];
    lines.extend(record.pins.iter().map(|pin| ("pin", clean(&pin.to_string()))));
    lines.push(("key", place(store, &name, &record)));
    lines.extend(ProfileLock::holder(&name).map(|process| ("open in", clean(&format!("process {process}")))));
    lines.push(("file", clean(&store.path().to_string_lossy())));
    lines.iter().try_for_each(|(what, value)| say(&format!("{what:13} {value}")))
}

/// Which proxy, without its password.
fn proxy(setting: Option<&ProxySetting>) -> Clean {
    let Some(setting) = setting else { return Clean::literal("what the environment says") };
    match setting.expose().parse::<ProxyChoice>() {
        Ok(ProxyChoice::Proxy(url)) => Clean::new(&url.to_string()),
        Ok(ProxyChoice::Direct | ProxyChoice::Environment) => Clean::literal("none"),
        Err(error) => Clean::new(&format!("cannot be used: {error}")),
    }
}

/// How the journal is kept.
fn journal(record: &Record) -> String {
    if !record.journal {
        return "none".to_owned();
    }
    let conversations = match record.journal_conversations {
        KeptConversations::Hashed => "conversations by pseudonym",
        KeptConversations::Plain => "conversations by name",
        KeptConversations::None => "without conversations",
    };
    let age = match record.journal_age.0 {
        Some(_) => format!("for {}", record.journal_age),
        None => record.journal_age.to_string(),
    };
    let rows = match record.journal_rows {
        0 => String::new(),
        rows => format!(", at most {rows} messages"),
    };
    format!("kept {age}{rows}, {conversations}")
}

fn words(known: &KnownSlot) -> Clean {
    let day = |at: u64| {
        let at = i64::try_from(at).ok().and_then(chrono::DateTime::from_timestamp_millis);
        at.map_or_else(|| "?".to_owned(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string())
    };
    let ago = clock::now().since(Millis(known.seen)).as_secs() / 60;
    let text = match known.slot {
        SlotStatus::Registered => {
            format!("registered since {}, last connected {} ({ago} min ago)", day(known.since), day(known.seen))
        }
        SlotStatus::Expired => format!("expired, seen {}; the next login takes a new one", day(known.since)),
        SlotStatus::Gone => {
            format!("gone since {}: dropped from the group; --expect new joins it again", day(known.since))
        }
    };
    Clean::new(&text)
}
