//! Sockets: the client link and the mediator listener.

pub mod address;
pub mod dial;
pub mod http_head;
pub mod link;
pub mod listener;
pub mod proxy;
pub mod tls;
pub mod upgrade;

pub use address::{Address, AddressError, ConnectError, Secured};
pub use dial::{Dialled, FailedAttempt};
pub use link::{Link, LinkEvent};
pub use listener::{Listener, ListenerOptions, LogLine, Refusal, Tls, TlsError};
pub use proxy::{ProxyChoice, ProxyUrl, ProxyUrlError};
pub use tls::{Peer, TlsFault, TlsOptions};
