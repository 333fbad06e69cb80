//! What whoever runs a mediator gives it and asks of it: a file with options, and a socket of the file system, for its
//! owner only.
//!
//! ```text
//! d2mtop mediator status -> ControlClient -> one line of JSON -> ControlEndpoint -> net::Inspector -> the machine
//!                        <- ControlAnswer <- one line of JSON <-                 <- what came of it, once it is stored
//! ```
//!
//! - `message`: what is asked and answered; `client`: who asks; `endpoint`: who answers
//! - `moving`: groups to another mediator; `naming`: which group or device a person means; `table`: all of them; `config_file`: options in a file

mod client;
mod config_file;
mod endpoint;
mod message;
mod moving;
mod naming;
mod table;

pub use client::{ControlClient, ControlError};
pub use config_file::{ConfigEntry, ConfigFault, config_entries};
pub use endpoint::ControlEndpoint;
pub use message::{
    ControlAnswer, ControlRequest, DeviceReport, GroupReport, LockReport, MediatorReport, OperationTally,
};
pub use naming::{NotNamed, WaitingMessages};
