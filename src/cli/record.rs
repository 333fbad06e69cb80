//! Recording what happens, and playing it again.

use std::path::PathBuf;

use bytesize::ByteSize;
use clap::Args;

use super::secrets::PassphraseArgs;
use super::{DisplayArgs, LinesArgs};

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Recording")]
pub struct RecordArgs {
    /// Record in this folder what comes and what follows, for d2mtop replay. Frames as they are on the wire: what devices
    /// write to each other stays sealed
    #[arg(long, value_name = "FOLDER")]
    pub record: Option<PathBuf>,
    /// How much may be recorded; the oldest is deleted beyond
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = record_limit)]
    pub record_limit: ByteSize,
}

/// Which key opens a recording.
#[derive(Clone, Debug, Args)]
pub struct RecordKeyArgs {
    /// File with the group's key, as for a connection; without a key all works but what devices write to each other
    #[arg(long, value_name = "FILE", conflicts_with = "profile")]
    pub key_file: Option<PathBuf>,
    /// Takes the group's key from this profile
    #[arg(short = 'p', long, value_name = "NAME")]
    pub profile: Option<String>,
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The folder that --record was given
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    #[command(flatten)]
    pub key: RecordKeyArgs,
    /// How many times as fast as it was, or max [default: 1x on the dashboard, else max]
    #[arg(long, value_name = "1x|10x|max")]
    pub speed: Option<String>,
    /// Play up to this time: 10m after the beginning, 14:30, 2026-11-01T14:30, or with an offset
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Compare what follows with what followed when it was recorded; the first difference is told, and ends it with exit code 1
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub lines: LinesArgs,
    #[command(flatten)]
    pub display: DisplayArgs,
}

/// Less than this would hold no connection.
const LEAST: ByteSize = ByteSize::mb(1);

fn record_limit(text: &str) -> Result<ByteSize, String> {
    let size: ByteSize = text.parse()?;
    if size < LEAST { Err("the least is 1M".to_owned()) } else { Ok(size) }
}
