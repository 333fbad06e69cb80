//! Where a listener is reached: names, addresses and sockets of the file system, each with a task that accepts.

use std::fmt;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::net::link::Transport;
use crate::os::acceptor::Acceptor;
use crate::os::unix_socket;

/// Before the path of a socket.
const UNIX: &str = "unix:";
/// For its owner and their group: a proxy in front has a user of its own.
const SOCKET_MODE: u32 = 0o660;
/// How many accepted connections may wait for the listener.
const ACCEPTED: usize = 16;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAt {
    /// A host and a port, which the system resolves.
    Tcp(String),
    /// A socket of the file system.
    Unix(PathBuf),
}

/// No place to listen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give HOST:PORT, such as localhost:8080, 0.0.0.0:8080 or [::]:8080, or unix:/PATH")]
pub struct NoPlace;

impl FromStr for ListenAt {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        if let Some(path) = text.strip_prefix(UNIX) {
            return if path.is_empty() { Err(NoPlace) } else { Ok(Self::Unix(path.into())) };
        }
        let (host, port) = text.rsplit_once(':').ok_or(NoPlace)?;
        let is_bare_v6 = host.contains(':') && !host.starts_with('[');
        if host.is_empty() || is_bare_v6 || port.parse::<u16>().is_err() {
            return Err(NoPlace);
        }
        Ok(Self::Tcp(text.to_owned()))
    }
}

impl From<SocketAddr> for ListenAt {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address.to_string())
    }
}

impl fmt::Display for ListenAt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => formatter.write_str(address),
            Self::Unix(path) => write!(formatter, "{UNIX}{}", path.display()),
        }
    }
}

/// Why nobody can be listened to: where, and what the system says.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {at}: {cause}")]
pub struct CannotListen {
    /// The place that was asked for.
    pub at: ListenAt,
    /// The cause, as the system or a library tells it.
    pub cause: io::Error,
}

/// From where a client connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAddress {
    /// Over the network.
    Tcp(SocketAddr),
    /// Through a socket of the file system.
    Unix,
}

impl ClientAddress {
    /// What those who come from one place have in common.
    pub(super) const fn host(self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip()),
            Self::Unix => None,
        }
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix => formatter.write_str("unix"),
        }
    }
}

/// A connection that was just accepted.
pub(super) enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Accepted {
    /// Ready to be spoken on. The system ends a connection whose other end acknowledges nothing any more, so that a ping
    /// that cannot be delivered ends it; where it has no such time, its keep-alive has to do.
    pub(super) fn into_transport(self, dead_after: Duration) -> Transport {
        match self {
            Self::Tcp(stream) => {
                // Small frames must not wait for each other. What the system refuses goes on as without.
                let _ = stream.set_nodelay(true);
                let socket = SockRef::from(&stream);
                #[cfg(any(target_os = "linux", target_os = "android"))]
                let _ = socket.set_tcp_user_timeout(Some(dead_after / 2));
                let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(dead_after));
                Box::new(stream)
            }
            Self::Unix(stream) => Box::new(stream),
        }
    }
}

#[derive(Debug)]
enum Door {
    Tcp(Acceptor),
    Unix(UnixListener, PathBuf),
}

/// All places that a listener is reached at.
#[derive(Debug, Default)]
pub(super) struct Doors(Vec<Door>);

impl Doors {
    pub(super) async fn open(places: &[ListenAt]) -> Result<Self, CannotListen> {
        let mut doors = Self::default();
        for at in places {
            let opened = match at {
                ListenAt::Tcp(address) => doors.open_tcp(address).await,
                ListenAt::Unix(path) => doors.open_unix(path),
            };
            opened.map_err(|cause| CannotListen { at: at.clone(), cause })?;
        }
        Ok(doors)
    }

    /// All addresses of a name, at one port.
    async fn open_tcp(&mut self, address: &str) -> io::Result<()> {
        let mut port = None;
        let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for mut address in tokio::net::lookup_host(address).await? {
            address.set_port(port.unwrap_or(address.port()));
            match Acceptor::bind(address).await {
                Ok(acceptor) => {
                    port = Some(acceptor.local_addr()?.port());
                    self.0.push(Door::Tcp(acceptor));
                }
                // As where there is no IPv6, and the name has an address of it all the same.
                Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => failed = error,
                Err(error) => return Err(error),
            }
        }
        port.map(drop).ok_or(failed)
    }

