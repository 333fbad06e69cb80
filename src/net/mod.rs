//! Sockets: the client link and the mediator listener.

pub mod link;
pub mod listener;

pub use link::{Address, AddressError, Link, LinkEvent};
pub use listener::{Listener, ListenerOptions, LogLine, Refusal, Tls, TlsError};
