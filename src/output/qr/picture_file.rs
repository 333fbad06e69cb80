//! [`PictureFile`]: the code as a file, for as long as it is shown.

use std::io;
use std::path::{Path, PathBuf};

use super::Qr;
use crate::os::private_files::PassingFile;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Png,
    Svg,
}

/// Where the code is put as a picture. The picture goes when this does.
#[derive(Debug)]
pub struct PictureFile {
    format: Format,
    file: PassingFile,
}

/// A name that tells no format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--qr-file must end in .png or .svg")]
pub struct UnknownFormat;

impl PictureFile {
    /// A picture of the format that the name tells. Nothing is written yet.
    ///
    /// # Errors
    /// If the name tells none.
    pub fn new(path: PathBuf) -> Result<Self, UnknownFormat> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        let format = match extension.as_deref() {
            Some("png") => Format::Png,
            Some("svg") => Format::Svg,
            _ => return Err(UnknownFormat),
        };
        Ok(Self { format, file: PassingFile::new(path) })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Puts this code there, in the place of the last.
    ///
    /// # Errors
    /// If the file system does not take it.
    pub fn show(&mut self, code: &Qr) -> io::Result<()> {
        match self.format {
            Format::Png => self.file.put(&code.png().map_err(io::Error::other)?),
            Format::Svg => self.file.put(code.svg().as_bytes()),
        }
    }
}
