//! Options about where keys come from and where they are kept.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where `profile import` takes a group from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Import")]
pub struct ImportSourceArgs {
    /// Take the group from Threema Desktop on this machine, with its own password; DIR is a profile's directory, if there
    /// are several
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    #[allow(clippy::option_option, reason = "the option with and without a value")]
    pub threema_desktop: Option<Option<PathBuf>>,
    /// Take mediator and pins of an OnPrem server from its provisioning file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["threema_desktop", "mediator"])]
    pub oppf: Option<PathBuf>,
    /// Read the password of Threema Desktop from this file descriptor instead of asking
    #[arg(long, value_name = "N", requires = "threema_desktop")]
    pub password_fd: Option<u32>,
}

/// Where a key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StoreArg {
    /// The keyring of the operating system
    Keyring,
    /// A file that only you can read
    File,
    /// A file sealed with a passphrase
    PassphraseFile,
}

/// `profile move NAME --to STORE`.
#[derive(Debug, Args)]
pub struct MoveArgs {
    /// The profile whose key is moved
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Where it is kept from now on
    #[arg(long, value_enum, value_name = "STORE")]
    pub to: StoreArg,
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

/// How a passphrase is handed in: never on the command line or in the environment, which others can read.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct PassphraseArgs {
    /// Read the passphrase of a passphrase file from this file descriptor instead of asking
    #[arg(long, value_name = "N")]
    pub passphrase_fd: Option<u32>,
}
