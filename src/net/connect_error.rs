//! Why no connection could be made, step by step.

use std::io;
use std::time::Duration;

use super::dial::AllFailed;
use super::proxy::{ProxyFault, ProxyUrl};
use super::tls::TlsFault;
use super::upgrade::UpgradeRefusal;

/// Why no connection could be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A step took too long.
    #[error("{host} cannot be reached: {}", step.silence())]
    Late {
        /// Host and port, or the proxy.
        host: String,
        /// What took too long.
        step: ConnectStep,
    },
    /// The name has no address.
    #[error("the name {host} cannot be resolved: {cause}; check the mediator's URL and this machine's network")]
    Resolve {
        /// The host of the mediator's URL.
        host: String,
        /// What the system's resolver says.
        cause: io::Error,
    },
    /// Nobody answers at any address.
    #[error("{host} cannot be reached: {}", of_all(failed, "mediator"))]
    Tcp {
        /// The mediator's host and port.
        host: String,
        /// Why, for each address.
        failed: AllFailed,
    },
    /// The proxy cannot be reached.
    #[error("the proxy {proxy} cannot be reached: {}", of_all(failed, "proxy"))]
    ProxyUnreachable {
        /// As it was configured, without its password.
        proxy: ProxyUrl,
        /// Why, for each address.
        failed: AllFailed,
    },
    /// The proxy's name has no address.
    #[error("the name of the proxy {proxy} cannot be resolved: {cause}")]
    ProxyResolve {
        /// As it was configured, without its password.
        proxy: ProxyUrl,
        /// What the system's resolver says.
        cause: io::Error,
    },
    /// The proxy does not let us through.
    #[error("the proxy {proxy} does not lead to {host}: {cause}")]
    Proxy {
        /// As it was configured, without its password.
        proxy: ProxyUrl,
        /// The mediator's host and port.
        host: String,
        /// What the proxy answered instead.
        cause: ProxyFault,
    },
    /// The server did not prove who it is, or speaks no TLS.
    #[error(transparent)]
    Tls(TlsFault),
    /// The same of what the proxy leads to.
    #[error("{fault} (what answers is where the proxy {proxy} leads to, or the proxy itself)")]
    TlsBehindProxy {
        /// As it was configured, without its password.
        proxy: ProxyUrl,
        /// What was wrong.
        fault: TlsFault,
    },
    /// There is a web server, but it opened no WebSocket.
    #[error("{host} {}", answer.words())]
    Refused {
        /// The mediator's host and port.
        host: String,
        /// What it answered.
        answer: UpgradeRefusal,
    },
    /// There is no web server, or one that does not know what it says.
    #[error(
        "{host} does not speak WebSocket ({how}); check the mediator's URL: its port, and that it begins with wss:// if the \
         mediator speaks TLS"
    )]
    Upgrade {
        /// The mediator's host and port.
        host: String,
        /// What was wrong.
        how: String,
    },
}

/// A step of connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectStep {
    /// The name's addresses.
    Resolve,
    /// The way through the proxy.
    Pass,
    /// The handshake of TLS.
    Secure,
    /// The request for a WebSocket, and its answer.
    Upgrade,
}

impl ConnectStep {
    /// What is missing in a step that takes too long, and what to do.
    const fn silence(self) -> &'static str {
        match self {
            Self::Resolve => "its name is not resolved in time; check this machine's network",
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
fn of_all(AllFailed(failed): &AllFailed, what: &str) -> String {
    match failed.as_slice() {
        [] => "it has no address".to_owned(),
        [only] => with_advice(&only.cause, what),
        [first, ..] => {
            let is_same = failed.iter().all(|attempt| attempt.cause.kind() == first.cause.kind());
            if is_same {
                return format!("{} (at each of its {} addresses)", with_advice(&first.cause, what), failed.len());
            }
            let each: Vec<String> = failed.iter().take(MOST_TOLD).map(ToString::to_string).collect();
            let more = if failed.len() > MOST_TOLD { ", …" } else { "" };
            format!("{}{more}; check this machine's network and firewall", each.join(", "))
        }
    }
}

/// Why nobody answers at an address, and what to do.
fn with_advice(cause: &io::Error, what: &str) -> String {
    match cause.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("nobody listens there; is the {what} running, and the port right?")
        }
        io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            format!("{cause}; check this machine's network and firewall")
        }
        _ => cause.to_string(),
    }
}

/// How many addresses that failed are told one by one.
const MOST_TOLD: usize = 4;

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
