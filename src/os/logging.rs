//! Where log lines go: a rolling file in the state directory, never the terminal.

use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::Level;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{Builder, InitError, RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;

/// How many daily files are kept.
const KEPT_FILES: usize = 7;

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// No home directory.
    #[error(
        "no home directory to log to: HOME is not set, or names none that is there; set HOME or XDG_STATE_HOME, or give \
         --log-dir; going on without a log"
    )]
    NoHome,
    /// The directory or file cannot be made.
    #[error("cannot log to {directory}: {cause}; give another --log-dir; going on without a log")]
    Unwritable {
        /// Where.
        directory: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

/// Where and what is logged.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// The directory of the log files; [`None`] if there is no place for one.
    pub directory: Option<PathBuf>,
    /// The least important lines that are logged.
    pub level: Level,
}

/// Starts logging into the directory of the options, which is made private to its owner. Lines are lost unless the guard
/// is kept to the end.
///
/// # Errors
/// If the directory or the file cannot be made.
pub fn start(options: &LogOptions) -> Result<WorkerGuard, LogError> {
    let directory = options.directory.as_deref().ok_or(LogError::NoHome)?;
    let failed = |cause| LogError::Unwritable { directory: directory.to_owned(), cause };
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    let file = LogFile::open(directory).map_err(|error| failed(io::Error::other(error)))?;
    let (writer, guard) = tracing_appender::non_blocking(file);
    let started = tracing_subscriber::fmt()
        .with_writer(writer)
        .with_ansi(false)
        .with_env_filter(EnvFilter::new(format!("warn,d2mtop={}", options.level)))
        .try_init();
    // Another subscriber, as in a test, gets the lines instead.
    drop(started);
    Ok(guard)
}

/// Somebody may have moved the log file away, and wants a new one.
static REOPEN: AtomicBool = AtomicBool::new(false);

/// Opens the log file anew before the next line.
pub fn reopen() {
    REOPEN.store(true, Ordering::Relaxed);
    tracing::info!("the log file is opened anew");
}

struct LogFile {
    directory: PathBuf,
    appender: RollingFileAppender,
}

impl LogFile {
    fn open(directory: &Path) -> Result<Self, InitError> {
        let builder = Builder::new().rotation(Rotation::DAILY).filename_prefix("d2mtop").filename_suffix("log");
        let appender = builder.max_log_files(KEPT_FILES).build(directory)?;
        Ok(Self { directory: directory.to_owned(), appender })
    }
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // Where it cannot be opened anew, the old one is better than none.
        if REOPEN.swap(false, Ordering::Relaxed)
            && let Ok(anew) = Self::open(&self.directory)
        {
            *self = anew;
        }
        self.appender.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.appender.flush()
    }
}
