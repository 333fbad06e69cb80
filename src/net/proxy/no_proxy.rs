//! [`NoProxy`]: the hosts to which no proxy leads.

use std::net::IpAddr;

/// The list of `NO_PROXY`: forms separated by commas or blanks, each with or without `:PORT`.
///
/// `example.org` and `.example.org`, also written `*.example.org`, cover that name and all below it; an address such as
/// `192.0.2.1` or `[2001:db8::1]` itself; a network such as `192.0.2.0/24` all of it; `*` everything. Names are not looked
/// up. What is none of these covers nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoProxy(Vec<NoProxyEntry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct NoProxyEntry {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// Without dots around it, in small letters.
    Domain(String),
    Network(IpAddr, u8),
}

impl NoProxy {
    /// Reads names, addresses and networks, separated by commas.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        let forms = list.split([',', ' ', '\t']).map(str::trim).filter(|form| !form.is_empty());
        Self(forms.filter_map(NoProxyEntry::parse).collect())
    }

    /// Whether no proxy leads to this host, a name or an address without brackets.
    #[must_use]
    pub fn covers(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let address = host.parse::<IpAddr>().ok();
        self.0.iter().any(|entry| entry.port.is_none_or(|wanted| wanted == port) && entry.hosts.have(&host, address))
    }
}

impl NoProxyEntry {
    fn parse(form: &str) -> Option<Self> {
        if form == "*" {
            return Some(Self { hosts: Hosts::All, port: None });
        }
        if let Some(hosts) = network(form) {
            return Some(Self { hosts, port: None });
        }
        let (name, port) = match form.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (form, None),
        };
        if let Some(hosts) = network(name.trim_start_matches('[').trim_end_matches(']')) {
            return Some(Self { hosts, port });
        }
        let name = name.strip_prefix('*').unwrap_or(name).trim_matches('.').to_ascii_lowercase();
        let is_name = !name.is_empty() && !name.contains(['/', ':', '[', ']', '*']);
        is_name.then_some(Self { hosts: Hosts::Domain(name), port })
    }
}

/// An address or a network.
fn network(form: &str) -> Option<Hosts> {
    let (address, bits) = match form.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (form, None),
    };
    let address: IpAddr = address.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some(Hosts::Network(address, bits))
}

impl Hosts {
    fn have(&self, host: &str, address: Option<IpAddr>) -> bool {
        match (self, address) {
            (Self::All, _) => true,
            (Self::Domain(domain), None) => {
                host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            (Self::Network(network, bits), Some(address)) => is_within(address, *network, *bits),
            (Self::Domain(_), Some(_)) | (Self::Network(..), None) => false,
        }
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let number = |address| match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32_u32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let ((address, width), (network, network_width)) = (number(address), number(network));
    let host_bits = width.saturating_sub(u32::from(bits));
    width == network_width && (address ^ network).checked_shr(host_bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_cover_what_the_manual_says() {
        let covered = [
            ("*", "anything.example"),
            ("example.org", "example.org"),
            ("example.org", "a.b.example.org"),
            (".example.org", "example.org"),
            (".example.org", "a.example.org"),
            ("*.example.org", "a.example.org"),
            ("EXAMPLE.org.", "a.Example.ORG."),
            ("a.example, b.example", "b.example"),
            ("a.example b.example", "b.example"),
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.0/24", "192.0.2.77"),
            ("0.0.0.0/0", "203.0.113.9"),
            ("2001:db8::/32", "2001:db8::7"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("2001:db8::1", "2001:DB8:0::1"),
            ("example.org:443", "example.org"),
            ("localhost", "localhost"),
        ];
        for (list, host) in covered {
            assert!(NoProxy::parse(list).covers(host, 443), "{list} covers {host}");
        }
        let spared = [
            ("", "example.org"),
            ("example.org", "notexample.org"),
            ("example.org", "example.org.evil.example"),
            ("example.org:8443", "example.org"),
            ("192.0.2.1", "192.0.2.11"),
            ("192.0.2.0/24", "192.0.3.1"),
            ("192.0.2.0/33", "192.0.2.1"),
            ("2001:db8::/32", "2001:db9::1"),
            ("192.0.2.0/24", "::ffff:192.0.2.1"),
            ("example.*", "example.org"),
            ("a/b", "a"),
            (".", "example.org"),
        ];
        for (list, host) in spared {
            assert!(!NoProxy::parse(list).covers(host, 443), "{list} does not cover {host}");
        }
    }
}
