//! [`VisitorSlot`]: the slot that commands without a profile come back to, so that they do not fill a group with a new device
//! each.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::directories;
use super::kept_device;
use super::slot_memory::SlotMemory;
use crate::os::lock_file::{LockFile, LockFileError};
use crate::protocol::{DeviceGroupId, DeviceId, Dialect, ExpirationPolicy};

/// Of all groups that were visited, in the state directory.
const DIRECTORY: &str = "visits";

const LOCK: &str = "lock";

/// How often it looks whether it is its turn.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Volatile slots are long gone by then.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(30 * 24);

/// How long a visit takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitLength {
    /// It is over in a moment.
    Short,
    /// It stays, or waits for a person. It has a slot apart, so that no short one waits for it.
    Long,
}

/// A slot that is ours until this is dropped, or the process ends.
#[derive(Debug)]
pub struct VisitorSlot {
    /// The id of its device.
    pub device: DeviceId,
    /// What is known of it.
    pub memory: SlotMemory,
    _turn: LockFile,
}

/// Why there is no slot to come back to. The visit can be made with an id of its own.
#[derive(Debug)]
pub enum NoVisitorSlot {
    /// Others have it.
    Taken,
    /// There is no place to keep its id.
    NoPlace,
}

impl VisitorSlot {
    /// The slot at this mediator, for a visit by this group.
    ///
    /// # Errors
    /// If there is no place to keep its id, or others have it.
    pub fn take(
        mediator: &str,
        dialect: Dialect,
        group: DeviceGroupId,
        visit: VisitLength,
        patience: Duration,
    ) -> Result<Self, NoVisitorSlot> {
        let visits = directories::state_directory().ok_or(NoVisitorSlot::NoPlace)?.join(DIRECTORY);
        match Self::take_in(&visits.join(name(mediator, dialect, group, visit)), patience) {
            Ok(slot) => slot.ok_or(NoVisitorSlot::Taken),
            Err(cause) => {
                tracing::info!("no id is kept for visits: {cause}");
                Err(NoVisitorSlot::NoPlace)
            }
        }
    }

    fn take_in(directory: &Path, patience: Duration) -> io::Result<Option<Self>> {
        if !directory.exists() {
            directory.parent().into_iter().for_each(|visits| forget_old(visits, SystemTime::now()));
        }
        let Some(turn) = turn(&directory.join(LOCK), patience)? else { return Ok(None) };
        let mut device = kept_device::in_directory(directory)?;
        let remember = |device| SlotMemory::of_visits(directory, device);
        let mut memory = remember(device);
        if memory.was_dropped() {
            // As every visitor did before: nobody misses the device that was dropped.
            device = kept_device::another_in(directory)?;
            memory = remember(device);
        }
        memory.set_expiration_policy(ExpirationPolicy::Volatile);
        Ok(Some(Self { device, memory, _turn: turn }))
    }
}

/// The name says nothing of the mediator or the group to who does not know both.
fn name(mediator: &str, dialect: Dialect, group: DeviceGroupId, visit: VisitLength) -> PathBuf {
    let mediator = same(mediator);
    let text = format!("{mediator}\n{dialect}\n{group}\n{visit:?}");
    blake2b_simd::Params::new().hash_length(16).hash(text.as_bytes()).to_hex().as_str().into()
}

/// The one way to write what leads to the same mediator.
fn same(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
    let usual = if scheme == "wss" { ":443" } else { ":80" };
    format!("{scheme}://{}/{}", host.strip_suffix(usual).unwrap_or(&host), path.trim_end_matches('/'))
}

/// [`None`] if it does not come in time.
fn turn(path: &Path, patience: Duration) -> io::Result<Option<LockFile>> {
    let until = Instant::now() + patience;
    loop {
        match LockFile::take(path) {
            Ok(file) => return Ok(Some(file)),
            Err(LockFileError::File(cause)) => return Err(cause),
            Err(LockFileError::Held(_)) if Instant::now() >= until => return Ok(None),
            Err(LockFileError::Held(_)) => std::thread::sleep(LOOK_AGAIN),
        }
    }
}

