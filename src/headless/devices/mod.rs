//! `d2mtop devices`: who is in the group, once or as it changes.

mod changes;
mod presence;
mod table;

use std::collections::BTreeMap;

use super::connection::OneShotDevice;
use super::leave;
use crate::cli::DevicesArgs;
use crate::group::{Event, ListedDevice};
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::ndjson;
use crate::output::words::say;
use crate::protocol::DeviceId;
use crate::runtime::{OneShotSession, clock};

/// All devices of a group.
pub(super) type Listed = BTreeMap<DeviceId, ListedDevice>;

/// Lists the devices, or stays and prints what changes.
///
/// # Errors
/// If the options are unusable, there is no list, or standard output fails.
pub fn run(options: &DevicesArgs) -> Result<Outcome, Failure> {
    let mut device = OneShotDevice::new(options.profile.name(), &options.connection)?;
    let own = device.own();
    if options.watch_changes {
        return changes::watch(&mut device, options);
    }
    let listed = device.run_one_shot(async |session| list(session).await)?;
    if options.json {
        for (id, device) in &listed {
            let mut fields = ndjson::device(*id, device);
            if let Some(object) = fields.as_object_mut() {
                object.insert("own".to_owned(), (*id == own).into());
            }
            say(&ndjson::line(clock::now(), "device", fields).to_string())?;
        }
    } else {
        table::lines(&listed, own, options.wide).iter().try_for_each(|line| say(line))?;
    }
    Ok(Outcome::Normal)
}

/// Waits for the list that every login asks for.
pub(super) async fn list(session: &mut OneShotSession) -> Result<Listed, Failure> {
    let listed = session.until(|event| match event {
        Event::Devices(listed) => Some(listed),
        _ => None,
    });
    Ok(listed.await?)
}

/// The label of a device with its id.
pub(super) fn in_words(id: DeviceId, device: &ListedDevice) -> String {
    let name = leave::name(id, device);
    if name.as_str() == id.to_string() { name.to_string() } else { format!("{name} ({id})") }
}
