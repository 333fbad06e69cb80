//! The thread that writes to standard output.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;

use tokio::sync::oneshot;

/// Starts the thread; what it says at its end comes back. Whatever `write` owns is gone by then.
///
/// # Errors
/// If the system gives no thread, or there is no standard output.
pub(super) fn start_writer(
    name: &str,
    write: impl FnOnce(File) -> io::Result<()> + Send + 'static,
) -> io::Result<oneshot::Receiver<io::Result<()>>> {
    let output = standard_output()?;
    let (sender, ended) = oneshot::channel();
    // Who has stopped waiting does not want to know.
    let run = move || drop(sender.send(write(output)));
    std::thread::Builder::new().name(name.to_owned()).spawn(run)?;
    Ok(ended)
}

/// Standard output, without the buffer that would not say how much of a line was written.
fn standard_output() -> io::Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}
