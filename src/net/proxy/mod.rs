//! The proxy on the way to a mediator: which one, if any, and the step through it.
//!
//! Said by `--proxy`, by the profile, or by the environment: `https_proxy`, then `all_proxy`, unless `no_proxy` names the
//! host; each in small letters first, then in capitals; an empty one counts as unset. `http_proxy` is not looked at: what
//! is not encrypted goes to this machine only, and never through a proxy of the environment.

mod connect;
mod no_proxy;
mod socks;
mod url;

use std::net::SocketAddr;
use std::str::FromStr;

use tokio::net::TcpStream;

use super::link::Transport;
use super::tls::ClientTls;
pub use connect::ConnectFault;
pub use no_proxy::NoProxy;
pub use url::{ProxyScheme, ProxyUrl, ProxyUrlError};

use crate::text::Clean;

/// Where the way to a mediator leads through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProxyChoice {
    /// What the environment says.
    #[default]
    Environment,
    /// No proxy, whatever the environment says.
    Direct,
    /// This one.
    Proxy(ProxyUrl),
}

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

impl FromStr for ProxyChoice {
    type Err = ProxyUrlError;

    /// A URL, or `none`.
    fn from_str(text: &str) -> Result<Self, ProxyUrlError> {
        if text == "none" { Ok(Self::Direct) } else { ProxyUrl::parse(text).map(Self::Proxy) }
    }
}

impl ProxyChoice {
    /// The proxy to a host, if there is one.
    ///
    /// # Errors
    /// If the environment names one that cannot be used: the variable, and why.
    pub fn proxy_for(
        &self,
        host: &str,
        port: u16,
        is_encrypted: bool,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<ProxyUrl>, EnvironmentError> {
        match self {
            Self::Direct => Ok(None),
            Self::Proxy(proxy) => Ok(Some(proxy.clone())),
            Self::Environment if !is_encrypted => Ok(None),
            Self::Environment => from_environment(host, port, variable),
        }
    }
}

/// A variable of the environment names a proxy that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the variable {name} names a proxy that cannot be used: {cause}; mend it, or say --proxy none")]
pub struct EnvironmentError {
    /// The variable.
    pub name: &'static str,
    /// Why.
    pub cause: ProxyUrlError,
}

fn from_environment(
    host: &str,
    port: u16,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<ProxyUrl>, EnvironmentError> {
    let set = |name: &'static str| variable(name).filter(|value| !value.trim().is_empty()).map(|value| (name, value));
    let except = set("no_proxy").or_else(|| set("NO_PROXY"));
    if except.is_some_and(|(_, list)| NoProxy::parse(&list).covers(host, port)) {
        return Ok(None);
    }
    let found = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].into_iter().find_map(set);
    found.map(|(name, url)| ProxyUrl::parse(&url).map_err(|cause| EnvironmentError { name, cause })).transpose()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], host: &str, is_encrypted: bool) -> Option<String> {
        let variable =
            |name: &str| variables.iter().find(|(wanted, _)| *wanted == name).map(|(_, value)| (*value).to_owned());
        let proxy = ProxyChoice::Environment.proxy_for(host, 443, is_encrypted, variable).unwrap();
        proxy.map(|proxy| proxy.to_string())
    }

    #[test]
    fn the_environment_is_read_as_documented() {
        let small = ("https_proxy", "http://small:1");
        let capital = ("HTTPS_PROXY", "http://capital:1");
        let all = ("all_proxy", "socks5h://all:1");
        let cases: [(&[(&str, &str)], Option<&str>); 10] = [
            (&[], None),
            (&[small, capital, all], Some("http://small:1")),
            (&[capital, all], Some("http://capital:1")),
            (&[("https_proxy", ""), capital], Some("http://capital:1")),
            (&[all], Some("socks5h://all:1")),
            (&[("ALL_PROXY", "socks5://all:1")], Some("socks5://all:1")),
            (&[("HTTP_PROXY", "http://p:1"), ("http_proxy", "http://p:1")], None),
            (&[small, ("no_proxy", "mediator.example")], None),
            (&[small, ("NO_PROXY", "*")], None),
            (&[small, ("no_proxy", ""), ("NO_PROXY", "mediator.example")], None),
        ];
        for (variables, expected) in cases {
            assert_eq!(chosen(variables, "mediator.example", true).as_deref(), expected, "{variables:?}");
        }
        assert_eq!(chosen(&[small, all], "localhost", false), None, "what is not encrypted stays on this machine");
    }

    #[test]
    fn a_bad_variable_is_named_and_its_password_is_not() {
        let variable = |name: &str| (name == "ALL_PROXY").then(|| "ftp://me:hunter2@proxy:1".to_owned());
        let error = ProxyChoice::Environment.proxy_for("a.example", 443, true, variable).unwrap_err();
        let words = error.to_string();
        assert!(words.contains("ALL_PROXY") && !words.contains("hunter2"), "{words}");
        assert_eq!(ProxyChoice::Direct.proxy_for("a.example", 443, true, variable), Ok(None));
    }
}
