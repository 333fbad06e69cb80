//! `d2mtop watch`: the session's events as NDJSON on standard output.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

use super::ndjson;
use crate::cli::{MonitorArgs, UntilArgs, WatchArgs};
use crate::group::{DisconnectCause, Event, Known, NextStep, ReflectedMessage};
use crate::net::Address;
use crate::profile::Profile;
use crate::protocol::{CloseCode, DeviceId, Millis};
use crate::runtime::driver::COMMAND_CAPACITY;
use crate::runtime::{
    ANY_CERTIFICATE, Failure, Memories, Memory, Monitor, Monitors, Observer, Outcome, Prepared, Remembering, clock,
    drive_keeping, event_loop, signals,
};
use crate::session::{Command, Session};

/// How many events, each up to a batch of messages, may wait for a slow reader before messages are left out.
const EVENT_CAPACITY: usize = 1_024;

/// How long a dry watch waits for the device list, which was asked for at login.
const LIST_PATIENCE: Duration = Duration::from_secs(2);

/// How long the end waits for a reader who does not read.
const READER_PATIENCE: Duration = Duration::from_secs(3);

/// Connects as the options say, and prints until it ends.
///
/// # Errors
/// If the options are unusable or standard output fails.
pub fn run(options: &WatchArgs) -> Result<Outcome, Failure> {
    super::require_certificate_unattended(&options.connection)?;
    let prepared = Prepared::new(Profile::from_options(options.profile.as_deref(), &options.connection)?)?;
    if prepared.accepts_any_certificate {
        warn_of_any_certificate().map_err(Failure::Output)?;
    }
    let monitors = start_monitors(&options.monitor)?;
    let monitor = monitors.monitor(prepared.profile());
    let Prepared { session, address, held, memories, .. } = prepared;
    let watched = watch(session, address, memories, monitor, options.until);
    drop(held);
    drop(monitors);
    watched
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

/// Runs a session on a thread of its own and prints what it tells; what is learned of the own slot goes to the memories,
/// and which devices are known is taken from there: what was printed is known from then on.
///
/// # Errors
/// If standard output fails, or the system gives no thread.
pub fn watch(
    session: Session,
    address: Address,
    memories: Memories,
    monitor: Monitor,
    until: UntilArgs,
) -> Result<Outcome, Failure> {
    let own = session.config().device_id;
    let Memories { slot, known: memory, journal } = memories;
    let session = match &memory {
        Some(memory) => session.knowing(memory.known().cloned()),
        None => session,
    };
    let (commands, receiver) = mpsc::channel(COMMAND_CAPACITY);
    let stream = Arc::new(Stream::default());
    let ended = Arc::clone(&stream);
    let observer = monitor.before(Remembering::new(Arc::clone(&stream), slot).map_err(Failure::Start)?);
    let session_loop = event_loop().map_err(Failure::Start)?;
    let thread = std::thread::Builder::new()
        .name("session".to_owned())
        .spawn(move || {
            // Also when the session panics: else the printer would wait for ever.
            let ended = EndsStream(ended);
            session_loop.block_on(drive_keeping(journal, session, address, receiver, observer));
            drop(ended);
            // A name that is still being looked up must not keep us here.
            session_loop.shutdown_background();
        })
        .map_err(Failure::Start)?;
    let printed = event_loop().map_err(Failure::Start)?.block_on(print(
        &stream,
        &commands,
        until,
        &mut Remembered { own, memory },
    ));
    // Let the session leave politely; its thread ends when it has.
    let _ = commands.try_send(Command::Leave);
    if thread.join().is_err() {
        return Err(Failure::Panicked);
    }
    printed
}

async fn print(
    stream: &Stream,
    commands: &mpsc::Sender<Command>,
    until: UntilArgs,
    remembered: &mut Remembered,
) -> Result<Outcome, Failure> {
    let mut progress = Progress::new(until.until_dry);
    let mut printer = Printer::start().map_err(Failure::Start)?;
    let terminated = signals::terminated();
    tokio::pin!(terminated);
    let time_over = time_over(until.duration);
    tokio::pin!(time_over);
    // What is not yet with the printer; nothing more is taken from the stream as long as there is some.
    let mut lines = Vec::new();
    loop {
        tokio::select! {
            biased;
            () = &mut terminated, if progress.leaving.is_none() => progress.leave(Outcome::Normal, commands),
            () = &mut time_over, if progress.leaving.is_none() => {
                // Without a login there was nothing to watch.
                let outcome = if progress.login == Login::Missing { Outcome::Lost } else { Outcome::Normal };
                progress.leave(outcome, commands);
            }
            () = tokio::time::sleep_until(progress.settled_since + LIST_PATIENCE), if progress.awaits_list() => {
                progress.leave(Outcome::Normal, commands);
            }
            () = tokio::time::sleep_until(progress.left_at + READER_PATIENCE), if progress.leaving.is_some() => {
                return Ok(progress.leaving.unwrap_or(Outcome::Lost));
            }
            permit = printer.lines.reserve(), if !lines.is_empty() => match permit {
                Ok(permit) => permit.send(std::mem::take(&mut lines)),
                Err(_) => break,
            },
            () = stream.changed.notified(), if lines.is_empty() => {}
        }
        if !lines.is_empty() {
            continue;
        }
        let (told, ended) = stream.take();
        told.iter().try_for_each(|told| write(&mut lines, told)).map_err(Failure::Output)?;
        for told in &told {
            remembered.take(told);
            progress.take(told, commands);
        }
        if ended && lines.is_empty() {
            printer.end().await?;
            return Ok(progress.leaving.unwrap_or(Outcome::Lost));
        }
    }
    // The printer ended first.
    printer.end().await.map(|()| Outcome::Normal)
}

/// Writes to standard output on a thread of its own, so that a reader who does not read keeps nobody from leaving.
struct Printer {
    lines: mpsc::Sender<Vec<u8>>,
    done: oneshot::Receiver<io::Result<()>>,
}

impl Printer {
    fn start() -> io::Result<Self> {
        let (lines, mut incoming) = mpsc::channel::<Vec<u8>>(1);
        let (sender, done) = oneshot::channel();
        std::thread::Builder::new().name("printer".to_owned()).spawn(move || {
            let mut output = io::stdout().lock();
            let mut printed = Ok(());
            while let (Ok(()), Some(lines)) = (&printed, incoming.blocking_recv()) {
                printed = output.write_all(&lines).and_then(|()| output.flush());
            }
            drop(incoming);
            let _ = sender.send(printed);
        })?;
        Ok(Self { lines, done })
    }

    /// Waits until everything is written, for as long as a reader deserves.
    async fn end(&mut self) -> Result<(), Failure> {
        let (nowhere, _) = mpsc::channel(1);
        self.lines = nowhere;
        match tokio::time::timeout(READER_PATIENCE, &mut self.done).await {
            // Nobody reads any more: that is how `head` ends its input.
            Ok(Ok(Err(error))) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
            _ => Ok(()),
        }
    }
}

/// Keeps what was printed of the device list.
struct Remembered {
    own: DeviceId,
    memory: Option<Memory>,
}

impl Remembered {
    fn take(&mut self, told: &Told) {
        if let (Some(memory), Told::Event(_, Event::Devices(listed))) = (&mut self.memory, told) {
            memory.keep(Known::of(listed, self.own));
        }
    }
}

async fn time_over(duration: Option<Duration>) {
    match duration {
        Some(duration) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}

fn write(output: &mut impl Write, told: &Told) -> io::Result<()> {
    match told {
        Told::Event(at, event) => ndjson::lines(*at, event).iter().try_for_each(|line| {
            serde_json::to_writer(&mut *output, line)?;
            output.write_all(b"\n")
        }),
        Told::LeftOut(left_out) => writeln!(
            output,
            r#"{{"event":"left_out","at":{},"messages":{},"acknowledged":{}}}"#,
            left_out.at.0, left_out.messages, left_out.acknowledged
        ),
    }
}

/// What reaches the printer.
enum Told {
    Event(Millis, Event),
    LeftOut(LeftOut),
}

/// What was left out of the stream because the reader was slow.
#[derive(Clone, Copy, Default)]
struct LeftOut {
    at: Millis,
    messages: usize,
    /// How many of the messages were to be acknowledged.
    durable: usize,
    acknowledged: usize,
}

/// Hands events to the printer without ever waiting for it. When it falls behind, messages are left out and counted, so
/// that memory stays bounded; everything else is rare, and kept.
#[derive(Default)]
struct Stream {
    state: Mutex<StreamState>,
    changed: Notify,
}

#[derive(Default)]
struct StreamState {
    queue: VecDeque<Told>,
    ended: bool,
}

impl Stream {
    fn update(&self, change: impl FnOnce(&mut StreamState)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_one();
    }

    fn end(&self) {
        self.update(|state| state.ended = true);
    }

    fn take(&self) -> (VecDeque<Told>, bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut state.queue), state.ended)
    }
}

