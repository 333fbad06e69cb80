//! Imports of a group from Threema Desktop, or of a mediator from the provisioning file of an OnPrem server.

mod bounded_file;
pub mod desktop;
mod imported;
pub mod oppf;
pub mod places;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use desktop::DesktopError;
pub use imported::Imported;
pub use oppf::{DomainPins, Matching, OppfError, Provisioning, Trust};

use super::secrets::AskPassphrase;
use bounded_file::read_bounded;

/// Imports from Threema Desktop: `directory` if one is named, else the only profile in the usual places.
///
/// # Errors
/// If there is no such profile, or its key storage does not open.
pub fn threema_desktop(
    directory: Option<&Path>,
    password: &mut dyn AskPassphrase,
    trust: &Trust,
) -> Result<Imported, DesktopError> {
    let path = places::find(directory, &places::applications())?;
    let file = desktop::read(&path)?;
    let password = password.existing(&format!("Password of Threema Desktop for {}", path.display()))?;
    let mut imported = desktop::open(&file, &password, trust)?;
    imported.mediator = imported.mediator.or_else(|| places::mediator(&path).map(str::to_owned));
    Ok(imported)
}

/// Imports a provisioning file, which says where the mediator is, but holds no key.
///
/// # Errors
/// If it cannot be read, is not signed by a trusted key, has expired or names no mediator.
pub fn provisioning_file(path: &Path, trust: &Trust) -> Result<Provisioning, OppfError> {
    let file = read_bounded(path, oppf::MOST_BYTES)
        .map_err(|cause| OppfError::Unreadable { path: path.to_owned(), cause })?
        .ok_or(OppfError::NotProvisioning("it is far too large"))?;
    oppf::read(&file, trust)
}
