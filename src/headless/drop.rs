//! `d2mtop drop`: drops devices from the group by the full steps, after saying which and asking.

use serde_json::json;

use super::devices::{self, Listed, in_words};
use super::leave::{self, Farewell};
use super::one_shot_device::{OneShotDevice, Turn};
use crate::cli::DropArgs;
use crate::group::{Event, LockEvent, Refusal};
use crate::output::Failure;
use crate::output::Outcome;
use crate::output::advice::refusal_words;
use crate::output::ndjson;
use crate::output::words::{remark, require_agreement, say};
use crate::profile::known_devices;
use crate::protocol::DeviceId;
use crate::runtime::one_shot::PATIENCE;
use crate::runtime::{OneShotEnd, OneShotSession, clock};
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
    let targets = targets(&listed, own, options)?;
    require_agreement(options.yes, &question(&listed, own, &targets))?;
    let json = options.json;
    let known = visitor.profile().name.as_ref().and_then(known_devices::path);
    visitor.run_one_shot(async |visit| {
        for target in targets {
            let dropped = drop_device(visit, target, own).await?;
            if let Some(Err(error)) = known.as_deref().map(|known| known_devices::note_dropped(known, target)) {
                remark(&format!("the return of this device would not be told: {error}"));
            }
            report(&listed, target, dropped, json)?;
        }
        Ok(())
    })?;
    Ok(Outcome::Normal)
}

