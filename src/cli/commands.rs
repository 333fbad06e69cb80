//! The one-shot commands: each logs in, does one thing, and leaves.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::connection::{ConnectionArgs, ProfileChoice};

#[derive(Debug, Args)]
pub struct DevicesArgs {
    #[command(flatten)]
    pub profile: ProfileChoice,
    /// Print JSON, one object a line
    #[arg(long)]
    pub json: bool,
    /// Print everything that is known of each device, and cut nothing
    #[arg(long)]
    pub wide: bool,
    /// Stay, and print only what changes: devices that are new, changed or gone, that come and that go
    #[arg(long, conflicts_with = "wide")]
    pub watch_changes: bool,
    /// How often to ask for the list; the mediator tells nothing by itself
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration,
        requires = "watch_changes")]
    pub every: Duration,
    /// With --watch-changes: whether to connect again when a connection cannot be made or is lost: always, never, or so
    /// many times in a row. A mediator that wants somebody to decide ends it all the same
    #[arg(long, value_name = "always|never|N", default_value = "never", requires = "watch_changes")]
    pub reconnect: String,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct DropArgs {
    /// Which devices: a device id, its first digits, or a label
    #[arg(value_name = "DEVICE", required_unless_present = "own")]
    pub devices: Vec<String>,
    /// The profile to open [default: with --url none, else the default profile]
    #[arg(short, long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Drop this device itself, too: it leaves the group for good
    #[arg(long = "self")]
    pub own: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Print JSON, one object a line
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// What the lock is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "each is the scope of the same name in the specification")]
pub enum ScopeArg {
    #[value(alias = "USER_PROFILE_SYNC")]
    UserProfileSync,
    #[value(alias = "CONTACT_SYNC")]
    ContactSync,
    #[value(alias = "GROUP_SYNC")]
    GroupSync,
    #[value(alias = "DISTRIBUTION_LIST_SYNC")]
    DistributionListSync,
    #[value(alias = "SETTINGS_SYNC")]
    SettingsSync,
    #[value(alias = "MDM_PARAMETER_SYNC")]
    MdmParameterSync,
    #[value(alias = "NEW_DEVICE_SYNC")]
    NewDeviceSync,
    #[value(alias = "DROP_DEVICE")]
    DropDevice,
    #[value(alias = "WORK_SYNC_DELTA")]
    WorkSyncDelta,
}

#[derive(Debug, Args)]
pub struct LockArgs {
    /// What the lock is taken for, which the other devices are told
    #[arg(value_enum)]
    pub scope: ScopeArg,
    /// The command to run under the lock; its exit code is passed on
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
    /// The profile to open [default: with --url none, else the default profile]
    #[arg(short, long, value_name = "NAME")]
    pub profile: Option<String>,
    /// For how long at most, in whole seconds [default: 60s]; the mediator may take it back sooner
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub ttl: Option<Duration>,
    /// How long to wait for a device that has the lock; 0s: not at all [default: as long as it takes]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub wait: Option<Duration>,
    /// Print JSON, one object a line; only without a command, whose output it would mix with
    #[arg(long, conflicts_with = "command")]
    pub json: bool,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct SharedDataArgs {
    #[command(subcommand)]
    pub command: SharedDataCommand,
}

#[derive(Debug, Subcommand)]
pub enum SharedDataCommand {
    /// Show what the mediator gives to every device at login
    Show(SharedDataShowArgs),
    /// Set it (dgk), and look whether the mediator gives it now
    Set(SharedDataSetArgs),
}

#[derive(Debug, Args)]
pub struct SharedDataShowArgs {
    #[command(flatten)]
    pub profile: ProfileChoice,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct SharedDataSetArgs {
    /// The lowest device-to-device version that every device of the group must speak
    #[arg(long = "version", value_name = "N")]
    pub minimum: u32,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub show: SharedDataShowArgs,
}

#[derive(Debug, Args)]
pub struct ProbeArgs {
    #[command(flatten)]
    pub profile: ProfileChoice,
    /// How many probes to send [default: until interrupted]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// From one probe to the next
    #[arg(short, long, value_name = "DURATION", default_value = "1s", value_parser = humantime::parse_duration)]
    pub interval: Duration,
    #[command(flatten)]
    pub means: MeansArgs,
    /// Print JSON, one object a line
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// What a probe sends.
#[derive(Clone, Copy, Debug, Args)]
pub struct MeansArgs {
    /// Send WebSocket pings instead of requests for the device list
    #[arg(long)]
    pub ping: bool,
    /// Reflect a message that changes nothing, and measure until it is stored (dgk). Devices that are not connected get
    /// every one of them later
    #[arg(long, conflicts_with = "ping")]
    pub reflect: bool,
    /// Do not ask
    #[arg(short, long, requires = "reflect")]
    pub yes: bool,
}
