//! Groups that are known elsewhere already: to Threema Desktop, or to the operator of an OnPrem server.

pub mod desktop;
pub mod oppf;
pub mod places;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

pub use desktop::DesktopError;
pub use oppf::{DomainPins, Matching, OppfError, Provisioning, Trust};

use super::secrets::AskPassphrase;
use crate::protocol::{Dialect, GroupSecret, ServerGroup};
use crate::text::Clean;

/// What an import knows of a group.
#[derive(Debug)]
pub struct Imported {
    /// What the group speaks.
    pub dialect: Dialect,
    /// The mediator's URL template, if the import tells.
    pub mediator: Option<String>,
    /// The identity's server group.
    pub server_group: ServerGroup,
    /// Whose group it is, if that is known.
    pub identity: Option<Clean>,
    /// Public keys that servers must have.
    pub pins: Vec<DomainPins>,
    /// The group's key.
    pub secret: GroupSecret,
}

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

/// A whole file; [`None`] if it is larger than that.
fn read_bounded(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}
