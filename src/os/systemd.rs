//! What systemd is told of us, if it started us and wants to know: readiness, status, and that the session is alive.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sd_notify::NotifyState;

/// This program as a service. Where nobody asked, nothing is told.
#[derive(Clone, Debug, Default)]
pub struct Service {
    ready: Arc<AtomicBool>,
}

impl Service {
    /// How it goes, in words for `systemctl status`; the first login also says that all is ready.
    pub fn status(&self, words: &str, is_logged_in: bool) {
        let status = NotifyState::Status(words);
        if is_logged_in && !self.ready.swap(true, Ordering::Relaxed) {
            notify(&[NotifyState::Ready, status]);
        } else {
            notify(&[status]);
        }
    }

    /// Settings are being read anew.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => notify(&[NotifyState::Reloading, now]),
            Err(error) => tracing::warn!("cannot tell systemd of the reload: {error}"),
        }
    }

    /// They have been read, or cannot be. Before the first login, that login says that all is ready.
    pub fn reloaded(&self, can_be_read: bool) {
        let stays = NotifyState::Status("the profile cannot be read anew, and stays as it was");
        let ready = self.ready.load(Ordering::Relaxed).then_some(NotifyState::Ready);
        let states: Vec<NotifyState<'_>> = ready.into_iter().chain((!can_be_read).then_some(stays)).collect();
        if !states.is_empty() {
            notify(&states);
        }
    }

    /// The end has begun.
    pub fn stopping(&self) {
        notify(&[NotifyState::Stopping, NotifyState::Status("leaving")]);
    }

    /// Feeds the watchdog, if there is one; to be run by the loop whose life it proves.
    pub async fn pulse(self) {
        let Some(deadline) = sd_notify::watchdog_enabled() else { return };
        let mut ticks = tokio::time::interval(deadline / 2);
        loop {
            ticks.tick().await;
            notify(&[NotifyState::Watchdog]);
        }
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("cannot tell systemd: {error}");
    }
}
