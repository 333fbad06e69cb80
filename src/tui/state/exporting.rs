//! Rows that are being written to a file.

use std::path::PathBuf;

use crate::os::private_files::NewFile;
use crate::output::export::ExportFormat;
use crate::tui::state::feed::row_key::RowKey;

/// Where rows are to be written to, once it is said which.
#[derive(Debug)]
pub struct PlannedExport {
    pub path: PathBuf,
    pub format: ExportFormat,
    /// Whether the file that is there may go.
    pub overwrites: bool,
}

/// A file that is being written, and the rows that it still lacks.
#[derive(Debug)]
pub struct Exporting {
    pub file: NewFile,
    pub path: PathBuf,
    pub format: ExportFormat,
    pub overwrites: bool,
    /// The next row; none after the last.
    pub next: Option<RowKey>,
    pub last: RowKey,
    /// How many rows were written.
    pub count: usize,
}
