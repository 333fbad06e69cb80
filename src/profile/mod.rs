//! Who we are: the options of a connection become a session, its address and its secrets.

mod chosen;
mod device_lock;
pub mod flavour;
pub mod import;
pub mod journal;
mod key_file;
pub mod known;
mod loaded_key;
pub mod name;
mod place;
mod profile_lock;
mod proxy_setting;
pub mod record;
pub mod secret_source;
pub mod secrets;
pub mod slot_memory;
pub mod store;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub use device_lock::{DeviceLock, InUse};
pub use journal::{JournalSettings, KeptConversations};
pub use key_file::KeyFileError;
pub use loaded_key::LoadedKey;
pub use name::ProfileName;
pub use place::{
    config_directory, default_label, forget_profile_state, profile_state, rename_profile_state, state_directory,
};
pub use profile_lock::{ProfileLock, ProfileLockError};
pub use proxy_setting::{KeepAlive, NotAKeepAlive, ProxySetting};
pub use record::Record;
pub use secret_source::{SecretError, SecretSource};
pub use slot_memory::SlotMemory;
pub use store::{Book, Store, StoreError};

use chosen::Chosen;

use crate::cli::{ConnectionArgs, DialectArg, ExpectArg};
use crate::protocol::d2d::Platform;
use crate::protocol::{
    DeviceId, DeviceInfo, Dialect, ExhaustedPolicy, ExpirationPolicy, Millis, NotAPin, ServerGroup, SlotState, SpkiPin,
    ids::span_millis, url::ServerGroupError,
};
use crate::session::{Config, Expectation, LeaderPolicy, NotAPresence, Presence, Timing};
use crate::text::Clean;

