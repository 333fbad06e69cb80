//! The device id that this machine made: of a profile that says none, and of commands without a profile. It lies in a state
//! directory, as opening writes nothing where people keep their settings.

use std::fs::File;
use std::io;
use std::path::Path;

use rand::Rng as _;

use super::directories;
use super::error::ProfileError;
use super::name::ProfileName;
use super::random::fresh_random;
use super::record::Record;
use crate::os::private_files;
use crate::protocol::DeviceId;

const FILE: &str = "device-id";

/// The id of a profile's device: the one that the profile says, else the one that was made for it; [`None`] before the first
/// use.
#[must_use]
pub fn device_of(name: &ProfileName, record: &Record) -> Option<DeviceId> {
    record.device_id.or_else(|| read(&directories::profile_state(name)?.join(FILE)).ok().flatten())
}

/// The id that was made for the profile; one is made if there is none.
pub(super) fn of_profile(name: &ProfileName) -> Result<DeviceId, ProfileError> {
    let directory = directories::profile_state(name).ok_or(ProfileError::NoPlaceForDeviceId)?;
    in_directory(&directory)
        .map_err(|cause| ProfileError::DeviceIdFile { path: directory.join(FILE), cause: cause.to_string() })
}

/// The id in the state directory, which is made with it if it is missing.
pub(super) fn in_directory(directory: &Path) -> io::Result<DeviceId> {
    let path = directory.join(FILE);
    // Also where nothing can be written any more.
    if let Some(id) = read(&path)? {
        return Ok(id);
    }
    private_files::make_directory(directory)?;
    let lock = File::open(directory)?;
    lock.lock()?;
    // Somebody else may have been first.
    if let Some(id) = read(&path)? { Ok(id) } else { renew(&path) }
}

/// Puts another id in the place of the one in this state directory.
pub(super) fn another_in(directory: &Path) -> io::Result<DeviceId> {
    renew(&directory.join(FILE))
}

fn renew(path: &Path) -> io::Result<DeviceId> {
    let id = DeviceId(fresh_random().r#gen());
    private_files::replace(path, format!("{id}\n").as_bytes()).map(|()| id)
}

fn read(path: &Path) -> io::Result<Option<DeviceId>> {
    let Some(text) = private_files::read(path)? else { return Ok(None) };
    let id = text.trim().parse();
    id.map(Some).map_err(|_| io::Error::other("it holds no device id; remove it, and another one is made"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_once_also_by_many_at_once() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("state/profiles/home");
        let made: Vec<DeviceId> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..8).map(|_| scope.spawn(|| in_directory(&directory).unwrap())).collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect()
        });
        assert!(made.iter().all(|id| *id == made[0]), "{made:?}");
        assert_ne!(another_in(&directory).unwrap(), made[0]);
        assert_ne!(in_directory(&directory).unwrap(), made[0]);
    }

    #[test]
    fn what_is_no_id_is_not_replaced_without_a_word() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(FILE), "00").unwrap();
        let error = in_directory(home.path()).unwrap_err().to_string();
        assert!(error.contains("no device id; remove it"), "{error}");
    }
}
