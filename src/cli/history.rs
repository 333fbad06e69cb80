//! `d2mtop history`.

use clap::Args;

use super::connection::ProfileChoice;
use super::secrets::PassphraseArgs;

#[derive(Debug, Args)]
#[command(mut_arg("profile", |profile| profile.help("The profile whose journal is read [default: the default profile]")))]
#[allow(clippy::struct_excessive_bools, reason = "switches that do not depend on each other")]
pub struct HistoryArgs {
    #[command(flatten)]
    pub profile: ProfileChoice,
    /// Only what was received then or later: a time ago such as 2h or 7d, a day such as 2026-11-01, or 2026-11-01T12:00
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only what was received before then; written like --since
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only this kind, as --json names it; repeatable
    #[arg(long = "kind", value_name = "KIND")]
    pub kinds: Vec<String>,
    /// Only what this device reflected: its id, or its label if one known device has it
    #[arg(long, value_name = "DEVICE")]
    pub from: Option<String>,
    /// Only what was exchanged with: a contact's identity, the id of a group or distribution list, or # and the first
    /// digits of a pseudonym. Names need the profile's key
    #[arg(long, value_name = "WHO")]
    pub conversation: Option<String>,
    /// Only the newest N [default: all with --since or --until, else 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Count by day, device and kind instead, with how late messages came and were acknowledged
    #[arg(long, conflicts_with = "limit")]
    pub stats: bool,
    /// Show names instead of pseudonyms, as far as the profile keeps them. They are sealed: this needs the group's key, and may
    /// ask for a passphrase
    #[arg(long, conflicts_with = "stats")]
    pub names: bool,
    /// Print JSON, one object a line, with the names that watch uses
    #[arg(long)]
    pub json: bool,
    /// Read and show times in UTC instead of local time
    #[arg(long)]
    pub utc: bool,
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}
