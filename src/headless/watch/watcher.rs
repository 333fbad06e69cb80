//! [`Watch`]: prints the events of sessions, one session after the other.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, OwnedPermit};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::WatchSettings;
use super::change_over::looked;
use super::events::{EventQueue, StreamItem};
use super::journal_failure::JournalFailureReporter;
use super::known_devices::KnownDevicesRecorder;
use super::line_filter::LineFilter;
use super::progress::WatchProgress;
use super::reload::ProfileReloader;
use super::shutdown_timer::ShutdownTimer;
use crate::headless::background::{on_thread, sleep_until};
use crate::net::Address;
use crate::os::event_loop::event_loop;
use crate::os::signals::ServiceRequest;
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::lines::{EndOnDrop, Printer};
use crate::runtime::driver::COMMAND_CAPACITY;
use crate::runtime::observers::SystemdObserver;
use crate::runtime::{Monitors, Observers, ProfileState, SessionSetup, drive_keeping};
use crate::session::{Command, Session};

/// How long `--until-dry` waits for the device list, which the session asks for at login.
const LIST_PATIENCE: Duration = Duration::from_secs(2);

/// A session that is ready to run. The name is that of its profile, or empty.
pub(super) struct OpenSession {
    pub(super) session: Session,
    pub(super) address: Address,
    pub(super) state: ProfileState,
    pub(super) name: String,
}

enum Wakeup {
    Request(ServiceRequest),
    /// A signal asked for the end, and it took too long.
    OutOfTime,
    TimeOver,
    /// The device list does not come.
    NoList,
    /// The profile was read anew; true if it has changed.
    Looked(Result<bool, Failure>),
    /// The printer takes more lines.
    Room(OwnedPermit<Vec<u8>>),
    /// Nobody reads any more, or printing has failed.
    Unread,
    Events,
}

pub(super) struct Watch {
    pub(super) filter: LineFilter,
    pub(super) printer: Printer,
    journal_failure: Option<JournalFailureReporter>,
    pub(super) progress: WatchProgress,
    pub(super) shutdown: ShutdownTimer,
    pub(super) ends_at: Option<Instant>,
    /// Lines that the printer has not taken yet. While there are some, nothing is taken from the queue.
    pub(super) lines: Vec<u8>,
    /// The profile is being read anew.
    pub(super) looking: Option<oneshot::Receiver<Result<bool, Failure>>>,
    /// The session ends because the profile has other settings.
    pub(super) changes_over: bool,
}

impl Watch {
    pub(super) fn start(settings: WatchSettings, lines: Vec<u8>) -> Result<Self, Failure> {
        let WatchSettings { until, reconnect, filter } = settings;
        Ok(Self {
            printer: Printer::start().map_err(Failure::Start)?,
            journal_failure: JournalFailureReporter::unless_printed(&filter).map_err(Failure::Start)?,
            filter,
            progress: WatchProgress::new(until.until_dry, reconnect),
            shutdown: ShutdownTimer::take(),
            ends_at: until.duration.and_then(|duration| Instant::now().checked_add(duration)),
            lines,
            looking: None,
            changes_over: false,
        })
    }

    /// Runs the session of a profile, and another one whenever the profile changes.
    pub(super) async fn follow_profile(
        &mut self,
        prepared: SessionSetup,
        mut reloader: Option<ProfileReloader>,
        monitors: &Monitors,
    ) -> Result<Outcome, Failure> {
        let mut next = prepared;
        loop {
            let name = next.profile().to_owned();
            let SessionSetup { session, address, held, memories: state, .. } = next;
            let journal = state.journal.as_ref().map(|journal| journal.path().to_owned());
            let opened = OpenSession { session, address, state, name };
            if let Some(outcome) = self.follow(opened, reloader.as_ref(), monitors).await? {
                return Ok(outcome);
            }
            let Some(old) = reloader.take() else { return Ok(Outcome::Normal) };
            let Some((new, prepared)) = self.reopen(old, held, journal).await? else { return Ok(Outcome::Normal) };
            // Who asked meanwhile is answered by what was read now.
            if self.looking.take().is_some() {
                self.look(Some(&new))?;
            }
            (reloader, next) = (Some(new), prepared);
        }
    }

