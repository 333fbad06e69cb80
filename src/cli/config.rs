//! `d2mtop config`.

use clap::Subcommand;

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print a config.toml to begin with: every setting with its default, as comments
    Sample,
    /// Print the JSON Schema of config.toml, for editors
    Schema,
    /// Print what is in force, and which file it comes from; or what is wrong with it
    Show,
}
