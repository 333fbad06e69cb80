//! The loop of a watch: one session after the other, printed until it ends.

mod change_over;
mod patience;
mod progress;
mod reload;
mod telling;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{self, OwnedPermit};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::group::{Event, KnownDevices};
use crate::net::Address;
use crate::os::event_loop::event_loop;
use crate::os::signals::ServiceRequest;
use crate::output::lines::{
    EndOnDrop, EventQueue, EventSelection, JournalOutage, Printer, Queued, QueuedEvent, TimedEvent,
};
use crate::output::{Failure, Outcome};
use crate::protocol::DeviceId;
use crate::protocol::Millis;
use crate::record::{RecordFolder, RecordedCommandLine};
use crate::runtime::EventSink;
use crate::runtime::driver::COMMAND_CAPACITY;
use crate::runtime::observers::SystemdObserver;
use crate::runtime::reconnect::Reconnect;
use crate::runtime::{
    KeptBy, KnownDevicesStore, Monitors, Observers, ProfileState, SessionSetup, clock, drive_keeping,
};
use crate::session::{Command, Session};
use patience::{SignalPatience, on_thread, sleep_until};
pub use reload::Reloading;
pub use telling::Telling;

/// How long a dry watch waits for the device list, which was asked for at login.
const LIST_PATIENCE: Duration = Duration::from_secs(2);

/// What is printed, and until when.
#[derive(Debug)]
pub struct WatchTerms {
    /// Until the queue is dry and everything is acknowledged.
    pub until_dry: bool,
    /// For this time at most.
    pub duration: Option<Duration>,
    /// Whether a connection that ended is made again.
    pub reconnect: Reconnect,
    /// The events that are printed, and the form of their lines.
    pub wanted: EventSelection,
    /// Where what happens is recorded, if it is.
    pub record: Option<RecordFolder>,
}

/// A session, ready to be run, and the profile's name; empty if it is none.
struct WatchedSession {
    session: Session,
    address: Address,
    memories: ProfileState,
    name: String,
}

/// Runs the session of a profile, and another one whenever the profile changes, and prints these lines and then what the
/// sessions tell, until the watch ends.
///
/// # Errors
/// If standard output fails; or with the words about a server or a connection that ended it.
pub fn watch_profile(
    prepared: SessionSetup,
    reloading: Option<Reloading>,
    terms: WatchTerms,
    first: Vec<u8>,
    monitors: Monitors,
) -> Result<Outcome, Failure> {
    run(terms, first, monitors, async |watch, monitors| watch.follow_profile(prepared, reloading, monitors).await)
}

fn run(
    terms: WatchTerms,
    first: Vec<u8>,
    monitors: Monitors,
    watch: impl AsyncFnOnce(&mut Watch, &Monitors) -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    event_loop().map_err(Failure::Start)?.block_on(async {
        let mut watching = Watch::start(terms, first)?;
        let watched = watch(&mut watching, &monitors).await;
        watching.end_monitors(monitors).await?;
        watched
    })
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
    telling: Telling,
    printer: Printer,
    outage: Option<JournalOutage>,
    /// When the last session was over, in milliseconds.
    over_at: Arc<AtomicU64>,
    patience: SignalPatience,
    /// When the time is over.
    ends_at: Option<Instant>,
    /// What is not yet with the printer; nothing more is taken from the stream as long as there is some.
    lines: Vec<u8>,
    /// The profile is being looked at, as a signal asked.
    looking: Option<oneshot::Receiver<Result<bool, Failure>>>,
    /// The session leaves for another one with new settings.
    changes_over: bool,
    record: Option<(RecordFolder, RecordedCommandLine)>,
}

