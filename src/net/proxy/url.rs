//! [`ProxyUrl`]: a proxy's address, and who asks it.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};

use crate::net::authority::authority;

/// How one speaks with a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyScheme {
    /// HTTP, by the method CONNECT.
    Http,
    /// HTTP CONNECT, and TLS with the proxy itself.
    Https,
    /// SOCKS5; names are looked up here.
    Socks5,
    /// SOCKS5; names are looked up by the proxy.
    Socks5h,
}

/// A user's name and password at a proxy.
#[derive(Clone)]
pub struct Credentials {
    /// The user's name.
    pub user: String,
    /// The user's password; may be empty.
    pub password: SecretString,
}

/// A proxy. Its display and debug forms leave the credentials out.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl {
    /// How one speaks with it.
    pub scheme: ProxyScheme,
    /// A name, or an address without brackets.
    pub host: String,
    /// The port; without one in the URL 80, 443 or 1080.
    pub port: u16,
    /// Who asks, if the proxy wants to know.
    pub credentials: Option<Credentials>,
}

/// The text is no proxy's URL. Says nothing of the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyUrlError {
    /// Another scheme.
    #[error("a proxy's URL begins with http://, https://, socks5:// or socks5h://")]
    Scheme,
    /// No host, a port that is none, or more than host and port.
    #[error("a proxy's URL is SCHEME://HOST:PORT, with nothing behind it")]
    Shape,
    /// SOCKS5 knows names and passwords of 255 bytes at most, and none that are empty.
    #[error("SOCKS5 takes a user's name and a password of 1 to 255 bytes each")]
    Credentials,
}

impl ProxyUrl {
    /// Reads a URL. Without a scheme it counts as `http://`, as other programs have it in the environment.
    ///
    /// # Errors
    /// If it is none, or has more than host, port and credentials.
    pub fn parse(text: &str) -> Result<Self, ProxyUrlError> {
        let (scheme, rest) = text.trim().split_once("://").unwrap_or(("http", text.trim()));
        let (scheme, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (ProxyScheme::Http, 80),
            "https" => (ProxyScheme::Https, 443),
            "socks5" => (ProxyScheme::Socks5, 1_080),
            "socks5h" => (ProxyScheme::Socks5h, 1_080),
            _ => return Err(ProxyUrlError::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (userinfo, authority) = match rest.rsplit_once('@') {
            Some((userinfo, authority)) => (Some(userinfo), authority),
            None => (None, rest),
        };
        let authority: http::uri::Authority = authority.parse().map_err(|_| ProxyUrlError::Shape)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_owned();
        let says_port = authority.as_str().rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
        let port = authority.port_u16().filter(|port| *port > 0);
        if !is_host(&host) || says_port && port.is_none() {
            return Err(ProxyUrlError::Shape);
        }
        let credentials = userinfo.map(credentials).transpose()?;
        let is_socks = matches!(scheme, ProxyScheme::Socks5 | ProxyScheme::Socks5h);
        if is_socks && credentials.as_ref().is_some_and(|credentials| !credentials.fit_socks()) {
            return Err(ProxyUrlError::Credentials);
        }
        Ok(Self { scheme, host, port: port.unwrap_or(default_port), credentials })
    }

    /// Host and port, for people.
    #[must_use]
    pub fn authority(&self) -> String {
        authority(&self.host, self.port)
    }
}

/// Whether it is a name or an address; the library for URLs takes more than that.
fn is_host(host: &str) -> bool {
    let address = host.split_once('%').map_or(host, |(address, _zone)| address);
    let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    !host.is_empty() && (is_name(host) || address.parse::<Ipv6Addr>().is_ok())
}

fn credentials(userinfo: &str) -> Result<Credentials, ProxyUrlError> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decoded = |part| percent_decode_str(part).decode_utf8().map_err(|_| ProxyUrlError::Shape);
    Ok(Credentials { user: decoded(user)?.into_owned(), password: decoded(password)?.into_owned().into() })
}

impl Credentials {
    fn fit_socks(&self) -> bool {
        (1..=255).contains(&self.user.len()) && (1..=255).contains(&self.password.expose_secret().len())
    }
}

impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        self.user == other.user && self.password.expose_secret() == other.password.expose_secret()
    }
}

impl Eq for Credentials {}

impl FromStr for ProxyUrl {
    type Err = ProxyUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            ProxyScheme::Http => "http",
            ProxyScheme::Https => "https",
            ProxyScheme::Socks5 => "socks5",
            ProxyScheme::Socks5h => "socks5h",
        };
        let redacted = if self.credentials.is_some() { "***@" } else { "" };
        write!(formatter, "{scheme}://{redacted}{}", self.authority())
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ProxyUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_shown_without_what_is_secret() {
        for (text, shown) in [
            ("http://proxy.example:3128", "http://proxy.example:3128"),
            ("HTTP://Proxy.example:3128/", "http://Proxy.example:3128"),
            ("proxy.example:3128", "http://proxy.example:3128"),
            ("https://proxy.example", "https://proxy.example:443"),
            ("socks5://127.0.0.1", "socks5://127.0.0.1:1080"),
            ("socks5h://[2001:db8::1]:9050", "socks5h://[2001:db8::1]:9050"),
            ("http://me:hunter2@proxy.example:3128", "http://***@proxy.example:3128"),
            ("http://me%40home:p%3Aw@proxy.example", "http://***@proxy.example:80"),
        ] {
            let url = ProxyUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), shown, "{text}");
            assert!(!format!("{url:?}").contains("hunter2"));
        }
        let url = ProxyUrl::parse("http://me%40home:p%3Aw@proxy.example").unwrap();
        let credentials = url.credentials.unwrap();
        assert_eq!((credentials.user.as_str(), credentials.password.expose_secret()), ("me@home", "p:w"));
    }

    #[test]
    fn what_is_no_proxy_is_refused() {
        for (text, error) in [
            ("ftp://proxy:1", ProxyUrlError::Scheme),
            ("socks4://proxy:1", ProxyUrlError::Scheme),
            ("", ProxyUrlError::Shape),
            ("http://", ProxyUrlError::Shape),
            ("http://proxy:0", ProxyUrlError::Shape),
            ("http://proxy:99999", ProxyUrlError::Shape),
            ("http://proxy:1/path", ProxyUrlError::Shape),
            ("http://pr.0.0.1,[::1]", ProxyUrlError::Shape),
            ("http://one,two:1", ProxyUrlError::Shape),
            ("http://2001:db8::1", ProxyUrlError::Shape),
            ("http://proxy:1?query", ProxyUrlError::Shape),
            ("socks5://me@proxy:1", ProxyUrlError::Credentials),
        ] {
            assert_eq!(ProxyUrl::parse(text).unwrap_err(), error, "{text:?}");
        }
    }
}
