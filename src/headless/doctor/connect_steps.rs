//! The way to the mediator: name, connection, TLS.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::net::TcpStream;

use super::Report;
use super::finding::{Finding, Status};
use crate::net::dial;
use crate::net::tls::date;
use crate::net::{Address, ConnectError, ConnectStep, Peer, ProxyUrl, Secured, TlsOptions};
use crate::output::Failure;
use crate::output::connecting::{explain, listed};
use crate::output::figures::span;
use crate::runtime::ANY_CERTIFICATE;

/// How long each step may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How many days before its end a certificate should have been renewed.
const RENEW_WITHIN: u64 = 14;

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

/// Goes as far as it can; [`None`] if that is not to the end.
pub(super) async fn go(address: &Address, tls: &TlsOptions, report: &mut Report) -> Result<Option<Secured>, Failure> {
    let proxy = address.proxy();
    if proxy.is_none() {
        report.add(&Finding::new("proxy", Status::Ok, "none on the way"))?;
    }
    // What fails on the way to a proxy is the proxy's.
    let of_proxy = |check| if proxy.is_some() { "proxy" } else { check };
    let resolved = address.in_time(soon(), ConnectStep::Resolve, address.resolve());
    let Some(addresses) = step(of_proxy("dns"), resolved, report).await? else { return Ok(None) };
    let name = proxy.map_or_else(|| address.authority(), ProxyUrl::authority);
    let places = listed(addresses.iter().map(|address| address.ip().to_string()));
    report.add(&Finding::new("dns", Status::Ok, &format!("{name} is at {places}")))?;

    let started = Instant::now();
    let dialling = address.reach(&addresses, soon());
    let Some(stream) = step(of_proxy("tcp"), dialling, report).await? else { return Ok(None) };
    let took = started.elapsed();
    report.add(&reached(&stream, &addresses, name, took).await)?;

    let transport = match proxy {
        None => address.pass(stream).await.ok(),
        Some(proxy) => {
            let passing = address.in_time(soon(), ConnectStep::Pass, address.pass(stream));
            let passed = step("proxy", passing, report).await?;
            if passed.is_some() {
                let words = format!("{proxy} leads to {}", address.authority());
                report.add(&Finding::new("proxy", Status::Ok, &words))?;
            }
            passed
        }
    };
    let Some(transport) = transport else { return Ok(None) };
    let securing = address.in_time(soon(), ConnectStep::Secure, address.secure(transport));
    let Some(secured) = step("tls", securing, report).await? else { return Ok(None) };
    report.add(&proof(secured.peer.as_ref(), tls))?;
    Ok(Some(secured))
}

/// Which address answered, and which do not: each is tried on its own, as the first one to answer hides the others.
async fn reached(stream: &TcpStream, addresses: &[SocketAddr], name: String, elapsed: Duration) -> Finding {
    let peer = stream.peer_addr().ok();
    let to = peer.map_or(name, |to| to.to_string());
    let words = format!("connected to {to} in {}", span(elapsed));
    let others: Vec<SocketAddr> = addresses.iter().copied().filter(|address| Some(*address) != peer).collect();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (address, cause) in dial::examine(&others, PATIENCE).await {
        match cause {
            None => good.push(address.ip().to_string()),
            Some(cause) => bad.push(format!("{}: {cause}", address.ip())),
        }
    }
    let also = if good.is_empty() { String::new() } else { format!("; {} can be reached, too", listed(good)) };
    if bad.is_empty() {
        return Finding::new("tcp", Status::Ok, &format!("{words}{also}"));
    }
    let bad = listed(bad);
    let words = format!("{words}{also}; not reached: {bad}. Check this machine's network, or the name's addresses");
    Finding::new("tcp", Status::Warn, &words)
}

/// Until when the next step has to be taken.
pub(super) fn soon() -> tokio::time::Instant {
    tokio::time::Instant::now() + PATIENCE
}

/// Takes a step, or says why that cannot be done.
pub(super) async fn step<T>(
    check: &'static str,
    taken: impl Future<Output = Result<T, ConnectError>>,
    report: &mut Report,
) -> Result<Option<T>, Failure> {
    match taken.await {
        Ok(done) => Ok(Some(done)),
        Err(error) => {
            report.add(&Finding::new(check, Status::Fail, &explain(&error)))?;
            Ok(None)
        }
    }
}

/// What the mediator has proved.
fn proof(peer: Option<&Peer>, options: &TlsOptions) -> Finding {
    let told = |status, words: &str| Finding::new("tls", status, words);
    let Some(peer) = peer else {
        return told(Status::Ok, "not used: ws:// does without, and reaches this machine only");
    };
    if options.accept_any_certificate {
        return told(Status::Warn, ANY_CERTIFICATE);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let days_left = peer.expires.map(|expires| expires.as_secs().saturating_sub(now) / SECONDS_A_DAY);
    let key = match (options.pins.len(), peer.key) {
        (0, Some(key)) => format!("no pins given; its key is {key}"),
        (0, None) => "no pins given".to_owned(),
        (1, _) => "its key is the pinned one".to_owned(),
        (pins, _) => format!("its key is one of the {pins} pinned ones"),
    };
    let expires = peer.expires.map_or_else(|| "at an unknown time".to_owned(), date);
    let words = format!("{}, certificate good until {expires}; {key}", peer.version);
    match days_left {
        Some(days) if days < RENEW_WITHIN => {
            let words = format!("{words}; it expires in {days} days: ask who runs the mediator to renew it");
            told(Status::Warn, &words)
        }
        _ => told(Status::Ok, &words),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn it_is_told_how_each_address_does() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let refused = gone.local_addr().unwrap();
        drop(gone);
        let stream = TcpStream::connect(good).await.unwrap();
        let told = async |addresses: &[SocketAddr]| {
            let finding = reached(&stream, addresses, "mediator.example:443".to_owned(), Duration::ZERO).await;
            (finding.status, finding.to_string())
        };
        let (status, words) = told(&[good]).await;
        assert!(status == Status::Ok && words.contains(&format!("connected to {good} in <1 ms")), "{words}");
        let (status, words) = told(&[refused, good]).await;
        assert!(status == Status::Warn && words.contains("not reached: 127.0.0.1: Connection refused"), "{words}");
        let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (status, words) = told(&[good, other.local_addr().unwrap()]).await;
        assert!(status == Status::Ok && words.contains("; 127.0.0.1 can be reached, too"), "{words}");
    }
}
