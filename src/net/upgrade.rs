//! The WebSocket's opening handshake, as RFC 6455 has it: `Connection` is a list of words, and interim answers may come
//! before the 101. (The WebSocket library compares the whole header and takes the first answer for the last.)

use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::http_head::{self, Head, HeadError};
use crate::text::Clean;

/// The longest that a server's `Retry-After` is heeded.
const LONGEST_RETRY: Duration = Duration::from_secs(15 * 60);

/// The most bytes of answers to pings that wait to be written.
const MOST_ANSWERS: usize = 512 * 1_024;

/// Why the server did not open a WebSocket.
#[derive(Debug)]
pub enum UpgradeFault {
    /// It answered with another status.
    Status(UpgradeRefusal),
    /// It answered 101, but not to what was asked.
    Broken(&'static str),
    /// It did not answer as a web server does.
    Head(HeadError),
}

/// An answer that is no upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeRefusal {
    /// The status code.
    pub status: u16,
    /// The words behind it.
    pub reason: Clean,
    /// Where it says to go instead.
    pub location: Option<Clean>,
    /// How long it says to wait; 15 minutes at most.
    pub retry_after: Option<Duration>,
}

/// Asks for a WebSocket at this path of this authority. What was read behind the answer comes back with the stream.
pub(super) async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    authority: &str,
    path: &str,
) -> Result<(S, Vec<u8>), UpgradeFault> {
    let key = generate_key();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    );
    let failed = |cause| UpgradeFault::Head(HeadError::Io(cause));
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    stream.flush().await.map_err(failed)?;
    let head = http_head::read(&mut stream, 1_024).await.map_err(UpgradeFault::Head)?;
    if head.status != 101 {
        return Err(UpgradeFault::Status(answer(&head)));
    }
    check(&head, &key).map_err(UpgradeFault::Broken)?;
    Ok((stream, head.rest))
}

/// For messages up to so many bytes, of those that come and of those that are sent. What waits to be written is bounded,
/// answers to pings, too.
pub(super) fn config(longest_that_comes: usize, longest_sent: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(longest_that_comes))
        .max_frame_size(Some(longest_that_comes))
        .max_write_buffer_size(2 * longest_sent + MOST_ANSWERS)
}

fn check(head: &Head, key: &str) -> Result<(), &'static str> {
    if !head.lists("Upgrade", "websocket") {
        return Err("it answers 101, but not with Upgrade: websocket");
    }
    if !head.lists("Connection", "upgrade") {
        return Err("it answers 101, but not with Connection: Upgrade");
    }
    if head.values("Sec-WebSocket-Accept").next() != Some(derive_accept_key(key.as_bytes()).as_str()) {
        return Err("it answers 101, but not to this request (Sec-WebSocket-Accept)");
    }
    if head.values("Sec-WebSocket-Protocol").next().is_some() {
        return Err("it chose a subprotocol that nobody asked for");
    }
    if head.values("Sec-WebSocket-Extensions").any(|extensions| !extensions.is_empty()) {
        return Err("it uses an extension that nobody asked for");
    }
    Ok(())
}

fn answer(head: &Head) -> UpgradeRefusal {
    let location = head.values("Location").next().map(Clean::new);
    let retry_after = head.values("Retry-After").find_map(|value| retry_after(value, SystemTime::now()));
    UpgradeRefusal { status: head.status, reason: head.reason.clone(), location, retry_after }
}

/// How long to wait: seconds, or a date (RFC 9110, 10.2.3).
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // What does not fit is longer than anything that is heeded.
        return Some(value.parse().map_or(LONGEST_RETRY, Duration::from_secs).min(LONGEST_RETRY));
    }
    let date = SystemTime::from(chrono::DateTime::parse_from_rfc2822(value).ok()?);
    Some(date.duration_since(now).unwrap_or_default().min(LONGEST_RETRY))
}

impl UpgradeRefusal {
    /// What the server means, and what to do, behind the server's name.
    #[must_use]
    pub fn words(&self) -> String {
        let status = self.status;
        let reason = if self.reason.is_empty() { String::new() } else { format!(" {}", self.reason) };
        let words = match status {
            300..=399 => {
                let to = self.location.as_ref().map_or_else(|| "elsewhere".to_owned(), |to| format!("to {to}"));
                format!("sends {to} (HTTP {status}); put the address of the mediator itself into the URL")
            }
            400 if self.reason.as_str().to_ascii_lowercase().contains("http") => {
                format!("speaks TLS at this port (HTTP 400{reason}); the URL begins with wss:// then")
            }
            400 => format!(
                "does not understand the request (HTTP 400{reason}); is it a mediator, and does it speak TLS at this port?"
            ),
            401 => "wants a login (HTTP 401), which mediators never do; is the URL that of a mediator?".to_owned(),
            403 => format!(
                "does not let this machine in (HTTP 403{reason}); ask who runs the mediator, or take another network"
            ),
            404 | 410 => format!("has no mediator at this path (HTTP {status}); check the path of the URL"),
            407 => "is behind a proxy that wants a login (HTTP 407); give one with its name and password in the \
                    environment or the profile"
                .to_owned(),
            426 => format!("wants another version of the WebSocket protocol (HTTP 426{reason}); is it a mediator?"),
            429 => "is asked too often (HTTP 429); others at your address may share the limit".to_owned(),
            500..=599 => format!("has trouble of its own (HTTP {status}{reason}); ask who runs it if that lasts"),
            _ => {
                format!("answers HTTP {status}{reason} instead of opening a WebSocket; is the URL that of a mediator?")
            }
        };
        match self.retry_after {
            Some(wait) if wait.is_zero() => words,
            Some(wait) => format!("{words}. It wants to be asked again in {} s", wait.as_secs()),
            None => words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_seconds_or_as_a_date() {
        // Sun, 06 Nov 1994 08:49:37 GMT
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (value, seconds) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("86400", Some(900)),
            ("99999999999999999999999", Some(900)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Mon, 07 Nov 1994 08:49:37 GMT", Some(900)),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(value, now).map(|wait| wait.as_secs()), seconds, "{value:?}");
        }
    }
}
