//! Sockets: the client link and the mediator listener.

pub mod address;
mod address_error;
mod connect_error;
pub mod link;
pub mod listener;
pub mod tls;

pub use address::{Address, Secured};
pub use address_error::AddressError;
pub use connect_error::ConnectError;
pub use link::{Link, LinkEvent};
pub use listener::{Listener, ListenerOptions, LogLine, Refusal, Tls, TlsError};
pub use tls::{Peer, TlsFault, TlsOptions};
