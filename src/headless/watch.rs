//! `d2mtop watch`: the session's events on standard output, as NDJSON or as sentences.

mod outage;
mod patience;
mod printer;
mod progress;
mod reload;
mod stream;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, OwnedPermit};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::reconnect::Reconnect;
use crate::cli::{UntilArgs, WatchArgs};
use crate::group::{Event, Known};
use crate::net::Address;
use crate::os::event_loop::event_loop;
use crate::os::logging;
use crate::os::signals::ServiceRequest;
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::ndjson;
use crate::output::words::remark;
use crate::protocol::DeviceId;
use crate::runtime::driver::COMMAND_CAPACITY;
use crate::runtime::observers::SystemdObserver;
use crate::runtime::{
    ANY_CERTIFICATE, HeldLocks, KnownDevicesStore, Monitors, Observers, ProfileState, SessionSetup, clock,
    drive_keeping,
};
use crate::session::{Command, Session};
use outage::Outage;
use patience::{Patience, on_thread, sleep_until};
pub(super) use printer::{Printer, Wanted};
use progress::Progress;
use reload::Reloading;
use stream::{EndsStream, Stream, Told};

/// How long a dry watch waits for the device list, which was asked for at login.
const LIST_PATIENCE: Duration = Duration::from_secs(2);

/// Connects as the options say, and prints until it ends.
///
/// # Errors
/// If the options are unusable or standard output fails; or with the words about a server or a connection that ended it.
pub fn run(options: &WatchArgs) -> Result<Outcome, Failure> {
    let terms = Terms {
        until: options.until,
        reconnect: Reconnect::parse(&options.stream.reconnect)?,
        wanted: Wanted::of(&options.stream.lines)?,
    };
    let profile = super::open_unattended(options.profile.name(), &options.connection)?;
    let reloading = Reloading::of(&profile, &options.connection);
    let prepared = SessionSetup::new(profile)?;
    let monitors = Monitors::start(&options.monitor, None)?;
    if monitors.watches_the_lock() {
        remark(
            "--on lock-stuck never happens here: a mediator tells who has the lock only to who asks for it, and watch does \
             not; give it to the dashboard",
        );
    }
    let first = terms.first_lines(&monitors, prepared.accepts_any_certificate).map_err(Failure::Output)?;
    terms.run(first, monitors, async |watch, monitors| watch.follow_profile(prepared, reloading, monitors).await)
}

/// Prints what a session tells until it ends; of the demo.
///
/// # Errors
/// If the options are unusable, standard output fails, or the system gives no thread.
pub(super) fn watch(
    session: Session,
    address: Address,
    monitors: Monitors,
    until: UntilArgs,
    wanted: Wanted,
) -> Result<Outcome, Failure> {
    let terms = Terms { until, reconnect: Reconnect::default(), wanted };
    let first = terms.first_lines(&monitors, false).map_err(Failure::Output)?;
    terms.run(first, monitors, async |watch, monitors| {
        let running = Running { session, address, memories: ProfileState::default(), name: String::new() };
        Ok(watch.follow(running, None, monitors).await?.unwrap_or(Outcome::Normal))
    })
}

/// What is printed, and until when.
struct Terms {
    until: UntilArgs,
    reconnect: Reconnect,
    wanted: Wanted,
}

impl Terms {
    /// What is said before all else. Who believes whoever answers is told so whatever is asked for; where the metrics are
    /// is said on standard error if the line about it is not wanted, as the system may have chosen the port.
    fn first_lines(&self, monitors: &Monitors, accepts_any_certificate: bool) -> io::Result<Vec<u8>> {
        let mut lines = Vec::new();
        if accepts_any_certificate {
            let fields = serde_json::json!({ "warning": "any_certificate_accepted", "words": ANY_CERTIFICATE });
            self.wanted.form.line(&mut lines, &ndjson::line(clock::now(), "warning", fields))?;
        }
        if let Some(address) = monitors.metrics_address() {
            let url = format!("http://{address}/metrics");
            if self.wanted.wants("metrics") {
                let line = ndjson::line(clock::now(), "metrics", serde_json::json!({ "url": url }));
                self.wanted.form.line(&mut lines, &line)?;
            } else {
                // Who cannot be told goes on without.
                let _ = writeln!(io::stderr(), "d2mtop: metrics are at {url}");
            }
        }
        Ok(lines)
    }

