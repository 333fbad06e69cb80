//! Sockets: the client link and the mediator listener.

pub mod link;

pub use link::{Address, AddressError, Link, LinkEvent};
