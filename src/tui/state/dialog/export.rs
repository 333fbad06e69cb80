//! Writing rows to a file.

use std::path::Path;

use crate::tui::state::dialog::{Dialog, DialogAnswer, DialogCommand, ExportScope};

impl Dialog {
    /// Which rows are written to this file, of so many that are shown and so many in sight? A file that is there goes only
    /// if that is agreed to.
    pub fn export(path: &Path, all: &str, in_sight: &str, exists: bool) -> Self {
        let warning = "The file is there already. It would be overwritten.".to_owned();
        Self {
            title: "Write rows to a file",
            object: path.display().to_string(),
            consequence: "It tells who reflected what and when, but nothing that people wrote. Only you can read it.",
            warnings: exists.then_some(warning).into_iter().collect(),
            answers: vec![
                DialogAnswer::nothing("Cancel"),
                DialogAnswer::to(&format!("All {all}"), DialogCommand::Export(ExportScope::All)),
                DialogAnswer::to(&format!("The {in_sight} in sight"), DialogCommand::Export(ExportScope::InSight)),
            ],
            chosen: usize::from(!exists),
            renewed: None,
        }
    }
}
