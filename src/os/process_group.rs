//! [`ChildGroup`]: a child process, usually the head of a process group of its own, with all that it starts.

use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgrp, kill_process, kill_process_group, test_kill_process_group};
use tokio::signal::unix::{SignalKind, signal};

/// How often to look whether what a child has started has ended, too: nobody tells of processes that are not ours.
const LOOK: Duration = Duration::from_millis(50);

/// A child that runs.
#[derive(Debug)]
pub struct ChildGroup {
    child: Child,
    /// The group of the child and all that it starts; none where it stays in ours.
    group: Option<Pid>,
    /// Tells that some child has ended.
    ended: tokio::signal::unix::Signal,
}

impl ChildGroup {
    /// Starts a child, in a process group of its own if that is wanted.
    ///
    /// # Errors
    /// If the system does not start it.
    pub fn spawn(command: &mut Command, in_own_group: bool) -> io::Result<Self> {
        // Before the start, so that its end is not missed.
        let ended = signal(SignalKind::child())?;
        if in_own_group {
            command.process_group(0);
        }
        let child = command.spawn()?;
        Ok(Self { group: in_own_group.then(|| Pid::from_child(&child)), child, ended })
    }

    /// Its standard input, if that is a pipe and was not taken yet.
    pub const fn take_stdin(&mut self) -> Option<std::process::ChildStdin> {
        self.child.stdin.take()
    }

    /// Whether it has a group of its own.
    #[must_use]
    pub const fn has_own_group(&self) -> bool {
        self.group.is_some()
    }

    /// Waits for the end of the child itself. May be dropped at any point.
    ///
    /// # Errors
    /// If the system does not tell.
    pub async fn end(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            self.ended.recv().await;
        }
    }

    /// Waits for the end of the child and of all in a group of its own.
    ///
    /// # Errors
    /// If the system does not tell.
    pub async fn all_end(&mut self) -> io::Result<()> {
        self.end().await?;
        while self.others().is_some() {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Whether the child itself still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal to all in a group of its own, and else to the child. Not to a child that has ended: its id may be
    /// somebody else's by now; a group's id is not, as long as somebody is in it.
    pub fn signal(&mut self, signal: Signal) {
        let _ = if let Some(group) = self.group {
            kill_process_group(group, signal)
        } else if self.is_running() {
            kill_process(Pid::from_child(&self.child), signal)
        } else {
            Ok(())
        };
    }

    /// The group, if somebody is in it. Nobody else gets its id before it is empty.
    fn others(&self) -> Option<Pid> {
        self.group.filter(|group| test_kill_process_group(*group).is_ok())
    }
}

/// The exit code that a shell reports: the program's own, or 128 and the number of the signal that ended it.
#[must_use]
pub fn shell_exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| signal.saturating_add(128)));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

/// Whether the keys of the terminal that signal (Ctrl-C, Ctrl-\) are for our process group.
#[must_use]
pub fn is_in_the_foreground() -> bool {
    File::open("/dev/tty")
        .is_ok_and(|terminal| rustix::termios::tcgetpgrp(&terminal).is_ok_and(|group| group == getpgrp()))
}
