//! `d2mtop watch`: the session's events as NDJSON on standard output.

mod printer;
mod progress;
mod reload;
mod stream;

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::{self, OwnedPermit};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::cli::{MonitorArgs, UntilArgs, WatchArgs};
use crate::group::{Event, Known};
use crate::journal;
use crate::net::Address;
use crate::profile::Profile;
use crate::protocol::DeviceId;
use crate::runtime::driver::COMMAND_CAPACITY;
use crate::runtime::signals::{Asked, ServiceSignals};
use crate::runtime::{
    ANY_CERTIFICATE, Failure, Memories, Memory, Monitor, Monitors, Outcome, Prepared, Remembering, Service, clock,
    drive_keeping, event_loop, logging, ndjson,
};
use crate::session::{Command, Session};
pub(super) use printer::{Only, Printer};
use progress::{Login, Progress, Reconnect};
use reload::Reloading;
use stream::{EndsStream, Stream, Told};

/// How long a dry watch waits for the device list, which was asked for at login.
const LIST_PATIENCE: Duration = Duration::from_secs(2);

/// How long an end that a signal asked for waits for a server that does not answer and a reader who does not read.
const SIGNAL_PATIENCE: Duration = Duration::from_millis(1_200);

/// Connects as the options say, and prints until it ends.
///
/// # Errors
/// If the options are unusable or standard output fails.
pub fn run(options: &WatchArgs) -> Result<Outcome, Failure> {
    super::require_certificate_unattended(&options.connection)?;
    let terms = Terms {
        until: options.until,
        reconnect: Reconnect::parse(&options.stream.reconnect)?,
        only: Only::named(&options.stream.only.only)?,
    };
    let profile = Profile::from_options(options.profile.name(), &options.connection)?;
    let mut reloading = Reloading::of(&profile, options);
    let prepared = Prepared::new(profile)?;
    if prepared.accepts_any_certificate {
        warn_of_any_certificate().map_err(Failure::Output)?;
    }
    let monitors = start_monitors(&options.monitor)?;
    let name = prepared.profile().to_owned();
    let Prepared { session, address, mut held, memories, .. } = prepared;
    let mut next = Running { session, address, memories, monitor: monitors.monitor(&name) };
    let watched = event_loop().map_err(Failure::Start)?.block_on(async {
        let mut watch = Watch::start(terms)?;
        loop {
            let journal = next.memories.journal.as_ref().map(|journal| journal.path().to_owned());
            if let Some(outcome) = watch.follow(next, reloading.as_ref()).await? {
                return Ok(outcome);
            }
            let Some(reloading) = &mut reloading else { return Ok(Outcome::Normal) };
            if let Some(journal) = journal.filter(|_| reloading.keeps_journal())
                && !watch.outlasts_writer(journal).await?
            {
                return Ok(Outcome::Normal);
            }
            let Prepared { session, address, memories, .. } = reloading.open(&mut held)?;
            next = Running { session, address, memories, monitor: monitors.monitor(&name) };
        }
    });
    drop(held);
    drop(monitors);
    watched
}

/// Prints what a session tells until it ends; of the demo.
///
/// # Errors
/// If standard output fails, or the system gives no thread.
pub(super) fn watch(
    session: Session,
    address: Address,
    memories: Memories,
    monitor: Monitor,
    until: UntilArgs,
    only: Only,
) -> Result<Outcome, Failure> {
    let terms = Terms { until, reconnect: Reconnect::default(), only };
    let running = Running { session, address, memories, monitor };
    let ended = event_loop().map_err(Failure::Start)?.block_on(async {
        let mut watch = Watch::start(terms)?;
        watch.follow(running, None).await
    });
    Ok(ended?.unwrap_or(Outcome::Normal))
}

/// What is printed, and until when.
struct Terms {
    until: UntilArgs,
    reconnect: Reconnect,
    only: Only,
}

/// A session, ready to be run, and who is told of it.
struct Running {
    session: Session,
    address: Address,
    memories: Memories,
    monitor: Monitor,
}

/// Starts metrics and alerts; the first line says where the metrics are, as the system may choose the port.
///
/// # Errors
/// If the options cannot be used, or standard output fails.
pub(super) fn start_monitors(options: &MonitorArgs) -> Result<Monitors, Failure> {
    let monitors = Monitors::start(options, None)?;
    if let Some(address) = monitors.metrics_address() {
        let line = serde_json::json!({
            "event": "metrics",
            "at": clock::now(),
            "url": format!("http://{address}/metrics"),
        });
        writeln!(io::stdout(), "{line}").map_err(Failure::Output)?;
    }
    Ok(monitors)
}

