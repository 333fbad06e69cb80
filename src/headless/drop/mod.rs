//! `d2mtop drop`: drops devices from the group by the full steps, after saying which and asking.

mod steps;
mod targets;

use serde_json::json;

use super::connection::OneShotDevice;
use super::devices::{self, Listed};
use super::leave::{self, RemainingDevices};
use crate::cli::DropArgs;
use crate::output::ndjson;
use crate::output::words::{require_agreement, say};
use crate::output::{Failure, Outcome};
use crate::protocol::DeviceId;
use crate::runtime::clock;
use steps::{Dropped, drop_device};
use targets::{names, targets};

/// Finds the devices, asks, and drops one after the other.
///
/// # Errors
/// If a device is not found, nobody agrees, or the server does not do it.
pub fn run(options: &DropArgs) -> Result<Outcome, Failure> {
    let mut device = OneShotDevice::new(options.profile.as_deref(), &options.connection)?;
    device.require_writable("not dropped")?;
    let own = device.own();
    let listed = device.run_one_shot(async |session| devices::list(session).await)?;
    let targets = targets(&listed, own, options)?;
    require_agreement(options.yes, &question(&listed, own, &targets))?;
    let json = options.json;
    device.run_one_shot(async |session| {
        for target in targets {
            report(&listed, target, drop_device(session, target, own).await?, json)?;
        }
        Ok(())
    })?;
    Ok(Outcome::Normal)
}

fn question(listed: &Listed, own: DeviceId, targets: &[DeviceId]) -> String {
    let remaining = RemainingDevices::of(listed, &[targets, &[own]].concat());
    let own = if targets.contains(&own) { " This device itself leaves the group for good." } else { "" };
    format!("Drop {} from the group?{own} {remaining}", names(listed, targets.iter().copied()))
}

fn report(listed: &Listed, target: DeviceId, dropped: Dropped, json: bool) -> Result<(), Failure> {
    let label = listed.get(&target).map(|device| leave::name(target, device));
    let name = names(listed, std::iter::once(target));
    let (event, words) = match dropped {
        Dropped::Now => ("device_dropped", format!("dropped {name}")),
        Dropped::Already => ("device_gone", format!("{name} was no longer in the group")),
    };
    if json {
        return say(&ndjson::line(clock::now(), event, json!({ "device": target, "label": label })).to_string());
    }
    say(&words)
}
