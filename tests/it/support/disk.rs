//! A small disk. Needs root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A disk of a few megabytes; gone when dropped.
pub struct Disk(PathBuf);

impl Disk {
    /// [`None`] where it cannot be had.
    pub fn mount(place: &Path) -> Option<Self> {
        Self::mount_of(place, 2)
    }

    /// One of so many MiB.
    pub fn mount_of(place: &Path, size: usize) -> Option<Self> {
        fs::create_dir_all(place).unwrap();
        let options = format!("size={size}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(place).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(place.to_owned()));
        }
        eprintln!("not run: only root can mount a small disk");
        None
    }

    pub fn fill(&self) {
        Self::fill_at(&self.0.join("ballast"), 2);
    }

    /// Fills a disk of so many MiB, with this file.
    pub fn fill_at(ballast: &Path, size: usize) {
        // Until the disk takes no more.
        let written = fs::write(ballast, vec![1; (size + 2) << 20]);
        assert!(written.is_err(), "it is small");
    }

    pub fn make_room(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }

    pub fn remount(&self, how: &str) {
        let how = format!("remount,{how}");
        assert!(Command::new("mount").args(["-o", &how]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
