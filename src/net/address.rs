//! A mediator's address, checked once, and the steps of connecting to it.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::address_error::AddressError;
use super::authority::authority;
use super::connect_error::{ConnectError, ConnectStep};
use super::dial;
use super::link::{CountedStream, Link, Transport};
use super::parts::{LONGEST_PART, Parts};
use super::proxy::environment::ProxyChoice;
use super::proxy::{self, PassError, ProxyFault, ProxyScheme, ProxyUrl};
use super::tls::{ClientTls, Peer, TlsOptions};
use super::upgrade::{self, UpgradeFault};
use super::websocket::after_upgrade;
use crate::protocol::MAX_CONTAINER;
use crate::session::LinkEnd;
use crate::text::Clean;

/// How long everything may take until the WebSocket is open: a little less than a login may take, so that there are words.
const OPEN_WITHIN: Duration = Duration::from_secs(18);

/// How long a proxy may take to lead through.
const PROXY_WITHIN: Duration = Duration::from_secs(10);

/// A mediator's address, checked once.
#[derive(Clone)]
pub struct Address {
    /// As the request's `Host` has it.
    authority: String,
    path: String,
    host: String,
    port: u16,
    tls: Option<ClientTls>,
    proxy: Option<Proxy>,
    /// How many bytes a message may have that is sent to a server whose own messages are read in parts.
    in_parts: Option<usize>,
    explain: fn(&ConnectError) -> String,
}

