//! State on disks that are full or read-only: what is said, and what still works. Needs root, for a disk of its own.

use std::path::Path;

use crate::support::disk::Disk;
use crate::support::program::{Mediator, key_file, run};

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
