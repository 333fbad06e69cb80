//! The file that says at which port a command listens.

use std::io;
use std::path::Path;

/// Writes the port. Whoever waits for the file finds it whole: it appears by being renamed.
///
/// # Errors
/// If the file cannot be written.
pub fn write_port(path: &Path, port: u16) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    std::fs::write(&temporary, format!("{port}\n"))?;
    std::fs::rename(&temporary, path).inspect_err(|_| {
        // The error that counts is the one of the renaming.
        let _ = std::fs::remove_file(&temporary);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_file_appears_whole_and_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("port");
        std::fs::write(&path, "an older one, which was longer").unwrap();
        write_port(&path, 4711).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "4711\n");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(write_port(&directory.path().join("none").join("port"), 1).is_err());
    }
}