/// The first line of a watch that believes whoever answers.
fn warn_of_any_certificate() -> io::Result<()> {
    let line = serde_json::json!({
        "event": "warning",
        "at": clock::now(),
        "warning": "any_certificate_accepted",
        "words": ANY_CERTIFICATE,
    });
    writeln!(io::stdout(), "{line}")
}

/// What the printing waits for.
enum Happened {
    Asked(Asked),
    /// A signal wanted the end, and it took too long.
    PatienceOver,
    TimeOver,
    /// The device list does not come.
    NoList,
    /// The printer takes more; [`None`] if it has ended.
    Room(Option<OwnedPermit<Vec<u8>>>),
    News,
}

/// Prints what sessions tell, one after the other.
struct Watch {
    only: Only,
    printer: Printer,
    progress: Progress,
    signals: ServiceSignals,
    service: Service,
    /// When the time is over.
    ends_at: Option<Instant>,
    /// When a signal wants it ended at the latest.
    deadline: Option<Instant>,
    /// What is not yet with the printer; nothing more is taken from the stream as long as there is some.
    lines: Vec<u8>,
    /// The session leaves for another one with new settings.
    changes_over: bool,
}

impl Watch {
    fn start(terms: Terms) -> Result<Self, Failure> {
        let Terms { until, reconnect, only } = terms;
        Ok(Self {
            only,
            printer: Printer::start().map_err(Failure::Start)?,
            progress: Progress::new(until.until_dry, reconnect),
            signals: ServiceSignals::take(),
            service: Service::default(),
            ends_at: until.duration.and_then(|duration| Instant::now().checked_add(duration)),
            deadline: None,
            lines: Vec::new(),
            changes_over: false,
        })
    }

    /// Runs a session on a thread of its own and prints what it tells; what is learned of the own slot goes to the
    /// memories, and which devices are known is taken from there: what was printed is known from then on.
    ///
    /// Returns how it ended; [`None`] if it ended for new settings.
    async fn follow(
        &mut self,
        running: Running,
        reloading: Option<&Reloading<'_>>,
    ) -> Result<Option<Outcome>, Failure> {
        let Running { session, address, memories, monitor } = running;
        let own = session.config().device_id;
        let Memories { slot, known: memory, journal } = memories;
        let (commands, receiver) = mpsc::channel(COMMAND_CAPACITY);
        let stream = Arc::new(Stream::default());
        let ended = Arc::clone(&stream);
        let observer = monitor.before(Remembering::new(Arc::clone(&stream), slot).map_err(Failure::Start)?);
        let (observer, pulse) = (self.service.before(observer), self.service.clone().pulse());
        let session_loop = event_loop().map_err(Failure::Start)?;
        let thread = std::thread::Builder::new()
            .name("session".to_owned())
            .spawn(move || {
                // Also when the session panics: else the printer would wait for ever.
                let ended = EndsStream(ended);
                // Here, so that it stops when this thread does.
                session_loop.spawn(pulse);
                session_loop.block_on(drive_keeping(journal, session, address, receiver, observer));
                drop(ended);
                // A name that is still being looked up must not keep us here.
                session_loop.shutdown_background();
            })
            .map_err(Failure::Start)?;
        let printed = self.print(&stream, &commands, reloading, &mut Remembered { own, memory }).await;
        // Let the session leave politely; its thread ends when it has, unless a signal wants the end before.
        let _ = commands.try_send(Command::Leave);
        if self.deadline.is_none() || thread.is_finished() {
            join(thread)?;
        }
        printed
    }

