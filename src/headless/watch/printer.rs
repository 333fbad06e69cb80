//! Lines on their way to standard output.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::stream::Told;
use crate::group::Event;
use crate::runtime::signals::Endings;
use crate::runtime::visit::SIGNAL_PATIENCE;
use crate::runtime::{Failure, ndjson};

/// Which events are printed.
#[derive(Debug, Default)]
pub(in crate::headless) struct Only(Option<BTreeSet<String>>);

impl Only {
    /// All, unless some are named.
    pub(in crate::headless) fn named(names: &[String]) -> Result<Self, Failure> {
        if let Some(unknown) = names.iter().find(|name| !ndjson::EVENTS.contains(&name.as_str())) {
            let known = ndjson::EVENTS.join(", ");
            return Err(Failure::Usage(format!("--only: no event is called {unknown:?}; there are {known}")));
        }
        Ok(Self((!names.is_empty()).then(|| names.iter().cloned().collect())))
    }

    fn wants(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(name))
    }

    /// Adds the lines of what was told.
    pub(super) fn write(&self, output: &mut Vec<u8>, told: &Told) -> io::Result<()> {
        match told {
            // What comes by the thousand is not even made if nobody wants it.
            Told::Event(_, Event::Reflected(_)) if !self.wants("reflected") => Ok(()),
            Told::Event(_, Event::Acknowledged { .. }) if !self.wants("acknowledged") => Ok(()),
            Told::Event(at, event) => {
                ndjson::lines(*at, event).iter().try_for_each(|line| self.write_line(output, line))
            }
            // Who wants messages wants to know that some are missing.
            Told::LeftOut(left_out)
                if ["left_out", "reflected", "acknowledged"].iter().any(|name| self.wants(name)) =>
            {
                let (messages, acknowledged) = (left_out.messages, left_out.acknowledged);
                print(output, &ndjson::left_out(left_out.at, messages, acknowledged))
            }
            Told::LeftOut(_) => Ok(()),
        }
    }

    /// Adds a line, if it is wanted.
    pub(super) fn write_line(&self, output: &mut Vec<u8>, line: &Value) -> io::Result<()> {
        let name = line.get("event").and_then(Value::as_str).unwrap_or_default();
        if self.wants(name) { print(output, line) } else { Ok(()) }
    }
}

fn print(output: &mut Vec<u8>, line: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    output.write_all(b"\n")
}

/// Writes to standard output on a thread of its own, so that a reader who does not read keeps nobody from leaving.
pub(in crate::headless) struct Printer {
    pub(in crate::headless) lines: mpsc::Sender<Vec<u8>>,
    done: oneshot::Receiver<io::Result<()>>,
}

impl Printer {
    /// Prints the last lines and waits until everything is written: for a moment only once a signal has come, and no longer
    /// when another one comes.
    pub(in crate::headless) async fn finish(
        mut self,
        last: Vec<u8>,
        signals: &mut Endings,
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
        let printing = async {
            // Whether anybody reads, the end tells.
            let _ = self.lines.send(last).await;
            self.end(None).await
        };
        tokio::select! {
            biased;
            printed = printing => printed,
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
        Ok(Self { lines, done })
    }

    /// Waits until everything is written, however slow the reader is; or until a time.
    pub(super) async fn end(&mut self, until: Option<Instant>) -> Result<(), Failure> {
        let (nowhere, _) = mpsc::channel(1);
        self.lines = nowhere;
        let patience = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            printed = &mut self.done => match printed {
                // Nobody reads any more: that is how `head` ends its input.
                Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
                _ => Ok(()),
            },
            () = patience => Ok(()),
        }
    }
}
