//! Who we are: options and profiles become a session, its address and its secrets.
//!
//! ```text
//! command line ─> ConnectionOptions ─┐
//!                                    ├─> ConnectionSettings ─> Profile (with key, locks, slot memory) ─> a session
//! profiles.toml ─> ProfileStore ─> Record ──┘
//! ```

mod device_lock;
mod directories;
mod error;
pub mod import;
pub mod join;
pub mod journal;
mod kept_device;
mod key_file;
pub mod known_devices;
mod loaded_key;
pub mod name;
mod names_file;
mod open;
mod options;
mod own_device;
mod profile_lock;
mod proxy_setting;
mod random;
pub mod record;
pub mod secret_source;
pub mod secrets;
pub mod seen_devices;
mod selected;
mod settings;
pub mod slot_memory;
pub mod store;
pub mod threema_servers;
mod visitor_slot;

pub use device_lock::{DeviceInUse, DeviceLock};
pub use directories::{config_directory, forget_profile_state, profile_state, rename_profile_state, state_directory};
pub use error::{FIRST_STEPS, ProfileError};
pub use join::{NewProfile, NewProfileError};
pub use journal::{JournalSettings, KeptConversations};
pub use kept_device::device_of;
pub use key_file::{KeyFileError, read as read_key_file};
pub use loaded_key::LoadedKey;
pub use name::ProfileName;
pub use names_file::{NamesFile, NamesFileError};
pub use open::{Examined, Profile};
pub use options::ConnectionOptions;
pub use own_device::{default_label, own_info};
pub use profile_lock::{ProfileLock, ProfileLockError};
pub use proxy_setting::{KeepAlive, NotAKeepAlive, ProxySetting};
pub use random::fresh_random;
pub use record::{JoinMark, Record};
pub use secret_source::{SecretError, SecretSource};
pub use settings::{ConnectionSettings, DEFAULT_SERVER_GROUP};
pub use slot_memory::SlotMemory;
pub use store::{ProfileStore, ProfileStoreError, Profiles};
pub use visitor_slot::{NoVisitorSlot, VisitLength, VisitorSlot};
