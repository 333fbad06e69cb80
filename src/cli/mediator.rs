//! The options of a mediator of one's own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct MediatorArgs {
    #[command(subcommand)]
    pub command: Option<MediatorCommand>,
    /// TOML file with options by their long names, such as `max-slots = 3`; read anew on SIGHUP. The command line comes
    /// first
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to listen; port 0 takes any free one, which the log tells. Also unix:/PATH. Repeatable
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    pub listen: Vec<String>,
    /// Write the port to this file as soon as connections are accepted
    #[arg(long, value_name = "FILE")]
    pub port_file: Option<PathBuf>,
    /// Directory in which everything that is acknowledged is stored; without it all is in memory only
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Socket at which `mediator status` and the like reach it, for its owner only [default: with --data DIR, DIR/control]
    #[arg(long, value_name = "PATH")]
    pub control: Option<PathBuf>,
    /// Serve metrics for Prometheus here, with /health and /ready; the log tells where
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics: Option<SocketAddr>,
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
    /// How many bytes of messages may wait for a device before it loses its slot
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    pub queue_bytes: ByteSize,
    /// How many groups there may be
    #[arg(long, value_name = "N", default_value = "10000", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_groups: u32,
    /// File with the ids of the groups that may enter, one a line in hex; read anew on SIGHUP. By default any may
    #[arg(long, value_name = "FILE")]
    pub allow_group: Option<PathBuf>,
    /// Serve groups whose ids begin so only, as hex digits, such as 0-7 or 80-bf,f0; others are refused for other mediators
    /// to serve. Repeatable [default: all]
    #[arg(long, value_name = "RANGES")]
    pub prefixes: Vec<String>,
    /// How many clients may be logged in at once; those that are not have a budget of their own
    #[arg(long, value_name = "N", default_value = "1024", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,
    /// How many bytes may be held for all groups together; beyond, the group that holds most loses some of it
    #[arg(long, value_name = "SIZE", default_value = "1GiB")]
    pub max_memory: ByteSize,
    /// How long after its last login a group is forgotten
    #[arg(long, value_name = "DURATION", default_value = "90days", value_parser = humantime::parse_duration)]
    pub forget_after: Duration,
    /// After what time a client is closed that takes nothing of what is sent to it
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = humantime::parse_duration)]
    pub write_timeout: Duration,
    /// After what time a client that vanished is noticed
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration)]
    pub dead_after: Duration,
    /// After what silence a connection is closed; 0s: never
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = humantime::parse_duration)]
    pub idle_timeout: Duration,
    /// How long a client may take to log in
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = humantime::parse_duration)]
    pub handshake_timeout: Duration,
    /// Pass Proxy frames on to this chat server, one connection a device; without it they are only counted
    #[arg(long, value_name = "HOST:PORT")]
    pub chat_server: Option<String>,
    /// Also serve the relay that two devices meet at for a join: two connections to the same /rendezvous/PATH
    #[arg(long)]
    pub rendezvous: bool,
    /// PEM file with the certificate chain, leaf first; without it connections are not encrypted
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's private key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

/// What is asked of a mediator that runs.
#[derive(Debug, Subcommand)]
pub enum MediatorCommand {
    /// Show the groups of a running mediator: who is connected, what waits for whom, who holds the lock
    Status(StatusArgs),
    /// Drop a device from its group: its slot and what waits for it are gone, for a group that is full
    Drop(DropSlotArgs),
    /// Forget a group: all its slots, what waits for them, and what they share
    Forget(ForgetArgs),
    /// Give groups to another mediator: refuse them from now on, close their clients, and put them into a file
    Export(ExportArgs),
    /// Take in the groups that another mediator has put into a file
    Import(ImportGroupsArgs),
}

/// Which mediator is meant.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct ControlArgs {
    /// The socket of the mediator's --control
    #[arg(long, value_name = "PATH")]
    pub control: Option<PathBuf>,
    /// The directory of the mediator's --data, which has a socket if there is no --control
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    pub control: ControlArgs,
    /// Print JSON, one object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DropSlotArgs {
    #[command(flatten)]
    pub control: ControlArgs,
    /// The group: its pseudonym, as the log and status have it, its id, or the beginning of that
    #[arg(value_name = "GROUP")]
    pub group: String,
    /// The device: its id, or the beginning of that
    #[arg(value_name = "DEVICE")]
    pub device: String,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct ForgetArgs {
    #[command(flatten)]
    pub control: ControlArgs,
    /// The group: its pseudonym, as the log and status have it, its id, or the beginning of that
    #[arg(value_name = "GROUP")]
    pub group: String,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    pub control: ControlArgs,
    /// Which groups, as --prefixes has them, such as 0-3
    #[arg(value_name = "RANGES")]
    pub prefixes: String,
    /// The file to put them into, which the mediator writes; there must be none of that name
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct ImportGroupsArgs {
    #[command(flatten)]
    pub control: ControlArgs,
    /// The file of the other mediator's export, which this mediator reads
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}
