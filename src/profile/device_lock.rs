//! [`DeviceLock`]: one process logs in as a device. A second login as the same device would end the first one.

use std::path::{Path, PathBuf};

use crate::os::lock_file::{self, LockFile, LockFileError};
use crate::protocol::{DeviceGroupId, DeviceId};

/// A lock on one device, against other processes of this user. It lasts until it is dropped, or the process ends.
#[derive(Debug)]
pub struct DeviceLock {
    path: PathBuf,
    _file: LockFile,
}

/// Another process of this user runs as this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another d2mtop is running as this device{}; quit that one first", lock_file::process(*.process))]
pub struct DeviceInUse {
    /// Its process id, if it says.
    pub process: Option<u32>,
}

impl DeviceLock {
    /// Locks a device; [`None`] if there is no place for a lock file, which is no reason to stop.
    ///
    /// # Errors
    /// If another process has locked it.
    pub fn take(group: DeviceGroupId, device: DeviceId) -> Result<Option<Self>, DeviceInUse> {
        super::directories::state_directory().map_or(Ok(None), |directory| Self::take_in(&directory, group, device))
    }

    fn take_in(directory: &Path, group: DeviceGroupId, device: DeviceId) -> Result<Option<Self>, DeviceInUse> {
        let group = group.to_string();
        let path = directory.join(format!("device-{}-{device}.lock", group.get(..16).unwrap_or(&group)));
        match LockFile::take(&path) {
            Ok(file) => Ok(Some(Self { path, _file: file })),
            Err(LockFileError::Held(process)) => Err(DeviceInUse { process }),
            Err(LockFileError::File(_)) => Ok(None),
        }
    }
}

impl Drop for DeviceLock {
    fn drop(&mut self) {
        // The file of a killed process stays, but nobody holds its lock.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_locked_once_until_it_is_let_go() {
        let directory = tempfile::tempdir().unwrap();
        let group = DeviceGroupId([7; 32]);
        let take = |device| DeviceLock::take_in(&directory.path().join("state"), group, DeviceId(device));
        let first = take(1).unwrap().expect("there is a place for lock files");
        assert_eq!(take(1).unwrap_err(), DeviceInUse { process: Some(std::process::id()) });
        assert!(take(2).unwrap().is_some(), "another device is free");
        drop(first);
        assert!(take(1).unwrap().is_some());
        assert!(DeviceLock::take_in(Path::new("/proc/nonexistent"), group, DeviceId(1)).unwrap().is_none());
        assert_eq!(std::fs::read_dir(directory.path().join("state")).unwrap().count(), 0, "nothing is left behind");
    }
}
