//! `d2mtop devices`: who is in the group, once or as it changes.

mod changes;
mod turns;

use std::collections::BTreeMap;

use super::one_shot_device::{OneShotDevice, Turn};
use crate::cli::DevicesArgs;
use crate::group::{Event, ListedDevice};
use crate::output::words::say;
use crate::output::{Failure, Outcome, device_table, ndjson};
use crate::protocol::DeviceId;
use crate::runtime::{OneShotSession, clock};

/// All devices of a group.
pub(super) type Listed = BTreeMap<DeviceId, ListedDevice>;

/// Lists the devices, or stays and prints what changes.
///
/// # Errors
/// If the options are unusable, there is no list, or standard output fails.
pub fn run(options: &DevicesArgs) -> Result<Outcome, Failure> {
    let turn = Turn::long_if(options.watch_changes);
    let mut visitor = OneShotDevice::new(options.profile.name(), &options.connection, turn)?;
    let own = visitor.own();
    if options.watch_changes {
        return changes::watch(&mut visitor, options);
    }
    let (listed, ahead) = visitor.run_one_shot(async |visit| Ok((list(visit).await?, visit.clock_offset())))?;
    if options.json {
        for (id, device) in &listed {
            let mut fields = ndjson::device(*id, device);
            if let Some(object) = fields.as_object_mut() {
                object.insert("own".to_owned(), (*id == own).into());
            }
            say(&ndjson::line(clock::now(), "device", fields).to_string())?;
        }
    } else {
        device_table::lines(&listed, own, ahead, options.wide).iter().try_for_each(|line| say(line))?;
    }
    Ok(Outcome::Normal)
}

/// The list that is asked for at every login.
pub(super) async fn list(visit: &mut OneShotSession) -> Result<Listed, Failure> {
    let listed = visit.until(|event| match event {
        Event::Devices(listed) => Some(listed),
        _ => None,
    });
    Ok(listed.await?)
}
