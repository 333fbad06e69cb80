//! The command line: types only, no logic.

pub mod secrets;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod commands;
mod history;
mod manual;
mod monitor;
mod profile;

use secrets::PassphraseArgs;

pub use commands::{
    DevicesArgs, DropArgs, LockArgs, MeansArgs, ProbeArgs, ScopeArg, SharedDataArgs, SharedDataCommand,
    SharedDataSetArgs, SharedDataShowArgs,
};
pub use history::HistoryArgs;
pub use manual::{ManualArgs, TopicArg};
pub use monitor::{AttentionArgs, MonitorArgs};
pub use profile::{
    AddArgs, ExhaustedArg, ImportArgs, KeptArg, KeyKindArg, ListArgs, NameArgs, ProfileArgs, ProfileCommand,
    RemoveArgs, RenameArgs, SettingsArgs, SlotArg,
};

/// A live dashboard for a Threema-style multi-device group.
///
/// Without a command it opens the dashboard on a profile, or on the mediator at --url. To see it move first: d2mtop demo
#[derive(Debug, Parser)]
#[command(name = "d2mtop", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The profiles to open, each in a tab of its own; the options override what they say [default: with --url none,
    /// else the default profile]
    #[arg(value_name = "PROFILE", help_heading = "Arguments")]
    pub profiles: Vec<String>,
    /// Names a profile, as PROFILE does; also one that is called like a command. Repeatable
    #[arg(short = 'p', long = "profile", value_name = "NAME")]
    pub profile_options: Vec<String>,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    pub display: DisplayArgs,
    #[command(flatten)]
    pub attention: AttentionArgs,
    #[command(flatten)]
    pub monitor: MonitorArgs,
    #[command(flatten)]
    pub log: LogArgs,
}

