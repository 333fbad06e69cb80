//! The command that runs under the lock: started, told of signals, ended when the lock is gone.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, getpgrp, kill_process, kill_process_group, test_kill_process_group};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::profile;
use crate::runtime::Failure;
use crate::text::Clean;

/// How long a command may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

/// How often to look whether what the command has started has ended, too: nobody tells of processes that are not ours.
const LOOK: Duration = Duration::from_millis(50);

/// A command that runs.
pub(super) struct Running {
    child: Child,
    grace: Duration,
    /// The group of the command and all that it starts; none where the terminal's keys reach them in ours.
    group: Option<Pid>,
    /// Tells that some child has ended.
    ended: Signal,
}

impl Running {
    /// Starts it with our standard input, output and error.
    pub(super) fn start(command: &[OsString]) -> Result<Self, Failure> {
        let (program, arguments) = command.split_first().ok_or_else(|| Failure::Usage("no command".to_owned()))?;
        // Listened for before there is anything to hear.
        let ended = signal(SignalKind::child()).map_err(Failure::Start)?;
        let mut command = Command::new(program);
        // Another group than the terminal's could not read from it.
        let has_own_group = !is_in_the_foreground();
        if has_own_group {
            command.process_group(0);
        }
        let started = profile::as_the_user_has_it(|| command.args(arguments).spawn());
        let child =
            started.map_err(|cause| Failure::Command { command: Clean::new(&program.to_string_lossy()), cause })?;
        let group = has_own_group.then(|| Pid::from_child(&child));
        Ok(Self { child, grace: GRACE, group, ended })
    }

    /// Waits for its end.
    pub(super) async fn end(&mut self) -> Result<ExitStatus, Failure> {
        loop {
            if let Some(status) = self.child.try_wait().map_err(Failure::Start)? {
                return Ok(status);
            }
            self.ended.recv().await;
        }
    }

    /// Passes a signal on. Not to a command that has ended: its id may be somebody else's by now.
    pub(super) fn tell(&mut self, signal: rustix::process::Signal) {
        if let Ok(None) = self.child.try_wait() {
            let _ = match self.group {
                Some(group) => kill_process_group(group, signal),
                None => kill_process(Pid::from_child(&self.child), signal),
            };
        }
    }

    /// Whether the command has it already: the terminal tells everybody in the foreground of its keys.
    pub(super) fn was_told(&self, signal: rustix::process::Signal) -> bool {
        use rustix::process::Signal as Name;
        self.group.is_none() && (signal == Name::INT || signal == Name::QUIT) && is_in_the_foreground()
    }

    /// Ends it, and in a group of its own all that it has started: politely first.
    pub(super) async fn terminate(&mut self) -> Result<(), Failure> {
        self.tell(rustix::process::Signal::TERM);
        if let Ok(ended) = tokio::time::timeout(self.grace, self.all_end()).await {
            return ended;
        }
        self.tell(rustix::process::Signal::KILL);
        if let Some(group) = self.others() {
            let _ = kill_process_group(group, rustix::process::Signal::KILL);
        }
        self.end().await.map(|_| ())
    }

    async fn all_end(&mut self) -> Result<(), Failure> {
        self.end().await?;
        while self.others().is_some() {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// The group, if somebody is in it. Nobody else gets its id before it is empty.
    fn others(&self) -> Option<Pid> {
        self.group.filter(|group| test_kill_process_group(*group).is_ok())
    }
}

/// As a shell has it.
pub(super) fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| signal.saturating_add(128)));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

/// Whether the terminal's keys are for us.
fn is_in_the_foreground() -> bool {
    File::open("/dev/tty")
        .is_ok_and(|terminal| rustix::termios::tcgetpgrp(&terminal).is_ok_and(|group| group == getpgrp()))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_command_that_does_not_heed_the_end_is_killed_with_all_that_it_started() {
        // The command says through the pipe that it has begun not to heed anything; its end closes the pipe.
        let (mut reader, writer) = std::io::pipe().unwrap();
        let script = "trap '' TERM; sleep 1000 & echo ready; while :; do wait; done";
        let child = Command::new("/bin/sh").args(["-c", script]).stdout(writer).process_group(0).spawn().unwrap();
        let mut ready = [0; 6];
        reader.read_exact(&mut ready).unwrap();
        let ended = crate::runtime::event_loop().unwrap().block_on(async {
            let (group, ended) = (Some(Pid::from_child(&child)), signal(SignalKind::child()).unwrap());
            let mut running = Running { child, grace: Duration::from_millis(100), group, ended };
            running.terminate().await.unwrap();
            running.end().await.unwrap()
        });
        assert_eq!(ended.signal(), Some(rustix::process::Signal::KILL.as_raw()));
        // Nobody holds the other end any more.
        assert_eq!(reader.read(&mut ready).unwrap(), 0);
    }
}
