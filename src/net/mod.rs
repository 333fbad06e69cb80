//! Sockets: the client link, the mediator listener, and the metrics endpoint.

pub mod address;
pub mod link;
pub mod listener;
pub mod metrics;
pub mod tls;

pub use address::{Address, AddressError, ConnectError, Secured};
pub use link::{Link, LinkEvent};
pub use listener::{Listener, ListenerOptions, LogLine, Refusal, Tls, TlsError};
pub use metrics::MetricsEndpoint;
pub use tls::{Peer, TlsFault, TlsOptions};
