//! [`run_one_shot`]: a login for one purpose, by somebody who takes no messages and leaves when it is served.

use std::io;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::driver::{COMMAND_CAPACITY, drive};
use super::observers::{EventSink, Observers};
use crate::group::{DisconnectCause, Event, NextStep};
use crate::net::Address;
use crate::os::event_loop::event_loop;
use crate::os::signals;
use crate::output::advice::close_advice;
use crate::output::{Failure, Outcome};
use crate::profile::SlotMemory;
use crate::protocol::{CloseCode, Millis};
use crate::session::{Command, Session};

/// How long a visit may take that waits for nobody but the server.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long a visit may still take once a signal wants its end; the goodbye comes after it.
pub const SIGNAL_PATIENCE: Duration = Duration::from_secs(1);

/// How long a leader may go on that is one only by the way: the group gets no messages meanwhile.
pub const LEADER_PATIENCE: Duration = Duration::from_mins(1);

/// What is said to a leader; how long it may last is said by who knows.
pub const LEADER_WARNING: &str =
    "this device is alone and was made leader: as long as it stays, the whole group gets no messages";

/// How long saying goodbye may take.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

/// A session that somebody pays a visit with. It ends with its first connection.
pub struct OneShotSession {
    commands: mpsc::Sender<Command>,
    events: mpsc::UnboundedReceiver<(Millis, Event)>,
    until: Option<Instant>,
    logged_in: bool,
    clock_offset: i64,
}

/// Why a visit cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OneShotEnd {
    /// The connection ended, or could not be made.
    Disconnected {
        /// The cause, as the system or a library tells it.
        cause: DisconnectCause,
        /// What the session would do next.
        next: NextStep,
        /// Whether there had been a login.
        logged_in: bool,
    },
    /// The server did not answer in time.
    TooLate,
}

/// Pays a visit: nothing that is received is acknowledged. What is learned of our slot goes to the memory. The visit must
/// take place within [`PATIENCE`], unless it says otherwise.
///
/// # Errors
/// If the system gives no event loop or thread.
pub fn run_one_shot<T>(
    session: Session,
    address: Address,
    memory: Option<SlotMemory>,
    purpose: impl AsyncFnOnce(&mut OneShotSession) -> T,
) -> Result<T, Failure> {
    let event_loop = event_loop().map_err(Failure::Start)?;
    let served = event_loop.block_on(async {
        let (mut one_shot, driven) = OneShotSession::start(session, address, memory).map_err(Failure::Start)?;
        let served = purpose(&mut one_shot).await;
        one_shot.ask(Command::Leave);
        // A session that is left needs a moment to say goodbye.
        tokio::select! {
            _ = timeout(LEAVE_WITHIN, driven) => {}
            () = signals::terminated_again() => {}
        }
        Ok(served)
    });
    // A name that is still being looked up must not keep us here.
    event_loop.shutdown_background();
    served
}

impl OneShotSession {
    /// Begins a visit on the event loop that runs. It must take place within [`PATIENCE`], unless it says otherwise; who has
    /// it ends it with [`Command::Leave`], and waits a moment for the goodbye.
    ///
    /// # Errors
    /// If the system gives no thread for the memory.
    pub(super) fn start(
        session: Session,
        address: Address,
        memory: Option<SlotMemory>,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (commands, receiver) = mpsc::channel(COMMAND_CAPACITY);
        let (sender, events) = mpsc::unbounded_channel();
        let sink = Observers::new(Forwarder(sender)).remembering(memory)?;
        let driven = tokio::spawn(drive(session.taking_no_messages(), address, receiver, sink));
        let mut one_shot = Self { commands, events, until: None, logged_in: false, clock_offset: 0 };
        one_shot.hurry(PATIENCE);
        Ok((one_shot, driven))
    }

    /// One of a session that somebody else runs and that is logged in; with what it asks, and the way to tell it what
    /// happens.
    #[must_use]
    pub(crate) fn beside() -> (Self, mpsc::Receiver<Command>, mpsc::UnboundedSender<(Millis, Event)>) {
        let (commands, asked) = mpsc::channel(COMMAND_CAPACITY);
        let (sender, events) = mpsc::unbounded_channel();
        (Self { commands, events, until: None, logged_in: true, clock_offset: 0 }, asked, sender)
    }

    /// Asks for something. A visit asks one thing at a time, for which there is always room.
    pub fn ask(&self, command: Command) {
        let _ = self.commands.try_send(command);
    }

    /// From now on, everything must have happened within this time.
    pub fn hurry(&mut self, within: Duration) {
        self.until = Some(Instant::now() + within);
    }

    /// From now on, it may take as long as it takes.
    pub const fn take_time(&mut self) {
        self.until = None;
    }

    /// Whether there was a login.
    #[must_use]
    pub const fn is_logged_in(&self) -> bool {
        self.logged_in
    }

    /// How far the mediator's clock is ahead of ours, in milliseconds, as far as it tells the time.
    #[must_use]
    pub const fn clock_offset(&self) -> i64 {
        self.clock_offset
    }

