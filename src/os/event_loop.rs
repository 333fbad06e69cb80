//! A single-threaded event loop.

use std::io;

/// A single-threaded event loop.
///
/// # Errors
/// If the system gives none.
pub fn event_loop() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
