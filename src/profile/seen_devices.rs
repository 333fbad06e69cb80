//! The order in which a machine first saw the devices of a group, which gives each its colour.

use std::fs;
use std::io;
use std::path::Path;

use crate::os::private_files;
use crate::protocol::DeviceId;

/// How many devices are remembered, each in 17 bytes: more than a group has in years.
pub const MOST: usize = 256;

/// The order as it was kept, so many of it as are remembered; empty without a file. What cannot be read is left out: nothing but colours depends on it.
#[must_use]
pub fn read(path: &Path) -> Vec<DeviceId> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).take(MOST).collect()
}

/// Keeps the order: an id in hexadecimal digits on each line.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, seen: &[DeviceId]) -> io::Result<()> {
    let lines: Vec<String> = seen.iter().map(DeviceId::to_string).collect();
    private_files::replace(path, format!("{}\n", lines.join("\n")).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_kept_and_what_is_broken_is_left_out() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("seen-devices");
        assert!(read(&path).is_empty());
        let seen = [DeviceId(7), DeviceId(3), DeviceId(u64::MAX)];
        write(&path, &seen).unwrap();
        assert_eq!(read(&path), seen);
        fs::write(&path, format!("{}\nnonsense\n", DeviceId(7))).unwrap();
        assert_eq!(read(&path), [DeviceId(7)]);
    }
}
