//! Where log lines go: a rolling file in the state directory, never the terminal.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{NaiveDate, Utc};
use tracing::Level;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// How many daily files are kept.
const KEPT_FILES: usize = 7;

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
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
    let file = LogFile::open(directory, Utc::now().date_naive()).map_err(failed)?;
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

/// How often somebody may have moved the log file away, and wanted a new one.
static REOPENED: AtomicU32 = AtomicU32::new(0);

/// Opens the log file anew before the next line.
pub fn reopen() {
    REOPENED.fetch_add(1, Ordering::Relaxed);
    tracing::info!("the log file is opened anew");
}

/// Begins each file that we make, and so tells it from one of the same name that somebody else made.
const MARK: &str = "# log of d2mtop\n";

struct LogFile {
    directory: PathBuf,
    file: File,
    today: NaiveDate,
    reopened: u32,
}

impl LogFile {
    fn open(directory: &Path, today: NaiveDate) -> io::Result<Self> {
        let reopened = REOPENED.load(Ordering::Relaxed);
        let path = directory.join(format!("d2mtop.{today}.log"));
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        if file.metadata()?.len() == 0 {
            file.write_all(MARK.as_bytes())?;
        }
        prune(directory, today);
        Ok(Self { directory: directory.to_owned(), file, today, reopened })
    }
}

/// Deletes the oldest of our daily files. Only what has exactly such a name and begins with our mark is ours, and today's
/// file always stays, also where the clock was set back.
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
        .filter(|(day, path)| *day != today && is_ours(path))
        .collect();
    files.sort_unstable();
    let surplus = files.len().saturating_sub(KEPT_FILES - 1);
    for (_, path) in files.iter().take(surplus) {
        if let Err(error) = fs::remove_file(path) {
            tracing::warn!("cannot delete the old log {}: {error}", path.display());
        }
    }
}

fn is_ours(path: &Path) -> bool {
    let mut start = [0; MARK.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == MARK.as_bytes()
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let today = Utc::now().date_naive();
        // Where it cannot be opened anew, the old one is better than none.
        if (REOPENED.load(Ordering::Relaxed) != self.reopened || today != self.today)
            && let Ok(anew) = Self::open(&self.directory, today)
        {
            *self = anew;
        }
        self.file.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_our_own_old_logs_are_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let foreign = [
            "d2mtop-notes.log",
            "d2mtop.conf.log",
            "d2mtop.2020-1-2.log",
            "d2mtop.2020-01-02.log.gz",
            // Named exactly as ours are.
            "d2mtop.2020-01-02.log",
            "d2mtop.2199-12-31.log",
        ];
        for name in foreign {
            fs::write(path(name), "a diary of somebody else").unwrap();
        }
        fs::create_dir(path("d2mtop.2020-01-01.log")).unwrap();
        // Of tomorrow and later, as before the clock was set back.
        let ours: Vec<String> = (1..=9).map(|day| format!("d2mtop.2199-01-0{day}.log")).collect();
        for day in 1..=9 {
            let day = NaiveDate::from_ymd_opt(2199, 1, day).unwrap();
            // Each as its own day has it: no other is old yet.
            let alone = tempfile::tempdir().unwrap();
            drop(LogFile::open(alone.path(), day).unwrap());
            let name = format!("d2mtop.{day}.log");
            fs::copy(alone.path().join(&name), path(&name)).unwrap();
        }
        let now = Utc::now().date_naive();
        let mut log = LogFile::open(directory.path(), now).unwrap();
        log.write_all(b"a line\n").unwrap();
        assert!(foreign.iter().all(|name| path(name).exists()), "what d2mtop did not make stays");
        let kept: Vec<bool> = ours.iter().map(|name| path(name).exists()).collect();
        assert_eq!(kept, [false, false, false, true, true, true, true, true, true]);
        let today = path(&format!("d2mtop.{now}.log"));
        assert_eq!(fs::read_to_string(&today).unwrap(), format!("{MARK}a line\n"), "the newest stays");
        let mode = fs::metadata(&today).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // What somebody began goes on as theirs, mark or not.
        fs::write(&today, "a diary\n").unwrap();
        LogFile::open(directory.path(), now).unwrap().write_all(b"a line\n").unwrap();
        assert_eq!(fs::read(&today).unwrap(), b"a diary\na line\n");
    }

    #[test]
    fn each_day_has_its_file_and_one_that_is_moved_away_is_begun_anew() {
        let directory = tempfile::tempdir().unwrap();
        let now = Utc::now().date_naive();
        let yesterday = now.pred_opt().unwrap();
        let mut log = LogFile::open(directory.path(), yesterday).unwrap();
        log.write_all(b"a line\n").unwrap();
        let today = directory.path().join(format!("d2mtop.{now}.log"));
        assert_eq!(fs::read_to_string(&today).unwrap(), format!("{MARK}a line\n"));
        fs::rename(&today, directory.path().join("elsewhere")).unwrap();
        REOPENED.fetch_add(1, Ordering::Relaxed);
        log.write_all(b"another\n").unwrap();
        assert_eq!(fs::read_to_string(&today).unwrap(), format!("{MARK}another\n"));
    }
}
