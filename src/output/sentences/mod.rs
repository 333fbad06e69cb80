//! What happens, as lines for people on a terminal: the time, and a sentence. Programs get NDJSON.

mod connection;
mod form;
mod own_lines;
mod readable;
mod session;

pub use connection::disconnected;
pub use form::Form;
pub use readable::Readable;

use super::times::Zone;
use crate::protocol::Millis;

/// Stands before what a person should look at.
const LOOK_HERE: &str = "! ";

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn time(at: Millis) -> String {
    Zone::Local.format(at, "%H:%M:%S").unwrap_or_else(|| "??:??:??".to_owned())
}
