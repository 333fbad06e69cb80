//! TCP to the first of a host's addresses that answers: all are tried, side by side (RFC 8305).

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long an address may take before the next is tried beside it (RFC 8305, section 5).
const NEXT_AFTER: Duration = Duration::from_millis(250);

/// An address that could not be reached, with the cause.
#[derive(Debug)]
pub struct FailedAttempt {
    /// One of those that the name has.
    pub address: SocketAddr,
    /// What the system says of it.
    pub cause: io::Error,
}

/// No address could be reached. There is at least one.
#[derive(Debug)]
pub struct AllFailed(pub Vec<FailedAttempt>);

impl AllFailed {
    /// Why the first address failed, which the resolver prefers.
    #[must_use]
    pub fn first(&self) -> Option<&FailedAttempt> {
        self.0.first()
    }
}

impl fmt::Display for FailedAttempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.address.ip(), self.cause)
    }
}

/// Connects to the first address that answers. The next one is tried when one fails, or after 250 ms beside those that have
/// not answered yet; families take turns, the resolver's first one first. Dropping this ends all attempts.
///
/// # Errors
/// If no address can be reached until then, or there is none: each that was tried, the silent ones, too.
pub async fn dial(addresses: &[SocketAddr], until: Instant) -> Result<TcpStream, AllFailed> {
    let mut waiting = interleaved(addresses);
    let mut attempts = JoinSet::new();
    let mut failed = Vec::new();
    let mut silent = Vec::new();
    let mut next_at = Instant::now();
    loop {
        if attempts.is_empty() && waiting.is_empty() {
            return Err(AllFailed(failed));
        }
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(until) => {
                let silence = |address| FailedAttempt { address, cause: no_answer() };
                failed.extend(silent.into_iter().map(silence));
                return Err(AllFailed(failed));
            }
            Some(attempt) = attempts.join_next(), if !attempts.is_empty() => match attempt {
                Ok((_, Ok(stream))) => return Ok(stream),
                Ok((address, Err(cause))) => {
                    silent.retain(|tried| *tried != address);
                    failed.push(FailedAttempt { address, cause });
                    next_at = Instant::now();
                }
                // Its task was ended with the program.
                Err(_) => {}
            },
            () = tokio::time::sleep_until(next_at), if !waiting.is_empty() => {
                if let Some(address) = waiting.pop_front() {
                    silent.push(address);
                    attempts.spawn(async move { (address, connect(address).await) });
                }
                next_at = Instant::now() + NEXT_AFTER;
            }
        }
    }
}

/// What is said of an address that is silent.
fn no_answer() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer in time")
}

/// How each address does on its own; [`None`] if it can be reached.
pub async fn examine(addresses: &[SocketAddr], within: Duration) -> Vec<(SocketAddr, Option<io::Error>)> {
    let examined = addresses.iter().map(|address| async {
        let connected = tokio::time::timeout(within, connect(*address)).await;
        (*address, connected.unwrap_or_else(|_| Err(no_answer())).err())
    });
    futures_util::future::join_all(examined).await
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // Acknowledgements are small, and wait for nothing.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Both families in turn, each in the resolver's order.
fn interleaved(addresses: &[SocketAddr]) -> VecDeque<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.iter().copied().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut turns = VecDeque::with_capacity(addresses.len());
    loop {
        let pair = (preferred.next(), other.next());
        if pair == (None, None) {
            return turns;
        }
        turns.extend(pair.0);
        turns.extend(pair.1);
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn families_take_turns_and_the_resolvers_first_is_first() {
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let given = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.0.0.1:1", "1.0.0.2:1"]);
        let expected = addresses(&["[::1]:1", "1.0.0.1:1", "[::2]:1", "1.0.0.2:1", "[::3]:1"]);
        assert_eq!(Vec::from(interleaved(&given)), expected);
        let given = addresses(&["1.0.0.1:1", "[::1]:1", "[::2]:1"]);
        assert_eq!(Vec::from(interleaved(&given)), given);
        assert!(interleaved(&[]).is_empty());
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[tokio::test]
    async fn a_refused_address_does_not_hide_a_good_one() {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let refused = gone.local_addr().unwrap();
        drop(gone);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let stream = dial(&[refused, good], soon()).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        let AllFailed(failed) = dial(&[refused, refused], soon()).await.unwrap_err();
        assert_eq!(failed.len(), 2);
        assert!(dial(&[], soon()).await.unwrap_err().first().is_none());
        let examined = examine(&[good, refused], Duration::from_secs(5)).await;
        let reached = examined.iter().map(|(address, cause)| (*address, cause.is_none())).collect::<Vec<_>>();
        assert_eq!(reached, [(good, true), (refused, false)]);
    }

    #[tokio::test]
    async fn an_address_that_does_not_answer_is_overtaken() {
        // A full backlog answers nobody: the system's own black hole, on this machine.
        let full = tokio::net::TcpSocket::new_v4().unwrap();
        full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let full = full.listen(1).unwrap();
        let silent = full.local_addr().unwrap();
        let mut waiting = Vec::new();
        for _ in 0..4 {
            waiting.push(tokio::spawn(TcpStream::connect(silent)));
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let stream = dial(&[silent, silent, good], soon()).await.unwrap();
        // Where the system takes more than it was asked to, there is nothing to overtake.
        let peer = stream.peer_addr().unwrap();
        assert!(peer == good || peer == silent, "{peer}");
        if peer == good {
            let AllFailed(failed) = dial(&[silent], Instant::now() + Duration::from_millis(50)).await.unwrap_err();
            assert_eq!(failed.iter().map(|attempt| attempt.address).collect::<Vec<_>>(), [silent]);
            assert!(failed[0].to_string().contains("no answer in time"));
        }
    }
}
