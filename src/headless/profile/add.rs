//! `profile add`, and the record that options make.

use std::path::{Path, PathBuf};

use super::{failure, new_name};
use crate::cli::{AddArgs, ExhaustedArg, KeptArg, SettingsArgs, SlotArg};
use crate::headless::arguments::{proxy, unusable};
use crate::net::{Address, TlsOptions};
use crate::output::Failure;
use crate::output::words::say;
use crate::profile::import::{self, DomainPins};
use crate::profile::record::{Exhausted, KeyLocation, Slot, expand_preset};
use crate::profile::secrets::PassphraseSource;
use crate::profile::{self, KeptConversations, ProfileName, ProfileStore, Record, SecretSource, threema_servers};
use crate::protocol::{ClientUrlInfo, DeviceGroupId, DeviceId, Dialect, ServerGroup};
use rand::Rng as _;

/// Adds a profile whose key stays in its file.
pub(super) fn add(store: &ProfileStore, options: &AddArgs) -> Result<(), Failure> {
    let name = new_name(&options.name)?;
    let mut record = record(&options.settings, &KnownSettings::default())?;
    if let Some(path) = &options.key_file {
        let path = absolute(path)?;
        // Better to say now what is wrong with it than at the first login.
        let source = SecretSource::file(path);
        source.load(&name, &mut PassphraseSource::new(None)).map_err(failure)?;
        source.note_in(&mut record);
    }
    if options.credential {
        // It is there only when systemd starts the service.
        record.key = Some(KeyLocation::Credential);
    }
    let has_key = options.key_file.is_some() || options.credential;
    let is_default = put(store, &name, record, options.settings.default)?;
    if !has_key {
        say(&format!("it has no key yet: name its file as key_file in {}", store.path().display()))?;
    }
    if options.credential {
        say(&format!("the service that opens it needs the credential d2mtop-{name}"))?;
    }
    tell(&name, is_default)
}

pub(super) fn put(store: &ProfileStore, name: &ProfileName, record: Record, as_default: bool) -> Result<bool, Failure> {
    store
        .change(|profiles| {
            let is_first = profiles.is_empty();
            profiles.add(name.clone(), record)?;
            if as_default || is_first {
                profiles.set_default(name)?;
            }
            Ok(as_default || is_first)
        })
        .map_err(failure)
}

pub(super) fn tell(name: &ProfileName, is_default: bool) -> Result<(), Failure> {
    let short = if is_default { ", or just: d2mtop" } else { "" };
    say(&format!("added the profile {name}; open it with: d2mtop {name}{short}"))
}

/// What is known of a group where the options do not say it.
#[derive(Default)]
pub(super) struct KnownSettings {
    pub(super) dialect: Option<Dialect>,
    pub(super) mediator: Option<String>,
    pub(super) server_group: Option<String>,
    pub(super) pins: Vec<DomainPins>,
}

impl KnownSettings {
    /// The keys that a new profile expects of this mediator.
    fn pins_of(&self, mediator: &str) -> Vec<String> {
        let host = mediator.split_once("://").map_or(mediator, |(_, rest)| rest);
        let host = host.split(['/', ':', '?']).next().unwrap_or_default();
        let said = import::oppf::pins_of(&self.pins, host).map(<[String]>::to_vec);
        said.unwrap_or_else(|| threema_servers::pins_of(mediator).iter().map(|pin| (*pin).to_owned()).collect())
    }
}

/// The record that the options make, every part of it checked.
pub(super) fn record(settings: &SettingsArgs, known: &KnownSettings) -> Result<Record, Failure> {
    let dialect = match (settings.dialect.map(Dialect::from), known.dialect) {
        (Some(Dialect::Dgk), Some(Dialect::Mk)) => return Err(unusable("--mk", &"is for --dialect mk only")),
        (Some(Dialect::Mk), Some(Dialect::Dgk)) => {
            return Err(unusable("--threema-desktop", &"is for --dialect dgk only"));
        }
        (_, Some(forced)) => forced,
        (said, None) => said.unwrap_or(Dialect::Dgk),
    };
    let missing = |option: &str, what: &str| Failure::Usage(format!("{option} is missing: {what}"));
    let server_group = settings.server_group.as_deref().or(known.server_group.as_deref());
    let server_group = server_group.unwrap_or(profile::DEFAULT_SERVER_GROUP);
    let server_group = ServerGroup::parse(server_group, dialect).map_err(|error| unusable("--server-group", &error))?;
    let mediator = settings.mediator.as_deref().or(known.mediator.as_deref()).map(expand_preset);
    let mediator = mediator.ok_or_else(|| missing("--mediator URL", "wss://HOST/, or production"))?;
    let ca = settings.ca.as_deref().map(absolute).transpose()?;
    check_mediator(mediator, dialect, server_group.clone(), ca.as_deref())?;
    let device_id: DeviceId = match &settings.device_id {
        Some(text) => text.parse().map_err(|error| unusable("--device-id", &error))?,
        None => DeviceId(profile::fresh_random().r#gen()),
    };
    let pins = if settings.pins.is_empty() { known.pins_of(mediator) } else { settings.pins.clone() };
    let pins = pins.iter().map(|pin| pin.parse().map_err(|error| unusable("--pin", &error)));
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
        presence: settings.presence.parse().map_err(|error| unusable("--presence", &error))?,
        proxy: proxy(settings.proxy.as_deref())?,
        keep_alive: settings.keep_alive.parse().map_err(|error| unusable("--keep-alive", &error))?,
        key: None,
        key_file: None,
        read_only: settings.read_only,
        journal: !settings.no_journal,
        journal_conversations: match settings.journal_conversations {
            KeptArg::Hashed => KeptConversations::Hashed,
            KeptArg::Plain => KeptConversations::Plain,
            KeptArg::None => KeptConversations::None,
        },
        journal_age: settings.journal_age.parse().map_err(|error| unusable("--journal-age", &error))?,
        journal_rows: settings.journal_rows,
        identity: None,
        join: None,
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
pub(in crate::headless) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}
