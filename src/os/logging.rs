//! Where log lines go: a rolling file in the state directory, never the terminal.

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{NaiveDate, Utc};
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
        /// The directory of the log files.
        directory: PathBuf,
        /// The cause, as the system or a library tells it.
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
    today: NaiveDate,
}

impl LogFile {
    fn open(directory: &Path) -> Result<Self, InitError> {
        let builder = Builder::new().rotation(Rotation::DAILY).filename_prefix("d2mtop").filename_suffix("log");
        let appender = builder.build(directory)?;
        let today = Utc::now().date_naive();
        prune(directory, today);
        Ok(Self { directory: directory.to_owned(), appender, today })
    }
}

/// Deletes the oldest of our daily files. Only what has exactly such a name is ours, and today's file always stays, also
/// where the clock was set back.
fn prune(directory: &Path, today: NaiveDate) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let day_of = |name: &str| {
        let day = name.strip_prefix("d2mtop.")?.strip_suffix(".log")?;
        let date = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
        (date.to_string() == day).then_some(date)
    };
    let mut files: Vec<(NaiveDate, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter_map(|entry| Some((day_of(entry.file_name().to_str()?)?, entry.path())))
        .filter(|(day, _)| *day != today)
        .collect();
    files.sort_unstable();
    let surplus = files.len().saturating_sub(KEPT_FILES - 1);
    for (_, path) in files.iter().take(surplus) {
        if let Err(error) = fs::remove_file(path) {
            tracing::warn!("cannot delete the old log {}: {error}", path.display());
        }
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
        let written = self.appender.write(line);
        let today = Utc::now().date_naive();
        if today != self.today {
            self.today = today;
            prune(&self.directory, today);
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.appender.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_old_logs_are_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let foreign =
            ["d2mtop-notes.log", "d2mtop.conf.log", "d2mtop.2020-1-2.log", "d2mtop.2020-01-02.log.gz", "a.log"];
        // Of tomorrow and later, as before the clock was set back.
        let ours: Vec<String> = (1..=9).map(|day| format!("d2mtop.2199-01-0{day}.log")).collect();
        for name in foreign.into_iter().chain(ours.iter().map(String::as_str)) {
            fs::write(path(name), "words").unwrap();
        }
        fs::create_dir(path("d2mtop.2020-01-01.log")).unwrap();
        let mut log = LogFile::open(directory.path()).unwrap();
        log.write_all(b"a line\n").unwrap();
        assert!(foreign.iter().all(|name| path(name).exists()), "what d2mtop did not make stays");
        let kept: Vec<bool> = ours.iter().map(|name| path(name).exists()).collect();
        assert_eq!(kept, [false, false, false, true, true, true, true, true, true]);
        let today = format!("d2mtop.{}.log", Utc::now().date_naive());
        assert_eq!(fs::read(path(&today)).unwrap(), b"a line\n", "the newest stays");
    }
}
