//! The options of a mediator of one's own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::Args;

#[derive(Debug, Args)]
pub struct MediatorArgs {
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
