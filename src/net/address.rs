//! A mediator's address, checked once, and the steps of connecting to it.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WebSocketError, http};

use super::address_error::AddressError;
use super::connect_error::ConnectError;
use super::link::{Link, Transport};
use super::tls::{ClientTls, Peer, TlsOptions};
use crate::protocol::MAX_CONTAINER;
use crate::session::LinkEnd;
use crate::text::Clean;

/// A mediator's address, checked once.
#[derive(Clone)]
pub struct Address {
    url: String,
    host: String,
    port: u16,
    tls: Option<ClientTls>,
}

/// A connection on which the WebSocket can be opened.
pub struct Secured {
    transport: Transport,
    /// What the mediator has proved; [`None`] without TLS.
    pub peer: Option<Peer>,
}

impl Address {
    /// Checks a whole WebSocket URL.
    ///
    /// # Errors
    /// If the URL cannot be used, or the file of trust roots cannot.
    pub fn new(url: &str, tls: &TlsOptions) -> Result<Self, AddressError> {
        let uri: http::Uri = url.parse().map_err(|_| AddressError::NotAUrl)?;
        let host = uri.host().ok_or(AddressError::NotAUrl)?.trim_matches(['[', ']']).to_owned();
        let encrypted = match uri.scheme_str() {
            Some("wss") => true,
            Some("ws") if is_loopback(&host) => false,
            Some("ws") => return Err(AddressError::Unencrypted),
            _ => return Err(AddressError::UnknownScheme),
        };
        let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let tls = if encrypted {
            let name = ServerName::try_from(host.clone()).map_err(|_| AddressError::NotAUrl)?;
            Some(ClientTls::new(name, tls)?)
        } else {
            None
        };
        Ok(Self { url: url.to_owned(), host, port, tls })
    }

    /// The host and port, for people.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Opens the WebSocket.
    ///
    /// # Errors
    /// If that fails: what to tell the session.
    pub async fn connect(&self) -> Result<Link, LinkEnd> {
        self.open().await.map_err(|error| LinkEnd::Unreachable(Clean::new(&error.to_string())))
    }

    async fn open(&self) -> Result<Link, ConnectError> {
        let addresses = self.resolve().await?;
        let stream = self.reach(&addresses).await?;
        let secured = self.secure(stream).await?;
        self.upgrade(secured).await
    }

    /// The first step: which addresses the host has.
    ///
    /// # Errors
    /// If it has none.
    pub async fn resolve(&self) -> Result<Vec<SocketAddr>, ConnectError> {
        let failed = |cause| ConnectError::Resolve { host: self.host.clone(), cause };
        let addresses: Vec<_> =
            tokio::net::lookup_host((self.host.as_str(), self.port)).await.map_err(failed)?.collect();
        if addresses.is_empty() { Err(failed(io::Error::other("it has no address"))) } else { Ok(addresses) }
    }

    /// The second step: a connection to the first address that takes it.
    ///
    /// # Errors
    /// If none does.
    pub async fn reach(&self, addresses: &[SocketAddr]) -> Result<TcpStream, ConnectError> {
        let failed = |cause| ConnectError::Tcp { host: self.authority(), cause };
        let stream = TcpStream::connect(addresses).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        Ok(stream)
    }

    /// The third step: TLS, unless the mediator is on this machine and does without.
    ///
    /// # Errors
    /// If the mediator does not prove who it is.
    pub async fn secure(&self, stream: TcpStream) -> Result<Secured, ConnectError> {
        let Some(tls) = &self.tls else { return Ok(Secured { transport: Box::new(stream), peer: None }) };
        let stream = tls.connect(stream, &self.host).await.map_err(ConnectError::Tls)?;
        let peer = Some(tls.peer(&stream));
        Ok(Secured { transport: Box::new(stream), peer })
    }

    /// The last step: the WebSocket.
    ///
    /// # Errors
    /// If there is no mediator.
    pub async fn upgrade(&self, secured: Secured) -> Result<Link, ConnectError> {
        let config =
            WebSocketConfig::default().max_message_size(Some(MAX_CONTAINER)).max_frame_size(Some(MAX_CONTAINER));
        let upgraded = tokio_tungstenite::client_async_with_config(&self.url, secured.transport, Some(config)).await;
        let host = || self.authority();
        let (socket, _) = upgraded.map_err(|error| match error {
            WebSocketError::Http(response) => ConnectError::Refused { host: host(), status: response.status() },
            error => ConnectError::Upgrade { host: host(), cause: Box::new(error) },
        })?;
        Ok(Link::new(socket))
    }
}

impl fmt::Debug for Address {
    /// Without the path, which names the group.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({})", self.authority())
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