    /// Runs a session on a thread of its own and prints its events. The profile's state learns of the own slot, and of
    /// devices once they were printed.
    ///
    /// [`None`] if the session ended for new settings.
    pub(super) async fn follow(
        &mut self,
        opened: OpenSession,
        reloader: Option<&ProfileReloader>,
        monitors: &Monitors,
    ) -> Result<Option<Outcome>, Failure> {
        let OpenSession { session, address, state, name } = opened;
        let own = session.config().device_id;
        let ProfileState { slot, known: memory, journal } = state;
        if let Some(memory) = &memory {
            self.filter.form.knowing(memory.ever());
        }
        let (commands, receiver) = mpsc::channel(COMMAND_CAPACITY);
        let queue = Arc::new(EventQueue::default());
        let ended = Arc::clone(&queue);
        let sink = Observers::new(Arc::clone(&queue))
            .with(SystemdObserver(self.shutdown.service.clone()))
            .with_all(monitors.observers(&name, &session.config().keys))
            .remembering(slot)
            .map_err(Failure::Start)?;
        let pulse = self.shutdown.service.clone().pulse();
        let session_loop = event_loop().map_err(Failure::Start)?;
        let over = on_thread("session", move || {
            // Also when the session panics: else the printer would wait for ever.
            let ended = EndOnDrop(ended);
            // Here, so that it stops when this thread does.
            session_loop.spawn(pulse);
            session_loop.block_on(drive_keeping(journal, session, address, receiver, sink));
            drop(ended);
            // A name that is still being looked up must not keep us here.
            session_loop.shutdown_background();
        })?;
        let memory = memory.filter(|_| self.filter.tells_of_device_changes());
        let printed = self.print(&queue, &commands, reloader, &mut KnownDevicesRecorder { own, memory }).await;
        // Let the session leave politely; its thread ends when it has, unless a signal wants the end before.
        let _ = commands.try_send(Command::Leave);
        if let Some(Err(_)) = self.shutdown.wait(over).await {
            return Err(Failure::Panicked);
        }
        printed
    }

    async fn print(
        &mut self,
        queue: &EventQueue,
        commands: &mpsc::Sender<Command>,
        reloader: Option<&ProfileReloader>,
        recorder: &mut KnownDevicesRecorder,
    ) -> Result<Option<Outcome>, Failure> {
        loop {
            match self.wake_up(queue).await {
                Wakeup::Request(ServiceRequest::Reload) => self.look(reloader)?,
                Wakeup::Looked(looked) => self.change_over(looked, commands).map_err(Failure::Output)?,
                Wakeup::TimeOver => self.progress.time_over(commands),
                Wakeup::Request(ServiceRequest::End) | Wakeup::NoList => {
                    self.progress.leave(Ok(Outcome::Normal), commands);
                }
                Wakeup::Room(room) => drop(room.send(std::mem::take(&mut self.lines))),
                // If printing has failed, its end tells.
                Wakeup::OutOfTime | Wakeup::Unread => return self.end(Outcome::Normal).await.map(Some),
                Wakeup::Events => {}
            }
            if !self.lines.is_empty() {
                continue;
            }
            let (items, ended) = queue.take();
            for item in items {
                self.take(item, commands, recorder).map_err(Failure::Output)?;
            }
            if ended && self.lines.is_empty() {
                if std::mem::take(&mut self.changes_over) && self.progress.leaving.is_none() {
                    return Ok(None);
                }
                return self.end(Outcome::Lost).await.map(Some);
            }
        }
    }

    async fn wake_up(&mut self, queue: &EventQueue) -> Wakeup {
        let room = self.printer.lines.clone().reserve_owned();
        let listed_by = self.progress.settled_since + LIST_PATIENCE;
        let deadline = self.shutdown.deadline();
        tokio::select! {
            biased;
            request = self.shutdown.next() => Wakeup::Request(request),
            () = sleep_until(deadline) => Wakeup::OutOfTime,
            () = sleep_until(self.ends_at), if self.progress.leaving.is_none() => Wakeup::TimeOver,
            () = sleep_until(Some(listed_by)), if self.progress.awaits_list() => Wakeup::NoList,
            looked = looked(&mut self.looking) => Wakeup::Looked(looked),
            Ok(room) = room, if !self.lines.is_empty() => Wakeup::Room(room),
            () = self.printer.unread() => Wakeup::Unread,
            () = queue.changed(), if self.lines.is_empty() => Wakeup::Events,
        }
    }

    /// Handles an event, and adds its lines.
    fn take(
        &mut self,
        mut item: StreamItem,
        commands: &mpsc::Sender<Command>,
        recorder: &mut KnownDevicesRecorder,
    ) -> io::Result<()> {
        recorder.take(&item);
        self.progress.take(&item, commands);
        if let StreamItem::Item(item) = &mut item {
            if self.progress.leaving.is_some() {
                item.forbid_retry();
            }
            if let Some(journal_failure) = &mut self.journal_failure {
                journal_failure.take(&item.event);
            }
        }
        self.filter.write(&mut self.lines, &item)
    }
}
