//! Every metric of a session: its name, its words, and where its numbers come from.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::AlertOutcomes;
use super::ledger::{Ledger, LockKey, SessionState};
use super::page::{Labels, MetricsPage, Number, Sample, SessionCopy, one, sample};
use crate::group::ListedDevice;
use crate::protocol::{DeviceActivity, DeviceId};
use crate::session::Now;

/// Writes all of them.
pub(super) fn write(
    encoder: DescriptorEncoder<'_>,
    sessions: Vec<SessionCopy>,
    outcomes: &AlertOutcomes,
    with_labels: bool,
    now: Now,
) -> fmt::Result {
    let page = &mut MetricsPage { encoder, sessions, now };
    let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    page.family(MetricType::Info, "d2mtop_build", "Which d2mtop this is.", None, &[sample(version, 1)])?;
    connection(page)?;
    role(page)?;
    devices(page, with_labels)?;
    lock(page)?;
    messages(page)?;
    trouble(page)?;
    let alerts: Vec<Sample> = outcomes
        .iter()
        .map(|((alert, outcome), count)| sample(words(&[("alert", alert), ("outcome", outcome)]), *count))
        .collect();
    page.family(MetricType::Counter, "d2mtop_alerts", "What became of --on and --notify.", None, &alerts)
}

fn words(labels: &[(&'static str, &str)]) -> Labels {
    labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn connection(page: &mut MetricsPage<'_>) -> fmt::Result {
    page.gauge("d2mtop_connection_state", "1 for the state that the connection is in.", None, |ledger, _| {
        let state = |(state, name): (SessionState, &str)| sample(words(&[("state", name)]), state == ledger.state);
        SessionState::ALL.into_iter().map(state).collect()
    })?;
    page.counter("d2mtop_connection_attempts", "Connections that were tried.", None, |ledger, _| one(ledger.attempts))?;
    page.counter("d2mtop_logins", "Logins that the mediator took.", None, |ledger, _| one(ledger.logins))?;
    let help = "When the mediator last took a login, in seconds since 1970; 0 before the first.";
    page.gauge("d2mtop_last_login_timestamp", help, Some(&Unit::Seconds), |ledger, _| {
        one(Duration::from_millis(ledger.last_login.unwrap_or_default().0))
    })?;
    page.counter("d2mtop_disconnects", "Connections that ended or failed.", None, |ledger, _| {
        let end = |((cause, code), count): (&(&'static str, String), &u64)| {
            let mut labels = words(&[("cause", cause)]);
            if !code.is_empty() {
                labels.push(("code", code.clone()));
            }
            sample(labels, *count)
        };
        ledger.disconnects.iter().map(end).collect()
    })?;
    let help = "Connections after whose end somebody has to decide.";
    page.counter("d2mtop_waits_for_user", help, None, |ledger, _| {
        let wait = |(code, count): (&String, &u64)| sample(words(&[("code", code)]), *count);
        ledger.waits_for_user.iter().map(wait).collect()
    })?;
    page.gauge("d2mtop_login_queue_messages", "Messages that waited at the last login.", None, |ledger, _| {
        let waited = ledger.login.as_ref().and_then(|login| login.reflection_queue_length);
        waited.map(|count| one(u64::from(count))).unwrap_or_default()
    })?;
    let help = "How far the mediator's clock is ahead, by the last login.";
    page.gauge("d2mtop_clock_offset", help, Some(&Unit::Seconds), |ledger, _| {
        let ahead = ledger.login.as_ref().and_then(|login| login.clock_offset);
        ahead.map(|ahead| one(signed_seconds(ahead))).unwrap_or_default()
    })
}

fn signed_seconds(millis: i64) -> Number {
    let seconds = Duration::from_millis(millis.unsigned_abs()).as_secs_f64();
    Number::Fraction(if millis < 0 { -seconds } else { seconds })
}

fn role(page: &mut MetricsPage<'_>) -> fmt::Result {
    page.gauge("d2mtop_leader", "1 while this device is leader.", None, |ledger, _| one(ledger.leads()))?;
    page.counter("d2mtop_leader", "How long this device has been leader.", Some(&Unit::Seconds), |ledger, now| {
        one(ledger.led(now))
    })?;
    page.counter("d2mtop_promotions", "How often this device became leader.", None, |ledger, _| one(ledger.promotions))
}

fn devices(page: &mut MetricsPage<'_>, with_labels: bool) -> fmt::Result {
    page.gauge("d2mtop_devices", "Devices of the group, by platform and state.", None, by_platform_and_state)?;
    page.gauge("d2mtop_device_slots", "How many devices the group may have.", None, |ledger, _| {
        ledger.login.as_ref().map(|login| one(u64::from(login.max_device_slots))).unwrap_or_default()
    })?;
    let help = "How old the list is that all about devices is from.";
    page.gauge("d2mtop_device_list_age", help, Some(&Unit::Seconds), |ledger, now| {
        ledger.list_age(now).map(one).unwrap_or_default()
    })?;
    page.info("d2mtop_device", "Which devices are in the list.", |ledger, _| {
        let info =
            |(name, device): (Labels, (DeviceId, &ListedDevice))| sample(described(name, device, with_labels), 1);
        named(ledger).map(info).collect()
    })?;
    let help = "How long ago each device was last known to be connected; 0 while it is.";
    page.gauge("d2mtop_device_unseen", help, Some(&Unit::Seconds), |ledger, now| {
        let unseen = |(name, (_, listed)): (Labels, (DeviceId, &ListedDevice))| {
            unseen(listed, ledger, now).map(|unseen| sample(name, unseen))
        };
        named(ledger).filter_map(unseen).collect()
    })?;
    page.counter("d2mtop_device_changes", "Devices that differed from the last list.", None, |ledger, _| {
        let names = ["new", "changed", "undecryptable", "gone"];
        let change = |(name, count): (&str, u64)| sample(words(&[("change", name)]), count);
        names.into_iter().zip(ledger.device_changes).map(change).collect()
    })
}

fn by_platform_and_state(ledger: &Ledger, _now: Now) -> Vec<Sample> {
    let mut counts = std::collections::BTreeMap::<(String, &str), u64>::new();
    for device in ledger.devices.values() {
        let state = match device.activity {
            DeviceActivity::ConnectedSince(_) if ledger.list_is_current => "connected",
            DeviceActivity::LastDisconnect(_) => "disconnected",
            // The first dialect does not tell who is there, and who is not connected does not see who leaves.
            DeviceActivity::ConnectedSince(_) | DeviceActivity::LastLogin(_) | DeviceActivity::Unknown => "unknown",
        };
        *counts.entry((platform(device), state)).or_default() += 1;
    }
    let sample = |((platform, state), count): ((String, &str), u64)| {
        sample(words(&[("platform", &platform), ("state", state)]), count)
    };
    counts.into_iter().map(sample).collect()
}

fn platform(device: &ListedDevice) -> String {
    device.info.as_ref().map_or_else(|_| "undecryptable".to_owned(), |info| info.platform.to_string().to_lowercase())
}

/// The devices of the list that have a name.
fn named(ledger: &Ledger) -> impl Iterator<Item = (Labels, (DeviceId, &ListedDevice))> {
    ledger.devices.iter().filter_map(|(id, device)| {
        let name = ledger.seats.name(*id)?;
        Some((vec![("device", name.to_owned())], (*id, device)))
    })
}

/// Label and id only where the user wants them.
fn described(mut labels: Labels, (id, device): (DeviceId, &ListedDevice), with_labels: bool) -> Labels {
    labels.push(("platform", platform(device)));
    if with_labels {
        labels.push(("id", id.to_string()));
        let label = device.info.as_ref().map(|info| info.label.to_string()).unwrap_or_default();
        labels.push(("label", label));
    }
    labels
}

/// By the server's clock, as the times in the list are. Who was connected when we last saw is counted from then.
fn unseen(device: &ListedDevice, ledger: &Ledger, now: Now) -> Option<Duration> {
    let now_there = now.wall.offset_by(ledger.clock_offset);
    match device.activity {
        DeviceActivity::ConnectedSince(_) if ledger.list_is_current => Some(Duration::ZERO),
        DeviceActivity::ConnectedSince(_) => ledger.list_age(now),
        DeviceActivity::LastDisconnect(at) | DeviceActivity::LastLogin(at) => Some(now_there.since(at)),
        DeviceActivity::Unknown => None,
    }
}

fn lock(page: &mut MetricsPage<'_>) -> fmt::Result {
    let labels = |(holder, scope): &LockKey| words(&[("holder", holder), ("scope", scope)]);
    page.counter("d2mtop_locks", "Locks that were held, as far as the mediator told.", None, |ledger, now| {
        ledger.locks(now).iter().map(|(key, tally)| sample(labels(key), tally.count)).collect()
    })?;
    let help = "How long locks were held, as far as the mediator told; with the one held now.";
    page.counter("d2mtop_lock_held", help, Some(&Unit::Seconds), |ledger, now| {
        ledger.locks(now).iter().map(|(key, tally)| sample(labels(key), tally.held)).collect()
    })?;
    let help = "How long the lock that is held now has been held; none while it is free.";
    page.gauge("d2mtop_lock_age", help, Some(&Unit::Seconds), |ledger, now| {
        ledger.lock_age(now).iter().map(|(key, age)| sample(labels(key), *age)).collect()
    })
}

fn messages(page: &mut MetricsPage<'_>) -> fmt::Result {
    let labels = |device: &str, kind: &str| words(&[("device", device), ("kind", kind)]);
    page.counter("d2mtop_messages", "Messages received, by kind and by who reflected them.", None, |ledger, _| {
        let samples = ledger.seats.counted();
        samples.map(|(device, kind, cell)| sample(labels(device, kind), cell.messages)).collect()
    })?;
    let help = "Bytes of their sealed envelopes.";
    page.counter("d2mtop_message", help, Some(&Unit::Bytes), |ledger, _| {
        ledger.seats.counted().map(|(device, kind, cell)| sample(labels(device, kind), cell.bytes)).collect()
    })?;
    page.counter("d2mtop_messages_acknowledged", "Messages whose acknowledgement was sent.", None, |ledger, _| {
        one(ledger.acknowledged)
    })?;
    let help = "From reading a message off the socket to writing its acknowledgement.";
    page.histogram("d2mtop_acknowledgement_latency", help, |ledger, _| one(&ledger.acknowledgement_latency))?;
    page.histogram("d2mtop_message_age", "How long messages had waited in the queue.", |ledger, _| one(&ledger.age))?;
    let help = "From asking the mediator to its answer, by what was asked.";
    page.histogram("d2mtop_round_trip", help, |ledger, _| {
        let probes =
            [("ping", &ledger.ping), ("devices_info", &ledger.devices_info), ("reflection", &ledger.reflection)];
        probes.map(|(probe, histogram)| sample(words(&[("probe", probe)]), histogram)).into_iter().collect()
    })
}

fn trouble(page: &mut MetricsPage<'_>) -> fmt::Result {
    page.counter("d2mtop_redeliveries", "Messages that came again after a reconnect.", None, |ledger, _| {
        one(ledger.redelivered)
    })?;
    page.counter(
        "d2mtop_replays",
        "Messages whose nonce another one had used.",
        None,
        |ledger, _| one(ledger.replays),
    )?;
    page.counter("d2mtop_undecryptable_messages", "Messages that could not be read.", None, |ledger, _| {
        one(ledger.undecryptable)
    })?;
    page.counter("d2mtop_ignored_messages", "What the mediator sent and was not understood.", None, |ledger, _| {
        one(ledger.ignored)
    })?;
    page.gauge("d2mtop_journal_state", "1 for the state that the journal is in.", None, |ledger, _| {
        let state = |name| sample(words(&[("state", name)]), name == ledger.journal.as_str());
        ["keeps", "off", "failed"].into_iter().map(state).collect()
    })?;
    page.counter("d2mtop_journal_errors", "How often the journal failed, or was set aside.", None, |ledger, _| {
        one(ledger.journal_errors)
    })
}
