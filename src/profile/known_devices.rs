//! The known devices of a profile in a file, so that a change while d2mtop does not run is noticed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::directories;
use super::name::ProfileName;
use super::record::Slot;
use crate::group::{KnownDevice, KnownDevices};
use crate::os::private_files;
use crate::protocol::d2d::Platform;
use crate::protocol::{DeviceId, DeviceInfo, ExpirationPolicy};
use crate::text::Clean;

/// In the state directory of the profile.
const FILE: &str = "known.json";

/// The file of a profile; [`None`] without a home directory.
#[must_use]
pub fn path(name: &ProfileName) -> Option<PathBuf> {
    Some(directories::profile_state(name)?.join(FILE))
}

/// The format version of the file.
const VERSION: u32 = 1;

/// The list of known devices cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KnownDevicesError {
    /// The file cannot be read or written.
    #[error("cannot use the list of known devices {path}: {cause}")]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system or a library tells it.
        cause: io::Error,
    },
    /// The file holds something else.
    #[error("{path} is no list of known devices (remove it, and the next list counts as known): {cause}")]
    Content {
        /// The path of the file.
        path: PathBuf,
        cause: serde_json::Error,
    },
    /// A newer d2mtop wrote the file.
    #[error("{path} was written by a newer d2mtop (version {version}); remove it, and the next list counts as known")]
    Version {
        /// The path of the file.
        path: PathBuf,
        /// The version that it says.
        version: u32,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DevicesFile {
    version: u32,
    devices: Vec<Device>,
    /// In the order in which they left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<Device>,
}

/// A device. It has no description if its device info did not decrypt.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Device {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    info: Option<Info>,
    /// How long its slot was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slot: Option<Slot>,
    /// Whether it was dropped from here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    dropped: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Info {
    label: String,
    platform: String,
    app_version: String,
    platform_details: String,
}

/// Reads the list; [`None`] if there is no file yet.
///
/// # Errors
/// If the file cannot be read, or holds something else.
pub fn load(path: &Path) -> Result<Option<KnownDevices>, KnownDevicesError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|cause| KnownDevicesError::File { path: path.to_owned(), cause })?,
    };
    let content = |cause| KnownDevicesError::Content { path: path.to_owned(), cause };
    let contents: DevicesFile = serde_json::from_str(&text).map_err(content)?;
    if contents.version != VERSION {
        return Err(KnownDevicesError::Version { path: path.to_owned(), version: contents.version });
    }
    let read = |device: Device| {
        let id: DeviceId = device.id.parse().map_err(serde::de::Error::custom)?;
        Ok((id, device.into_known()))
    };
    let listed: Vec<_> = contents.devices.into_iter().map(read).collect::<Result<_, _>>().map_err(content)?;
    let left: Vec<_> = contents.former.into_iter().map(read).collect::<Result<_, _>>().map_err(content)?;
    Ok(Some(KnownDevices::kept(listed, left)))
}

/// Writes the list, whole or not at all, readable by its owner only.
///
/// # Errors
/// If the file cannot be written.
pub fn save(path: &Path, kept: &KnownDevices) -> Result<(), KnownDevicesError> {
    write(path, kept).map_err(|cause| KnownDevicesError::File { path: path.to_owned(), cause })
}

/// Notes that a device was dropped, so that its return is told; where nothing is known yet, it stays so.
///
/// # Errors
/// If the file cannot be read or written.
pub fn note_dropped(path: &Path, device: DeviceId) -> Result<(), KnownDevicesError> {
    let Some(mut known) = load(path)? else { return Ok(()) };
    known.dropped(device, None);
    save(path, &known)
}

fn write(path: &Path, kept: &KnownDevices) -> io::Result<()> {
    let devices = kept.listed().map(|(id, known)| Device::of(id, known)).collect();
    let former = kept.left().map(|(id, known)| Device::of(id, known)).collect();
    let text = serde_json::to_string_pretty(&DevicesFile { version: VERSION, devices, former })?;
    private_files::replace(path, text.as_bytes())
}

impl Device {
    fn of(id: DeviceId, known: &KnownDevice) -> Self {
        let slot = known.policy.map(|policy| match policy {
            ExpirationPolicy::Volatile => Slot::Volatile,
            ExpirationPolicy::Persistent => Slot::Persistent,
        });
        Self { id: id.to_string(), info: known.info.as_ref().map(Info::of), slot, dropped: known.dropped }
    }

    fn into_known(self) -> KnownDevice {
        KnownDevice {
            info: self.info.map(Info::into_device_info),
            policy: self.slot.map(ExpirationPolicy::from),
            dropped: self.dropped,
        }
    }
}

impl Info {
    fn of(info: &DeviceInfo) -> Self {
        Self {
            label: info.label.to_string(),
            platform: info.platform.to_string().to_lowercase(),
            app_version: info.app_version.to_string(),
            platform_details: info.platform_details.to_string(),
        }
    }

    fn into_device_info(self) -> DeviceInfo {
        let platforms = [Platform::Android, Platform::Ios, Platform::Desktop, Platform::Web];
        let platform = platforms.into_iter().find(|platform| platform.to_string().to_lowercase() == self.platform);
        DeviceInfo {
            platform: platform.unwrap_or_default(),
            platform_details: Clean::new(&self.platform_details),
            app_version: Clean::new(&self.app_version),
            label: Clean::new(&self.label),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn known() -> KnownDevices {
        let info = DeviceInfo {
            platform: Platform::Ios,
            platform_details: Clean::new("iPad"),
            app_version: Clean::new("7.2.2"),
            label: Clean::new("evil\u{1b}]52;c;\u{202e}\"日本"),
        };
        let device = |info, policy, dropped| KnownDevice { info, policy, dropped };
        let listed = [
            (DeviceId(1), device(Some(info.clone()), Some(ExpirationPolicy::Persistent), false)),
            (DeviceId(2), device(None, None, false)),
        ];
        let left = [
            (DeviceId(4), device(Some(info), Some(ExpirationPolicy::Volatile), true)),
            (DeviceId(3), device(None, Some(ExpirationPolicy::Volatile), false)),
        ];
        KnownDevices::kept(listed, left)
    }

    #[test]
    fn what_is_saved_is_loaded_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known.json");
        assert_eq!(load(&path).unwrap(), None, "there is no file yet");
        fs::write(&path, "open to all").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        save(&path, &known()).unwrap();
        assert_eq!(load(&path).unwrap(), Some(known()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known.json");
        for (content, words) in [
            ("", "no list of known devices"),
            ("{\"version\":1}", "missing field"),
            ("{\"version\":2,\"devices\":[]}", "newer d2mtop"),
            ("{\"version\":1,\"devices\":[{\"id\":\"x\"}]}", "16 hex digits"),
        ] {
            fs::write(&path, content).unwrap();
            let error = load(&path).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("known.json"), "{content}: {error}");
        }
        let nowhere = path.join("missing/known.json");
        assert!(save(&nowhere, &known()).unwrap_err().to_string().contains("missing"));
    }
}
