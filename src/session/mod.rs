//! The client state machine: handshake, drain, live. Pure: time, randomness and bytes come in, values go out.

pub mod command;

pub use command::{Command, Confirmed};
