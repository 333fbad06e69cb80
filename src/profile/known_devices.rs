//! [`DeviceHistory`]: the known devices of a profile in a file, so that a change while d2mtop does not run is noticed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::group::KnownDevices;
use crate::os::private_files;
use crate::protocol::d2d::Platform;
use crate::protocol::{DeviceId, DeviceInfo};
use crate::text::Clean;

/// The format version of the file.
const VERSION: u32 = 1;

/// The most former devices that are kept.
const MOST_FORMER: usize = 100;

/// The list of known devices cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KnownDevicesError {
    /// The file cannot be read or written.
    #[error("cannot use the list of known devices {path}: {cause}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file holds something else.
    #[error("{path} is no list of known devices (remove it, and the next list counts as known): {cause}")]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        cause: serde_json::Error,
    },
    /// A newer d2mtop wrote the file.
    #[error("{path} was written by a newer d2mtop (version {version}); remove it, and the next list counts as known")]
    Version {
        /// Which file.
        path: PathBuf,
        /// The version that it says.
        version: u32,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
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
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Info {
    label: String,
    platform: String,
    app_version: String,
    platform_details: String,
}

/// The devices of the last list, and the former devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceHistory {
    /// The devices of the last list.
    pub known: KnownDevices,
    /// Devices that left the group, in the order in which they left.
    former: Vec<(DeviceId, DeviceInfo)>,
}

impl DeviceHistory {
    /// Takes the next list. A device that is missing in it becomes a former device.
    pub fn replace(&mut self, known: KnownDevices) {
        let is_there = |id: DeviceId| known.iter().any(|(other, _)| other == id);
        let gone = self.known.iter().filter(|(id, _)| !is_there(*id));
        self.former.extend(gone.filter_map(|(id, info)| Some((id, info?.clone()))));
        self.former.retain(|(id, _)| !is_there(*id));
        self.former.drain(..self.former.len().saturating_sub(MOST_FORMER));
        self.known = known;
    }

    /// All known and former devices.
    #[must_use]
    pub fn ever(&self) -> KnownDevices {
        let former = self.former.iter().map(|(id, info)| (*id, Some(info.clone())));
        former.chain(self.known.iter().map(|(id, info)| (id, info.cloned()))).collect()
    }
}

/// Reads the list; [`None`] if there is no file yet.
///
/// # Errors
/// If the file cannot be read, or holds something else.
pub fn load(path: &Path) -> Result<Option<DeviceHistory>, KnownDevicesError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|cause| KnownDevicesError::File { path: path.to_owned(), cause })?,
    };
    let content = |cause| KnownDevicesError::Content { path: path.to_owned(), cause };
    let contents: Contents = serde_json::from_str(&text).map_err(content)?;
    if contents.version != VERSION {
        return Err(KnownDevicesError::Version { path: path.to_owned(), version: contents.version });
    }
    let read = |device: Device| {
        let id: DeviceId = device.id.parse().map_err(serde::de::Error::custom)?;
        Ok((id, device.info.map(Info::into_device_info)))
    };
    let known = contents.devices.into_iter().map(read).collect::<Result<_, _>>().map_err(content)?;
    let former = contents.former.into_iter().map(read).collect::<Result<Vec<_>, _>>().map_err(content)?;
    let former = former.into_iter().filter_map(|(id, info)| Some((id, info?))).collect();
    Ok(Some(DeviceHistory { known, former }))
}

/// Writes the list, whole or not at all, readable by its owner only.
///
/// # Errors
/// If the file cannot be written.
pub fn save(path: &Path, kept: &DeviceHistory) -> Result<(), KnownDevicesError> {
    write(path, kept).map_err(|cause| KnownDevicesError::File { path: path.to_owned(), cause })
}

fn write(path: &Path, kept: &DeviceHistory) -> io::Result<()> {
    let device = |id: DeviceId, info: Option<&DeviceInfo>| Device { id: id.to_string(), info: info.map(Info::of) };
    let devices = kept.known.iter().map(|(id, info)| device(id, info)).collect();
    let former = kept.former.iter().map(|(id, info)| device(*id, Some(info))).collect();
    let text = serde_json::to_string_pretty(&Contents { version: VERSION, devices, former })?;
    private_files::replace(path, text.as_bytes())
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

    fn known() -> DeviceHistory {
        let info = DeviceInfo {
            platform: Platform::Ios,
            platform_details: Clean::new("iPad"),
            app_version: Clean::new("7.2.2"),
            label: Clean::new("evil\u{1b}]52;c;\u{202e}\"日本"),
        };
        let known = [(DeviceId(1), Some(info.clone())), (DeviceId(2), None)].into_iter().collect();
        DeviceHistory { known, former: vec![(DeviceId(3), info)] }
    }

    #[test]
    fn who_is_gone_is_a_former_device_until_it_is_back() {
        let named = |label: &str| Some(DeviceInfo { label: Clean::new(label), ..DeviceInfo::default() });
        let list = |ids: std::ops::Range<u64>| -> KnownDevices {
            ids.map(|id| (DeviceId(id), named(&id.to_string()))).collect()
        };
        let former = |kept: &DeviceHistory| kept.former.iter().map(|(id, _)| id.0).collect::<Vec<_>>();
        let mut kept = DeviceHistory::default();
        kept.replace(list(1..4));
        assert!(former(&kept).is_empty());
        kept.replace(list(2..3));
        assert_eq!(former(&kept), [1, 3]);
        assert_eq!(kept.ever().iter().count(), 3);
        kept.replace(list(3..4));
        assert_eq!(former(&kept), [1, 2], "one is back, another gone");
        kept.replace(list(10..210));
        kept.replace(KnownDevices::default());
        assert_eq!(kept.former.len(), MOST_FORMER);
        assert_eq!(kept.former.last().map(|(id, _)| id.0), Some(209), "the oldest are forgotten");
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
