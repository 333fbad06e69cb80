//! A mediator's address, checked once, and the steps of connecting to it.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::dial::{self, AllFailed, Dialled};
use super::link::{Counted, Link, Transport};
use super::proxy::{self, EnvironmentError, PassError, ProxyChoice, ProxyFault, ProxyScheme, ProxyUrl};
use super::tls::{ClientTls, Peer, TlsFault, TlsOptions};
use super::upgrade::{self, Answer, UpgradeFault};
use crate::session::LinkEnd;
use crate::text::Clean;

/// Why a mediator's URL or its certificate file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not a URL.
    #[error("the mediator's URL is not a URL; it looks like wss://mediator.example/ or ws://127.0.0.1:PORT/")]
    NotAUrl,
    /// Neither `ws` nor `wss`.
    #[error("the mediator's URL must begin with wss:// (or ws:// for a mediator on this machine)")]
    UnknownScheme,
    /// A name and a password, which mediators do not have.
    #[error("the mediator's URL has a user's name or password in it (before @); mediators know none, so leave it out")]
    UserInfo,
    /// A query or a fragment, behind which the group's path would be lost.
    #[error(
        "the mediator's URL has a query or fragment (? or #) in it; the group's path goes behind it, so leave it out"
    )]
    Query,
    /// The environment names a proxy that cannot be used.
    #[error(transparent)]
    Proxy(#[from] EnvironmentError),
    /// Unencrypted to another machine.
    #[error("ws:// is not encrypted and works only to this machine (127.0.0.1, ::1, localhost); use wss://")]
    Unencrypted,
    /// The file of `--ca` cannot be read.
    #[error("cannot read certificates from {path}: {cause}")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: rustls_pki_types::pem::Error,
    },
    /// The file of `--ca` is no plain text.
    #[error(
        "{path} begins with a byte order mark, as some editors write it, and so is no PEM file; save it again as plain ASCII \
         (or: tail -c +4 FILE)"
    )]
    ByteOrderMark {
        /// The file.
        path: PathBuf,
    },
    /// The file of `--ca` has none.
    #[error("{path} has no certificate in it; --ca takes a PEM file with the authority's certificate")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// A certificate of `--ca` cannot be used.
    #[error("a certificate in {path} cannot be used as a trust root: {cause}")]
    TrustRoot {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: rustls::Error,
    },
    /// TLS cannot be set up at all.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Why no connection could be made, and what to do next.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A step took too long.
    #[error("{host} cannot be reached: {}", step.silence())]
    Late {
        /// Host and port, or the proxy.
        host: String,
        /// Which step.
        step: Step,
    },
    /// The name has no address.
    #[error("the name {host} cannot be resolved: {cause}; check the mediator's URL and this machine's network")]
    Resolve {
        /// The name.
        host: String,
        /// Why.
        cause: io::Error,
    },
    /// Nobody answers at any address.
    #[error("{host} cannot be reached: {}", of_all(failed))]
    Tcp {
        /// Host and port.
        host: String,
        /// Why, for each address.
        failed: AllFailed,
    },
    /// The proxy cannot be reached.
    #[error("the proxy {proxy} cannot be reached: {}; check it, or say --proxy none to go without", of_all(failed))]
    ProxyUnreachable {
        /// The proxy.
        proxy: ProxyUrl,
        /// Why, for each address.
        failed: AllFailed,
    },
    /// The proxy's name has no address.
    #[error("the name of the proxy {proxy} cannot be resolved: {cause}; check it, or say --proxy none to go without")]
    ProxyResolve {
        /// The proxy.
        proxy: ProxyUrl,
        /// Why.
        cause: io::Error,
    },
    /// The proxy does not let us through.
    #[error("the proxy {proxy} does not lead to {host}: {cause}")]
    Proxy {
        /// The proxy.
        proxy: ProxyUrl,
        /// Host and port.
        host: String,
        /// Why.
        cause: ProxyFault,
    },
    /// TLS failed.
    #[error(transparent)]
    Tls(TlsFault),
    /// There is a web server, but it opened no WebSocket.
    #[error("{host} {}", answer.words())]
    Refused {
        /// Host and port.
        host: String,
        /// What it answered.
        answer: Answer,
    },
    /// There is no web server, or one that does not know what it says.
    #[error(
        "{host} does not speak WebSocket ({how}); check the mediator's URL: its port, and that it begins with wss:// if the \
         mediator speaks TLS"
    )]
    Upgrade {
        /// Host and port.
        host: String,
        /// What was wrong.
        how: String,
    },
}

/// A step of connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The name's addresses.
    Resolve,
    /// A connection to one of them.
    Reach,
    /// The way through the proxy.
    Pass,
    /// TLS.
    Secure,
    /// The WebSocket.
    Upgrade,
}

impl Step {
    /// What is missing in a step that takes too long, and what to do.
    const fn silence(self) -> &'static str {
        match self {
            Self::Resolve => "its name is not resolved in time; check this machine's network",
            Self::Reach => "no address answers in time; check this machine's network and firewall",
            Self::Pass => {
                "the proxy takes the connection and answers nothing; is it a proxy of this kind, and the port right?"
            }
            Self::Secure => {
                "it takes the connection, and then says nothing in TLS; check the port in the mediator's URL"
            }
            Self::Upgrade => "it takes the connection, and then opens no WebSocket; is the URL that of a mediator?",
        }
    }
}