/// The options do not make a connection.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Neither a mediator nor a profile.
    #[error("{}", first_steps())]
    FirstRun,
    /// A mediator, but no key.
    #[error("no key given: --key-file FILE names the file that holds the group's key as 64 hex digits")]
    NoKeyFile,
    /// The key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// `--server-group` is none.
    #[error("--server-group: {0}")]
    ServerGroup(#[from] ServerGroupError),
    /// `--presence` is none.
    #[error("--presence: {0}")]
    Presence(#[from] NotAPresence),
    /// `--device-id` is none.
    #[error("--device-id: {0}")]
    DeviceId(#[from] crate::protocol::ids::NotADeviceId),
    /// A slot that is kept, for an id that nobody keeps.
    #[error(
        "--persistent keeps a slot for the id of this device: say it with --device-id HEX16, always the same, or add a \
         profile, which keeps its id; without, every start would take one more slot for good"
    )]
    NoDeviceId,
    /// `--pin` is none.
    #[error("--pin: {0}")]
    Pin(#[from] NotAPin),
    /// The profiles cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The profile's key cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The command line is no place for a password.
    #[error(
        "--proxy: a password does not belong on the command line, where everybody on this machine can read it; put the URL \
         into the profile as proxy, or into the variable https_proxy"
    )]
    ProxyPassword,
    /// Not a span.
    #[error("--keep-alive: {0}")]
    KeepAlive(#[from] NotAKeepAlive),
    /// The profile is open elsewhere.
    #[error(transparent)]
    ProfileLock(#[from] ProfileLockError),
    /// What a profile and the options make together is no connection.
    #[error("profile {name}: {cause}")]
    Of {
        /// The profile.
        name: ProfileName,
        /// What is wrong.
        cause: Box<ProfileError>,
    },
}

/// How one begins: what for, and the command.
pub const FIRST_STEPS: [(&str, &str); 4] = [
    ("See it move first, with a simulated group", "d2mtop demo"),
    (
        "Import the group's key; from then on you type d2mtop and nothing else",
        "d2mtop profile import home --key-file FILE --mediator production --server-group GROUP",
    ),
    (
        "Add your group by hand: the key stays in its file",
        "d2mtop profile add home --key-file FILE --mediator URL --server-group GROUP",
    ),
    ("Just look once, and keep nothing", "d2mtop --key-file FILE --url URL --server-group GROUP"),
];

/// The server group where nothing says one.
pub const DEFAULT_SERVER_GROUP: &str = "01";

fn first_steps() -> String {
    let steps = FIRST_STEPS.map(|(what, command)| format!("\n  {what}:\n    {command}"));
    format!("no profile yet, and no mediator given. How to begin:{}", steps.concat())
}

/// What the options say about a connection.
#[derive(Debug)]
pub struct Profile {
    /// The mediator's base URL.
    pub base_url: String,
    /// The identity's server group.
    pub server_group: ServerGroup,
    /// PEM file of trust roots, if not the built-in ones.
    pub trust_roots: Option<PathBuf>,
    /// The keys that the mediator may have; empty: any with a good certificate.
    pub pins: Vec<SpkiPin>,
    /// Whether nothing of the mediator's certificate is checked.
    pub accept_any_certificate: bool,
    /// The proxy on the way; [`None`]: what the environment says.
    pub proxy: Option<ProxySetting>,
    /// Who the session is.
    pub session: Config,
    /// The group's key, and where it was found.
    pub key: LoadedKey,
    /// What it is called, if it is a profile.
    pub name: Option<ProfileName>,
    /// Keeps what is learned of the profile's slot.
    pub memory: Option<SlotMemory>,
    /// Where what is received is kept, if it is.
    pub journal: Option<JournalSettings>,
    /// Keeps other programs from opening the profile; to be held as long as the session runs.
    pub hold: Option<ProfileLock>,
    /// Whether another program has the profile open. Only where it was opened to be looked at: else that is an error.
    pub open_elsewhere: bool,
}

/// What somebody wants who reads a profile.
#[derive(Clone, Copy)]
enum Reading<'a> {
    /// To run a session with it.
    Opens,
    /// Only to look: also if it is open elsewhere.
    Looks,
    /// The same, to compare it with a session that runs with this key.
    LooksAgain(&'a LoadedKey),
}

impl Profile {
    /// Reads the options, the profile of that name (or the default one), and its key. What an option says goes before what
    /// the profile says.
    ///
    /// # Errors
    /// If something is missing or unusable: what, and what to do.
    pub fn from_options(name: Option<&str>, options: &ConnectionArgs) -> Result<Self, ProfileError> {
        Self::open(Chosen::by(name, options)?, options, Reading::Opens).1
    }

    /// The same for somebody who only looks: also if the profile is open elsewhere. The options come back with what the
    /// profile adds to them, whether they make a connection or not.
    ///
    /// # Errors
    /// If there is no such profile, or the profiles cannot be read.
    pub fn examine(
        name: Option<&str>,
        options: &ConnectionArgs,
    ) -> Result<(ConnectionArgs, Result<Self, ProfileError>), ProfileError> {
        Ok(Self::open(Chosen::by(name, options)?, options, Reading::Looks))
    }

    /// The profile of a session that runs, as it is now. The key is loaded anew only if it is to come from elsewhere, and
    /// nobody is asked for a passphrase.
    ///
    /// # Errors
    /// If something is missing or unusable: what, and what to do.
    pub fn read_anew(name: &ProfileName, options: &ConnectionArgs, key: &LoadedKey) -> Result<Self, ProfileError> {
        Self::open(Chosen::by(Some(name.as_str()), options)?, options, Reading::LooksAgain(key)).1
    }

    fn open(
        chosen: Option<Chosen>,
        options: &ConnectionArgs,
        reading: Reading<'_>,
    ) -> (ConnectionArgs, Result<Self, ProfileError>) {
        if options.proxy.clone().is_some_and(|proxy| ProxySetting::new(proxy).has_password()) {
            return (options.clone(), Err(ProfileError::ProxyPassword));
        }
        let Some(mut chosen) = chosen else {
            return (options.clone(), Self::connection(options, None, reading));
        };
        let filled_in = match chosen.fill_in(options) {
            Ok(filled_in) => filled_in,
            Err(error) => return (options.clone(), Err(error.into())),
        };
        let profile = Self::connection(&filled_in, Some(&chosen), reading).map_err(|cause| match cause {
            // These name the profile themselves.
            ProfileError::ProfileLock(_) | ProfileError::Secret(SecretError::Nowhere(_)) => cause,
            cause => ProfileError::Of { name: chosen.name, cause: Box::new(cause) },
        });
        (filled_in, profile)
    }

    fn connection(
        options: &ConnectionArgs,
        chosen: Option<&Chosen>,
        reading: Reading<'_>,
    ) -> Result<Self, ProfileError> {
        let base_url = options.url.clone().ok_or(ProfileError::FirstRun)?;
        let dialect = options.dialect.map_or(Dialect::Dgk, dialect);
        // Whether or not the passphrase is needed: no command that we start is to have it.
        options.passphrase.passphrase_fd.into_iter().for_each(secrets::keep_from_children);
        let server_group =
            ServerGroup::parse(options.server_group.as_deref().unwrap_or(DEFAULT_SERVER_GROUP), dialect)?;
        let device_id = match &options.device_id {
            Some(text) => text.parse()?,
            None if options.persistent => return Err(ProfileError::NoDeviceId),
            None => DeviceId(fresh_random().r#gen()),
        };
        let hold = chosen.map_or(Ok(None), |chosen| chosen.hold(device_id));
        let open_elsewhere = !matches!(reading, Reading::Opens) && matches!(hold, Err(ProfileLockError::Held { .. }));
        let hold = if open_elsewhere { None } else { hold? };
        let loaded = if let Reading::LooksAgain(key) = reading { Some(key) } else { None };
        let key = LoadedKey::find(options, chosen, dialect, loaded)?;
        let label = options.label.as_deref().map_or_else(place::default_label, Clean::new);
        let expiration_policy =
            if options.persistent { ExpirationPolicy::Persistent } else { ExpirationPolicy::Volatile };
        let mut memory = chosen.and_then(|chosen| chosen.memory(device_id));
        if let Some(memory) = &mut memory {
            memory.starts_with(expiration_policy);
        }
        let expects = match (options.expect, &memory) {
            (Some(ExpectArg::New), _) | (None, None) => Expectation::Only(SlotState::New),
            (Some(ExpectArg::Existing), _) => Expectation::Only(SlotState::Existing),
            (None, Some(memory)) => memory.expects(now()),
        };
        let keep_alive = options.keep_alive.as_deref().map_or(Ok(KeepAlive::default()), str::parse)?;
        let session = Config {
            keys: Arc::clone(&key.keys),
            device_id,
            device_info: own_info(label),
            expects,
            expiration_policy,
            exhausted_policy: chosen.map_or(ExhaustedPolicy::Reject, |chosen| chosen.record.exhausted.into()),
            leader_policy: if options.stay_leader { LeaderPolicy::Stay } else { LeaderPolicy::GiveUp },
            presence: options.presence.as_deref().map_or(Ok(Presence::Stay), str::parse)?,
            read_only: options.read_only,
            timing: Timing { ping_interval: keep_alive.0, ..Timing::default() },
        };
        let name = chosen.map(|chosen| chosen.name.clone());
        let journal = chosen.and_then(|chosen| chosen.journal(device_id)).filter(|_| !options.no_journal);
        Ok(Self {
            base_url,
            server_group,
            trust_roots: options.ca.clone(),
            pins: options.pins.iter().map(|pin| pin.parse()).collect::<Result<_, _>>()?,
            accept_any_certificate: options.dangerously_accept_any_certificate.is_some(),
            proxy: options.proxy.clone().map(ProxySetting::new),
            session,
            key,
            name,
            memory,
            journal,
            hold,
            open_elsewhere,
        })
    }
}

fn now() -> Millis {
    Millis(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, span_millis))
}

/// What we tell the other devices of ourselves.
#[must_use]
pub fn own_info(label: Clean) -> DeviceInfo {
    DeviceInfo {
        platform: Platform::Desktop,
        platform_details: Clean::new(&format!("terminal on {}", std::env::consts::OS)),
        app_version: Clean::literal(concat!("d2mtop ", env!("CARGO_PKG_VERSION"))),
        label,
    }
}

/// The dialect of an option.
#[must_use]
pub const fn dialect(option: DialectArg) -> Dialect {
    match option {
        DialectArg::Mk => Dialect::Mk,
        DialectArg::Dgk => Dialect::Dgk,
    }
}

/// A random source seeded from the system.
#[must_use]
pub fn fresh_random() -> StdRng {
    StdRng::from_entropy()
}
