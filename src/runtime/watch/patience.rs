//! [`SignalPatience`]: whoever waits with it hears signals meanwhile, and does not wait for long once one wants the end.

use std::pin::pin;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::os::logging;
use crate::os::signals::{ServiceRequest, ServiceSignals};
use crate::os::systemd::Service;
use crate::output::Failure;
use crate::runtime::one_shot::SIGNAL_PATIENCE;

/// After how long all is over then, with a disk and commands that take no end: what is promised, less what leaving takes.
const SIGNAL_END: Duration = Duration::from_millis(1_800);

/// Hears signals, and tells systemd of the end that they ask for.
pub(super) struct SignalPatience {
    signals: ServiceSignals,
    pub(super) service: Service,
    /// When a signal wanted the end.
    asked_at: Option<Instant>,
}

impl SignalPatience {
    /// Takes the signals from now on.
    pub(super) fn take() -> Self {
        Self { signals: ServiceSignals::take(), service: Service::default(), asked_at: None }
    }

    /// Waits for a signal. May be dropped at any point without losing one.
    pub(super) async fn next(&mut self) -> ServiceRequest {
        let asked = self.signals.next().await;
        if asked == ServiceRequest::End {
            self.service.stopping();
            self.asked_at.get_or_insert_with(Instant::now);
        }
        asked
    }

    /// Waits for a signal that wants the end.
    pub(super) async fn asked_to_end(&mut self) {
        // There is no session whose settings could be read anew.
        while self.next().await == ServiceRequest::Reload {
            logging::reopen();
        }
    }

    /// Until when to wait for others, if a signal wants the end.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.asked_at.map(|at| at + SIGNAL_PATIENCE)
    }

    /// How long the rest of the end may take, if a signal wants it.
    pub(super) fn left(&self) -> Option<Duration> {
        self.asked_at.map(|at| (at + SIGNAL_END).saturating_duration_since(Instant::now()))
    }

    /// Waits for something, however long it takes; [`None`] if a signal wants the end, and it took too long.
    pub(super) async fn wait<T>(&mut self, wait: impl Future<Output = T>) -> Option<T> {
        let mut wait = pin!(wait);
        loop {
            let deadline = self.deadline();
            tokio::select! {
                biased;
                done = &mut wait => return Some(done),
                () = sleep_until(deadline) => return None,
                () = self.asked_to_end() => {}
            }
        }
    }
}

pub(super) async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Does something that may block, on a thread of its own: not one of the event loop, whose end would wait for it.
pub(super) fn on_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<oneshot::Receiver<T>, Failure> {
    let (sender, done) = oneshot::channel();
    let run = move || drop(sender.send(work()));
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(Failure::Start)?;
    Ok(done)
}
