//! What systemd is told of us, if it started us and wants to know: readiness, status, and that the session is alive.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sd_notify::NotifyState;

use super::driver::Observer;
use crate::group::{Event, NextStep};
use crate::protocol::Millis;
use crate::session::Proxied;

/// This program as a service. Where nobody asked, nothing is told.
#[derive(Clone, Debug, Default)]
pub struct Service {
    ready: Arc<AtomicBool>,
}

/// Hands every event on, and tells systemd what it means.
#[derive(Debug)]
pub struct Telling<O> {
    observer: O,
    service: Service,
}

impl Service {
    /// Lets systemd know what the observer is told.
    #[must_use]
    pub fn before<O>(&self, observer: O) -> Telling<O> {
        Telling { observer, service: self.clone() }
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

impl<O: Observer> Observer for Telling<O> {
    fn tell(&mut self, at: Millis, event: Event) {
        if let Some(status) = status(&event) {
            let is_login = matches!(event, Event::LoggedIn(_));
            let status = NotifyState::Status(&status);
            if is_login && !self.service.ready.swap(true, Ordering::Relaxed) {
                notify(&[NotifyState::Ready, status]);
            } else {
                notify(&[status]);
            }
        }
        self.observer.tell(at, event);
    }

    fn proxied(&mut self, proxied: Proxied) {
        self.observer.proxied(proxied);
    }
}

/// In words for `systemctl status`, without anything that others wrote.
fn status(event: &Event) -> Option<String> {
    Some(match event {
        Event::Connecting { attempt } => format!("connecting (attempt {attempt})"),
        Event::LoggedIn(login) => format!("logged in as {}", login.own),
        Event::Devices(devices) => format!("live: {} devices", devices.len()),
        Event::Disconnected { cause, next } => {
            let next = match next {
                NextStep::RetryAt { .. } => "comes back",
                NextStep::WaitForUser => "needs somebody",
                NextStep::End => "ended",
            };
            format!("not connected ({}); {next}", cause.name())
        }
        _ => return None,
    })
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("cannot tell systemd: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Frames(Arc<Mutex<Vec<Proxied>>>);

    impl Observer for Frames {
        fn tell(&mut self, _at: Millis, _event: Event) {}

        fn proxied(&mut self, proxied: Proxied) {
            self.0.lock().unwrap().push(proxied);
        }
    }

    #[test]
    fn frames_of_the_chat_server_are_handed_on() {
        let frames = Frames::default();
        let frame = Proxied::Frame(bytes::Bytes::from_static(b"frame"));
        Service::default().before(frames.clone()).proxied(frame.clone());
        assert_eq!(*frames.0.lock().unwrap(), [frame]);
    }
}
