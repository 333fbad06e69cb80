//! The link that is offered, and the files that have it meanwhile.

use std::path::Path;

use zeroize::Zeroizing;

use crate::cli::JoinArgs;
use crate::os::private_files::PassingFile;
use crate::output::Failure;
use crate::output::qr::{PictureFile, Qr};

/// A link as it is shown.
pub(super) struct Offer {
    pub(super) link: Zeroizing<String>,
    /// [`None`] if the link is too long for any code, which only an absurd relay's is.
    pub(super) qr: Option<Qr>,
}

/// The files that have the link. They go with this.
pub(super) struct OfferFiles {
    link: Option<PassingFile>,
    picture: Option<PictureFile>,
}

impl Offer {
    pub(super) fn new(link: Zeroizing<String>) -> Self {
        Self { qr: Qr::new(&link), link }
    }
}

impl OfferFiles {
    /// Nothing is written yet.
    pub(super) fn new(options: &JoinArgs) -> Result<Self, Failure> {
        let there = [&options.offer_file, &options.qr_file].into_iter().flatten().find(|path| path.exists());
        if let Some(path) = there {
            let words = format!("{} is there already; what is written there is removed at the end", path.display());
            return Err(Failure::Usage(words));
        }
        let picture = options.qr_file.clone().map(PictureFile::new).transpose();
        Ok(Self {
            link: options.offer_file.clone().map(PassingFile::new),
            picture: picture.map_err(|error| Failure::Usage(error.to_string()))?,
        })
    }

    /// Puts this link there, in the place of the last.
    pub(super) fn show(&mut self, offer: &Offer) -> Result<(), Failure> {
        if let Some(file) = &mut self.link {
            let line = Zeroizing::new(format!("{}\n", offer.link.as_str()));
            file.put(line.as_bytes()).map_err(|cause| unwritten(file.path(), &cause))?;
        }
        if let (Some(file), Some(qr)) = (&mut self.picture, &offer.qr) {
            file.show(qr).map_err(|cause| unwritten(file.path(), &cause))?;
        }
        Ok(())
    }

    pub(super) fn link(&self) -> Option<&Path> {
        self.link.as_ref().map(PassingFile::path)
    }

    pub(super) fn picture(&self) -> Option<&Path> {
        self.picture.as_ref().map(PictureFile::path)
    }
}

fn unwritten(path: &Path, cause: &std::io::Error) -> Failure {
    Failure::Output(std::io::Error::new(cause.kind(), format!("{}: {cause}", path.display())))
}
