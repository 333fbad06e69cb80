//! Host and port in one, as URLs and requests have them.

/// `host:port`; an IPv6 address is put in brackets.
pub(super) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}
