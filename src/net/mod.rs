//! Sockets, on tokio: the client's link and the mediator's listener. With feature `net`.
//!
//! - A client checks the mediator's URL once ([`Address::new`]), connects ([`Address::connect`]), and gives what its
//!   [`Link`] brings to its [`Session`](crate::session::Session), for which a [`LinkEvent`] is an
//!   [`Input`](crate::session::Input).
//! - A [`Listener`] runs a [`Mediator`](crate::mediator::Mediator) until it is told to stop, and tells what happens as
//!   [`LogLine`]s.
//!
//! Both need a tokio runtime with network and time; one thread is enough.

pub mod address;
mod certificate;
pub mod dial;
pub mod http_head;
pub mod link;
pub mod listener;
pub mod proxy;
pub mod tls;
pub mod upgrade;

pub use address::{Address, AddressError, ConnectError, Secured, Step};
pub use certificate::Unusable;
pub use dial::{Dialled, FailedAttempt};
pub use link::{Link, LinkEvent};
pub use listener::{Listener, ListenerOptions, LogLine, Refusal, Tls, TlsError};
pub use proxy::{ProxyChoice, ProxyUrl, ProxyUrlError};
pub use tls::{Peer, TlsFault, TlsOptions};
