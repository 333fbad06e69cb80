//! What systemd is told of us, if it started us and wants to know: readiness, status, and that the session is alive.

use std::io;
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
    let socket = std::env::var("NOTIFY_SOCKET").unwrap_or_default();
    let told = match socket.strip_prefix('@') {
        Some(name) => notify_abstract(name, states),
        None => sd_notify::notify(states),
    };
    if let Err(error) = told {
        tracing::warn!("cannot tell systemd: {error}");
    }
}

/// To a socket without a file, as containers and user managers have.
#[cfg(target_os = "linux")]
fn notify_abstract(name: &str, states: &[NotifyState<'_>]) -> io::Result<()> {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    let mut words = states.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    words.push('\n');
    let address = SocketAddr::from_abstract_name(name)?;
    UnixDatagram::unbound()?.send_to_addr(words.as_bytes(), &address).map(drop)
}

#[cfg(not(target_os = "linux"))]
fn notify_abstract(_: &str, _: &[NotifyState<'_>]) -> io::Result<()> {
    Err(io::Error::other("only Linux has sockets without a file"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    #[test]
    fn a_socket_without_a_file_is_told() {
        let name = format!("d2mtop-test-{}", std::process::id());
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        notify_abstract(&name, &[NotifyState::Ready, NotifyState::Status("well")]).unwrap();
        let mut bytes = [0; 64];
        let length = socket.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], b"READY=1\nSTATUS=well\n");
    }
}
