//! The command line: types only, no logic.

pub mod secrets;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod admit;
mod commands;
mod config;
mod connection;
mod history;
mod join;
mod manual;
mod mediator;
mod monitor;
mod profile;
mod record;

pub use admit::AdmitArgs;
pub use commands::{
    DevicesArgs, DropArgs, LockArgs, MeansArgs, ProbeArgs, ScopeArg, SharedDataArgs, SharedDataCommand,
    SharedDataSetArgs, SharedDataShowArgs,
};
pub use config::ConfigCommand;
pub use connection::{AnyCertificateArg, ConnectionArgs, DialectArg, ExpectArg, ProfileChoice};
pub use history::HistoryArgs;
pub use join::JoinArgs;
pub use manual::{ManualArgs, TopicArg};
pub use mediator::{
    ControlArgs, DropSlotArgs, ExportArgs, ForgetArgs, ImportGroupsArgs, MediatorArgs, MediatorCommand, StatusArgs,
};
pub use monitor::{AttentionArgs, MonitorArgs};
pub use profile::{
    AddArgs, ExhaustedArg, ImportArgs, KeptArg, KeyKindArg, ListArgs, NameArgs, ProfileArgs, ProfileCommand,
    RemoveArgs, RenameArgs, SettingsArgs, SlotArg,
};
pub use record::{RecordArgs, RecordKeyArgs, ReplayArgs};

/// A live dashboard for a Threema-style multi-device group.
///
/// Without a command it opens the dashboard on a profile, or on the mediator at --url. To see it move first: d2mtop demo
#[derive(Debug, Parser)]
#[command(name = "d2mtop", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<CliCommand>,
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
    pub record: RecordArgs,
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
pub enum CliCommand {
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
    /// Join your own group: a phone of it scans a code, and this computer becomes a device of the group
    ///
    /// Before the code is shown, all that could fail later is tried, and d2mtop says what linking means. For dialect dgk.
    Join(JoinArgs),
    /// Keep connections under names, so that d2mtop NAME opens them
    Profile(ProfileArgs),
    /// Bring another d2mtop into the group, by the link that its join shows
    ///
    /// Whoever has the link and shows the same three emoji gets the group's key. Phone apps would refuse it, as this device
    /// has no client key to give: they are linked on a phone.
    Admit(AdmitArgs),
    /// Run a mediator: the server that the devices of a group meet at
    Mediator(MediatorArgs),
    /// Show a simulated group: mediator, four devices and the dashboard in one process
    Demo(DemoArgs),
    /// Play a recording again: what --record has kept; connects nowhere
    Replay(ReplayArgs),
    /// Show how the dashboard is configured
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a page of the manual, or the list of its pages
    Manual(ManualArgs),
    /// Print a script that completes commands and options in a shell
    Completions(CompletionsArgs),
    /// Print the Unix manual page of d2mtop, or of one of its commands
    Man(ManArgs),
}

#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Display")]
pub struct DisplayArgs {
    /// Draw with ASCII characters only: always, never, or where the terminal or the locale has no others. Colour is
    /// switched off by NO_COLOR=1
    #[arg(long, value_name = "WHEN", value_enum, num_args = 0..=1, require_equals = true, default_value_t,
        default_missing_value = "always")]
    pub ascii: AsciiArg,
    /// Colours; auto is dark or light as the terminal's background, if it tells [default: auto]
    #[arg(long, value_name = "NAME", value_enum)]
    pub theme: Option<ThemeName>,
    /// Leave the mouse to the terminal
    #[arg(long)]
    pub no_mouse: bool,
    /// Show times in UTC instead of local time
    #[arg(long)]
    pub utc: bool,
    /// How many messages the feed keeps in memory [default: 100000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub feed_rows: Option<u32>,
}

/// When only ASCII characters are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AsciiArg {
    /// Where TERM is dumb or linux, or the locale is not UTF-8
    #[default]
    Auto,
    Always,
    Never,
}

/// The themes by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ThemeName {
    /// Dark or light as the terminal's background, if it tells; its own colours otherwise
    #[default]
    Auto,
    Dark,
    Light,
    /// The sixteen colours as the terminal has them
    Terminal,
    HighContrast,
    /// No colour
    Mono,
    CatppuccinMocha,
    CatppuccinLatte,
    GruvboxDark,
    GruvboxLight,
    SolarizedDark,
    SolarizedLight,
    Nord,
}

impl ThemeName {
    /// The name as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Terminal => "terminal",
            Self::HighContrast => "high-contrast",
            Self::Mono => "mono",
            Self::CatppuccinMocha => "catppuccin-mocha",
            Self::CatppuccinLatte => "catppuccin-latte",
            Self::GruvboxDark => "gruvbox-dark",
            Self::GruvboxLight => "gruvbox-light",
            Self::SolarizedDark => "solarized-dark",
            Self::SolarizedLight => "solarized-light",
            Self::Nord => "nord",
        }
    }
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
    #[command(flatten)]
    pub record: RecordArgs,
    /// Show times in UTC instead of local time, where sentences are printed
    #[arg(long, help_heading = "Stream")]
    pub utc: bool,
}

#[derive(Debug, Args)]
pub struct ProxyArgs {
    #[command(flatten)]
    pub profile: ProfileChoice,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    pub record: RecordArgs,
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
    /// Tell names and nicknames of contacts, groups and lists in NDJSON
    #[arg(long)]
    pub names: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Stream")]
pub struct StreamArgs {
    #[command(flatten)]
    pub lines: LinesArgs,
    /// Whether to connect again when a connection cannot be made or is lost: always, never, or so many times in a row. A
    /// mediator that wants somebody to decide ends it all the same
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
    /// Instead of the dashboard, have the simulated phone wait for a device to link: d2mtop join in a second terminal
    #[arg(long, conflicts_with = "headless")]
    pub join: bool,
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
    #[command(flatten)]
    pub record: RecordArgs,
}
