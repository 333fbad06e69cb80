//! Sockets, on tokio: the client's link and the mediator's listener. With feature `net`.
//!
//! - A client checks the mediator's URL once ([`Address::new`]), connects ([`Address::connect`]), and gives what its
//!   [`Link`] brings to its [`Session`](crate::session::Session), for which a [`LinkEvent`] is an
//!   [`Input`](crate::session::SessionInput).
//! - Two devices that meet over a relay each have a [`RelayLink`], for which what comes is a
//!   [`LinkInput`](crate::rendezvous::LinkInput), and what is to be done a [`LinkOutput`](crate::rendezvous::LinkOutput).
//! - A [`Listener`] runs a [`Mediator`](crate::mediator::Mediator) until it is told to stop, and tells what happens as
//!   [`LogLine`]s.
//!
//! Both need a tokio runtime with network and time; one thread is enough.

pub mod address;
mod address_error;
mod authority;
mod certificate;
mod connect_error;
pub mod dial;
pub mod http_head;
pub mod link;
pub mod listener;
mod parts;
pub mod proxy;
mod relay_link;
pub mod tls;
pub mod upgrade;
mod websocket;

pub use address::{Address, Secured};
pub use address_error::AddressError;
pub use certificate::Unusable;
pub use connect_error::{ConnectError, ConnectStep};
pub use dial::FailedAttempt;
pub use link::{Link, LinkEvent};
pub use listener::{
    CannotListen, ClientAddress, ConnectionRefusal, Inspector, ListenAt, Listener, ListenerOptions, ListenerSettings,
    LogLine, NoPlace, SettingsSender, StoreLink, Tls, TlsError,
};
pub use proxy::{ProxyChoice, ProxyUrl, ProxyUrlError};
pub use relay_link::{RelayLink, RelayLinkEvent};
pub use tls::{Peer, TlsFault, TlsOptions};