impl Watch {
    fn start(terms: WatchTerms, lines: Vec<u8>) -> Result<Self, Failure> {
        let WatchTerms { until_dry, duration, reconnect, wanted, record } = terms;
        let command = RecordedCommandLine::Watch { until_dry, reconnect: reconnect.to_string() };
        Ok(Self {
            printer: Printer::start().map_err(Failure::Start)?,
            outage: JournalOutage::unless_printed(&wanted).map_err(Failure::Start)?,
            telling: Telling::new(wanted, until_dry, reconnect),
            over_at: Arc::default(),
            patience: SignalPatience::take(),
            ends_at: duration.and_then(|duration| Instant::now().checked_add(duration)),
            lines,
            looking: None,
            changes_over: false,
            record: record.map(|folder| (folder, command)),
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
            if let Some((folder, command)) = &self.record {
                next.record(Some(folder), command.clone())?;
            }
            let SessionSetup { session, address, held, memories, .. } = next;
            let journal = memories.journal.as_ref().map(|journal| journal.path().to_owned());
            let running = WatchedSession { session, address, memories, name };
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
        running: WatchedSession,
        reloading: Option<&Reloading>,
        monitors: &Monitors,
    ) -> Result<Option<Outcome>, Failure> {
        let WatchedSession { session, address, memories, name } = running;
        let session =
            if self.telling.wanted.form.is_for_programs() { session.finding_unknown_fields() } else { session };
        let own = session.config().device_id;
        let ProfileState { slot, known: memory, journal, names, recorder } = memories;
        if let Some(memory) = &memory {
            self.telling.wanted.form.knowing(memory.ever());
        }
        if let Some(names) = &names {
            self.telling.wanted.form.naming(names.names());
        }
        let (commands, receiver) = mpsc::channel(COMMAND_CAPACITY);
        let stream = Arc::new(EventQueue::default());
        let ended = Arc::clone(&stream);
        let sink = Observers::new(WatchSink { stream: Arc::clone(&stream), over_at: Arc::clone(&self.over_at) })
            .with(SystemdObserver(self.patience.service.clone()))
            .with_all(monitors.observers(&name, &session.config().keys))
            .with_some(names)
            .remembering(slot)
            .map_err(Failure::Start)?;
        let pulse = self.patience.service.clone().pulse();
        let session_loop = event_loop().map_err(Failure::Start)?;
        let over = on_thread("session", move || {
            // Also when the session panics: else the printer would wait for ever.
            let ended = EndOnDrop(ended);
            // Here, so that it stops when this thread does.
            session_loop.spawn(pulse);
            session_loop.block_on(drive_keeping(KeptBy { journal, recorder }, session, address, receiver, sink));
            drop(ended);
            // A name that is still being looked up must not keep us here.
            session_loop.shutdown_background();
        })?;
        let memory = memory.filter(|_| self.telling.wanted.tells_of_device_changes());
        let printed = self.print(&stream, &commands, reloading, &mut PrintedDevices { own, memory }).await;
        // Let the session leave politely; its thread ends when it has, unless a signal wants the end before.
        let _ = commands.try_send(Command::Leave);
        if let Some(Err(_)) = self.patience.wait(over).await {
            return Err(Failure::Panicked);
        }
        printed
    }

    async fn print(
        &mut self,
        stream: &EventQueue,
        commands: &mpsc::Sender<Command>,
        reloading: Option<&Reloading>,
        remembered: &mut PrintedDevices,
    ) -> Result<Option<Outcome>, Failure> {
        loop {
            match self.happens(stream).await {
                Happened::Asked(ServiceRequest::Reload) => self.look(reloading)?,
                Happened::Looked(looked) => self.change_over(looked, commands).map_err(Failure::Output)?,
                Happened::TimeOver => self.telling.progress.time_over(commands),
                Happened::Asked(ServiceRequest::End) => self.telling.progress.leave(Ok(Outcome::Normal), commands),
                Happened::NoList => self.telling.progress.no_list(commands),
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
                if std::mem::take(&mut self.changes_over) && self.telling.progress.leaving.is_none() {
                    return Ok(None);
                }
                return self.end(Outcome::Lost).await.map(Some);
            }
        }
    }

    async fn happens(&mut self, stream: &EventQueue) -> Happened {
        let room = self.printer.lines.clone().reserve_owned();
        let listed_by = self.telling.progress.settled_since + LIST_PATIENCE;
        let deadline = self.patience.deadline();
        tokio::select! {
            biased;
            asked = self.patience.next() => Happened::Asked(asked),
            () = sleep_until(deadline) => Happened::PatienceOver,
            () = sleep_until(self.ends_at), if self.telling.progress.leaving.is_none() => Happened::TimeOver,
            () = sleep_until(Some(listed_by)), if self.telling.progress.awaits_list() => Happened::NoList,
            looked = looked(&mut self.looking) => Happened::Looked(looked),
            Ok(room) = room, if !self.lines.is_empty() => Happened::Room(room),
            () = self.printer.unread() => Happened::Unread,
            () = stream.changed(), if self.lines.is_empty() => Happened::News,
        }
    }

    /// Lets everybody know what the session tells, and adds its lines.
    fn take(
        &mut self,
        told: QueuedEvent,
        commands: &mpsc::Sender<Command>,
        remembered: &mut PrintedDevices,
    ) -> io::Result<()> {
        remembered.take(&told);
        if let Some(outage) = &mut self.outage {
            outage.take(&told);
        }
        self.telling.take(&mut self.lines, told, commands)
    }

    /// Prints what is left, and says how the watch ended.
    async fn end(&mut self, otherwise: Outcome) -> Result<Outcome, Failure> {
        self.flush().await?;
        self.telling.progress.leaving.take().unwrap_or(Ok(otherwise))
    }

    /// Says the last word and waits until all is printed, however slow the reader is, unless a signal wants the end before.
    async fn flush(&mut self) -> Result<(), Failure> {
        let over_at = match self.over_at.load(Ordering::Acquire) {
            0 => clock::now(),
            over_at => Millis(over_at),
        };
        self.telling.end(&mut self.lines, over_at).map_err(Failure::Output)?;
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

/// Queues what the session tells.
struct WatchSink {
    stream: Arc<EventQueue>,
    over_at: Arc<AtomicU64>,
}

impl EventSink for WatchSink {
    fn tell(&mut self, at: Millis, event: Event) {
        self.stream.push(TimedEvent::new(at, event));
    }

    fn over(&mut self, at: Millis) {
        self.over_at.store(at.0, Ordering::Release);
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
struct PrintedDevices {
    own: DeviceId,
    memory: Option<KnownDevicesStore>,
}

impl PrintedDevices {
    fn take(&mut self, told: &QueuedEvent) {
        match told {
            // Nobody was told: the next start tells it.
            Queued::LeftOut(left_out) if left_out.device_changes => self.memory = None,
            Queued::Item(TimedEvent { event: Event::Devices(listed), .. }) => {
                if let Some(memory) = &self.memory {
                    memory.keep(KnownDevices::of(listed, self.own));
                }
            }
            _ => {}
        }
    }
}
