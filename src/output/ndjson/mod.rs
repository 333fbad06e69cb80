//! Events as NDJSON: one object a line, each with `event` and `at` (milliseconds since 1970).
//!
//! Names and values are a contract with scripts: fields are added, never renamed. All text in them is [`Clean`].
//!
//! [`Clean`]: crate::text::Clean

mod connection;
mod devices;
mod lock;
mod messages;
mod names;
mod session;
mod watch;

use std::time::Duration;

use serde_json::{Map, Value};

pub use connection::shared_device_data;
pub use devices::device;
pub use lock::lock_stuck;
pub use messages::{recorded, reflected_line};
pub use names::{EVENTS, EVENTS_OF_COMMANDS};
pub use session::{line_count, lines, name};
pub use watch::{left_out, reload_failed, reloaded};

use crate::protocol::Millis;

/// A line of a command itself.
#[must_use]
pub fn line(at: Millis, event: &str, fields: Value) -> Value {
    let mut object = Map::new();
    object.insert("event".to_owned(), event.into());
    object.insert("at".to_owned(), at.0.into());
    if let Value::Object(fields) = fields {
        object.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
    }
    Value::Object(object)
}

/// A span in whole microseconds, capped.
#[must_use]
pub fn span_micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