/// Forgets what was not visited for long.
fn forget_old(visits: &Path, now: SystemTime) {
    for entry in fs::read_dir(visits).into_iter().flatten().flatten() {
        let used = fs::metadata(entry.path().join(LOCK)).and_then(|metadata| metadata.modified());
        let is_old = used.is_ok_and(|used| now.duration_since(used).is_ok_and(|age| age > FORGOTTEN_AFTER));
        if is_old && let Err(cause) = fs::remove_dir_all(entry.path()) {
            tracing::info!("an old visit is kept: {cause}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Millis, SlotState};
    use crate::session::SlotExpectation;

    const PATIENCE: Duration = Duration::from_mins(1);

    #[test]
    fn visitors_come_back_as_the_same_device_one_after_the_other() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("visits/group");
        let take = |patience| VisitorSlot::take_in(&directory, patience).unwrap();
        let mut first = take(PATIENCE).unwrap();
        let device = first.device;
        assert_eq!(first.memory.expects(Millis(1)), SlotExpectation::Only(SlotState::New));
        first.memory.registered(Millis(1));
        first.memory.write().unwrap();
        assert!(take(Duration::ZERO).is_none(), "who stays does not wait");
        assert!(take(Duration::from_millis(1)).is_none());
        std::thread::scope(|scope| {
            let second = scope.spawn(|| take(PATIENCE).unwrap());
            drop(first);
            let second = second.join().unwrap();
            assert_eq!(second.device, device);
            assert_eq!(second.memory.expects(Millis(2)), SlotExpectation::after_login(ExpirationPolicy::Volatile));
        });
    }

    #[test]
    fn a_device_that_was_dropped_does_not_come_back() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("visits/group");
        let mut first = VisitorSlot::take_in(&directory, PATIENCE).unwrap().unwrap();
        let device = first.device;
        first.memory.learn(Millis(1), &crate::group::Event::DeviceDropped(device));
        first.memory.write().unwrap();
        drop(first);
        let next = VisitorSlot::take_in(&directory, PATIENCE).unwrap().unwrap();
        assert_ne!(next.device, device);
        assert_eq!(next.memory.expects(Millis(2)), SlotExpectation::Only(SlotState::New));
    }

    #[test]
    fn groups_have_names_of_their_own_that_tell_nothing_and_old_ones_go() {
        let of = |mediator, dialect, group| name(mediator, dialect, DeviceGroupId([group; 32]), VisitLength::Short);
        let one = of("wss://a.example/", Dialect::Dgk, 7);
        assert!(!one.display().to_string().contains("example") && !one.display().to_string().contains("0707"));
        for other in [
            of("wss://b.example/", Dialect::Dgk, 7),
            of("wss://a.example/", Dialect::Mk, 7),
            of("wss://a.example/", Dialect::Dgk, 8),
            name("wss://a.example/", Dialect::Dgk, DeviceGroupId([7; 32]), VisitLength::Long),
        ] {
            assert_ne!(one, other);
        }
        for same in ["WSS://a.example/", "wss://A.Example", "wss://a.example:443/"] {
            assert_eq!(one, of(same, Dialect::Dgk, 7), "{same}");
        }
        assert_ne!(of("wss://a.example/Path", Dialect::Dgk, 7), of("wss://a.example/path/", Dialect::Dgk, 7));
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("visits/group");
        drop(VisitorSlot::take_in(&directory, PATIENCE).unwrap());
        forget_old(&home.path().join("visits"), SystemTime::now());
        assert!(directory.exists());
        forget_old(&home.path().join("visits"), SystemTime::now() + FORGOTTEN_AFTER * 2);
        assert!(!directory.exists());
    }
}
