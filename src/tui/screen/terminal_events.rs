//! What comes from the terminal, until the terminal is gone.

use std::io;

use crossterm::event::{Event, EventStream};
use futures_util::{Stream, StreamExt as _};
use tokio::sync::oneshot;

use crate::os::hangup;

/// The events of the terminal. They end with it: the reader of the keys takes the end of the file for a pause, and would
/// read it for ever.
///
/// # Errors
/// If nobody can watch the terminal.
pub fn events() -> io::Result<impl Stream<Item = io::Result<Event>> + Unpin> {
    let (gone, is_gone) = oneshot::channel::<()>();
    std::thread::Builder::new().name("hangup".to_owned()).spawn(move || {
        hangup::wait();
        drop(gone);
    })?;
    Ok(EventStream::new().take_until(is_gone))
}