    /// Runs a watch on these terms, which begins with these lines.
    fn run(
        self,
        first: Vec<u8>,
        monitors: Monitors,
        watch: impl AsyncFnOnce(&mut Watch, &Monitors) -> Result<Outcome, Failure>,
    ) -> Result<Outcome, Failure> {
        event_loop().map_err(Failure::Start)?.block_on(async {
            let mut watching = Watch::start(self, first)?;
            let watched = watch(&mut watching, &monitors).await;
            watching.end_monitors(monitors).await?;
            watched
        })
    }
}

/// A session, ready to be run, and the profile's name; empty if it is none.
struct Running {
    session: Session,
    address: Address,
    memories: ProfileState,
    name: String,
}

/// What the printing waits for.
enum Happened {
    Asked(ServiceRequest),
    /// A signal wanted the end, and it took too long.
    PatienceOver,
    TimeOver,
    /// The device list does not come.
    NoList,
    /// The profile was looked at: whether it has changed.
    Looked(Result<bool, Failure>),
    /// The printer takes more.
    Room(OwnedPermit<Vec<u8>>),
    /// Nobody reads any more, or printing has failed.
    Unread,
    News,
}

/// Prints what sessions tell, one after the other.
struct Watch {
    wanted: Wanted,
    printer: Printer,
    outage: Option<Outage>,
    progress: Progress,
    patience: Patience,
    /// When the time is over.
    ends_at: Option<Instant>,
    /// What is not yet with the printer; nothing more is taken from the stream as long as there is some.
    lines: Vec<u8>,
    /// The profile is being looked at, as a signal asked.
    looking: Option<oneshot::Receiver<Result<bool, Failure>>>,
    /// The session leaves for another one with new settings.
    changes_over: bool,
}

impl Watch {
    fn start(terms: Terms, lines: Vec<u8>) -> Result<Self, Failure> {
        let Terms { until, reconnect, wanted } = terms;
        Ok(Self {
            printer: Printer::start().map_err(Failure::Start)?,
            outage: Outage::unless_printed(&wanted).map_err(Failure::Start)?,
            wanted,
            progress: Progress::new(until.until_dry, reconnect),
            patience: Patience::take(),
            ends_at: until.duration.and_then(|duration| Instant::now().checked_add(duration)),
            lines,
            looking: None,
            changes_over: false,
        })
    }

    /// Runs the session of a profile, and another one whenever the profile changes.
    async fn follow_profile(
        &mut self,
        prepared: SessionSetup,
        mut reloading: Option<Reloading>,
        monitors: &Monitors,
    ) -> Result<Outcome, Failure> {
        let mut next = prepared;
        loop {
            let name = next.profile().to_owned();
            let SessionSetup { session, address, held, memories, .. } = next;
            let journal = memories.journal.as_ref().map(|journal| journal.path().to_owned());
            let running = Running { session, address, memories, name };
            if let Some(outcome) = self.follow(running, reloading.as_ref(), monitors).await? {
                return Ok(outcome);
            }
            let Some(old) = reloading.take() else { return Ok(Outcome::Normal) };
            let Some((new, prepared)) = self.reopen(old, held, journal).await? else { return Ok(Outcome::Normal) };
            // Who asked meanwhile is answered by what was read now.
            if self.looking.take().is_some() {
                self.look(Some(&new))?;
            }
            (reloading, next) = (Some(new), prepared);
        }
    }

