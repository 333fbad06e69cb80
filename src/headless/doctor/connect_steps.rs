//! The steps to a connection: DNS, TCP, TLS.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Report;
use super::finding::{Finding, Status};
use crate::net::tls::date;
use crate::net::{Address, ConnectError, Peer, Secured, TlsOptions};
use crate::output::Failure;
use crate::runtime::ANY_CERTIFICATE;

pub(super) const STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// How many days before its end a certificate should have been renewed.
const RENEW_WITHIN: u64 = 14;

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

/// Takes the steps in order; [`None`] if one fails.
pub(super) async fn connect(
    address: &Address,
    tls: &TlsOptions,
    report: &mut Report,
) -> Result<Option<Secured>, Failure> {
    let Some(addresses) = step("dns", address.resolve(), report).await? else { return Ok(None) };
    let listed: Vec<String> = addresses.iter().take(4).map(|address| address.ip().to_string()).collect();
    let name = address.authority();
    report.add(&Finding::new("dns", Status::Ok, &format!("{name} is at {}", listed.join(", "))))?;

    let started = Instant::now();
    let Some(stream) = step("tcp", address.reach(&addresses), report).await? else { return Ok(None) };
    let to = stream.peer_addr().map_or(name, |to| to.to_string());
    let words = format!("connected to {to} in {} ms", started.elapsed().as_millis());
    report.add(&Finding::new("tcp", Status::Ok, &words))?;

    let Some(secured) = step("tls", address.secure(stream), report).await? else { return Ok(None) };
    report.add(&proof(secured.peer.as_ref(), tls))?;
    Ok(Some(secured))
}

/// Waits for a step, and reports if it fails or takes too long.
pub(super) async fn step<T>(
    check: &'static str,
    taken: impl Future<Output = Result<T, ConnectError>>,
    report: &mut Report,
) -> Result<Option<T>, Failure> {
    let words = match tokio::time::timeout(STEP_TIMEOUT, taken).await {
        Ok(Ok(done)) => return Ok(Some(done)),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s; check this machine's network and firewall", STEP_TIMEOUT.as_secs()),
    };
    report.add(&Finding::new(check, Status::Fail, &words))?;
    Ok(None)
}

/// How the mediator has proved who it is.
fn proof(peer: Option<&Peer>, options: &TlsOptions) -> Finding {
    let finding = |status, words: &str| Finding::new("tls", status, words);
    let Some(peer) = peer else {
        return finding(Status::Ok, "not used: ws:// does without, and reaches this machine only");
    };
    if options.accept_any_certificate {
        return finding(Status::Warn, ANY_CERTIFICATE);
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
            finding(Status::Warn, &words)
        }
        _ => finding(Status::Ok, &words),
    }
}