impl Cli {
    /// The names of the profiles to open, in the order of their tabs.
    #[must_use]
    pub fn profile_names(&self) -> Vec<String> {
        [self.profiles.as_slice(), &self.profile_options].concat()
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print what happens in the group, a line each: NDJSON, or sentences on a terminal
    Watch(WatchArgs),
    /// Carry the connections of a chat client through the mediator to the chat server, as this device
    ///
    /// One connection at a time. Prints what happens, like watch.
    Proxy(ProxyArgs),
    /// List the devices of the group, or print what changes among them
    Devices(DevicesArgs),
    /// Drop devices from the group for good
    Drop(DropArgs),
    /// Take the group's lock, and run a command under it
    ///
    /// Without a command it holds the lock until it is interrupted. As long as it is held, no other device can change what
    /// is under a lock. What is received meanwhile is not acknowledged: it comes again at the next watch.
    Lock(LockArgs),
    /// Show or set the data that the mediator gives to every device at login
    SharedData(SharedDataArgs),
    /// Measure the way to the mediator and back, as ping does
    Probe(ProbeArgs),
    /// Check all that a session needs, from the terminal to the login: what is wrong, and what to do
    ///
    /// It logs in as this device for a moment, unless another d2mtop of yours runs as this device on this machine.
    Doctor(DoctorArgs),
    /// Show what was received, from a profile's journal; logs in nowhere
    History(HistoryArgs),
    /// Keep connections under names, so that d2mtop NAME opens them
    Profile(ProfileArgs),
    /// Run a mediator: the server that the devices of a group meet at
    Mediator(MediatorArgs),
    /// Show a simulated group: mediator, four devices and the dashboard in one process
    Demo(DemoArgs),
    /// Print a page of the manual, or the list of its pages
    Manual(ManualArgs),
    /// Print a script that completes commands and options in a shell
    Completions(CompletionsArgs),
    /// Print the Unix manual page of d2mtop, or of one of its commands
    Man(ManArgs),
}

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
    /// This device's own id; random if not given. Never use the id of another device
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
    /// Check nothing of the mediator's certificate: whoever is in between can pretend to be it. For experiments only. An RSA
    /// key below 2048 bits, a P-521 key and an X.509 v1 certificate cannot be used all the same.
    /// Without the dashboard it takes =even-unattended
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
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Display")]
pub struct DisplayArgs {
    /// Draw with ASCII characters only. Colour is switched off by NO_COLOR=1
    #[arg(long)]
    pub ascii: bool,
    /// Show times in UTC instead of local time
    #[arg(long)]
    pub utc: bool,
    /// How many messages the feed keeps in memory
    #[arg(long, value_name = "N", default_value = "100000", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub feed_rows: u32,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    /// Directory of the log files [default: $XDG_STATE_HOME/d2mtop]
    #[arg(long, value_name = "DIR", global = true)]
    pub log_dir: Option<PathBuf>,
    /// What is logged
    #[arg(long, value_name = "LEVEL", global = true, default_value = "info", value_parser = ["error", "warn", "info", "debug"])]
    pub log_level: String,
}

#[derive(Debug, Args)]
pub struct WatchArgs {
    #[command(flatten)]
    pub profile: ProfileChoice,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    pub stream: StreamArgs,
    #[command(flatten)]
    pub until: UntilArgs,
    #[command(flatten)]
    pub monitor: MonitorArgs,
}

#[derive(Debug, Args)]
pub struct ProxyArgs {
    #[command(flatten)]
    pub profile: ProfileChoice,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Where to wait for the chat client; port 0 takes any free one, which the first line tells
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Write the port to this file as soon as connections are accepted
    #[arg(long, value_name = "FILE")]
    pub port_file: Option<PathBuf>,
    /// Print NDJSON on a terminal, too, where sentences are printed otherwise
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Stream")]
pub struct LinesArgs {
    /// Print these events only, by name and separated by commas; a warning at the start is printed all the same
    #[arg(long, value_name = "EVENTS", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Print NDJSON on a terminal, too, where sentences are printed otherwise
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Stream")]
pub struct StreamArgs {
    #[command(flatten)]
    pub lines: LinesArgs,
    /// Whether to connect again when a connection cannot be made or is lost: always, never, or so many times in a row. A
    /// server that wants somebody to decide ends it all the same
    #[arg(long, value_name = "always|never|N", default_value = "never")]
    pub reconnect: String,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// Of which command, such as watch [default: of d2mtop itself]
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}

#[derive(Clone, Copy, Debug, Args)]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub profile: ProfileChoice,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Print JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "End")]
pub struct UntilArgs {
    /// End when the queue is dry and every message is acknowledged
    #[arg(long)]
    pub until_dry: bool,
    /// End after this time, such as 30s or 5m
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub duration: Option<Duration>,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The protocol that the simulated group speaks
    #[arg(long, value_enum, default_value = "dgk")]
    pub dialect: DialectArg,
    /// How many messages the simulated devices reflect, all together
    #[arg(long, value_name = "MSGS_PER_S", default_value = "2", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate: u32,
    /// The same seed tells the same story
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Print what `watch` prints instead of opening the dashboard
    #[arg(long)]
    pub headless: bool,
    #[command(flatten)]
    pub lines: LinesArgs,
    #[command(flatten)]
    pub until: UntilArgs,
    #[command(flatten)]
    pub display: DisplayArgs,
    #[command(flatten)]
    pub attention: AttentionArgs,
    #[command(flatten)]
    pub monitor: MonitorArgs,
}

#[derive(Debug, Args)]
pub struct MediatorArgs {
    /// Where to listen; port 0 takes any free one, which the first line of the log tells
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Write the port to this file as soon as connections are accepted
    #[arg(long, value_name = "FILE")]
    pub port_file: Option<PathBuf>,
    /// How many devices a group may have
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub max_slots: u16,
    /// How long a transaction may take at most
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = humantime::parse_duration)]
    pub max_ttl: Duration,
    /// How long the slot of a volatile device outlives its connection
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = humantime::parse_duration)]
    pub volatile_grace: Duration,
    /// How many messages may wait for a device before it loses its slot
    #[arg(long, value_name = "N", default_value = "100000", value_parser = clap::value_parser!(u32).range(1..))]
    pub queue_limit: u32,
    /// After what silence a connection is closed; 0s: never
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = humantime::parse_duration)]
    pub idle_timeout: Duration,
    /// How long a client may take to log in
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = humantime::parse_duration)]
    pub handshake_timeout: Duration,
    /// Pass Proxy frames on to this chat server, one connection a device; without it they are only counted
    #[arg(long, value_name = "HOST:PORT")]
    pub chat_server: Option<String>,
    /// PEM file with the certificate chain, leaf first; without it connections are not encrypted
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's private key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}