/// Why no address answers, and what to do.
fn of_all(AllFailed(failed): &AllFailed) -> String {
    match failed.as_slice() {
        [] => "it has no address".to_owned(),
        [only] => with_advice(&only.cause),
        [first, ..] => {
            let is_same = failed.iter().all(|attempt| attempt.cause.kind() == first.cause.kind());
            if is_same {
                return format!("{} (at each of its {} addresses)", with_advice(&first.cause), failed.len());
            }
            let each: Vec<String> = failed.iter().take(MOST_TOLD).map(ToString::to_string).collect();
            let more = if failed.len() > MOST_TOLD { ", …" } else { "" };
            format!("{}{more}; check this machine's network and firewall", each.join(", "))
        }
    }
}

/// Why nobody answers at an address, and what to do.
fn with_advice(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::ConnectionRefused => {
            "nobody listens there; is the mediator running, and the port right?".to_owned()
        }
        io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            format!("{cause}; check this machine's network and firewall")
        }
        _ => cause.to_string(),
    }
}

/// How many addresses that failed are told one by one.
const MOST_TOLD: usize = 4;

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
        let uri: http::Uri = url.parse().map_err(|_| AddressError::NotAUrl)?;
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
            return Err(AddressError::NotAUrl);
        }
        let port = authority.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let tls = if encrypted {
            let name = ServerName::try_from(host.clone()).map_err(|_| AddressError::NotAUrl)?;
            Some(ClientTls::new(name, tls)?)
        } else {
            None
        };
        let path = if uri.path().is_empty() { "/" } else { uri.path() };
        Ok(Self { authority: authority.to_string(), path: path.to_owned(), host, port, tls, proxy: None })
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

    /// The proxy on the way, if there is one.
    #[must_use]
    pub fn proxy(&self) -> Option<&ProxyUrl> {
        self.proxy.as_ref().map(|proxy| &proxy.url)
    }

    /// The host and port, for people.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Opens the WebSocket.
    ///
    /// # Errors
    /// If that fails: what to tell the session.
    pub async fn connect(&self) -> Result<Link, LinkEnd> {
        self.open().await.map_err(|error| {
            let why = Clean::new(&error.to_string());
            match error.retry_after() {
                Some(retry_after) => LinkEnd::Busy { why, retry_after },
                None => LinkEnd::Unreachable(why),
            }
        })
    }

    async fn open(&self) -> Result<Link, ConnectError> {
        let until = Instant::now() + OPEN_WITHIN;
        let addresses = self.in_time(until, Step::Resolve, self.resolve()).await?;
        let Dialled { stream, .. } = self.in_time(until, Step::Reach, self.reach(&addresses)).await?;
        let transport = self.in_time(until, Step::Pass, self.pass(stream)).await?;
        let secured = self.in_time(until, Step::Secure, self.secure(transport)).await?;
        self.in_time(until, Step::Upgrade, self.upgrade(secured)).await
    }

    /// Takes a step, and says which one it was if it takes too long.
    ///
    /// # Errors
    /// If it does, or cannot be taken.
    pub async fn in_time<T>(
        &self,
        until: Instant,
        step: Step,
        taken: impl Future<Output = Result<T, ConnectError>>,
    ) -> Result<T, ConnectError> {
        let late = |_| match &self.proxy {
            Some(Proxy { url, .. }) if matches!(step, Step::Resolve | Step::Reach) => {
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
    /// If none does.
    pub async fn reach(&self, addresses: &[SocketAddr]) -> Result<Dialled, ConnectError> {
        dial::dial(addresses).await.map_err(|failed| match &self.proxy {
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
        let stream = tls.connect(transport, &self.host).await.map_err(ConnectError::Tls)?;
        let peer = Some(tls.peer(&stream));
        Ok(Secured { transport: Box::new(stream), peer })
    }

    /// The last step: the WebSocket.
    ///
    /// # Errors
    /// If there is no mediator.
    pub async fn upgrade(&self, secured: Secured) -> Result<Link, ConnectError> {
        let (transport, taken) = Counted::new(secured.transport);
        let transport: Transport = Box::new(transport);
        let upgraded = upgrade::upgrade(transport, &self.authority, &self.path).await;
        let host = || self.authority();
        let socket = upgraded.map_err(|fault| match fault {
            UpgradeFault::Status(answer) => ConnectError::Refused { host: host(), answer },
            UpgradeFault::Broken(how) => ConnectError::Upgrade { host: host(), how: how.to_owned() },
            UpgradeFault::Head(error) => ConnectError::Upgrade { host: host(), how: error.to_string() },
        })?;
        Ok(Link::new(socket, taken))
    }
}

impl ConnectError {
    /// How long the server wants to be left alone, if it says so.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { answer, .. } => answer.retry_after,
            _ => None,
        }
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
