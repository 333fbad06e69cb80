//! Bringing a new device into the group.

use std::path::PathBuf;

use clap::Args;

use super::connection::{ConnectionArgs, ProfileChoice};

#[derive(Debug, Args)]
pub struct AdmitArgs {
    #[command(flatten)]
    pub profile: ProfileChoice,
    /// Read the new device's link from this file, which only you can read, instead of asking for it
    #[arg(long, value_name = "FILE")]
    pub link_file: Option<PathBuf>,
    /// Print JSON, one object a line; whether the emoji match is then a line on standard input: yes or no
    #[arg(long, requires = "link_file")]
    pub json: bool,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}
