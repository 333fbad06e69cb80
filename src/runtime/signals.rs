//! Signals: the ones that end the program, and stopping ourselves.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGINT, SIGTERM, SIGHUP or SIGQUIT.
pub async fn terminated() {
    let mut streams: Vec<_> =
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()]
            .into_iter()
            .filter_map(|kind| signal(kind).ok())
            .collect();
    let any = streams.iter_mut().map(|stream| Box::pin(stream.recv()));
    futures_util::future::select_all(any).await;
}

/// Stops this process as Ctrl-Z would; returns when it is continued.
///
/// # Errors
/// If the system refuses.
pub fn stop_this_process() -> io::Result<()> {
    signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
}