    /// Runs a session on a thread of its own and prints what it tells; what is learned of the own slot goes to the
    /// memories, and which devices are known is taken from there: what was printed is known from then on.
    ///
    /// Returns how it ended; [`None`] if it ended for new settings.
    async fn follow(
        &mut self,
        running: Running,
        reloading: Option<&Reloading>,
        monitors: &Monitors,
    ) -> Result<Option<Outcome>, Failure> {
        let Running { session, address, memories, name } = running;
        let own = session.config().device_id;
        let ProfileState { slot, known: memory, journal } = memories;
        if let Some(memory) = &memory {
            self.wanted.form.knowing(memory.ever());
        }
        let (commands, receiver) = mpsc::channel(COMMAND_CAPACITY);
        let stream = Arc::new(Stream::default());
        let ended = Arc::clone(&stream);
        let sink = Observers::new(Arc::clone(&stream))
            .with(SystemdObserver(self.patience.service.clone()))
            .with_all(monitors.observers(&name, &session.config().keys))
            .remembering(slot)
            .map_err(Failure::Start)?;
        let pulse = self.patience.service.clone().pulse();
        let session_loop = event_loop().map_err(Failure::Start)?;
        let over = on_thread("session", move || {
            // Also when the session panics: else the printer would wait for ever.
            let ended = EndsStream(ended);
            // Here, so that it stops when this thread does.
            session_loop.spawn(pulse);
            session_loop.block_on(drive_keeping(journal, session, address, receiver, sink));
            drop(ended);
            // A name that is still being looked up must not keep us here.
            session_loop.shutdown_background();
        })?;
        let memory = memory.filter(|_| self.wanted.tells_of_device_changes());
        let printed = self.print(&stream, &commands, reloading, &mut Remembered { own, memory }).await;
        // Let the session leave politely; its thread ends when it has, unless a signal wants the end before.
        let _ = commands.try_send(Command::Leave);
        if let Some(Err(_)) = self.patience.wait(over).await {
            return Err(Failure::Panicked);
        }
        printed
    }

    async fn print(
        &mut self,
        stream: &Stream,
        commands: &mpsc::Sender<Command>,
        reloading: Option<&Reloading>,
        remembered: &mut Remembered,
    ) -> Result<Option<Outcome>, Failure> {
        loop {
            match self.happens(stream).await {
                Happened::Asked(ServiceRequest::Reload) => self.look(reloading)?,
                Happened::Looked(looked) => self.change_over(looked, commands).map_err(Failure::Output)?,
                Happened::TimeOver => self.progress.time_over(commands),
                Happened::Asked(ServiceRequest::End) => self.progress.leave(Ok(Outcome::Normal), commands),
                Happened::NoList => self.progress.no_list(commands),
                Happened::Room(room) => drop(room.send(std::mem::take(&mut self.lines))),
                // If printing has failed, its end tells.
                Happened::PatienceOver | Happened::Unread => return self.end(Outcome::Normal).await.map(Some),
                Happened::News => {}
            }
            if !self.lines.is_empty() {
                continue;
            }
            let (told, ended) = stream.take();
            for told in told {
                self.take(told, commands, remembered).map_err(Failure::Output)?;
            }
            if ended && self.lines.is_empty() {
                if std::mem::take(&mut self.changes_over) && self.progress.leaving.is_none() {
                    return Ok(None);
                }
                return self.end(Outcome::Lost).await.map(Some);
            }
        }
    }

    async fn happens(&mut self, stream: &Stream) -> Happened {
        let room = self.printer.lines.clone().reserve_owned();
        let listed_by = self.progress.settled_since + LIST_PATIENCE;
        let deadline = self.patience.deadline();
        tokio::select! {
            biased;
            asked = self.patience.next() => Happened::Asked(asked),
            () = sleep_until(deadline) => Happened::PatienceOver,
            () = sleep_until(self.ends_at), if self.progress.leaving.is_none() => Happened::TimeOver,
            () = sleep_until(Some(listed_by)), if self.progress.awaits_list() => Happened::NoList,
            looked = looked(&mut self.looking) => Happened::Looked(looked),
            Ok(room) = room, if !self.lines.is_empty() => Happened::Room(room),
            () = self.printer.unread() => Happened::Unread,
            () = stream.changed.notified(), if self.lines.is_empty() => Happened::News,
        }
    }

