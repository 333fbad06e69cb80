//! All that could fail later is tried before the code is shown.

use std::path::Path;

use crate::cli::{DialectArg, JoinArgs, SlotArg};
use crate::headless::arguments::{proxy, unusable};
use crate::headless::profile::{absolute, new_name};
use crate::net::{Address, TlsOptions};
use crate::output::Failure;
use crate::output::connecting::explain_address;
use crate::output::words::can_ask;
use crate::profile::import::{self, Trust};
use crate::profile::record::{Slot, expand_preset};
use crate::profile::secrets::{KeyStoreKind, KeyringError, PassphraseSource};
use crate::profile::threema_servers::{PRODUCTION, PRODUCTION_RENDEZVOUS, pins_of};
use crate::profile::{
    self, NewProfile, NewProfileError, ProfileError, ProfileName, ProfileStore, ProxySetting, Record,
};
use crate::protocol::{ClientUrlInfo, DeviceGroupId, Dialect, ServerGroup, SpkiPin};
use crate::rendezvous::JoinTiming;
use crate::rendezvous::wire::{JoinLink, RelayPath};
use crate::runtime::session_setup;
use crate::text::Clean;

/// Where a join takes place.
pub(super) struct Servers {
    pub(super) mediator: String,
    pub(super) rendezvous: String,
    /// Of the mediator.
    pub(super) tls: TlsOptions,
    relay_tls: TlsOptions,
    pub(super) label: Clean,
    /// On the way to both.
    pub(super) proxy: Option<ProxySetting>,
}

/// Everything works, as far as that can be tried.
pub(super) struct PreparedJoin {
    pub(super) new: NewProfile,
    pub(super) servers: Servers,
    pub(super) timing: JoinTiming,
    /// Why the key is to be kept in a file, if a keyring was to be had first.
    pub(super) why_file: Option<KeyringError>,
}

impl Servers {
    /// Whether some group, and some path, could be reached there.
    fn check(&self) -> Result<(), Failure> {
        let server_group = ServerGroup::parse(profile::DEFAULT_SERVER_GROUP, Dialect::Dgk)
            .map_err(|error| Failure::Profile(ProfileError::from(error)))?;
        let somebody = ClientUrlInfo { dialect: Dialect::Dgk, device_group_id: DeviceGroupId([0; 32]), server_group };
        Address::new(&somebody.url(&self.mediator), &self.tls)?;
        Address::new(&RelayPath::new([0; 32]).url(&self.rendezvous), &self.relay_tls)
            .map_err(|error| unusable("--rendezvous", &explain_address(&error)))?;
        Ok(())
    }

    /// The relay, with the link's path.
    pub(super) fn relay(&self, link: &JoinLink) -> Result<Address, Failure> {
        session_setup::through(Address::new(&link.relay_url, &self.relay_tls)?, self.proxy.as_ref(), &self.relay_tls)
    }
}

pub(super) fn prepare(options: &JoinArgs) -> Result<PreparedJoin, Failure> {
    if options.dialect == DialectArg::Mk {
        return Err(unusable("--dialect mk", &"joining by a code is part of dgk only; the first protocol has none"));
    }
    if !options.json && !can_ask() {
        return Err(Failure::Usage(
            "join shows a code and asks, which needs a terminal; without one: --json --offer-file FILE".to_owned(),
        ));
    }
    let store = ProfileStore::of_user().map_err(|error| Failure::Profile(error.into()))?;
    let servers = servers(options)?;
    let name = name(&store, options.name.as_deref())?;
    let mut passphrase = PassphraseSource::new(options.passphrase.passphrase_fd);
    let wanted = options.store.map(KeyStoreKind::from);
    let record = record(options, &servers)?;
    let prepared = NewProfile::prepare(store, name, record, wanted, &mut passphrase, !options.forget_names);
    let (new, why_file) = prepared.map_err(|error| match error {
        NewProfileError::Profile(error) => Failure::Profile(error),
        error => Failure::Start(std::io::Error::other(error.to_string())),
    })?;
    let timing = JoinTiming { data: options.timeout, ..JoinTiming::default() };
    Ok(PreparedJoin { new, servers, timing, why_file })
}

/// The given name, or the first free one.
fn name(store: &ProfileStore, given: Option<&str>) -> Result<ProfileName, Failure> {
    if let Some(given) = given {
        return new_name(given);
    }
    let profiles = store.read().map_err(|error| Failure::Profile(error.into()))?;
    let names = (1..).map(|number: u32| if number == 1 { "home".to_owned() } else { format!("home-{number}") });
    let mut free = names.filter_map(|name| name.parse::<ProfileName>().ok());
    free.find(|name| !profiles.iter().any(|(other, _)| other.is_like(name)))
        .ok_or_else(|| Failure::Usage("which name should the profile have? d2mtop join NAME".to_owned()))
}

fn servers(options: &JoinArgs) -> Result<Servers, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let (mediator, rendezvous, pins, relay_pins) = match (&options.oppf, &options.mediator, &options.rendezvous) {
        (Some(path), ..) => {
            let found = import::provisioning_file(path, &Trust::built_in()).map_err(|error| usage(&error))?;
            let rendezvous = found.rendezvous.ok_or_else(|| {
                usage(&"the provisioning file names no relay (rendezvous.url): no device can join at this server by a code")
            })?;
            let of_host = |url: &str| import::oppf::pins_of(&found.pins, host(url)).unwrap_or_default().to_vec();
            let (pins, relay_pins) = (of_host(&found.mediator), of_host(&rendezvous));
            (found.mediator, rendezvous, pins, relay_pins)
        }
        (None, Some(mediator), Some(rendezvous)) => {
            (expand_preset(mediator).to_owned(), rendezvous.clone(), Vec::new(), Vec::new())
        }
        _ => {
            let pins: Vec<String> = pins_of(PRODUCTION).iter().map(|pin| (*pin).to_owned()).collect();
            (PRODUCTION.to_owned(), PRODUCTION_RENDEZVOUS.to_owned(), pins.clone(), pins)
        }
    };
    let tls = |pins: &[String]| {
        let said = if options.pins.is_empty() { pins } else { &options.pins };
        let pins = said.iter().map(|pin| pin.parse::<SpkiPin>().map_err(|error| unusable("--pin", &error)));
        Ok::<_, Failure>(TlsOptions {
            trust_roots: options.ca.as_deref().map(absolute).transpose()?,
            pins: pins.collect::<Result<_, _>>()?,
            ..TlsOptions::default()
        })
    };
    let servers = Servers {
        tls: tls(&pins)?,
        relay_tls: tls(&relay_pins)?,
        mediator,
        rendezvous,
        label: label(options),
        proxy: proxy(options.proxy.as_deref())?,
    };
    servers.check()?;
    Ok(servers)
}

fn label(options: &JoinArgs) -> Clean {
    options.label.as_deref().map_or_else(profile::default_label, Clean::new)
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':', '?']).next().unwrap_or_default()
}

/// What is known of the profile before the phone sends its data.
fn record(options: &JoinArgs, servers: &Servers) -> Result<Record, Failure> {
    let label = options.label.clone();
    let ca = options.ca.as_deref().map(Path::to_owned).map(|path| absolute(&path)).transpose()?;
    let slot = match options.slot {
        SlotArg::Volatile => Slot::Volatile,
        SlotArg::Persistent => Slot::Persistent,
    };
    Ok(Record {
        label,
        ca,
        slot,
        pins: servers.tls.pins.clone(),
        proxy: servers.proxy.clone(),
        ..Record::at(servers.mediator.clone(), profile::DEFAULT_SERVER_GROUP)
    })
}