    /// Whatever happens next, also the end of a connection, after which the session may make another one; [`None`] if it
    /// is over.
    pub async fn any(&mut self) -> Option<(Millis, Event)> {
        let told = self.events.recv().await;
        if let Some((_, Event::LoggedIn(login))) = &told {
            self.logged_in = true;
            self.clock_offset = login.clock_offset.unwrap_or(0);
        }
        told
    }

    /// What happens next.
    ///
    /// # Errors
    /// If the connection ends, or time is up.
    pub async fn next(&mut self) -> Result<(Millis, Event), OneShotEnd> {
        let until = self.until;
        let told = match until {
            Some(until) => timeout_at(until, self.any()).await.map_err(|_| OneShotEnd::TooLate)?,
            None => self.any().await,
        };
        match told {
            Some((_, Event::Disconnected { cause, next })) if !cause.tries_other_slot_state(next) => {
                Err(OneShotEnd::Disconnected { cause, next, logged_in: self.logged_in })
            }
            Some(told) => Ok(told),
            None => Err(OneShotEnd::TooLate),
        }
    }

    /// Waits for something that happens.
    ///
    /// # Errors
    /// As [`OneShotSession::next`].
    pub async fn until<T>(&mut self, mut wanted: impl FnMut(Event) -> Option<T>) -> Result<T, OneShotEnd> {
        loop {
            let (_, event) = self.next().await?;
            if let Some(found) = wanted(event) {
                return Ok(found);
            }
        }
    }
}

impl OneShotEnd {
    /// Whether the server closed with this code.
    #[must_use]
    pub fn is_closed_with(&self, wanted: CloseCode) -> bool {
        matches!(self, Self::Disconnected { cause: DisconnectCause::ClosedByServer { code, .. }, .. } if *code == wanted)
    }

    /// Whether the session tries again by itself.
    #[must_use]
    pub const fn is_tried_again(&self) -> bool {
        matches!(self, Self::Disconnected { next: NextStep::RetryAt { .. }, .. })
    }

    /// What came of a visit that ended so.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            // The server does not want us before somebody has decided, whether or not it took the login.
            Self::Disconnected {
                cause: DisconnectCause::ClosedByServer { .. }, next: NextStep::WaitForUser, ..
            } => Outcome::Refused,
            // Codes below 4000 say nothing of the login.
            Self::Disconnected { cause: DisconnectCause::ClosedByServer { code, .. }, logged_in: false, .. }
                if code.0 >= 4_000 =>
            {
                Outcome::Refused
            }
            Self::Disconnected { .. } | Self::TooLate => Outcome::Lost,
        }
    }
}

impl std::fmt::Display for OneShotEnd {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Disconnected { cause, next, logged_in } = self else {
            return formatter.write_str("the mediator did not answer in time");
        };
        match cause {
            DisconnectCause::ClosedByServer { code, .. } if !logged_in && *code == CloseCode::PROTOCOL_ERROR => write!(
                formatter,
                "the mediator refused the login ({code}): {}; check key, server group and dialect",
                code.meaning()
            ),
            DisconnectCause::ClosedByServer { code, expected, .. } if !logged_in => {
                write!(
                    formatter,
                    "the mediator refused the login ({code}): {}; {}",
                    code.meaning(),
                    close_advice(*code, *expected)
                )
            }
            DisconnectCause::ClosedByServer { code, expected, .. } => {
                write!(formatter, "the mediator closed the connection ({code}): {}", code.meaning())?;
                match next {
                    NextStep::WaitForUser => write!(formatter, "; {}", close_advice(*code, *expected)),
                    NextStep::RetryAt { .. } | NextStep::End => Ok(()),
                }
            }
            DisconnectCause::Unreachable(why) | DisconnectCause::Broken(why) => write!(formatter, "{why}"),
            DisconnectCause::ServerProtocolError(how) => write!(formatter, "the mediator broke the protocol: {how}"),
            DisconnectCause::NoAnswer | DisconnectCause::HandshakeTimeout => {
                formatter.write_str("the mediator did not answer in time")
            }
            DisconnectCause::LeaderRole
            | DisconnectCause::VisitOver
            | DisconnectCause::JournalCaughtUp
            | DisconnectCause::ChatClientLeft
            | DisconnectCause::ByUser => formatter.write_str("the session has left"),
            DisconnectCause::LeftGroup => formatter.write_str("this device has left the group"),
        }
    }
}

impl From<OneShotEnd> for Failure {
    fn from(end: OneShotEnd) -> Self {
        Self::Ended { outcome: end.outcome(), words: end.to_string() }
    }
}

/// Hands on what happens. A session that takes no messages tells little, so that this stays small.
struct Forwarder(mpsc::UnboundedSender<(Millis, Event)>);

impl EventSink for Forwarder {
    fn tell(&mut self, at: Millis, event: Event) {
        let _ = self.0.send((at, event));
    }
}
