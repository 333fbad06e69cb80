//! [`Printer`]: writes to standard output on a thread of its own, and notices when nobody reads any more.

use std::io::{self, Write as _};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::{mpsc, oneshot};

use crate::os::signals::ShutdownSignals;
use crate::output::Failure;

/// How long the last lines may still take once a signal wants the end.
const SIGNAL_PATIENCE: Duration = Duration::from_secs(1);

/// Writes to standard output on a thread of its own, so that a reader who does not read keeps nobody from leaving.
#[derive(Debug)]
pub struct Printer {
    /// Takes whole lines; one batch waits while another is written.
    pub lines: mpsc::Sender<Vec<u8>>,
    done: oneshot::Receiver<io::Result<()>>,
    hung_up: tokio::sync::watch::Receiver<bool>,
}

impl Printer {
    /// Prints the last lines and waits until everything is written: for a moment only once a signal has come, and no longer
    /// when another one comes.
    ///
    /// # Errors
    /// If standard output failed while somebody read it.
    pub async fn finish(
        mut self,
        last: Vec<u8>,
        signals: &mut ShutdownSignals,
        interrupted: bool,
    ) -> Result<(), Failure> {
        let patience = async {
            if !interrupted {
                signals.next().await;
            }
            tokio::select! {
                _ = signals.next() => {}
                () = tokio::time::sleep(SIGNAL_PATIENCE) => {}
            }
        };
        tokio::select! {
            biased;
            printed = self.end(last) => printed,
            () = patience => Ok(()),
        }
    }

    /// Starts the threads.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn start() -> io::Result<Self> {
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
        let (sender, hung_up) = tokio::sync::watch::channel(false);
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
    /// If standard output failed while somebody read it.
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