/// Whom the options mean; this device itself comes last.
fn targets(listed: &Listed, own: DeviceId, options: &DropArgs) -> Result<Vec<DeviceId>, Failure> {
    let mut targets = Vec::new();
    for name in &options.devices {
        let target = find(listed, name)?;
        if target == own && !options.own {
            return Err(Failure::Usage(format!("{target} is this device; to leave the group with it, add --self")));
        }
        if target != own && !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets.extend(options.own.then_some(own));
    Ok(targets)
}

/// The device of that id, of the only id that begins so, or of that label.
fn find(listed: &Listed, name: &str) -> Result<DeviceId, Failure> {
    let is_hex = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_label = |exactly: bool| {
        move |(_, device): &(&DeviceId, &crate::group::ListedDevice)| {
            device.info.as_ref().is_ok_and(|info| {
                let label = info.label.as_str();
                if exactly { label == name } else { label.to_lowercase() == name.to_lowercase() }
            })
        }
    };
    let ids = |found: &mut dyn Iterator<Item = (&DeviceId, &crate::group::ListedDevice)>| -> Vec<DeviceId> {
        found.map(|(id, _)| *id).collect()
    };
    if let Some(id) = name.parse().ok().filter(|id| listed.contains_key(id)) {
        return Ok(id);
    }
    // A label of its own goes before the same without regard to case; digits may be the beginning of an id, too.
    let mut found = ids(&mut listed.iter().filter(has_label(true)));
    if found.is_empty() {
        found = ids(&mut listed.iter().filter(has_label(false)));
    }
    if is_hex {
        let begins = |id: &DeviceId| id.to_string().starts_with(&name.to_ascii_lowercase());
        found.extend(
            listed.keys().filter(|id| begins(id)).filter(|id| !found.contains(id)).copied().collect::<Vec<_>>(),
        );
    }
    let name = crate::text::Clean::new(name);
    match found.as_slice() {
        [only] => Ok(*only),
        [] => {
            let words =
                format!("no device is called {name}; these are there: {}", names(listed, listed.keys().copied()));
            Err(Failure::Ended { outcome: Outcome::NoSuchDevice, words })
        }
        several => {
            let candidates = names(listed, several.iter().copied());
            let words = format!("{name} can be more than one device: {candidates}; say which by its id");
            Err(Failure::Ended { outcome: Outcome::NoSuchDevice, words })
        }
    }
}

fn names(listed: &Listed, ids: impl Iterator<Item = DeviceId>) -> String {
    let words = |id| listed.get(&id).map_or_else(|| id.to_string(), |device| in_words(id, device));
    ids.map(words).collect::<Vec<_>>().join(", ")
}

fn question(listed: &Listed, own: DeviceId, targets: &[DeviceId]) -> String {
    let farewell = Farewell::of(listed, &[targets, &[own]].concat());
    let own = if targets.contains(&own) { " This device itself leaves the group for good." } else { "" };
    format!("Drop {} from the group?{own} {farewell}", names(listed, targets.iter().copied()))
}

/// What came of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dropped {
    Now,
    /// Somebody else was faster.
    Already,
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

/// Lock, list, drop, commit; over when the lock is free again, or with this device itself.
async fn drop_device(visit: &mut OneShotSession, target: DeviceId, own: DeviceId) -> Result<Dropped, Failure> {
    visit.hurry(PATIENCE);
    let mut progress = Progress::default();
    let mut command = Some(if target == own {
        Command::LeaveGroup(Confirmed::after_asking(()))
    } else {
        Command::DropDevice(Confirmed::after_asking(target))
    });
    loop {
        if visit.is_logged_in()
            && let Some(command) = command.take()
        {
            visit.ask(command);
        }
        match visit.next().await {
            Ok((_, Event::DeviceDropped(device))) if device == target => progress.dropped = Some(Dropped::Now),
            Ok((_, Event::Refused(Refusal::NoSuchDevice))) => progress.dropped = Some(Dropped::Already),
            Ok((_, event)) => progress.take(&event)?,
            // What was done stays done, however the connection ended afterwards.
            Err(end) => return progress.dropped.ok_or_else(|| progress.failure(&end)),
        }
        if let (Some(dropped), false) = (progress.dropped, progress.locked) {
            return Ok(dropped);
        }
    }
}

/// How far the steps are.
#[derive(Debug, Default)]
struct Progress {
    locked: bool,
    waiting: bool,
    dropped: Option<Dropped>,
}

impl Progress {
    fn take(&mut self, event: &Event) -> Result<(), Failure> {
        match event {
            Event::Lock(LockEvent::Acquired { .. }) => self.locked = true,
            Event::Lock(LockEvent::Released(_)) => self.locked = false,
            Event::Lock(LockEvent::HeldBy { holder, .. }) if !self.waiting => {
                self.waiting = true;
                remark(&format!("waiting for the lock, which {holder} has"));
            }
            Event::Refused(why) if *why != Refusal::Unconfirmed => {
                return Err(Failure::Ended { outcome: Outcome::Unwell, words: refusal_words(*why) });
            }
            _ => {}
        }
        Ok(())
    }

    fn failure(&self, end: &OneShotEnd) -> Failure {
        if self.locked {
            let words = format!("perhaps dropped: {end} before it confirmed; look at the list with d2mtop devices");
            return Failure::Ended { outcome: Outcome::Lost, words };
        }
        if self.waiting && *end == OneShotEnd::TooLate {
            let words = "not dropped: another device has the lock; try again in a minute".to_owned();
            return Failure::Ended { outcome: Outcome::LockBusy, words };
        }
        Failure::Ended { outcome: end.outcome(), words: format!("not dropped: {end}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::ListedDevice;
    use crate::protocol::{DeviceActivity, DeviceInfo};
    use crate::text::Clean;

    fn listed() -> Listed {
        let devices = ["ab01000000000000", "ab02000000000000", "cd03000000000000", "ef04000000000000"];
        let labels = ["Pixel", "iPad", "pixel", "ab0"];
        let device = |(id, label): (&str, &str)| {
            let info = DeviceInfo { label: Clean::new(label), ..DeviceInfo::default() };
            (
                id.parse().unwrap(),
                ListedDevice { info: Ok(info), activity: DeviceActivity::Unknown, expiration_policy: None },
            )
        };
        devices.into_iter().zip(labels).map(device).collect()
    }

    #[test]
    fn a_device_is_found_by_id_prefix_or_label_and_never_guessed() {
        let listed = listed();
        for (name, found) in [
            ("ab01000000000000", Ok("ab01000000000000")),
            ("AB01", Ok("ab01000000000000")),
            ("c", Ok("cd03000000000000")),
            ("IPAD", Ok("ab02000000000000")),
            ("Pixel", Ok("ab01000000000000")),
            ("pixel", Ok("cd03000000000000")),
            ("PIXEL", Err("more than one")),
            ("ab", Err("more than one")),
            // A label, and the beginning of two ids.
            ("ab0", Err("ab01000000000000")),
            ("0", Err("no device")),
            ("", Err("no device")),
            ("Pix", Err("no device")),
        ] {
            match (find(&listed, name), found) {
                (Ok(id), Ok(expected)) => assert_eq!(id.to_string(), expected, "{name}"),
                (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{name}: {error}"),
                (found, _) => panic!("{name}: {found:?}"),
            }
        }
    }
}
