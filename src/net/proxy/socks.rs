//! SOCKS5.

use std::net::SocketAddr;

use secrecy::ExposeSecret as _;
use tokio::net::TcpStream;
use tokio_socks::TargetAddr;
use tokio_socks::tcp::Socks5Stream;

use super::ProxyFault;
use super::url::Credentials;
use crate::text::Clean;

/// Asks for a connection: to the address if one is given, else to the name, which the proxy looks up.
pub(super) async fn connect(
    stream: TcpStream,
    host: &str,
    port: u16,
    address: Option<SocketAddr>,
    credentials: Option<&Credentials>,
) -> Result<Socks5Stream<TcpStream>, ProxyFault> {
    let target = match address.or_else(|| host.parse().ok().map(|ip| SocketAddr::new(ip, port))) {
        Some(address) => TargetAddr::Ip(address),
        None => TargetAddr::Domain(host.into(), port),
    };
    let connected = match credentials {
        Some(Credentials { user, password }) => {
            Socks5Stream::connect_with_password_and_socket(stream, target, user, password.expose_secret()).await
        }
        None => Socks5Stream::connect_with_socket(stream, target).await,
    };
    connected.map_err(|error| ProxyFault::Socks(words(&error)))
}

/// What a SOCKS proxy's answer means, with what to do.
fn words(error: &tokio_socks::Error) -> Clean {
    use tokio_socks::Error;
    match error {
        Error::PasswordAuthFailure(_) | Error::NoAcceptableAuthMethods | Error::AuthorizationRequired => {
            Clean::literal(
                "it asks for a user's name and password, or does not take these; they go into the environment's proxy URL or \
             into the profile",
            )
        }
        Error::InvalidResponseVersion | Error::UnknownAuthMethod => {
            Clean::literal("it does not speak SOCKS5; is it an HTTP proxy?")
        }
        other => Clean::new(&format!("it refused: {other}")),
    }
}
