//! [`ChildCommand`]: runs under the lock, gets our signals, and ends with the lock.

use std::ffi::OsString;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use rustix::process::Signal;

use crate::os::hardening;
use crate::os::process_group::{ChildGroup, is_in_the_foreground};
use crate::output::Failure;
use crate::text::Clean;

/// How long after SIGTERM a command gets SIGKILL.
const GRACE: Duration = Duration::from_secs(5);

pub(super) struct ChildCommand {
    child: ChildGroup,
    grace: Duration,
}

impl ChildCommand {
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
        Ok(Self { child, grace: GRACE })
    }

    pub(super) async fn end(&mut self) -> Result<ExitStatus, Failure> {
        self.child.end().await.map_err(Failure::Start)
    }

    /// Passes a signal on, unless the command has ended.
    pub(super) fn pass_on(&mut self, signal: Signal) {
        if self.child.is_running() {
            self.child.signal(signal);
        }
    }

    /// Whether the command got the signal, too: the terminal sends those of its keys to all processes in the foreground.
    pub(super) fn got_too(&self, signal: Signal) -> bool {
        !self.child.has_own_group() && (signal == Signal::INT || signal == Signal::QUIT) && is_in_the_foreground()
    }

    /// Ends the command, by SIGTERM first; in a group of its own also everything that it has started.
    pub(super) async fn terminate(&mut self) -> Result<(), Failure> {
        self.pass_on(Signal::TERM);
        if let Ok(ended) = tokio::time::timeout(self.grace, self.child.all_end()).await {
            return ended.map_err(Failure::Start);
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
            let mut running = ChildCommand { child, grace: Duration::from_millis(100) };
            running.terminate().await.unwrap();
            running.end().await.unwrap()
        });
        assert_eq!(ended.signal(), Some(Signal::KILL.as_raw()));
        // Nobody holds the other end any more.
        assert_eq!(reader.read(&mut [0; 6]).unwrap(), 0);
    }
}