/// Ends the stream when the session is over, in whatever way.
struct EndsStream(Arc<Stream>);

impl Drop for EndsStream {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Observer for Arc<Stream> {
    fn tell(&mut self, at: Millis, event: Event) {
        self.update(|state| state.push(at, event));
    }
}

impl StreamState {
    fn push(&mut self, at: Millis, event: Event) {
        if self.queue.len() < EVENT_CAPACITY {
            return self.queue.push_back(Told::Event(at, event));
        }
        let (messages, durable, acknowledged) = match &event {
            Event::Reflected(messages) => (messages.len(), durable(messages), 0),
            Event::Acknowledged { ids, .. } => (0, 0, ids.len()),
            Event::RoundTrip { .. } | Event::ReflectionStored { .. } | Event::Ignored(_) => (0, 0, 0),
            _ => return self.queue.push_back(Told::Event(at, event)),
        };
        if !matches!(self.queue.back(), Some(Told::LeftOut(_))) {
            self.queue.push_back(Told::LeftOut(LeftOut { at, ..LeftOut::default() }));
        }
        if let Some(Told::LeftOut(left_out)) = self.queue.back_mut() {
            left_out.messages += messages;
            left_out.durable += durable;
            left_out.acknowledged += acknowledged;
        }
    }
}

fn durable(messages: &[ReflectedMessage]) -> usize {
    messages.iter().filter(|message| !message.ephemeral).count()
}

/// How far the login is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Login {
    /// There was none yet.
    Missing,
    /// There was one; messages may still wait.
    Draining,
    /// All that waited has been sent to us.
    Dry,
}

