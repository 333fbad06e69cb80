//! [`ShutdownTimer`]: waits that hear signals, and are bounded once a signal asks for the end.

use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::headless::background::sleep_until;
use crate::os::logging;
use crate::os::signals::{ServiceRequest, ServiceSignals};
use crate::os::systemd::Service;
use crate::runtime::one_shot::SIGNAL_PATIENCE;

/// The whole end may take so long, even if a disk or a command hangs: the two seconds that are promised, less what
/// leaving takes.
const SIGNAL_END: Duration = Duration::from_millis(1_800);

/// Takes signals, and tells systemd when one asks for the end.
pub(super) struct ShutdownTimer {
    signals: ServiceSignals,
    pub(super) service: Service,
    /// When a signal asked for the end.
    asked_at: Option<Instant>,
}

impl ShutdownTimer {
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

    /// Waits for a signal that asks for the end.
    pub(super) async fn asked_to_end(&mut self) {
        // There is no session whose settings could be read anew.
        while self.next().await == ServiceRequest::Reload {
            logging::reopen();
        }
    }

    /// Until when to wait, if a signal has asked for the end.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.asked_at.map(|at| at + SIGNAL_PATIENCE)
    }

    /// How long the rest of the end may take, if a signal has asked for it.
    pub(super) fn left(&self) -> Option<Duration> {
        self.asked_at.map(|at| (at + SIGNAL_END).saturating_duration_since(Instant::now()))
    }

    /// Waits without a limit until a signal asks for the end; [`None`] if it then takes too long.
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
