//! [`Acceptor`]: takes TCP connections, and waits a moment where the system has none to give.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::time::Instant;

/// How long to wait after a connection could not be accepted, as when there are no more file descriptors.
pub const PAUSE: Duration = Duration::from_millis(200);

/// A socket that listens.
#[derive(Debug)]
pub struct Acceptor {
    socket: TcpListener,
    /// Not before then, as the last connection could not be accepted.
    paused_until: Option<Instant>,
}

impl Acceptor {
    /// Takes the address; port 0 takes any free one.
    ///
    /// # Errors
    /// If the system does not give it.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(address).await?, paused_until: None })
    }

    /// The address with the port that the system gave.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Waits for the next connection. May be dropped at any point: the pause after an error goes on from where it was, so
    /// that a caller that is busy with other events still comes to accept.
    ///
    /// # Errors
    /// If the system has none to give; the next call waits first.
    pub async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        if let Some(until) = self.paused_until {
            tokio::time::sleep_until(until).await;
        }
        let accepted = self.socket.accept().await;
        self.paused_until = accepted.is_err().then(|| Instant::now() + PAUSE);
        accepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pause_goes_on_however_often_the_caller_turns_to_something_else() {
        let mut acceptor = Acceptor::bind("127.0.0.1:0").await.unwrap();
        let address = acceptor.local_addr().unwrap();
        let client = TcpStream::connect(address).await.unwrap();
        acceptor.paused_until = Some(Instant::now() + PAUSE);
        let start = Instant::now();
        let mut turns = 0;
        let (_, peer) = loop {
            tokio::select! {
                accepted = acceptor.accept() => break accepted.unwrap(),
                // Another event, long before the pause is over.
                () = tokio::time::sleep(PAUSE / 20) => turns += 1,
            }
        };
        assert_eq!(peer, client.local_addr().unwrap());
        assert!(turns >= 2, "{turns} other events");
        assert!(start.elapsed() >= PAUSE, "{:?}", start.elapsed());
    }
}
