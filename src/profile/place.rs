//! Where this runs: its name, and where its files go.

use std::path::PathBuf;

use etcetera::BaseStrategy as _;
use etcetera::base_strategy::Xdg;

use super::name::ProfileName;
use crate::text::Clean;

/// `$XDG_STATE_HOME/d2mtop`; [`None`] without a home directory.
#[must_use]
pub fn state_directory() -> Option<PathBuf> {
    Some(Xdg::new().ok()?.state_dir()?.join("d2mtop"))
}

/// `$XDG_CONFIG_HOME/d2mtop`; [`None`] without a home directory.
#[must_use]
pub fn config_directory() -> Option<PathBuf> {
    Some(Xdg::new().ok()?.config_dir().join("d2mtop"))
}

/// The file of this kind that the machine keeps for a profile.
pub(super) fn profile_state(name: &ProfileName, extension: &str) -> Option<PathBuf> {
    Some(state_directory()?.join("profiles").join(format!("{name}.{extension}")))
}

/// `d2mtop@HOST`.
pub(super) fn default_label() -> Clean {
    let system = rustix::system::uname();
    Clean::new(&format!("d2mtop@{}", system.nodename().to_string_lossy()))
}
