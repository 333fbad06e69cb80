//! State on disks that are full or read-only: what is said, and what still works. Needs root, for a disk of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::program::{Mediator, key_file, run};

/// A disk of a few megabytes; gone when dropped.
struct Disk(PathBuf);

impl Disk {
    /// [`None`] where it cannot be had.
    fn mount(place: &Path) -> Option<Self> {
        fs::create_dir_all(place).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(place).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(place.to_owned()));
        }
        eprintln!("not run: only root can mount a small disk");
        None
    }

    fn fill(&self) {
        // Until the disk takes no more.
        let written = fs::write(self.0.join("ballast"), vec![1; 4 << 20]);
        assert!(written.is_err(), "it is small");
    }

    fn make_room(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }

    fn remount(&self, how: &str) {
        let how = format!("remount,{how}");
        assert!(Command::new("mount").args(["-o", &how]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Runs it, and expects this exit code and these words.
fn expect(home: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let output = run(home, arguments);
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    for word in words {
        assert!(text.contains(word), "{arguments:?} says {word:?}: {text}");
    }
}

#[test]
fn a_full_or_read_only_disk_is_called_so_and_history_reads_on_it() {
    for dialect in ["dgk", "mk"] {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        let Some(disk) = Disk::mount(&home.join(".local/state")) else { return };
        let (url, key) = (mediator.url(), key_file(home));
        let mut add = vec!["profile", "add", "lab", "--mediator", &url, "--server-group", "01", "--dialect", dialect];
        add.extend(["--key-file", key.to_str().unwrap()]);
        expect(home, &add, 0, &["added"]);
        expect(
            home,
            &["doctor", "lab"],
            0,
            &["warn  journal   none yet; one can be kept", "free there, which is little"],
        );
        expect(home, &["watch", "lab", "--until-dry"], 0, &["queue_dry"]);
        expect(home, &["doctor", "lab"], 0, &["journal   0 messages in"]);
        disk.fill();
        expect(home, &["history", "lab"], 0, &["nothing like that was received"]);
        expect(home, &["watch", "lab", "--until-dry"], 1, &["the disk is full"]);
        expect(home, &["doctor", "lab"], 1, &["fail  journal", "the disk is full", "ok    login"]);
        expect(home, &["watch", "lab", "--until-dry", "--no-journal"], 0, &["queue_dry"]);
        disk.make_room();
        expect(home, &["watch", "lab", "--until-dry"], 0, &["queue_dry"]);
        disk.remount("ro");
        expect(home, &["history", "lab"], 0, &["nothing like that was received"]);
        expect(home, &["doctor", "lab"], 1, &["fail  journal", "ok    tcp"]);
        disk.remount("rw");
        expect(home, &["doctor", "lab"], 0, &["warn  journal   0 messages"]);
    }
}
