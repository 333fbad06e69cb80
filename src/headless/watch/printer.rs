//! Lines on their way to standard output.

use std::collections::BTreeSet;
use std::io::{self, Write as _};

use rustix::event::{PollFd, PollFlags, poll};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::stream::{LeftOut, Told};
use crate::cli::LinesArgs;
use crate::os::signals::ShutdownSignals;
use crate::output::Failure;
use crate::output::ndjson;
use crate::output::sentences::Form;
use crate::runtime::one_shot::SIGNAL_PATIENCE;

/// Which events are printed, and how.
#[derive(Debug)]
pub(in crate::headless) struct Wanted {
    /// All, unless some are named.
    only: Option<BTreeSet<String>>,
    pub(super) form: Form,
}

impl Wanted {
    /// As the options say.
    ///
    /// # Errors
    /// If an event is named that there is not.
    pub(in crate::headless) fn of(options: &LinesArgs) -> Result<Self, Failure> {
        if let Some(unknown) = options.only.iter().find(|name| !ndjson::EVENTS.contains(&name.as_str())) {
            let known = ndjson::EVENTS.join(", ");
            return Err(Failure::Usage(format!("--only: no event is called {unknown:?}; there are {known}")));
        }
        let only = (!options.only.is_empty()).then(|| options.only.iter().cloned().collect());
        Ok(Self { only, form: Form::of_output(options.json) })
    }

    pub(super) fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|names| names.contains(name))
    }

    /// Adds the lines of what was told.
    pub(super) fn write(&mut self, output: &mut Vec<u8>, told: &Told) -> io::Result<()> {
        if let Told::Event(_, event) = told {
            self.form.learn(event);
        }
        match told {
            // What comes by the thousand is not even made if nobody wants it.
            Told::Event(_, event) if !self.wants(ndjson::name(event)) => Ok(()),
            Told::Event(at, event) => self.form.event(output, *at, event),
            Told::LeftOut(left_out) if self.misses(left_out) => {
                let LeftOut { at, messages, acknowledged, events, .. } = *left_out;
                self.form.line(output, &ndjson::left_out(at, messages, acknowledged, events))
            }
            Told::LeftOut(_) => Ok(()),
        }
    }

    /// Who wants messages wants to know that some are missing; of other events nobody knows what they were.
    fn misses(&self, left_out: &LeftOut) -> bool {
        left_out.events > 0 || ["left_out", "reflected", "acknowledged"].iter().any(|name| self.wants(name))
    }

    /// Whether somebody is told of every device that is not as known.
    pub(super) fn tells_of_device_changes(&self) -> bool {
        ["device_new", "device_changed", "device_undecryptable", "device_gone"].iter().all(|name| self.wants(name))
    }

    /// Adds a line, if it is wanted.
    pub(super) fn write_line(&self, output: &mut Vec<u8>, line: &Value) -> io::Result<()> {
        let name = line.get("event").and_then(Value::as_str).unwrap_or_default();
        if self.wants(name) { self.form.line(output, line) } else { Ok(()) }
    }
}

/// Writes to standard output on a thread of its own, so that a reader who does not read keeps nobody from leaving.
pub(in crate::headless) struct Printer {
    pub(in crate::headless) lines: mpsc::Sender<Vec<u8>>,
    done: oneshot::Receiver<io::Result<()>>,
    hung_up: tokio::sync::watch::Receiver<bool>,
}

impl Printer {
    /// Prints the last lines and waits until everything is written: for a moment only once a signal has come, and no longer
    /// when another one comes.
    pub(in crate::headless) async fn finish(
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

    pub(in crate::headless) fn start() -> io::Result<Self> {
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
    pub(in crate::headless) fn unread(&self) -> impl Future<Output = ()> + use<> {
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
    pub(super) async fn end(&mut self, last: Vec<u8>) -> Result<(), Failure> {
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
