//! [`ConnectionOptions`]: what the command line says about a connection.

use std::path::PathBuf;
use std::time::Duration;

use super::proxy_setting::{KeepAlive, ProxySetting};
use crate::protocol::{DeviceId, Dialect, SlotState, SpkiPin};
use crate::session::Presence;
use crate::text::Clean;

/// Options of a connection. What is not given comes from the profile, or is a default: see [`ConnectionSettings`](super::ConnectionSettings).
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option that does not depend on the others")]
pub struct ConnectionOptions {
    /// The mediator's URL template.
    pub url: Option<String>,
    /// The file with the group's key.
    pub key_file: Option<PathBuf>,
    /// The server group as it was written. How it is read depends on the dialect, which may be the profile's.
    pub server_group: Option<String>,
    /// The protocol that the group speaks.
    pub dialect: Option<Dialect>,
    /// This device's own id.
    pub device_id: Option<DeviceId>,
    /// What the other devices see this device called.
    pub label: Option<Clean>,
    /// Whether the mediator knows this device already.
    pub expects: Option<SlotState>,
    /// Keep the slot when this device is not connected.
    pub persistent: bool,
    /// Send nothing that changes the group.
    pub read_only: bool,
    /// Keep no journal.
    pub no_journal: bool,
    /// Stay connected as leader.
    pub stay_leader: bool,
    /// When to be connected.
    pub presence: Option<Presence>,
    /// PEM file of trust roots instead of the built-in ones.
    pub trust_roots: Option<PathBuf>,
    /// The keys that the mediator may have; empty: those of the profile.
    pub pins: Vec<SpkiPin>,
    /// Check nothing of the mediator's certificate.
    pub accept_any_certificate: bool,
    /// The proxy on the way, or `none`; without a password.
    pub proxy: Option<ProxySetting>,
    /// How long a connection is silent before a ping.
    pub keep_alive: Option<KeepAlive>,
    /// Keep the group's key itself, to give it to another device.
    pub keeps_secret: bool,
    /// How long to wait for a profile that another program has open.
    pub wait: Duration,
    /// File descriptor to read the passphrase of a passphrase file from.
    pub passphrase_fd: Option<u32>,
}

impl ConnectionOptions {
    /// The same without what makes another connection of a profile.
    #[must_use]
    pub fn for_any_profile(&self) -> Self {
        Self {
            url: None,
            key_file: None,
            server_group: None,
            dialect: None,
            device_id: None,
            expects: None,
            ..self.clone()
        }
    }

    /// The first option that makes another connection of a profile, and so is for one only.
    #[must_use]
    pub fn of_one_profile(&self) -> Option<&'static str> {
        let given = [
            ("--url", self.url.is_some()),
            ("--key-file", self.key_file.is_some()),
            ("--server-group", self.server_group.is_some()),
            ("--dialect", self.dialect.is_some()),
            ("--device-id", self.device_id.is_some()),
            ("--expect", self.expects.is_some()),
        ];
        given.into_iter().find_map(|(option, is_given)| is_given.then_some(option))
    }

    /// Whether the group and the mediator are left to the profile.
    pub(super) const fn leave_the_group_to_the_profile(&self) -> bool {
        self.url.is_none() && self.key_file.is_none() && self.server_group.is_none() && self.dialect.is_none()
    }
}
