//! The end of the terminal, also for programs that were told to ignore SIGHUP.

use std::io;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// Returns once the terminal on standard input is gone. Costs nothing until then. Where it cannot be watched, never.
pub fn wait() {
    let stdin = io::stdin();
    loop {
        // No event is asked for: a hangup is told anyway.
        let mut watched = [PollFd::new(&stdin, PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_) if watched.iter().any(|fd| fd.revents().intersects(PollFlags::HUP | PollFlags::ERR)) => return,
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => {
                tracing::warn!("cannot watch the terminal: {error}");
                std::thread::park();
            }
        }
    }
}
