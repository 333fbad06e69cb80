//! Runs one command: no shell, hardly any environment, the event on its standard input, and not for ever.

use std::io;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe;

use crate::os::process_group::ChildGroup;
use crate::text::Clean;

/// How long a command may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How long it may then take to end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long is listened to what a command that has ended left behind: it may hold the output for as long as it likes.
const ECHO: Duration = Duration::from_secs(1);

/// How much of what it says is logged.
const MOST_OUTPUT: usize = 4_096;
const MOST_LINES: usize = 20;

/// What a command needs to find its way, and a desktop's own to show something. Nothing else is handed on.
const ENVIRONMENT: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
];

/// Why a command did not do what it should.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    #[error("cannot be started: {0}")]
    Start(io::Error),
    #[error("failed: {0}")]
    Failed(ExitStatus),
    #[error("took longer than {} s, and was ended", .0.as_secs_f32())]
    Hung(Duration),
}

impl CommandError {
    /// Its name in metrics.
    pub(super) const fn outcome(&self) -> &'static str {
        match self {
            Self::Start(_) | Self::Failed(_) => "failed",
            Self::Hung(_) => "timed_out",
        }
    }
}

/// Runs a command to its end, or for as long as the patience lasts; returns what it said, bounded.
pub(super) async fn run(
    words: &[String],
    event: &str,
    input: Vec<u8>,
    patience: Duration,
) -> (Vec<Clean>, Result<(), CommandError>) {
    let mut running = match RunningAlert::start(words, event) {
        Ok(running) => running,
        Err(error) => return (Vec::new(), Err(CommandError::Start(error))),
    };
    let ended = tokio::time::timeout(patience, running.end(input, ECHO)).await;
    let result = match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(CommandError::Failed(status)),
        Ok(Err(error)) => Err(CommandError::Start(error)),
        Err(_) => {
            running.stop().await;
            Err(CommandError::Hung(patience))
        }
    };
    (running.said(), result)
}

/// A command that runs in a process group of its own; if it has not ended when this is dropped, the group is killed. What a
/// command that has ended left behind is its own affair.
struct RunningAlert {
    child: ChildGroup,
    stdin: Option<pipe::Sender>,
    output: pipe::Receiver,
    said: Vec<u8>,
    ended: bool,
}

impl RunningAlert {
    fn start(words: &[String], event: &str) -> io::Result<Self> {
        let Some((program, arguments)) = words.split_first() else { return Err(io::ErrorKind::InvalidInput.into()) };
        let (output, writer) = io::pipe()?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("D2MTOP_EVENT", event);
        command.envs(ENVIRONMENT.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
        command.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer);
        let mut child = ChildGroup::spawn(&mut command, true)?;
        // Holds the other end of the output, which would never end.
        drop(command);
        let stdin = child.take_stdin().map(|stdin| pipe::Sender::from_owned_fd(OwnedFd::from(stdin))).transpose()?;
        let output = pipe::Receiver::from_owned_fd(OwnedFd::from(output))?;
        Ok(Self { child, stdin, output, said: Vec::new(), ended: false })
    }

    /// Hands the input in, takes the output, and waits for the end; then for that of the output, at most so long.
    async fn end(&mut self, input: Vec<u8>, echo: Duration) -> io::Result<ExitStatus> {
        let mut stdin = self.stdin.take();
        let feed = async {
            if let Some(stdin) = &mut stdin {
                // Who does not read it does not want it.
                let _ = stdin.write_all(&input).await;
            }
            stdin = None;
        };
        let (output, said) = (&mut self.output, &mut self.said);
        let listen = async {
            let mut buffer = [0; 1_024];
            while let Ok(count @ 1..) = output.read(&mut buffer).await {
                let room = MOST_OUTPUT.saturating_sub(said.len()).min(count);
                said.extend(buffer.iter().take(room));
            }
        };
        let mut talk = pin!(async {
            tokio::join!(feed, listen);
        });
        let mut wait = pin!(self.child.end());
        let status = tokio::select! {
            () = &mut talk => wait.await,
            status = &mut wait => {
                let _ = tokio::time::timeout(echo, talk).await;
                status
            }
        };
        self.ended = true;
        status
    }

    /// Politely first; and all of the group, not the command alone.
    async fn stop(&mut self) {
        self.child.signal(Signal::TERM);
        if tokio::time::timeout(LAST_WORDS, self.end(Vec::new(), Duration::MAX)).await.is_err() {
            self.child.signal(Signal::KILL);
            let _ = tokio::time::timeout(LAST_WORDS, self.end(Vec::new(), Duration::MAX)).await;
        }
    }

    fn said(&self) -> Vec<Clean> {
        let lines = self.said.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.take(MOST_LINES).map(Clean::from_bytes).collect()
    }
}

impl Drop for RunningAlert {
    fn drop(&mut self) {
        if !self.ended {
            self.child.signal(Signal::KILL);
            let _ = self.child.is_running();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn run_script(script: &str, patience: Duration) -> (Vec<Clean>, Result<(), CommandError>) {
        let words = ["sh", "-c", script].map(str::to_owned);
        crate::os::event_loop::event_loop().unwrap().block_on(run(&words, "lost", b"{}\n".to_vec(), patience))
    }

    /// Whether a process is there, and has not ended.
    fn lives(said: &[Clean]) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", said[0].as_str())).unwrap_or_default();
        !status.is_empty() && !status.contains("State:\tZ")
    }

    #[test]
    fn what_a_command_says_is_kept_and_how_it_ends_is_told() {
        let (said, ended) = run_script("cat; echo $D2MTOP_EVENT >&2", PATIENCE);
        assert_eq!(said.iter().map(Clean::as_str).collect::<Vec<_>>(), ["{}", "lost"]);
        assert!(ended.is_ok(), "{ended:?}");
        let (_, ended) = run_script("exit 3", PATIENCE);
        assert_eq!(ended.unwrap_err().outcome(), "failed");
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended_with_all_that_it_started() {
        for script in ["sleep 1000 & echo $!; wait", "trap '' TERM; sleep 1000 & echo $!; wait"] {
            let (said, ended) = run_script(script, Duration::from_millis(300));
            assert_eq!(ended.unwrap_err().outcome(), "timed_out", "{script}");
            // It lets go of its output a moment before it is gone.
            let start = Instant::now();
            while lives(&said) {
                assert!(start.elapsed() < PATIENCE, "{script}: it goes on");
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn what_a_command_leaves_running_is_left_alone_and_not_waited_for() {
        let start = Instant::now();
        let (said, ended) = run_script("sleep 1000 & echo $!", PATIENCE);
        assert!(ended.is_ok(), "{ended:?}");
        assert!(start.elapsed() < PATIENCE / 2, "it was waited for");
        assert!(lives(&said), "it was ended");
        let left = said[0].as_str().parse().ok().and_then(rustix::process::Pid::from_raw).unwrap();
        rustix::process::kill_process(left, Signal::KILL).unwrap();
    }
}
