//! Where log lines go: a rolling file in the state directory, never the terminal.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{Builder, Rotation};
use tracing_subscriber::EnvFilter;

/// How many daily files are kept.
const KEPT_FILES: usize = 7;

/// The log file cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot log to {directory}: {cause}; going on without a log")]
pub struct LogError {
    directory: PathBuf,
    cause: io::Error,
}

/// Starts logging into `directory`, which is made private to its owner. Lines are lost unless the guard is kept.
///
/// # Errors
/// If the directory or the file cannot be made.
pub fn start(directory: &Path, level: &str) -> Result<WorkerGuard, LogError> {
    let failed = |cause| LogError { directory: directory.to_owned(), cause };
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    let appender = Builder::new()
        .rotation(Rotation::DAILY)
        .filename_prefix("d2mtop")
        .filename_suffix("log")
        .max_log_files(KEPT_FILES)
        .build(directory)
        .map_err(|error| failed(io::Error::other(error)))?;
    let (writer, guard) = tracing_appender::non_blocking(appender);
    let started = tracing_subscriber::fmt()
        .with_writer(writer)
        .with_ansi(false)
        .with_env_filter(EnvFilter::new(format!("warn,d2mtop={level}")))
        .try_init();
    // Another subscriber, as in a test, gets the lines instead.
    drop(started);
    Ok(guard)
}
