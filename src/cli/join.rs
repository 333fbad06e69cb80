//! `d2mtop join`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::connection::DialectArg;
use super::profile::SlotArg;
use super::secrets::{PassphraseArgs, StoreArg};

#[derive(Debug, Args)]
pub struct JoinArgs {
    /// What to call the profile: letters, digits, hyphens, underscores, dots [default: home, else home-2, home-3 …]
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// The mediator: wss://HOST/. {deviceGroupIdPrefix4} and {deviceGroupIdPrefix8} are filled in [default: production]
    #[arg(long, value_name = "URL", requires = "rendezvous")]
    pub mediator: Option<String>,
    /// The relay where phone and computer meet. {rendezvousPathPrefix4} and {rendezvousPathPrefix8} are filled in
    /// [default: production]
    #[arg(long, value_name = "URL", requires = "mediator")]
    pub rendezvous: Option<String>,
    /// Take mediator, relay and pins of an OnPrem server from its provisioning file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["mediator", "rendezvous"])]
    pub oppf: Option<PathBuf>,
    /// PEM file with the certificates to trust instead of the built-in ones, of mediator and relay
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// A public key that mediator and relay may have: base64 of its SHA-256; can be given more than once
    #[arg(long = "pin", value_name = "BASE64")]
    pub pins: Vec<String>,
    /// The proxy on the way to both: http, https, socks5 or socks5h, without a password; none: no proxy, whatever the
    /// environment says [default: https_proxy, all_proxy and no_proxy]
    #[arg(long, value_name = "URL|none")]
    pub proxy: Option<String>,
    /// What the other devices see this device called [default: d2mtop@HOST]
    #[arg(long, value_name = "TEXT")]
    pub label: Option<String>,
    /// How long the mediator keeps this device's slot. A phone that is left alone in its group destroys the group's key
    #[arg(long, value_enum, default_value = "persistent")]
    pub slot: SlotArg,
    /// The protocol; joining is part of dgk only
    #[arg(long, value_enum, default_value = "dgk")]
    pub dialect: DialectArg,
    /// Where to keep the key [default: keyring, or file where there is no usable keyring]
    #[arg(long, value_enum, value_name = "STORE")]
    pub store: Option<StoreArg>,
    /// Write the link into this file, for who cannot scan; readable by you only, and removed at the end
    #[arg(long, value_name = "FILE")]
    pub offer_file: Option<PathBuf>,
    /// Write the code into this file as a picture, .png or .svg; readable by you only, and removed at the end
    #[arg(long, value_name = "FILE")]
    pub qr_file: Option<PathBuf>,
    /// Print JSON, one object a line, instead of the code; asks nothing
    #[arg(long, requires = "offer_file")]
    pub json: bool,
    /// How long it may take from the moment that the phone is there to the last of its data
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// Keep none of the names of contacts, groups and lists
    #[arg(long)]
    pub forget_names: bool,
    /// Draw the code with coloured spaces instead of half blocks; it is twice as large
    #[arg(long)]
    pub ascii: bool,
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}
