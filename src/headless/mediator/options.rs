//! What the options ask of the listener.

use std::path::Path;
use std::sync::Arc;

use bytesize::ByteSize;

use crate::cli::MediatorArgs;
use crate::mediator::{AllowedGroups, GroupPrefixes, MediatorConfig};
use crate::net::{ListenAt, ListenerOptions, ListenerSettings, Tls};
use crate::output::Failure;
use crate::rendezvous::RelayConfig;
use crate::text::Clean;

/// Below this a bound in bytes would not hold what one device may send at once.
const LEAST_BOUND: ByteSize = ByteSize::mib(1);

pub(super) fn listener_options(options: &MediatorArgs) -> Result<ListenerOptions, Failure> {
    let chat_server = options.chat_server.as_deref().map(chat_server).transpose()?;
    let rendezvous = options.rendezvous.then(RelayConfig::default);
    let listen = options.listen.iter().map(|place| listen_at(place)).collect::<Result<_, _>>()?;
    Ok(ListenerOptions { listen, settings: settings(options)?, chat_server, rendezvous, store: None })
}

/// What is read anew on SIGHUP: bounds and times, the certificate, and the groups that may enter.
pub(super) fn settings(options: &MediatorArgs) -> Result<ListenerSettings, Failure> {
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::from_pem_files(certificate, key)?),
        _ => None,
    };
    let allowed = options.allow_group.as_deref().map_or(Ok(AllowedGroups::ANY), allowed_groups)?;
    Ok(ListenerSettings { tls, allowed, config: config(options)? })
}

/// Names the options that differ, and are not taken before the next start.
pub(super) fn fixed(before: &MediatorArgs, after: &MediatorArgs) -> Vec<&'static str> {
    [
        ("listen", before.listen != after.listen),
        ("port-file", before.port_file != after.port_file),
        ("data", before.data != after.data),
        ("control", before.control != after.control),
        ("metrics", before.metrics != after.metrics),
        ("chat-server", before.chat_server != after.chat_server),
        ("rendezvous", before.rendezvous != after.rendezvous),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

fn config(options: &MediatorArgs) -> Result<MediatorConfig, Failure> {
    for (name, span) in [
        ("--max-ttl", options.max_ttl),
        ("--handshake-timeout", options.handshake_timeout),
        ("--forget-after", options.forget_after),
        ("--write-timeout", options.write_timeout),
        ("--dead-after", options.dead_after),
    ] {
        if span.is_zero() {
            return Err(Failure::Usage(format!("{name} must be longer than 0s, such as 30s")));
        }
    }
    Ok(MediatorConfig {
        prefixes: prefixes("--prefixes", &options.prefixes)?,
        max_slots: options.max_slots.into(),
        max_ttl: options.max_ttl,
        volatile_grace: options.volatile_grace,
        queue_limit: usize::try_from(options.queue_limit).unwrap_or(usize::MAX),
        queue_bytes: bytes("--queue-bytes", options.queue_bytes)?,
        max_connections: usize::try_from(options.max_connections).unwrap_or(usize::MAX),
        max_groups: usize::try_from(options.max_groups).unwrap_or(usize::MAX),
        max_memory: bytes("--max-memory", options.max_memory)?,
        forget_after: options.forget_after,
        write_timeout: options.write_timeout,
        dead_after: options.dead_after,
        idle_timeout: Some(options.idle_timeout).filter(|span| !span.is_zero()),
        handshake_timeout: options.handshake_timeout,
        ..MediatorConfig::default()
    })
}

/// All groups, if none are named.
pub(super) fn prefixes(name: &str, ranges: &[String]) -> Result<GroupPrefixes, Failure> {
    let wrong = |text: &str, error| Failure::Usage(format!("{name} {}: {error}", Clean::new(text)));
    let all = ranges.iter().map(|text| text.parse::<GroupPrefixes>().map_err(|error| wrong(text, error)));
    let union = all.reduce(|one, other| Ok(one?.union(other?)));
    union.unwrap_or(Ok(GroupPrefixes::ALL))
}

fn listen_at(place: &str) -> Result<ListenAt, Failure> {
    place.parse().map_err(|error| Failure::Usage(format!("--listen {}: {error}", Clean::new(place))))
}

fn allowed_groups(path: &Path) -> Result<AllowedGroups, Failure> {
    let unusable = |cause: &dyn std::fmt::Display| {
        Failure::Usage(format!("--allow-group {}: {}", path.display(), Clean::new(&cause.to_string())))
    };
    let text = std::fs::read_to_string(path).map_err(|cause| unusable(&cause))?;
    AllowedGroups::parse(&text).map_err(|cause| unusable(&cause))
}

/// A bound that holds at least a message of each kind.
fn bytes(name: &str, size: ByteSize) -> Result<usize, Failure> {
    if size < LEAST_BOUND {
        return Err(Failure::Usage(format!("{name} must be {LEAST_BOUND} or more, such as 64MiB")));
    }
    Ok(usize::try_from(size.as_u64()).unwrap_or(usize::MAX))
}

/// A host and a port; what the host is, the system finds out at each connection.
fn chat_server(text: &str) -> Result<Arc<str>, Failure> {
    let good = text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if good {
        return Ok(text.into());
    }
    let text = Clean::new(text);
    Err(Failure::Usage(format!("--chat-server {text} is no HOST:PORT, such as chat.example:5222 or [::1]:5222")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_server_has_a_host_and_a_port() {
        for good in ["chat.example:5222", "127.0.0.1:1", "[::1]:5222"] {
            assert_eq!(chat_server(good).unwrap().as_ref(), good);
        }
        for bad in ["chat.example", ":5222", "chat.example:", "chat.example:65536", "\u{1b}[2J"] {
            let words = chat_server(bad).unwrap_err().to_string();
            assert!(words.contains("no HOST:PORT") && !words.contains('\u{1b}'), "{words}");
        }
    }
}