/// A proxy, and how it proves who it is, if it does.
#[derive(Clone)]
struct Proxy {
    url: ProxyUrl,
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
        let uri: http::Uri = url.parse().map_err(|_| why_not(url))?;
        if url.contains(['{', '}']) {
            return Err(AddressError::Placeholder);
        }
        // The fragment is not part of what was read.
        if uri.query().is_some() || url.contains('#') {
            return Err(AddressError::Query);
        }
        let authority = uri.authority().ok_or(AddressError::NotAUrl)?;
        if authority.as_str().contains('@') {
            return Err(AddressError::UserInfo);
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let scheme = uri.scheme_str().map(str::to_ascii_lowercase);
        let encrypted = match scheme.as_deref() {
            Some("wss") => true,
            Some("ws") if is_loopback(&host) => false,
            Some("ws") => return Err(AddressError::Unencrypted),
            _ => return Err(AddressError::UnknownScheme),
        };
        let says_port = authority.as_str().rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
        if says_port && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(AddressError::Port);
        }
        let port = authority.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let tls = if encrypted {
            let name = ServerName::try_from(host.clone())
                .map_err(|_| if host.contains('%') { AddressError::Zone } else { AddressError::Host })?;
            Some(ClientTls::new(name, tls)?)
        } else {
            None
        };
        let path = if uri.path().is_empty() { "/" } else { uri.path() };
        Ok(Self {
            authority: authority.to_string(),
            path: path.to_owned(),
            host,
            port,
            tls,
            proxy: None,
            in_parts: None,
            explain: ConnectError::to_string,
        })
    }

    /// The same by way of a proxy, if there is one to this host; `variable` reads the environment. A proxy with TLS proves
    /// itself by the roots of `tls`, without pins.
    ///
    /// # Errors
    /// If the environment names a proxy that cannot be used, or its name cannot be checked.
    pub fn through(
        mut self,
        choice: &ProxyChoice,
        tls: &TlsOptions,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, AddressError> {
        let url = choice.proxy_for(&self.host, self.port, self.tls.is_some(), variable)?;
        self.proxy = url
            .map(|url| {
                let options = TlsOptions { trust_roots: tls.trust_roots.clone(), ..TlsOptions::default() };
                let tls = if url.scheme == ProxyScheme::Https {
                    let name = ServerName::try_from(url.host.clone()).map_err(|_| AddressError::NotAUrl)?;
                    Some(ClientTls::new(name, &options)?)
                } else {
                    None
                };
                Ok::<_, AddressError>(Proxy { url, tls })
            })
            .transpose()?;
        Ok(self)
    }

    /// The same for a server that passes a stream on. However long its messages are, they come in parts of some kilobytes;
    /// those that are sent may have so many bytes.
    #[must_use]
    pub const fn in_parts(mut self, longest_sent: usize) -> Self {
        self.in_parts = Some(longest_sent);
        self
    }

    /// The same with other words for why no connection could be made, such as what to do about it; else they are those of
    /// [`ConnectError`].
    #[must_use]
    pub const fn explained_by(mut self, explain: fn(&ConnectError) -> String) -> Self {
        self.explain = explain;
        self
    }

    /// The proxy on the way, if there is one.
    #[must_use]
    pub fn proxy(&self) -> Option<&ProxyUrl> {
        self.proxy.as_ref().map(|proxy| &proxy.url)
    }

    /// The host and port, for people.
    #[must_use]
    pub fn authority(&self) -> String {
        authority(&self.host, self.port)
    }

    /// Opens the WebSocket.
    ///
    /// # Errors
    /// If that fails: what to tell the session.
    pub async fn connect(&self) -> Result<Link, LinkEnd> {
        self.open().await.map_err(|error| {
            let why = Clean::new(&(self.explain)(&error));
            match error.retry_after() {
                Some(retry_after) => LinkEnd::Busy { why, retry_after },
                None => LinkEnd::Unreachable(why),
            }
        })
    }

    async fn open(&self) -> Result<Link, ConnectError> {
        let until = Instant::now() + OPEN_WITHIN;
        let addresses = self.in_time(until, ConnectStep::Resolve, self.resolve()).await?;
        let stream = self.reach(&addresses, until).await?;
        let transport = self.in_time(until, ConnectStep::Pass, self.pass(stream)).await?;
        let secured = self.in_time(until, ConnectStep::Secure, self.secure(transport)).await?;
        self.in_time(until, ConnectStep::Upgrade, self.upgrade(secured)).await
    }

    /// Takes a step, and says which one it was if it takes too long.
    ///
    /// # Errors
    /// If it does, or cannot be taken.
    pub async fn in_time<T>(
        &self,
        until: Instant,
        step: ConnectStep,
        taken: impl Future<Output = Result<T, ConnectError>>,
    ) -> Result<T, ConnectError> {
        let late = |_| match &self.proxy {
            Some(Proxy { url, .. }) if step == ConnectStep::Resolve => {
                ConnectError::Late { host: format!("the proxy {url}"), step }
            }
            _ => ConnectError::Late { host: self.authority(), step },
        };
        tokio::time::timeout_at(until, taken).await.map_err(late)?
    }

    /// The first step: which addresses the host has, or the proxy on the way to it.
    ///
    /// # Errors
    /// If it has none.
    pub async fn resolve(&self) -> Result<Vec<SocketAddr>, ConnectError> {
        match &self.proxy {
            None => look_up(&self.host, self.port)
                .await
                .map_err(|cause| ConnectError::Resolve { host: self.host.clone(), cause }),
            Some(Proxy { url, .. }) => look_up(&url.host, url.port)
                .await
                .map_err(|cause| ConnectError::ProxyResolve { proxy: url.clone(), cause }),
        }
    }

    /// The second step: a connection to the first address that answers.
    ///
    /// # Errors
    /// If none does until then.
    pub async fn reach(&self, addresses: &[SocketAddr], until: Instant) -> Result<TcpStream, ConnectError> {
        dial::dial(addresses, until).await.map_err(|failed| match &self.proxy {
            None => ConnectError::Tcp { host: self.authority(), failed },
            Some(Proxy { url, .. }) => ConnectError::ProxyUnreachable { proxy: url.clone(), failed },
        })
    }

    /// The third step: through the proxy, if there is one.
    ///
    /// # Errors
    /// If the proxy does not lead to the host.
    pub async fn pass(&self, stream: TcpStream) -> Result<Transport, ConnectError> {
        let Some(Proxy { url, tls }) = &self.proxy else { return Ok(Box::new(stream)) };
        let failed = |cause| ConnectError::Proxy { proxy: url.clone(), host: self.authority(), cause };
        let address = if url.scheme == ProxyScheme::Socks5 {
            let looked_up = look_up(&self.host, self.port).await;
            let looked_up = looked_up.map_err(|cause| ConnectError::Resolve { host: self.host.clone(), cause })?;
            looked_up.first().copied()
        } else {
            None
        };
        let passing = proxy::pass_through(url, tls.as_ref(), stream, &self.host, self.port, address);
        match tokio::time::timeout(PROXY_WITHIN, passing).await {
            Err(_) => Err(failed(ProxyFault::Silent)),
            Ok(passed) => passed.map_err(|error| match error {
                PassError::Tls(fault) => ConnectError::Tls(fault),
                PassError::Proxy(fault) => failed(fault),
            }),
        }
    }

    /// The fourth step: TLS, unless the mediator is on this machine and does without.
    ///
    /// # Errors
    /// If the mediator does not prove who it is.
    pub async fn secure(&self, transport: Transport) -> Result<Secured, ConnectError> {
        let Some(tls) = &self.tls else { return Ok(Secured { transport, peer: None }) };
        let stream = tls.connect(transport, &self.host).await.map_err(|fault| match &self.proxy {
            None => ConnectError::Tls(fault),
            Some(Proxy { url, .. }) => ConnectError::TlsBehindProxy { proxy: url.clone(), fault },
        })?;
        let peer = Some(tls.peer(&stream));
        Ok(Secured { transport: Box::new(stream), peer })
    }

    /// The last step: the WebSocket.
    ///
    /// # Errors
    /// If there is no mediator.
    pub async fn upgrade(&self, secured: Secured) -> Result<Link, ConnectError> {
        let (transport, taken) = CountedStream::new(secured.transport);
        let transport: Transport = Box::new(transport);
        let upgraded = upgrade::upgrade(transport, &self.authority, &self.path).await;
        let host = || self.authority();
        let (transport, early) = upgraded.map_err(|fault| match fault {
            UpgradeFault::Status(answer) => ConnectError::Refused { host: host(), answer },
            UpgradeFault::Broken(how) => ConnectError::Upgrade { host: host(), how: how.to_owned() },
            UpgradeFault::Head(error) => ConnectError::Upgrade { host: host(), how: error.to_string() },
        })?;
        let (transport, early, config): (Transport, _, _) = match self.in_parts {
            None => (transport, early, upgrade::config(MAX_CONTAINER, MAX_CONTAINER)),
            Some(longest_sent) => {
                let config = upgrade::config(LONGEST_PART.into(), longest_sent);
                (Box::new(Parts::new(transport, early)), Vec::new(), config)
            }
        };
        Ok(Link::new(after_upgrade(transport, early, Role::Client, config).await, taken))
    }
}

/// What is wrong with what is no URL, as far as that can be told.
fn why_not(url: &str) -> AddressError {
    let authority =
        url.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
    if url.contains(|letter: char| !letter.is_ascii_graphic()) {
        AddressError::NotAscii
    } else if url.contains(['{', '}']) {
        AddressError::Placeholder
    } else if authority.starts_with('[') && authority.contains('%') {
        AddressError::Zone
    } else if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) {
        AddressError::Port
    } else {
        AddressError::NotAUrl
    }
}

async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let addresses: Vec<_> = tokio::net::lookup_host((host, port)).await?.collect();
    if addresses.is_empty() { Err(io::Error::other("it has no address")) } else { Ok(addresses) }
}

impl fmt::Debug for Address {
    /// Without the path, which names the group.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({})", self.authority())
    }
}

fn is_loopback(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    name.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
