//! `d2mtop profile`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::connection::DialectArg;
use super::secrets::{ImportSourceArgs, MoveArgs, PassphraseArgs, StoreArg};

#[derive(Debug, Args)]
pub struct ProfileArgs {
    #[command(subcommand)]
    pub command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// Add a profile whose key stays where it is
    Add(AddArgs),
    /// Add a profile and take its key into keeping
    Import(ImportArgs),
    /// List the profiles; the default one is marked
    List(ListArgs),
    /// Show what a profile says, where its key is, and what is known of its slot; never the key
    Show(NameArgs),
    /// Move a profile's key to another store
    Move(MoveArgs),
    /// Give a profile another name
    Rename(RenameArgs),
    /// Choose the profile that opens without a name
    Default(NameArgs),
    /// Remove a profile, and its key if d2mtop keeps it
    Remove(RemoveArgs),
    /// Print a commented sample of profiles.toml
    Sample,
}

/// How long the mediator keeps the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SlotArg {
    /// Some minutes after d2mtop ends
    Volatile,
    /// As long as possible
    Persistent,
}

/// What happens when all slots are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExhaustedArg {
    /// This device is refused
    Reject,
    /// The device that was away for the longest time loses its slot
    DropLeastRecent,
}

/// Which key a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyKindArg {
    /// The identity's client key, of which the Mediator Key is derived
    ClientKey,
    /// The Mediator Key itself
    Mk,
}

/// What the journal keeps of the other side of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeptArg {
    /// A pseudonym that only the group's key can make
    Hashed,
    /// The identity, or the group's id
    Plain,
    /// Nothing
    None,
}

#[derive(Debug, Args)]
pub struct SettingsArgs {
    /// The mediator: wss://HOST/, or `production`. {deviceGroupIdPrefix4} and {deviceGroupIdPrefix8} are filled in
    #[arg(long, value_name = "URL")]
    pub mediator: Option<String>,
    /// The server group of the identity; in dialect mk a number in hex digits [default: 01]
    #[arg(long, value_name = "GROUP")]
    pub server_group: Option<String>,
    /// The protocol that the group speaks [default: dgk]
    #[arg(long, value_enum)]
    pub dialect: Option<DialectArg>,
    /// What the other devices see this device called [default: d2mtop@HOST]
    #[arg(long, value_name = "TEXT")]
    pub label: Option<String>,
    /// This device's own id; made at random if not given. Never use the id of another device
    #[arg(long, value_name = "HEX16")]
    pub device_id: Option<String>,
    /// How long the mediator keeps this device's slot
    #[arg(long, value_enum, default_value = "volatile")]
    pub slot: SlotArg,
    /// What happens when all slots are taken
    #[arg(long, value_enum, default_value = "reject")]
    pub exhausted: ExhaustedArg,
    /// A public key that the mediator may have: base64 of its SHA-256; can be given more than once
    #[arg(long = "pin", value_name = "BASE64")]
    pub pins: Vec<String>,
    /// PEM file with the certificates to trust instead of the built-in ones
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// When to be connected: stay, or visit=10m
    #[arg(long, value_name = "stay|visit=DURATION", default_value = "stay")]
    pub presence: String,
    /// The proxy on the way to the mediator: http, https, socks5 or socks5h; none: no proxy, whatever the environment says. A
    /// password is for the file, not for the command line
    #[arg(long, value_name = "URL|none")]
    pub proxy: Option<String>,
    /// Send a ping when nothing was sent for so long
    #[arg(long, value_name = "DURATION", default_value = "15s")]
    pub keep_alive: String,
    /// Send nothing that changes the group
    #[arg(long)]
    pub read_only: bool,
    /// Keep no journal of what is received
    #[arg(long)]
    pub no_journal: bool,
    /// What the journal keeps of the other side of a conversation
    #[arg(long, value_enum, default_value = "hashed")]
    pub journal_conversations: KeptArg,
    /// How long the journal keeps a message: 90d, or forever
    #[arg(long, value_name = "DURATION", default_value = "90d")]
    pub journal_age: String,
    /// How many messages the journal keeps at most; 0: no limit
    #[arg(long, value_name = "N", default_value = "1000000", value_parser = clap::value_parser!(u64).range(..1 << 62))]
    pub journal_rows: u64,
    /// Open this profile when no name is given; the first one is the default anyway
    #[arg(long)]
    pub default: bool,
}

#[derive(Debug, Args)]
pub struct AddArgs {
    /// What to call it: letters, digits, hyphens, underscores, dots
    pub name: String,
    /// File with the group's key as 64 hex digits, readable by its owner only; it stays where it is
    #[arg(long, value_name = "FILE", conflicts_with = "credential")]
    pub key_file: Option<PathBuf>,
    /// The key comes as a systemd credential called d2mtop-NAME when a service opens the profile
    #[arg(long)]
    pub credential: bool,
    #[command(flatten)]
    pub settings: SettingsArgs,
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// What to call it: letters, digits, hyphens, underscores, dots
    pub name: String,
    /// File with the group's key as 64 hex digits, readable by its owner only; not needed any more afterwards
    #[arg(long, value_name = "FILE", required_unless_present_any = ["mk", "threema_desktop"],
        conflicts_with_all = ["mk", "threema_desktop"])]
    pub key_file: Option<PathBuf>,
    /// The same for dialect mk, from the file of a client key or a Mediator Key
    #[arg(long, value_name = "FILE", conflicts_with = "threema_desktop")]
    pub mk: Option<PathBuf>,
    /// Which key the file of --mk holds
    #[arg(long, value_enum, requires = "mk", default_value = "mk")]
    pub from: KeyKindArg,
    /// Where to keep the key [default: keyring, or file where there is no usable keyring]
    #[arg(long, value_enum, value_name = "STORE")]
    pub store: Option<StoreArg>,
    #[command(flatten)]
    pub settings: SettingsArgs,
    #[command(flatten)]
    pub source: ImportSourceArgs,
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

#[derive(Clone, Copy, Debug, Args)]
pub struct ListArgs {
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct NameArgs {
    /// Which profile
    pub name: String,
}

#[derive(Debug, Args)]
pub struct RenameArgs {
    /// Which profile
    pub name: String,
    /// What to call it from now on
    pub new_name: String,
}

#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// Which profile
    pub name: String,
    /// First drop this device from the group by the full steps; the profile stays if that fails
    #[arg(long)]
    pub leave_group: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}
