//! The loops that join the rooms.

pub mod admit;
pub mod chat_proxy;
pub mod clock;
pub mod dashboard;
pub mod driver;
pub mod drop_device;
mod fault;
mod join;
mod join_mediator;
mod journal_handle;
mod journal_pages;
mod journal_writer;
mod kept_names;
mod known_devices_store;
pub mod leave_group;
pub mod left_over;
pub mod lock;
pub mod monitor;
pub mod observers;
pub mod one_shot;
mod open_profile;
pub mod reconnect;
pub mod screen;
pub mod session_setup;
#[cfg(test)]
mod test_message;
pub mod watch;

pub use admit::{Admission, AdmitAnswer, AdmitNews, admit_device};
pub use dashboard::RunningSessions;
pub use driver::{KeptBy, drive, drive_keeping};
pub use join::{JoinNews, JoinPlaces, join_group};
pub use join_mediator::{GivenUp, JoinLogin};
pub use journal_handle::JournalHandle;
pub use kept_names::KeptNames;
pub use known_devices_store::KnownDevicesStore;
pub use monitor::{MetricsOptions, MonitorOptions, Monitors};
pub use observers::{EventSink, Observer, Observers};
pub use one_shot::{OneShotEnd, OneShotSession, run_one_shot};
pub use open_profile::{claim_device, open_profile};
pub use screen::{OlderRows, Reaction, Screen, SessionParts, Worked};
pub use session_setup::{ANOTHER_GROUP, ANY_CERTIFICATE, HeldLocks, ProfileState, SessionSetup};
