//! What was changed on the screen, for the next time.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::os::private_files;
use crate::profile::state_directory;
use crate::tui::panes::PaneSizes;

/// How the screen was left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Remembered {
    /// As the configuration writes it.
    pub sort: String,
    /// Whether one pane filled the screen.
    pub zoomed: bool,
    /// By how much panes were larger than usual.
    pub sizes: PaneSizes,
}

fn path() -> Option<PathBuf> {
    Some(state_directory()?.join("screen.toml"))
}

impl Remembered {
    /// As it was left; what cannot be read is as nothing was left: only looks depend on it.
    pub(in crate::tui) fn read() -> Option<Self> {
        let text = private_files::read(&path()?).ok()??;
        toml_edit::de::from_str(&text).ok()
    }

    /// For the next time.
    pub(in crate::tui) fn write(&self) {
        let (Some(path), Ok(text)) = (path(), toml_edit::ser::to_string(self)) else { return };
        if let Err(cause) = private_files::replace(&path, text.as_bytes()) {
            tracing::warn!(%cause, "how the screen was left could not be kept");
        }
    }
}
