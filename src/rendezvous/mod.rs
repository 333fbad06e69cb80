//! Two devices meet over a relay, and one brings the other into its group. Pure: time, randomness and bytes come in,
//! values go out.
//!
//! - [`wire`]: what is sent: links, keys, frames, messages
//! - [`Rendezvous`]: from an open connection to the nominated path: handshake, keys, frames. Either role. One machine is
//!   one path; links that we make name one, the relay, and of others' links no other is used
//! - [`Join`]: the new device: takes the group's key, has it stored, takes a slot, says so
//! - [`Admit`]: the device of the group: asks whether the pictures match, then gives the key
//! - [`Relay`]: what both connect to: passes on what comes, within bounds
//!
//! The existing device nominates the path, and here it is always the responder: a link that offers to join, whose
//! initiator would nominate, is refused where links are read.
//!
//! Drivers do what `poll` says in that order, and come back with `handle` when something happened or `deadline` is due.

mod admit;
mod failure;
mod join;
mod link;
mod path;
mod relay;
pub mod wire;

pub use admit::{Admit, AdmitCause, AdmitEnd, AdmitEvent, AdmitInput, AdmitOutput, AdmitTiming};
pub use failure::RendezvousFailure;
pub use join::{
    Join, JoinCause, JoinEnd, JoinEvent, JoinInput, JoinOutput, JoinStep, JoinTiming, LoginFailure, Persist,
};
pub use link::{LinkInput, LinkOutput, RelayLinkEnd};
pub use path::{Fresh, Output, Rendezvous};
pub use relay::{Relay, RelayConfig, RelayEnd, RelayEvent, RelayOutput, RelaySide};

#[cfg(test)]
mod tests;