/// What was reached on the way to the end.
struct Progress {
    until_dry: bool,
    login: Login,
    received: usize,
    acknowledged: usize,
    /// The device list came, or will not come any more.
    listed: bool,
    /// Since when the queue is dry and everything acknowledged, if it is.
    settled_since: Instant,
    leaving: Option<Outcome>,
    /// Since when it is leaving, if it is.
    left_at: Instant,
}

impl Progress {
    fn new(until_dry: bool) -> Self {
        Self {
            until_dry,
            login: Login::Missing,
            received: 0,
            acknowledged: 0,
            listed: false,
            settled_since: Instant::now(),
            leaving: None,
            left_at: Instant::now(),
        }
    }

    const fn is_settled(&self) -> bool {
        matches!(self.login, Login::Dry) && self.received == self.acknowledged
    }

    const fn awaits_list(&self) -> bool {
        self.until_dry && self.is_settled() && self.leaving.is_none()
    }

    fn leave(&mut self, outcome: Outcome, commands: &mpsc::Sender<Command>) {
        if self.leaving.is_none() {
            self.leaving = Some(outcome);
            self.left_at = Instant::now();
            let _ = commands.try_send(Command::Leave);
        }
    }

    fn take(&mut self, told: &Told, commands: &mpsc::Sender<Command>) {
        let settled = self.is_settled();
        match told {
            Told::LeftOut(left_out) => {
                self.received += left_out.durable;
                self.acknowledged += left_out.acknowledged;
            }
            Told::Event(_, Event::Connecting { .. }) => self.login = Login::Missing,
            Told::Event(_, Event::LoggedIn(_)) => {
                // What was not acknowledged on an earlier connection comes again.
                (self.login, self.received, self.acknowledged) = (Login::Draining, 0, 0);
            }
            Told::Event(_, Event::Devices(_)) => self.listed = true,
            Told::Event(_, Event::QueueDry) => self.login = Login::Dry,
            Told::Event(_, Event::Reflected(messages)) => self.received += durable(messages),
            Told::Event(_, Event::Acknowledged { ids, .. }) => self.acknowledged += ids.len(),
            Told::Event(_, Event::Disconnected { cause, next }) => {
                self.listed = true;
                if let Some(outcome) = self.end(cause, *next) {
                    self.leave(outcome, commands);
                }
            }
            Told::Event(..) => {}
        }
        if !settled {
            self.settled_since = Instant::now();
        }
        if self.awaits_list() && self.listed {
            self.leave(Outcome::Normal, commands);
        }
    }

    /// How the end of a connection ends the watch, if it does: giving up the leader role, or a visit, does not.
    fn end(&self, cause: &DisconnectCause, next: NextStep) -> Option<Outcome> {
        match cause {
            DisconnectCause::LeaderRole
            | DisconnectCause::VisitOver
            | DisconnectCause::JournalCaughtUp
            | DisconnectCause::ByUser => None,
            DisconnectCause::LeftGroup => Some(Outcome::Normal),
            // The slot has expired while we stayed away, as it may: a new one is taken.
            DisconnectCause::ClosedByServer { code: CloseCode::SLOT_STATE_MISMATCH, .. }
                if matches!(next, NextStep::RetryAt { .. }) =>
            {
                None
            }
            // Codes below 4000 say nothing of the login.
            DisconnectCause::ClosedByServer { code, .. } if self.login == Login::Missing && code.0 >= 4_000 => {
                Some(Outcome::Refused)
            }
            DisconnectCause::ClosedByServer { .. } if self.login == Login::Missing => Some(Outcome::Lost),
            DisconnectCause::ClosedByServer { code: CloseCode::NORMAL | CloseCode::GOING_AWAY, .. }
                if !self.until_dry =>
            {
                Some(Outcome::Normal)
            }
            _ => Some(Outcome::Lost),
        }
    }
}
