//! The command that runs under the lock: started, told of signals, ended when the lock is gone.

use std::ffi::OsString;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use rustix::process::Signal;

use crate::os::hardening;
use crate::os::process_group::{ChildGroup, is_in_the_foreground};
use crate::output::Failure;
use crate::text::Clean;

/// How long a command may take to end after SIGTERM.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// How long it may take to tidy up before it is stopped.
const TIDYING: Duration = Duration::from_millis(100);

/// A command that runs.
pub(super) struct RunningCommand {
    child: ChildGroup,
}

impl RunningCommand {
    /// Starts it with our standard input, output and error.
    pub(super) fn start(command: &[OsString]) -> Result<Self, Failure> {
        let (program, arguments) = command.split_first().ok_or_else(|| Failure::Usage("no command".to_owned()))?;
        let mut command = Command::new(program);
        command.args(arguments);
        // Another group than the terminal's could not read from it.
        let in_own_group = !is_in_the_foreground();
        let started = hardening::as_the_user_has_it(|| ChildGroup::spawn(&mut command, in_own_group));
        let child =
            started.map_err(|cause| Failure::Command { command: Clean::new(&program.to_string_lossy()), cause })?;
        Ok(Self { child })
    }

    /// Waits for its end.
    pub(super) async fn end(&mut self) -> Result<ExitStatus, Failure> {
        self.child.end().await.map_err(Failure::Start)
    }

    /// Passes a signal on, unless the command has ended.
    pub(super) fn tell(&mut self, signal: Signal) {
        if self.child.is_running() {
            self.child.signal(signal);
        }
    }

    /// Whether the command has it already: the terminal tells everybody in the foreground of its keys.
    pub(super) fn was_told(&self, signal: Signal) -> bool {
        let by_keys = [Signal::INT, Signal::QUIT, Signal::TSTP, Signal::WINCH].contains(&signal);
        !self.child.has_own_group() && by_keys && is_in_the_foreground()
    }

    /// Stops it, so that it does nothing while we are stopped and the lock may end: as the terminal would at first, so that
    /// it can tidy up.
    pub(super) async fn stop(&mut self) {
        if !self.was_told(Signal::TSTP) {
            self.tell(Signal::TSTP);
        }
        let _ = tokio::time::timeout(TIDYING, self.child.end()).await;
        self.tell(Signal::STOP);
    }

    /// Ends it, and in a group of its own all that it has started: politely first, if there is time for it.
    pub(super) async fn terminate(&mut self, within: Duration) -> Result<(), Failure> {
        if !within.is_zero() {
            self.tell(Signal::TERM);
            // Who is stopped hears nothing.
            self.tell(Signal::CONT);
            if let Ok(ended) = tokio::time::timeout(within.min(GRACE), self.child.all_end()).await {
                return ended.map_err(Failure::Start);
            }
        }
        self.child.signal(Signal::KILL);
        self.end().await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn a_command_that_does_not_heed_the_end_is_killed_with_all_that_it_started() {
        // The command says through the pipe that it has begun not to heed anything; its end closes the pipe.
        let (mut reader, writer) = std::io::pipe().unwrap();
        let script = "trap '' TERM; sleep 1000 & echo ready; while :; do wait; done";
        let event_loop = crate::os::event_loop::event_loop().unwrap();
        let ended = event_loop.block_on(async {
            let mut command = Command::new("/bin/sh");
            let child = ChildGroup::spawn(command.args(["-c", script]).stdout(writer), true).unwrap();
            // Holds the other end of the pipe, too.
            drop(command);
            let mut ready = [0; 6];
            reader.read_exact(&mut ready).unwrap();
            let mut running = RunningCommand { child };
            running.terminate(Duration::from_millis(100)).await.unwrap();
            running.end().await.unwrap()
        });
        assert_eq!(ended.signal(), Some(Signal::KILL.as_raw()));
        // Nobody holds the other end any more.
        assert_eq!(reader.read(&mut [0; 6]).unwrap(), 0);
    }
}
