//! Options of a connection, and the profile that it is of.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::secrets::PassphraseArgs;

/// Which protocol is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DialectArg {
    /// Today's: keys derived from the Device Group Key
    Dgk,
    /// The first specification: one Mediator Key
    Mk,
}

/// Whether the mediator knows this device already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExpectArg {
    /// The device logs in for the first time, or its slot was dropped or has expired
    New,
    /// The device has logged in before and kept its slot
    Existing,
}

/// Where the mediator's certificate may be accepted whatever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AnyCertificateArg {
    /// Only where a banner says so all the time
    Attended,
    /// Also where nobody looks
    EvenUnattended,
}

/// Which profile a command opens: named by itself or by an option.
#[derive(Clone, Debug, Default, Args)]
pub struct ProfileChoice {
    /// The profile to open; the options override what it says [default: with --url none, else the default profile]
    #[arg(value_name = "PROFILE", help_heading = "Arguments", conflicts_with = "profile_option")]
    profile: Option<String>,
    /// Names the profile, as PROFILE does
    #[arg(short = 'p', long = "profile", value_name = "NAME")]
    profile_option: Option<String>,
}

impl ProfileChoice {
    /// Its name; [`None`] if none was given.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.profile.as_deref().or(self.profile_option.as_deref())
    }
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Connection")]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub struct ConnectionArgs {
    /// The mediator: wss://HOST/, or ws:// for this machine. {deviceGroupIdPrefix4} and {deviceGroupIdPrefix8} are
    /// filled in
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// File with the group's key as 64 hex digits (dgk: Device Group Key, mk: Mediator Key), readable by its owner only
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// The server group of the identity; in dialect mk a number in hex digits [default: 01]
    #[arg(long, value_name = "GROUP")]
    pub server_group: Option<String>,
    /// The protocol that the group speaks [default: dgk]
    #[arg(long, value_enum)]
    pub dialect: Option<DialectArg>,
    /// This device's own id; random if not given, but what logs in for one purpose comes back as the same device. Never use the id of another device
    #[arg(long, value_name = "HEX16")]
    pub device_id: Option<String>,
    /// What the other devices see this device called [default: d2mtop@HOST]
    #[arg(long, value_name = "TEXT")]
    pub label: Option<String>,
    /// Whether the mediator knows this device id already [default: what the profile knows, else new]
    #[arg(long, value_enum)]
    pub expect: Option<ExpectArg>,
    /// Keep this device's slot when it is not connected; without it, the slot is volatile from then on, and expires after
    /// some minutes
    #[arg(long)]
    pub persistent: bool,
    /// Send nothing that changes the group
    #[arg(long)]
    pub read_only: bool,
    /// Keep no journal of what is received, whatever the profile says. Without a profile there is none
    #[arg(long)]
    pub no_journal: bool,
    /// Stay connected when promoted to leader. The whole group then gets no incoming messages until d2mtop leaves
    #[arg(long)]
    pub stay_leader: bool,
    /// stay: connected as long as another device leads. visit=10m: connect, take in what waits, list, leave, and be back
    /// after that time [default: what the profile says, else stay]
    #[arg(long, value_name = "stay|visit=DURATION")]
    pub presence: Option<String>,
    /// PEM file with the certificates to trust instead of the built-in ones
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// SHA-256 of a public key that the mediator may have, in base64; checked in addition to its certificate. Repeatable
    #[arg(long = "pin", value_name = "BASE64")]
    pub pins: Vec<String>,
    /// Check nothing of the mediator's certificate: whoever is in between can pretend to be it. For experiments only. An
    /// RSA key below 2048 bits, a P-521 key and an X.509 v1 certificate cannot be used all the same. Without the dashboard it takes =even-unattended
    #[arg(long, value_enum, value_name = "even-unattended", num_args = 0..=1, require_equals = true,
        default_missing_value = "attended", hide_possible_values = true, conflicts_with = "pins")]
    pub dangerously_accept_any_certificate: Option<AnyCertificateArg>,
    /// The proxy on the way to the mediator, http, https, socks5 or socks5h, without a password; none: no proxy, whatever
    /// the environment says [default: what the profile says, else https_proxy, all_proxy and no_proxy]
    #[arg(long, value_name = "URL|none")]
    pub proxy: Option<String>,
    /// Send a ping when nothing was sent for so long, so that nothing on the way cuts an idle connection [default: what the
    /// profile says, else 15s]
    #[arg(long, value_name = "DURATION")]
    pub keep_alive: Option<String>,
    /// How long to wait for a profile that another d2mtop has open, or for one that runs as the same device, such as 30s
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "0s",
        hide_default_value = true)]
    pub wait_profile: Duration,
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}
