//! The directories that our files are in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use etcetera::base_strategy::Xdg;

use super::name::ProfileName;

/// `$XDG_STATE_HOME/d2mtop`; [`None`] without a home directory.
#[must_use]
pub fn state_directory() -> Option<PathBuf> {
    let places = Xdg::new().ok()?;
    usable(&places.state_dir()?, "XDG_STATE_HOME", places.home_dir())
}

/// `$XDG_CONFIG_HOME/d2mtop`; [`None`] without a home directory.
#[must_use]
pub fn config_directory() -> Option<PathBuf> {
    let places = Xdg::new().ok()?;
    usable(&places.config_dir(), "XDG_CONFIG_HOME", places.home_dir())
}

/// Our directory in this one, which the variable names or the home contains; [`None`] if neither is usable. The home of a
/// system user often does not exist: it is never made, and a relative one is never used.
fn usable(directory: &Path, variable: &str, home: &Path) -> Option<PathBuf> {
    let is_named = std::env::var_os(variable).is_some_and(|named| Path::new(&named).is_absolute());
    (is_named || is_home(home)).then(|| directory.join("d2mtop"))
}

fn is_home(path: &Path) -> bool {
    path.is_absolute() && path.is_dir()
}

/// The state directory of a profile; [`None`] without a home directory.
#[must_use]
pub fn profile_state(name: &ProfileName) -> Option<PathBuf> {
    Some(state_directory()?.join("profiles").join(name.as_str()))
}

/// Renames the state directory with its profile.
///
/// # Errors
/// If the file system does not do it.
pub fn rename_profile_state(from: &ProfileName, to: &ProfileName) -> io::Result<()> {
    let (Some(old), Some(new)) = (profile_state(from), profile_state(to)) else { return Ok(()) };
    // The new directory can be left over from a removed profile. Where the file system ignores case, it can also be the
    // same directory.
    if !from.is_like(to) {
        gone_is_well(fs::remove_dir_all(&new))?;
    }
    gone_is_well(fs::rename(old, new))
}

/// Deletes the state directory of a profile.
///
/// # Errors
/// If the file system does not do it.
pub fn forget_profile_state(name: &ProfileName) -> io::Result<()> {
    profile_state(name).map_or(Ok(()), |directory| gone_is_well(fs::remove_dir_all(directory)))
}

fn gone_is_well(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_where_it_says_whoever_we_are() {
        let home = tempfile::tempdir().unwrap();
        assert!(is_home(home.path()));
        assert!(!is_home(&home.path().join("missing")));
        assert!(!is_home(Path::new("src")), "it is there, but not wherever we are");
    }
}
