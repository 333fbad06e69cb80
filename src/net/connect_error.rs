//! Why no connection could be made, step by step.

use std::io;

use tokio_tungstenite::tungstenite::{Error as WebSocketError, http};

use super::tls::TlsFault;

/// Why no connection could be made, and what to do next.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name has no address.
    #[error("the name {host} cannot be resolved: {cause}; check the mediator's URL and this machine's network")]
    Resolve {
        /// The name.
        host: String,
        /// Why.
        cause: io::Error,
    },
    /// Nobody answers at the address.
    #[error("{host} cannot be reached: {}", with_advice(cause))]
    Tcp {
        /// Host and port.
        host: String,
        /// Why.
        cause: io::Error,
    },
    /// TLS failed.
    #[error(transparent)]
    Tls(TlsFault),
    /// There is a web server, but no mediator at this path.
    #[error(
        "{host} refused the WebSocket with HTTP status {status}; is the URL that of a mediator, with the right path?"
    )]
    Refused {
        /// Host and port.
        host: String,
        /// What it answered.
        status: http::StatusCode,
    },
    /// There is no web server.
    #[error(
        "{host} does not speak WebSocket; check the mediator's URL: its port, and that it begins with wss:// if the mediator \
         speaks TLS ({cause})"
    )]
    Upgrade {
        /// Host and port.
        host: String,
        /// Why.
        cause: Box<WebSocketError>,
    },
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
