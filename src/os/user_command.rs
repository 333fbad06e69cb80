//! [`UserCommand`]: a command of the user's that shares the terminal with us: started, told of signals, stopped and ended.

use std::ffi::OsString;
use std::io;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use rustix::process::Signal;

use super::hardening;
use super::process_group::{ChildGroup, is_in_the_foreground};

/// How long a command may take to end after SIGTERM.
pub const GRACE: Duration = Duration::from_secs(5);

/// How long it may take to tidy up before it is stopped.
const TIDYING: Duration = Duration::from_millis(100);

/// A command that runs.
#[derive(Debug)]
pub struct UserCommand {
    child: ChildGroup,
}

impl UserCommand {
    /// Starts it with our standard input, output and error.
    ///
    /// # Errors
    /// If the system does not start it.
    pub fn start(program: &OsString, arguments: &[OsString]) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments);
        // Another group than the terminal's could not read from it.
        let in_own_group = !is_in_the_foreground();
        let child = hardening::as_the_user_has_it(|| ChildGroup::spawn(&mut command, in_own_group))?;
        Ok(Self { child })
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// If the system does not tell.
    pub async fn end(&mut self) -> io::Result<ExitStatus> {
        self.child.end().await
    }

    /// Passes a signal on, unless the command has ended.
    pub fn tell(&mut self, signal: Signal) {
        if self.child.is_running() {
            self.child.signal(signal);
        }
    }

    /// Whether the command has it already: the terminal tells everybody in the foreground of its keys.
    #[must_use]
    pub fn was_told(&self, signal: Signal) -> bool {
        let by_keys = [Signal::INT, Signal::QUIT, Signal::TSTP, Signal::WINCH].contains(&signal);
        !self.child.has_own_group() && by_keys && is_in_the_foreground()
    }

    /// Stops it, so that it does nothing while we are stopped and the lock may end: as the terminal would at first, so that
    /// it can tidy up.
    pub async fn stop(&mut self) {
        if !self.was_told(Signal::TSTP) {
            self.tell(Signal::TSTP);
        }
        let _ = tokio::time::timeout(TIDYING, self.child.end()).await;
        self.tell(Signal::STOP);
    }

    /// Ends it, and in a group of its own all that it has started: politely first, if there is time for it.
    ///
    /// # Errors
    /// If the system does not tell of its end.
    pub async fn terminate(&mut self, within: Duration) -> io::Result<()> {
        if !within.is_zero() {
            self.tell(Signal::TERM);
            // Who is stopped hears nothing.
            self.tell(Signal::CONT);
            if let Ok(ended) = tokio::time::timeout(within.min(GRACE), self.child.all_end()).await {
                return ended;
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
            let mut running = UserCommand { child };
            running.terminate(Duration::from_millis(100)).await.unwrap();
            running.end().await.unwrap()
        });
        assert_eq!(ended.signal(), Some(Signal::KILL.as_raw()));
        // Nobody holds the other end any more.
        assert_eq!(reader.read(&mut [0; 6]).unwrap(), 0);
    }
}