    fn open_unix(&mut self, path: &Path) -> io::Result<()> {
        let listener = unix_socket::bind(path, SOCKET_MODE)?;
        self.0.push(Door::Unix(listener, path.to_owned()));
        Ok(())
    }

    /// Where they are, with the ports that the system gave.
    pub(super) fn places(&self) -> io::Result<Vec<(ListenAt, Option<SocketAddr>)>> {
        let place = |door: &Door| match door {
            Door::Tcp(acceptor) => acceptor.local_addr().map(|address| (address.into(), Some(address))),
            Door::Unix(_, path) => Ok((ListenAt::Unix(path.clone()), None)),
        };
        self.0.iter().map(place).collect()
    }

    /// Accepts until the first of what is returned is dropped.
    pub(super) fn accept(self) -> (OpenDoors, mpsc::Receiver<io::Result<(Accepted, ClientAddress)>>) {
        let (accepted, arriving) = mpsc::channel(ACCEPTED);
        let mut open = OpenDoors { tasks: JoinSet::new(), sockets: Vec::new() };
        for door in self.0 {
            match door {
                Door::Tcp(acceptor) => drop(open.tasks.spawn(accept_tcp(acceptor, accepted.clone()))),
                Door::Unix(listener, path) => {
                    open.sockets.push(path);
                    open.tasks.spawn(accept_unix(listener, accepted.clone()));
                }
            }
        }
        (open, arriving)
    }
}

/// Places where connections are accepted; closed when this is dropped.
pub(super) struct OpenDoors {
    tasks: JoinSet<()>,
    sockets: Vec<PathBuf>,
}

impl Drop for OpenDoors {
    fn drop(&mut self) {
        self.tasks.abort_all();
        for path in &self.sockets {
            // Somebody may have taken it away.
            let _ = fs::remove_file(path);
        }
    }
}

type Arriving = mpsc::Sender<io::Result<(Accepted, ClientAddress)>>;

async fn accept_tcp(mut acceptor: Acceptor, arriving: Arriving) {
    loop {
        let accepted = acceptor.accept().await;
        let accepted = accepted.map(|(stream, peer)| (Accepted::Tcp(stream), ClientAddress::Tcp(peer)));
        if arriving.send(accepted).await.is_err() {
            return;
        }
    }
}

async fn accept_unix(listener: UnixListener, arriving: Arriving) {
    loop {
        let accepted = listener.accept().await;
        let has_failed = accepted.is_err();
        let accepted = accepted.map(|(stream, _)| (Accepted::Unix(stream), ClientAddress::Unix));
        if arriving.send(accepted).await.is_err() {
            return;
        }
        if has_failed {
            tokio::time::sleep(crate::os::acceptor::PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_place_has_a_host_and_a_port_or_a_path() {
        for good in ["localhost:0", "127.0.0.1:8080", "[::1]:8080", "mediator.example:443", "unix:/run/m.sock"] {
            assert_eq!(good.parse::<ListenAt>().unwrap().to_string(), good);
        }
        for bad in ["", "localhost", ":8080", "localhost:", "localhost:65536", "::1:8080", "unix:", "\u{1b}[2J"] {
            assert_eq!(bad.parse::<ListenAt>(), Err(NoPlace), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn a_socket_that_was_left_over_is_taken_and_no_other_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("m.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let doors = Doors::open(&[ListenAt::Unix(path.clone())]).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, SOCKET_MODE);
        let taken = Doors::open(&[ListenAt::Unix(path.clone())]).await.unwrap_err();
        assert_eq!(taken.cause.kind(), io::ErrorKind::AddrInUse, "somebody listens there");
        drop(doors.accept());
        assert!(!path.exists(), "it is taken away at the end");
        fs::write(&path, "no socket").unwrap();
        Doors::open(&[ListenAt::Unix(path.clone())]).await.unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), "no socket");
    }

    #[tokio::test]
    async fn all_addresses_of_a_name_have_one_port() {
        let doors = Doors::open(&[ListenAt::Tcp("localhost:0".to_owned())]).await.unwrap();
        let ports: Vec<u16> = doors.places().unwrap().iter().map(|(_, address)| address.unwrap().port()).collect();
        assert!(ports.iter().all(|port| *port == ports[0] && *port != 0), "{ports:?}");
    }
}
