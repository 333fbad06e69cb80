//! Who we are: the options of a connection become a session, its address and its secrets.

mod claim;
mod hardening;
pub mod import;
mod key_file;
pub mod known;
mod place;
pub mod secrets;

use std::path::PathBuf;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub use claim::{Claim, InUse};
pub use hardening::{create_files_privately, deny_core_dumps};
pub use key_file::KeyFileError;
pub use place::state_directory;

use crate::cli::{ConnectionArgs, DialectArg, ExpectArg};
use crate::protocol::d2d::Platform;
use crate::protocol::{
    DeviceId, DeviceInfo, Dialect, ExhaustedPolicy, ExpirationPolicy, GroupKeys, NotAPin, ServerGroup, SlotState,
    SpkiPin, url::ServerGroupError,
};
use crate::session::{Config, LeaderPolicy, NotAPresence, Timing};
use crate::text::Clean;

/// The options do not make a connection.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Neither a mediator nor a command.
    #[error("no mediator given: d2mtop demo shows a simulated group, d2mtop --url URL --key-file FILE opens yours")]
    NoUrl,
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
    /// `--pin` is none.
    #[error("--pin: {0}")]
    Pin(#[from] NotAPin),
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
    /// Who the session is.
    pub session: Config,
}

impl Profile {
    /// Reads the options and the key file.
    ///
    /// # Errors
    /// If something is missing or unusable: what, and what to do.
    pub fn from_options(options: &ConnectionArgs) -> Result<Self, ProfileError> {
        let base_url = options.url.clone().ok_or(ProfileError::NoUrl)?;
        let dialect = dialect(options.dialect);
        let server_group = ServerGroup::parse(&options.server_group, dialect)?;
        let device_id = match &options.device_id {
            Some(text) => text.parse()?,
            None => DeviceId(fresh_random().r#gen()),
        };
        let secret = key_file::read(options.key_file.as_deref().ok_or(ProfileError::NoKeyFile)?)?;
        let label = options.label.as_deref().map_or_else(place::default_label, Clean::new);
        let session = Config {
            keys: Arc::new(GroupKeys::derive(dialect, &secret)),
            device_id,
            device_info: own_info(label),
            expected_slot_state: match options.expect {
                ExpectArg::New => SlotState::New,
                ExpectArg::Existing => SlotState::Existing,
            },
            expiration_policy: if options.persistent {
                ExpirationPolicy::Persistent
            } else {
                ExpirationPolicy::Volatile
            },
            exhausted_policy: ExhaustedPolicy::Reject,
            leader_policy: if options.stay_leader { LeaderPolicy::Stay } else { LeaderPolicy::GiveUp },
            presence: options.presence.parse()?,
            read_only: options.read_only,
            timing: Timing::default(),
        };
        Ok(Self {
            base_url,
            server_group,
            trust_roots: options.ca.clone(),
            pins: options.pins.iter().map(|pin| pin.parse()).collect::<Result<_, _>>()?,
            accept_any_certificate: options.dangerously_accept_any_certificate.is_some(),
            session,
        })
    }
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