    async fn print(
        &mut self,
        stream: &Stream,
        commands: &mpsc::Sender<Command>,
        reloading: Option<&Reloading<'_>>,
        remembered: &mut Remembered,
    ) -> Result<Option<Outcome>, Failure> {
        loop {
            let room = self.printer.lines.clone().reserve_owned();
            let listed_by = self.progress.settled_since + LIST_PATIENCE;
            let happened = tokio::select! {
                biased;
                asked = self.signals.next() => Happened::Asked(asked),
                () = sleep_until(self.deadline) => Happened::PatienceOver,
                () = sleep_until(self.ends_at), if self.progress.leaving.is_none() => Happened::TimeOver,
                () = sleep_until(Some(listed_by)), if self.progress.awaits_list() => Happened::NoList,
                room = room, if !self.lines.is_empty() => Happened::Room(room.ok()),
                () = stream.changed.notified(), if self.lines.is_empty() => Happened::News,
            };
            match happened {
                Happened::Asked(Asked::End) => self.end_soon(commands),
                Happened::Asked(Asked::Reload) => self.reload(commands, reloading).map_err(Failure::Output)?,
                Happened::PatienceOver => {
                    self.printer.end(self.deadline).await?;
                    return Ok(Some(self.progress.leaving.unwrap_or(Outcome::Normal)));
                }
                Happened::TimeOver => {
                    // Without a login there was nothing to watch.
                    let nothing = self.progress.login == Login::Missing;
                    self.progress.leave(if nothing { Outcome::Lost } else { Outcome::Normal }, commands);
                }
                Happened::NoList => self.progress.leave(Outcome::Normal, commands),
                Happened::Room(Some(room)) => drop(room.send(std::mem::take(&mut self.lines))),
                // The printer ended first.
                Happened::Room(None) => return self.printer.end(self.deadline).await.map(|()| Some(Outcome::Normal)),
                Happened::News => {}
            }
            if !self.lines.is_empty() {
                continue;
            }
            let (told, ended) = stream.take();
            for mut told in told {
                remembered.take(&told);
                self.progress.take(&told, commands);
                if self.progress.leaving.is_some() {
                    told.comes_back_no_more();
                }
                self.only.write(&mut self.lines, &told).map_err(Failure::Output)?;
            }
            if ended && self.lines.is_empty() {
                if std::mem::take(&mut self.changes_over) && self.progress.leaving.is_none() {
                    return Ok(None);
                }
                self.printer.end(self.deadline).await?;
                return Ok(Some(self.progress.leaving.unwrap_or(Outcome::Lost)));
            }
        }
    }

    /// Waits until the journal is written to the end, which may take long where the disk hangs; false if the end comes
    /// before.
    async fn outlasts_writer(&mut self, journal: PathBuf) -> Result<bool, Failure> {
        let (sender, mut written) = oneshot::channel();
        // Not of the event loop, whose end would wait for it. What is wrong with the file, its opening will say.
        let wait = move || sender.send(journal::wait_for_writer(&journal));
        std::thread::Builder::new().name("journal's end".to_owned()).spawn(wait).map_err(Failure::Start)?;
        // There is no session whose life the watchdog could prove.
        let pulse = tokio::spawn(self.service.clone().pulse());
        let outlasts = loop {
            tokio::select! {
                biased;
                asked = self.signals.next() => match asked {
                    Asked::End => break false,
                    // The profile is about to be read.
                    Asked::Reload => logging::reopen(),
                },
                () = sleep_until(self.ends_at) => break false,
                _ = &mut written => break true,
            }
        };
        pulse.abort();
        if !outlasts {
            self.service.stopping();
            self.printer.end(Some(Instant::now() + SIGNAL_PATIENCE)).await?;
        }
        Ok(outlasts)
    }

    /// As a signal asks: politely, but whether or not anybody answers or reads.
    fn end_soon(&mut self, commands: &mpsc::Sender<Command>) {
        self.service.stopping();
        self.deadline.get_or_insert_with(|| Instant::now() + SIGNAL_PATIENCE);
        self.progress.leave(Outcome::Normal, commands);
    }

    /// Opens the log anew, and leaves for the new settings of the profile, if there are any.
    fn reload(&mut self, commands: &mpsc::Sender<Command>, reloading: Option<&Reloading<'_>>) -> io::Result<()> {
        self.service.reloading();
        logging::reopen();
        let line = match reloading.map_or(Ok(false), Reloading::look) {
            Ok(changed) => {
                tracing::info!(changed, "the profile was read anew");
                if changed {
                    self.changes_over = true;
                    let _ = commands.try_send(Command::Leave);
                }
                ndjson::reloaded(clock::now(), changed)
            }
            Err(failure) => {
                tracing::warn!("the profile cannot be read anew, and stays as it was: {failure}");
                ndjson::reload_failed(clock::now(), &failure.to_string())
            }
        };
        self.service.reloaded();
        self.only.write_line(&mut self.lines, &line)
    }
}

fn join(thread: JoinHandle<()>) -> Result<(), Failure> {
    thread.join().map_err(|_| Failure::Panicked)
}

async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Keeps what was printed of the device list.
struct Remembered {
    own: DeviceId,
    memory: Option<Memory>,
}

impl Remembered {
    fn take(&mut self, told: &Told) {
        if let (Some(memory), Told::Event(_, Event::Devices(listed))) = (&self.memory, told) {
            memory.keep(Known::of(listed, self.own));
        }
    }
}
