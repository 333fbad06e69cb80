//! The known devices of a profile in a file of its own, so that what changes while d2mtop is away is noticed, too.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::group::Known;
use crate::protocol::d2d::Platform;
use crate::protocol::{DeviceId, DeviceInfo};
use crate::text::Clean;

/// The version of the file; another one is not read.
const VERSION: u32 = 1;

/// The list of known devices cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
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
}

/// A device; without a description, what it said of itself did not decrypt.
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

/// Reads the list; [`None`] if there is no file yet.
///
/// # Errors
/// If the file cannot be read, or holds something else.
pub fn load(path: &Path) -> Result<Option<Known>, KnownError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|cause| KnownError::File { path: path.to_owned(), cause })?,
    };
    let content = |cause| KnownError::Content { path: path.to_owned(), cause };
    let contents: Contents = serde_json::from_str(&text).map_err(content)?;
    if contents.version != VERSION {
        return Err(KnownError::Version { path: path.to_owned(), version: contents.version });
    }
    let devices = contents.devices.into_iter().map(|device| {
        let id: DeviceId = device.id.parse().map_err(serde::de::Error::custom)?;
        Ok((id, device.info.map(Info::into_device_info)))
    });
    devices.collect::<Result<Known, _>>().map(Some).map_err(content)
}

/// Writes the list, whole or not at all, readable by its owner only.
///
/// # Errors
/// If the file cannot be written.
pub fn save(path: &Path, known: &Known) -> Result<(), KnownError> {
    write(path, known).map_err(|cause| KnownError::File { path: path.to_owned(), cause })
}

fn write(path: &Path, known: &Known) -> io::Result<()> {
    let devices = known.iter().map(|(id, info)| Device { id: id.to_string(), info: info.map(Info::of) }).collect();
    let text = serde_json::to_string_pretty(&Contents { version: VERSION, devices })?;
    // Beside it, so that it can be renamed over it; of this process alone, so that two do not mix.
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    let written = file
        .set_permissions(Permissions::from_mode(0o600))
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
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
    use super::*;

    fn known() -> Known {
        let info = DeviceInfo {
            platform: Platform::Ios,
            platform_details: Clean::new("iPad"),
            app_version: Clean::new("7.2.2"),
            label: Clean::new("evil\u{1b}]52;c;\u{202e}\"日本"),
        };
        [(DeviceId(1), Some(info)), (DeviceId(2), None)].into_iter().collect()
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
        let nowhere = directory.path().join("missing/known.json");
        assert!(save(&nowhere, &known()).unwrap_err().to_string().contains("missing"));
    }
}
