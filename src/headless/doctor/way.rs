//! The way to the mediator: name, connection, TLS.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Report;
use super::finding::{Finding, Status};
use crate::net::tls::date;
use crate::net::{Address, ConnectError, Dialled, Peer, ProxyUrl, Secured, Step, TlsOptions};
use crate::output::Failure;
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
    let resolved = address.in_time(soon(), Step::Resolve, address.resolve());
    let Some(addresses) = step(of_proxy("dns"), resolved, report).await? else { return Ok(None) };
    let listed: Vec<String> = addresses.iter().take(4).map(|address| address.ip().to_string()).collect();
    let name = proxy.map_or_else(|| address.authority(), ProxyUrl::authority);
    report.add(&Finding::new("dns", Status::Ok, &format!("{name} is at {}", listed.join(", "))))?;

    let started = Instant::now();
    let reached_in_time = address.in_time(soon(), Step::Reach, address.reach(&addresses));
    let Some(dialled) = step(of_proxy("tcp"), reached_in_time, report).await? else { return Ok(None) };
    report.add(&reached(&dialled, name, started.elapsed()))?;

    let transport = match proxy {
        None => address.pass(dialled.stream).await.ok(),
        Some(proxy) => {
            let passing = address.in_time(soon(), Step::Pass, address.pass(dialled.stream));
            let passed = step("proxy", passing, report).await?;
            if passed.is_some() {
                let words = format!("{proxy} leads to {}", address.authority());
                report.add(&Finding::new("proxy", Status::Ok, &words))?;
            }
            passed
        }
    };
    let Some(transport) = transport else { return Ok(None) };
    let securing = address.in_time(soon(), Step::Secure, address.secure(transport));
    let Some(secured) = step("tls", securing, report).await? else { return Ok(None) };
    report.add(&proof(secured.peer.as_ref(), tls))?;
    Ok(Some(secured))
}

/// Which address answered, and which did not.
fn reached(dialled: &Dialled, name: String, elapsed: Duration) -> Finding {
    let to = dialled.stream.peer_addr().map_or(name, |to| to.to_string());
    let words = format!("connected to {to} in {} ms", elapsed.as_millis());
    if dialled.failed.is_empty() {
        return Finding::new("tcp", Status::Ok, &words);
    }
    let failed: Vec<String> = dialled.failed.iter().map(ToString::to_string).collect();
    let words =
        format!("{words}; not reached: {}. Check this machine's network, or the name's addresses", failed.join(", "));
    Finding::new("tcp", Status::Warn, &words)
}

/// Until when the next step has to be taken.
pub(super) fn soon() -> tokio::time::Instant {
    tokio::time::Instant::now() + PATIENCE
}

/// Takes a step in time, or says why that cannot be done.
pub(super) async fn step<T>(
    check: &'static str,
    taken: impl Future<Output = Result<T, ConnectError>>,
    report: &mut Report,
) -> Result<Option<T>, Failure> {
    let words = match tokio::time::timeout(2 * PATIENCE, taken).await {
        Ok(Ok(done)) => return Ok(Some(done)),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s; check this machine's network and firewall", 2 * PATIENCE.as_secs()),
    };
    report.add(&Finding::new(check, Status::Fail, &words))?;
    Ok(None)
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
