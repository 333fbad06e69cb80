//! Signals: the ones that end the program, the one that has it read its settings anew, and stopping ourselves.
//!
//! What whoever started us had us ignore, as nohup(1) does, stays ignored, also by the programs that we start.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Signal as Name;
use signal_hook::SigId;
use signal_hook::low_level::pipe;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The ones that end a program.
const ENDINGS: [Name; 4] = [Name::INT, Name::TERM, Name::HUP, Name::QUIT];

/// The ones that end a program that does not heed them.
const DEADLY: [Name; 7] = [Name::INT, Name::TERM, Name::HUP, Name::QUIT, Name::USR1, Name::USR2, Name::ALARM];

/// The ones that somebody who runs a command for somebody else passes on to it.
const PASSED_ON: [Name; 10] = [
    Name::INT,
    Name::TERM,
    Name::HUP,
    Name::QUIT,
    Name::USR1,
    Name::USR2,
    Name::ALARM,
    Name::CONT,
    Name::WINCH,
    Name::TSTP,
];

/// Those that were ignored when we were started. To be asked before the first one is taken.
static IGNORED: LazyLock<Vec<Name>> = LazyLock::new(|| told_by_linux().unwrap_or_else(told_by_children));

/// Whether there is somebody else than the system to be told of signals.
static ARE_TAKEN: AtomicBool = AtomicBool::new(false);

/// The signals that end a program.
#[derive(Debug)]
pub struct ShutdownSignals(Vec<(Name, Signal)>);

impl ShutdownSignals {
    /// Takes SIGINT, SIGTERM, SIGHUP and SIGQUIT from now on.
    #[must_use]
    pub fn take() -> Self {
        Self::of(&ENDINGS)
    }

    /// Takes, besides these, all that a command which runs on our behalf may be sent through us: SIGUSR1, SIGUSR2, SIGALRM,
    /// SIGCONT, SIGWINCH and SIGTSTP.
    #[must_use]
    pub fn take_for_a_command() -> Self {
        Self::of(&PASSED_ON)
    }

    fn of(names: &[Name]) -> Self {
        ARE_TAKEN.store(true, Ordering::Relaxed);
        let heeded = names.iter().filter(|name| !IGNORED.contains(name));
        let taken = heeded.filter_map(|name| Some((*name, signal(SignalKind::from_raw(name.as_raw())).ok()?)));
        Self(taken.collect())
    }

    /// Waits for a signal. May be dropped at any point without losing one.
    pub async fn next(&mut self) -> Name {
        std::future::poll_fn(|context| {
            let mut streams = self.0.iter_mut();
            let came = streams.find_map(|(name, stream)| stream.poll_recv(context).is_ready().then_some(*name));
            came.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// Waits for SIGINT, SIGTERM, SIGHUP or SIGQUIT.
pub async fn terminated() {
    ShutdownSignals::take().next().await;
}

/// The same where signals are taken already. Where they are not, the system ends us without asking.
pub async fn terminated_again() {
    if ARE_TAKEN.load(Ordering::Relaxed) { terminated().await } else { std::future::pending().await }
}

/// Tells who waits for a key of a signal that ends the program, where signals are taken: the loop that they are taken by
/// stands still meanwhile.
#[derive(Debug)]
pub struct EndingWatch {
    woken: UnixStream,
    /// Open as long as this is: an end that is closed would look like a signal.
    waker: UnixStream,
    actions: Vec<SigId>,
}

/// What was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// There is something to read, or the end of it.
    Input,
    Signal,
    Nothing,
}

impl EndingWatch {
    /// Watches from now on. Where signals are not taken nothing is changed: the system ends us without asking.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn start() -> io::Result<Self> {
        let (woken, waker) = UnixStream::pair()?;
        let mut watch = Self { woken, waker, actions: Vec::new() };
        let taken = ENDINGS.iter().filter(|name| ARE_TAKEN.load(Ordering::Relaxed) && !IGNORED.contains(name));
        for name in taken {
            watch.actions.push(pipe::register(name.as_raw(), watch.waker.try_clone()?)?);
        }
        Ok(watch)
    }

    /// Waits for something to read or a signal, for so long at most.
    ///
    /// # Errors
    /// If the system cannot wait.
    pub fn wait_for(&self, input: &impl AsFd, within: Option<&Timespec>) -> io::Result<Readiness> {
        let mut polled = [PollFd::new(&self.woken, PollFlags::IN), PollFd::new(input, PollFlags::IN)];
        loop {
            match poll(&mut polled, within) {
                Ok(0) => return Ok(Readiness::Nothing),
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let [signal, _] = &polled;
        Ok(if signal.revents().is_empty() { Readiness::Input } else { Readiness::Signal })
    }
}

impl Drop for EndingWatch {
    fn drop(&mut self) {
        for action in self.actions.drain(..) {
            signal_hook::low_level::unregister(action);
        }
    }
}

/// What a program that runs without a terminal is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceRequest {
    End,
    /// To read its settings anew.
    Reload,
}

/// The signals of a program that may run as a service, where SIGHUP does not mean that the terminal is gone.
#[derive(Debug)]
pub struct ServiceSignals {
    all: ShutdownSignals,
    had_terminal: bool,
}

impl ServiceSignals {
    /// Takes the signals from now on.
    #[must_use]
    pub fn take() -> Self {
        Self { all: ShutdownSignals::take(), had_terminal: has_terminal() }
    }

    /// Waits for a signal. May be dropped at any point without losing one.
    pub async fn next(&mut self) -> ServiceRequest {
        match self.all.next().await {
            Name::HUP if !self.had_terminal || has_terminal() => ServiceRequest::Reload,
            _ => ServiceRequest::End,
        }
    }
}

/// Whether there is a terminal that can send us signals.
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// What is ignored, as the system says it of a process; [`None`] where it does not.
fn told_by_linux() -> Option<Vec<Name>> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    let is_ignored = |name: &Name| mask >> (name.as_raw() - 1) & 1 == 1;
    Some(PASSED_ON.into_iter().filter(is_ignored).collect())
}

/// The same, found out anywhere: who is started ignores what we ignore, and outlives it.
fn told_by_children() -> Vec<Name> {
    let outlives = |name: &Name| {
        let script = format!("kill -{} $$", name.as_raw());
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        shell.status().is_ok_and(|status| status.success())
    };
    DEADLY.into_iter().filter(outlives).collect()
}

/// Whether a signal asks a program to end.
#[must_use]
pub fn is_ending(name: Name) -> bool {
    ENDINGS.contains(&name)
}

/// Whether a signal ends who does not heed it.
#[must_use]
pub fn is_deadly(name: Name) -> bool {
    DEADLY.contains(&name)
}

/// Stops this process as Ctrl-Z would; returns when it is continued.
///
/// # Errors
/// If the system refuses.
pub fn stop_this_process() -> io::Result<()> {
    signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_tell_the_same_as_linux() {
        // Whoever runs the tests may have had them ignore some.
        let ignored = told_by_children();
        if let Some(told) = told_by_linux() {
            let told: Vec<Name> = told.into_iter().filter(|name| DEADLY.contains(name)).collect();
            assert_eq!(ignored, told);
        }
    }
}
