//! Work and waiting beside the event loop.

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::output::Failure;

/// Waits until that time; for ever if there is none.
pub(super) async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Runs what may block on a thread of its own: the event loop's own threads would be waited for at its end.
pub(super) fn on_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<oneshot::Receiver<T>, Failure> {
    let (sender, done) = oneshot::channel();
    let run = move || drop(sender.send(work()));
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(Failure::Start)?;
    Ok(done)
}
