//! [`ProxyChoice`]: which proxy, if any, as an option, a profile or the environment says.

use std::str::FromStr;

use super::no_proxy::NoProxy;
use super::url::{ProxyUrl, ProxyUrlError};

/// Where the way to a mediator leads through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProxyChoice {
    /// What the environment says.
    #[default]
    Environment,
    /// No proxy, whatever the environment says.
    Direct,
    /// This one, whatever the environment says.
    Proxy(ProxyUrl),
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
    /// If a variable of the environment names one that cannot be used.
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
#[error("the variable {name} names a proxy that cannot be used: {cause}")]
pub struct EnvironmentError {
    /// The environment variable.
    pub name: &'static str,
    /// What is wrong with its value.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], host: &str, is_encrypted: bool) -> Option<String> {
        let variable =
            |name: &str| variables.iter().find(|(wanted, _)| *wanted == name).map(|(_, value)| (*value).to_owned());
        let proxy = ProxyChoice::Environment.proxy_for(host, 443, is_encrypted, variable).unwrap();
        proxy.map(|proxy| proxy.to_string())
    }

    type Variables<'a> = &'a [(&'a str, &'a str)];

    #[test]
    fn the_environment_is_read_as_documented() {
        let small = ("https_proxy", "http://small:1");
        let capital = ("HTTPS_PROXY", "http://capital:1");
        let all = ("all_proxy", "socks5h://all:1");
        let cases: [(Variables<'_>, Option<&str>); 10] = [
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
