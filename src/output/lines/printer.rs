//! [`Printer`]: standard output for commands that end when nobody reads them any more.

use std::io::{self, Write as _};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::{mpsc, oneshot, watch};

use super::writer_thread::start_writer;
use crate::os::signals::ShutdownSignals;
use crate::output::Failure;

/// How long the last lines may still take once a signal wants the end.
const AFTER_SIGNAL: Duration = Duration::from_secs(1);

/// Writes to standard output on a thread of its own, so that a reader who does not read keeps nobody from leaving.
#[derive(Debug)]
pub struct Printer {
    /// Takes the next lines once the ones before are written; closed once writing has failed.
    pub lines: mpsc::Sender<Vec<u8>>,
    done: oneshot::Receiver<io::Result<()>>,
    hung_up: watch::Receiver<bool>,
}

impl Printer {
    /// Starts the threads.
    ///
    /// # Errors
    /// If the system gives none, or there is no standard output.
    pub fn start() -> io::Result<Self> {
        let (lines, mut incoming) = mpsc::channel::<Vec<u8>>(1);
        let done = start_writer("printer", move |mut output| {
            while let Some(lines) = incoming.blocking_recv() {
                output.write_all(&lines)?;
            }
            Ok(())
        })?;
        let (sender, hung_up) = watch::channel(false);
        std::thread::Builder::new().name("hang-up".to_owned()).spawn(move || {
            if await_hang_up().is_ok() {
                sender.send_replace(true);
            }
        })?;
        Ok(Self { lines, done, hung_up })
    }

    /// Waits until nobody reads any more, whether or not there is something to print, or printing has failed.
    pub fn unread(&self) -> impl Future<Output = ()> + use<> {
        let (lines, mut hung_up) = (self.lines.clone(), self.hung_up.clone());
        async move {
            let hung_up = async {
                if hung_up.wait_for(|hung_up| *hung_up).await.is_err() {
                    // Nobody can tell.
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = lines.closed() => {}
                () = hung_up => {}
            }
        }
    }

    /// Prints the last lines and waits until everything is written, however slow the reader is.
    ///
    /// # Errors
    /// If writing has failed although somebody reads.
    pub async fn end(&mut self, last: Vec<u8>) -> Result<(), Failure> {
        // Whether anybody reads, the end tells.
        let _ = self.lines.send(last).await;
        let (nowhere, _) = mpsc::channel(1);
        self.lines = nowhere;
        match (&mut self.done).await {
            // Nobody reads any more: that is how `head` ends its input.
            Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe || *self.hung_up.borrow() => Ok(()),
            Ok(Err(error)) => Err(Failure::Output(error)),
            _ => Ok(()),
        }
    }

    /// The same; but once a signal has come the reader has only a moment, and none at all when another one comes.
    ///
    /// # Errors
    /// As [`Self::end`].
    pub async fn finish(
        mut self,
        last: Vec<u8>,
        signals: &mut ShutdownSignals,
        interrupted: bool,
    ) -> Result<(), Failure> {
        let out_of_time = async {
            if !interrupted {
                signals.next().await;
            }
            tokio::select! {
                _ = signals.next() => {}
                () = tokio::time::sleep(AFTER_SIGNAL) => {}
            }
        };
        tokio::select! {
            biased;
            printed = self.end(last) => printed,
            () = out_of_time => Ok(()),
        }
    }
}

/// Waits until whatever reads standard output has closed it: a pipe or a terminal says so unasked, a file never.
fn await_hang_up() -> rustix::io::Result<()> {
    let output = io::stdout();
    let mut polled = [PollFd::new(&output, PollFlags::empty())];
    loop {
        match poll(&mut polled, None) {
            Ok(_) if polled[0].revents().contains(PollFlags::NVAL) => return Err(rustix::io::Errno::INVAL),
            Ok(_) if polled[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) => return Ok(()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}
