//! Where Threema Desktop keeps its profiles.

use std::fs;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use etcetera::base_strategy::Xdg;

use super::desktop::{DesktopError, FILE};
use crate::profile::threema_servers::{PRODUCTION, SANDBOX};

const APPLICATION: &str = "ThreemaDesktop";

/// The mediator of a profile, by the app's name in the name of its directory; [`None`] for OnPrem, whose servers differ.
pub(super) fn mediator(key_storage: &Path) -> Option<&'static str> {
    let directory = key_storage.ancestors().nth(2)?.file_name()?.to_str()?;
    let is = |flavours: [&str; 2]| flavours.iter().any(|flavour| directory.starts_with(flavour));
    if is(["consumer-live-", "work-live-"]) {
        Some(PRODUCTION)
    } else if is(["consumer-sandbox-", "work-sandbox-"]) {
        Some(SANDBOX)
    } else {
        None
    }
}

/// The directories in which Threema Desktop keeps its profiles on this system, likely ones first.
#[must_use]
pub fn applications() -> Vec<PathBuf> {
    Xdg::new().map_or_else(|_| Vec::new(), |xdg| applications_of(xdg.home_dir(), &xdg.data_dir()))
}

pub(super) fn applications_of(home: &Path, data: &Path) -> Vec<PathBuf> {
    let mut directories = vec![data.join(APPLICATION)];
    if cfg!(target_os = "macos") {
        directories.insert(0, home.join("Library/Application Support").join(APPLICATION));
    }
    // A Flatpak has a data directory of its own.
    let sandboxes = fs::read_dir(home.join(".var/app")).into_iter().flatten().flatten();
    let mut inside: Vec<PathBuf> = sandboxes.map(|entry| entry.path().join("data").join(APPLICATION)).collect();
    inside.sort();
    directories.extend(inside);
    directories.push(home.join(".ThreemaDesktop"));
    directories
}

/// Finds the only key storage: in the named directory (of a profile, or of the application with all profiles; the file
/// itself is also fine), or in the usual directories of Threema Desktop.
///
/// # Errors
/// If there is none, or more than one.
pub fn find(named: Option<&Path>, applications: &[PathBuf]) -> Result<PathBuf, DesktopError> {
    let searched = named.map_or_else(|| applications.to_vec(), |named| vec![named.to_owned()]);
    if let Some(named) = named {
        for file in [named.to_owned(), named.join("keystorage.pb3"), named.join(FILE)] {
            if file.is_file() {
                return Ok(file);
            }
        }
    }
    let found: Vec<PathBuf> = searched.iter().flat_map(|directory| profiles(directory)).collect();
    match found.as_slice() {
        [] => Err(DesktopError::NotFound { searched }),
        [profile] => Ok(profile.join(FILE)),
        _ => Err(DesktopError::Several { found }),
    }
}

/// The profiles in use below an application's directory.
fn profiles(application: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(application).into_iter().flatten().flatten();
    let mut profiles: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.join(FILE).is_file() && !is_left_over(path)).collect();
    profiles.sort();
    profiles
}

/// Linking again leaves the old profile behind: its name ends with the time, ten digits.
fn is_left_over(profile: &Path) -> bool {
    let suffix = profile.extension().unwrap_or_default().as_encoded_bytes();
    suffix.len() == 10 && suffix.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(home: &Path, directory: &str) -> PathBuf {
        let file = home.join(directory).join(FILE);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "x").unwrap();
        file
    }

    #[test]
    fn the_only_profile_is_found_wherever_it_is() {
        for place in [
            ".local/share/ThreemaDesktop/consumer-live-default",
            ".var/app/ch.threema.threema-desktop/data/ThreemaDesktop/work-live-default",
            ".ThreemaDesktop/work-onprem-default",
        ] {
            let home = tempfile::tempdir().unwrap();
            let file = profile(home.path(), place);
            profile(home.path(), &format!("{place}.1700000000"));
            let applications = applications_of(home.path(), &home.path().join(".local/share"));
            assert_eq!(find(None, &applications).unwrap(), file);
        }
    }

    #[test]
    fn of_several_profiles_one_must_be_named_in_any_way() {
        let home = tempfile::tempdir().unwrap();
        let application = home.path().join(APPLICATION);
        let first = profile(&application, "consumer-live-default");
        profile(&application, "work-live-default");
        let error = find(None, std::slice::from_ref(&application)).unwrap_err().to_string();
        assert!(error.contains("consumer-live-default") && error.contains("work-live-default"), "{error}");
        assert!(matches!(find(Some(&application), &[]), Err(DesktopError::Several { .. })));
        let named = application.join("consumer-live-default");
        for way in [named.clone(), named.join("data"), first.clone()] {
            assert_eq!(find(Some(&way), &[]).unwrap(), first);
        }
    }

    #[test]
    fn a_profile_of_the_public_servers_says_which_mediator() {
        let of = |directory: &str| mediator(&Path::new("/x").join(directory).join(FILE));
        assert_eq!(of("consumer-live-default"), Some(PRODUCTION));
        assert_eq!(of("work-sandbox-two"), Some(SANDBOX));
        assert_eq!(of("work-onprem-default"), None);
        assert_eq!(of("elsewhere"), None);
    }

    #[test]
    fn where_nothing_is_the_places_are_told() {
        let home = tempfile::tempdir().unwrap();
        let error = find(None, &applications_of(home.path(), &home.path().join("data"))).unwrap_err().to_string();
        assert!(error.contains("data/ThreemaDesktop") && error.contains("--threema-desktop DIR"), "{error}");
    }
}