    /// Lets everybody know what the session tells, and adds its lines.
    fn take(
        &mut self,
        mut told: Told,
        commands: &mpsc::Sender<Command>,
        remembered: &mut Remembered,
    ) -> io::Result<()> {
        remembered.take(&told);
        self.progress.take(&told, commands);
        if self.progress.leaving.is_some() {
            told.comes_back_no_more();
        }
        if let Some(outage) = &mut self.outage {
            outage.take(&told);
        }
        self.wanted.write(&mut self.lines, &told)
    }

    /// Opens the log anew, and has a look at the profile, if there is one.
    fn look(&mut self, reloading: Option<&Reloading>) -> Result<(), Failure> {
        self.patience.service.reloading();
        logging::reopen();
        let reloading = reloading.cloned();
        self.looking = Some(on_thread("look", move || reloading.map_or(Ok(false), |reloading| reloading.look()))?);
        Ok(())
    }

    /// Leaves for the new settings of the profile, if there are any.
    fn change_over(&mut self, looked: Result<bool, Failure>, commands: &mpsc::Sender<Command>) -> io::Result<()> {
        let can_be_read = looked.is_ok();
        let line = match looked {
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
        self.patience.service.reloaded(can_be_read);
        self.wanted.write_line(&mut self.lines, &line)
    }

    /// Opens a profile with its new settings, on a thread of its own; [`None`] if the end comes before.
    async fn reopen(
        &mut self,
        reloading: Reloading,
        held: HeldLocks,
        journal: Option<PathBuf>,
    ) -> Result<Option<(Reloading, SessionSetup)>, Failure> {
        let opened = on_thread("opening", move || reloading.open(held, journal.as_deref()))?;
        // There is no session whose life the watchdog could prove.
        let pulse = tokio::spawn(self.patience.service.clone().pulse());
        let opened = tokio::select! {
            biased;
            () = self.patience.asked_to_end() => Ok(None),
            () = sleep_until(self.ends_at) => Ok(None),
            opened = opened => opened.unwrap_or(Err(Failure::Panicked)).map(Some),
        };
        pulse.abort();
        if !matches!(opened, Ok(Some(_))) {
            self.flush().await?;
        }
        opened
    }

    /// Prints what is left, and says how the watch ended.
    async fn end(&mut self, otherwise: Outcome) -> Result<Outcome, Failure> {
        self.flush().await?;
        self.progress.leaving.take().unwrap_or(Ok(otherwise))
    }

    /// Says the last word and waits until all is printed, however slow the reader is, unless a signal wants the end before.
    async fn flush(&mut self) -> Result<(), Failure> {
        if let Some(last) = self.progress.last_word() {
            self.wanted.write(&mut self.lines, &Told::Event(clock::now(), last)).map_err(Failure::Output)?;
        }
        let last = std::mem::take(&mut self.lines);
        self.patience.wait(self.printer.end(last)).await.unwrap_or(Ok(()))
    }

    /// Lets commands that still run come to their end, unless a signal wants the end before.
    async fn end_monitors(&mut self, monitors: Monitors) -> Result<(), Failure> {
        if let Some(left) = self.patience.left() {
            monitors.hurry(left);
            drop(monitors);
            return Ok(());
        }
        let over = on_thread("monitors", move || drop(monitors))?;
        let _ = self.patience.wait(over).await;
        Ok(())
    }
}

/// Waits for a look at the profile, if there is one.
async fn looked(looking: &mut Option<oneshot::Receiver<Result<bool, Failure>>>) -> Result<bool, Failure> {
    match looking {
        Some(result) => {
            let looked = result.await;
            *looking = None;
            looked.unwrap_or(Err(Failure::Panicked))
        }
        None => std::future::pending().await,
    }
}

/// Keeps what was printed of the device list.
struct Remembered {
    own: DeviceId,
    memory: Option<KnownDevicesStore>,
}

impl Remembered {
    fn take(&mut self, told: &Told) {
        match told {
            // Nobody was told: the next start tells it.
            Told::LeftOut(left_out) if left_out.device_changes => self.memory = None,
            Told::Event(_, Event::Devices(listed)) => {
                if let Some(memory) = &self.memory {
                    memory.keep(Known::of(listed, self.own));
                }
            }
            _ => {}
        }
    }
}
