//! Sockets of the file system.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;

use tokio::net::UnixListener;

/// Listens at a path, with these permissions; what somebody who is gone has left there is taken away.
///
/// # Errors
/// If the system does not give it, as when somebody else listens there, or something else is there.
pub fn bind(path: &Path, mode: u32) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path).or_else(|error| {
        let is_left_over = error.kind() == io::ErrorKind::AddrInUse
            && fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_socket())
            && std::os::unix::net::UnixStream::connect(path).is_err();
        if !is_left_over {
            return Err(error);
        }
        fs::remove_file(path)?;
        UnixListener::bind(path)
    })?;
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    Ok(listener)
}
