//! HTTP CONNECT.

use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::ExposeSecret as _;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

use super::url::Credentials;
use crate::net::authority::authority;
use crate::net::http_head::{self, HeadError};
use crate::text::Clean;

/// What a proxy answered to CONNECT.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFault {
    /// It wants to know who asks, or does not know who does.
    #[error(
        "it asks for a user's name and password, or does not take these (HTTP {status}); they go into the environment's proxy \
         URL or into the profile"
    )]
    Unauthorised {
        /// The HTTP status of its answer.
        status: u16,
    },
    /// It answered, and refuses to connect.
    #[error("it refused with HTTP {status}{}{}", if reason.is_empty() { "" } else { " " }, reason)]
    Refused {
        /// The HTTP status of its answer.
        status: u16,
        /// The words beside the status.
        reason: Clean,
    },
    /// It answered in another way.
    #[error("it does not answer as an HTTP proxy does: {0}")]
    NoProxy(HeadError),
    /// The connection to it ended.
    #[error("it ended the connection: {0}")]
    Io(#[from] io::Error),
}

/// Asks for a tunnel; afterwards the stream is the host's.
pub(super) async fn connect(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    host: &str,
    port: u16,
    credentials: Option<&Credentials>,
) -> Result<(), ConnectFault> {
    let target = authority(host, port);
    let mut request = Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"));
    if let Some(Credentials { user, password }) = credentials {
        let pair = Zeroizing::new(format!("{user}:{}", password.expose_secret()));
        let encoded = Zeroizing::new(BASE64_STANDARD.encode(pair.as_bytes()));
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(&encoded);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    // A byte at a time: what follows the head is the host's.
    let head = http_head::read(stream, 1);
    let head = head.await.map_err(|error| match error {
        HeadError::Io(cause) => ConnectFault::Io(cause),
        other => ConnectFault::NoProxy(other),
    })?;
    match head.status {
        200..=299 => Ok(()),
        // Some say 401, which is for servers.
        status @ (401 | 407) => Err(ConnectFault::Unauthorised { status }),
        status => Err(ConnectFault::Refused { status, reason: head.reason }),
    }
}
