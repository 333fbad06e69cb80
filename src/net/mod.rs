//! Sockets: the client link and the mediator listener.

pub mod address;
pub mod link;
pub mod listener;
pub mod tls;

pub use address::{Address, AddressError, ConnectError, Secured};
pub use link::{Link, LinkEvent};
pub use listener::{Listener, ListenerOptions, LogLine, Refusal, Tls, TlsError};
pub use tls::{Peer, TlsFault, TlsOptions};
