//! Which devices are meant.

use super::names;
use crate::cli::DropArgs;
use crate::group::ListedDevice;
use crate::headless::devices::Listed;
use crate::output::{Failure, Outcome};
use crate::protocol::DeviceId;
use crate::text::Clean;

/// Whom the options mean; this device itself comes last.
pub(super) fn of(listed: &Listed, own: DeviceId, options: &DropArgs) -> Result<Vec<DeviceId>, Failure> {
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
        move |(_, device): &(&DeviceId, &ListedDevice)| {
            device.info.as_ref().is_ok_and(|info| {
                let label = info.label.as_str();
                if exactly { label == name } else { label.to_lowercase() == name.to_lowercase() }
            })
        }
    };
    let ids = |found: &mut dyn Iterator<Item = (&DeviceId, &ListedDevice)>| -> Vec<DeviceId> {
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
    let name = Clean::new(name);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{DeviceActivity, DeviceInfo};

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
