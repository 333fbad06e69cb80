//! `d2mtop drop`: drops devices from the group by the full steps, after saying which and asking.

mod targets;

use serde_json::json;

use super::devices::{self, Listed};
use super::one_shot_device::{OneShotDevice, Turn};
use crate::cli::DropArgs;
use crate::output::ndjson;
use crate::output::words::{remark, require_agreement, say};
use crate::output::{Failure, Outcome};
use crate::profile::known_devices;
use crate::protocol::DeviceId;
use crate::runtime::clock;
use crate::runtime::drop_device::{Dropped, drop_device};
use crate::runtime::leave_group::Farewell;
use crate::session::{Command, Confirmed};

/// Finds the devices, asks, and drops one after the other.
///
/// # Errors
/// If a device is not found, nobody agrees, or the server does not do it.
pub fn run(options: &DropArgs) -> Result<Outcome, Failure> {
    let turn = Turn::long_if(!options.yes);
    let mut visitor = OneShotDevice::new(options.profile.as_deref(), &options.connection, turn)?;
    visitor.require_writable("not dropped")?;
    let own = visitor.own();
    let listed = visitor.run_one_shot(async |visit| devices::list(visit).await)?;
    let targets = targets::of(&listed, own, options)?;
    require_agreement(options.yes, &question(&listed, own, &targets))?;
    let json = options.json;
    let known = visitor.profile().name.as_ref().and_then(known_devices::path);
    visitor.run_one_shot(async |visit| {
        for target in targets {
            let command = if target == own {
                Command::LeaveGroup(Confirmed::after_asking(()))
            } else {
                Command::DropDevice(Confirmed::after_asking(target))
            };
            let dropped = drop_device(visit, command, target).await?;
            if let Some(Err(error)) = known.as_deref().map(|known| known_devices::note_dropped(known, target)) {
                remark(&format!("the return of this device would not be told: {error}"));
            }
            report(&listed, target, dropped, json)?;
        }
        Ok(())
    })?;
    Ok(Outcome::Normal)
}

fn names(listed: &Listed, ids: impl Iterator<Item = DeviceId>) -> String {
    let words = |id| listed.get(&id).map_or_else(|| id.to_string(), |device| device.name_with_id(id));
    ids.map(words).collect::<Vec<_>>().join(", ")
}

fn question(listed: &Listed, own: DeviceId, targets: &[DeviceId]) -> String {
    let farewell = Farewell::of(listed, &[targets, &[own]].concat());
    let own = if targets.contains(&own) { " This device itself leaves the group for good." } else { "" };
    format!("Drop {} from the group?{own} {farewell}", names(listed, targets.iter().copied()))
}

fn report(listed: &Listed, target: DeviceId, dropped: Dropped, json: bool) -> Result<(), Failure> {
    let label = listed.get(&target).map(|device| device.name(target));
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
