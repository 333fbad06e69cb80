//! The proxy on the way to a mediator: which one, if any, and the step through it.
//!
//! Said by `--proxy`, by the profile, or by the environment: `https_proxy`, then `all_proxy`, unless `no_proxy` names the
//! host; each in small letters first, then in capitals; an empty one counts as unset. `http_proxy` is not looked at: what
//! is not encrypted goes to this machine only, and never through a proxy of the environment.

mod connect;
pub mod environment;
mod no_proxy;
mod socks;
mod url;

use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::link::Transport;
use super::tls::ClientTls;
pub use connect::ConnectFault;
pub use environment::{EnvironmentError, ProxyChoice};
pub use no_proxy::NoProxy;
pub use url::{Credentials, ProxyScheme, ProxyUrl, ProxyUrlError};

use crate::text::Clean;

/// Why the way through a proxy failed.
#[derive(Debug, thiserror::Error)]
pub enum ProxyFault {
    /// What it answered to CONNECT.
    #[error(transparent)]
    Connect(#[from] ConnectFault),
    /// What it answered to SOCKS.
    #[error("{0}")]
    Socks(Clean),
    /// It took the connection and then answered nothing.
    #[error("it answers nothing; is it a proxy of this kind, and the port right?")]
    Silent,
}

/// Through the proxy, to which there is a connection already, to the host: from then on the stream is the host's. The proxy
/// looks the name up with CONNECT and `socks5h`; with `socks5` the caller has, and gives the address.
///
/// # Errors
/// What the proxy answered.
pub(super) async fn pass_through(
    proxy: &ProxyUrl,
    tls: Option<&ClientTls>,
    stream: TcpStream,
    host: &str,
    port: u16,
    address: Option<SocketAddr>,
) -> Result<Transport, PassError> {
    match proxy.scheme {
        ProxyScheme::Http => {
            let mut stream = stream;
            connect::connect(&mut stream, host, port, proxy.credentials.as_ref()).await?;
            Ok(Box::new(stream))
        }
        ProxyScheme::Https => {
            let Some(tls) = tls else { return Err(ProxyFault::Silent.into()) };
            let mut stream = tls.connect(stream, &proxy.host).await.map_err(PassError::Tls)?;
            connect::connect(&mut stream, host, port, proxy.credentials.as_ref()).await?;
            Ok(Box::new(stream))
        }
        ProxyScheme::Socks5 | ProxyScheme::Socks5h => {
            let stream = socks::connect(stream, host, port, address, proxy.credentials.as_ref()).await?;
            Ok(Box::new(stream))
        }
    }
}

/// Why the way through a proxy ended.
#[derive(Debug)]
pub(super) enum PassError {
    Tls(super::tls::TlsFault),
    Proxy(ProxyFault),
}

impl<E: Into<ProxyFault>> From<E> for PassError {
    fn from(fault: E) -> Self {
        Self::Proxy(fault.into())
    }
}
