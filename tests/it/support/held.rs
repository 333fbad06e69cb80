//! A pipe that a command holds open, with all that it starts: its end is theirs.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Longer than anything takes on a busy machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// See the module.
pub struct Held {
    path: PathBuf,
    turns: Receiver<&'static str>,
}

impl Held {
    pub fn create(home: &Path) -> Self {
        let path = home.join("held");
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
        let (sender, turns) = channel();
        let pipe = path.clone();
        std::thread::spawn(move || {
            // Waits until the command is there.
            let mut held = BufReader::new(std::fs::File::open(pipe).expect("the pipe opens"));
            held.read_line(&mut String::new()).expect("it says that it runs");
            let _ = sender.send("runs");
            held.read_to_end(&mut Vec::new()).expect("it ends");
            let _ = sender.send("ended");
        });
        Self { path, turns }
    }

    /// A command that takes no end.
    pub fn command(&self) -> String {
        format!("sh -c 'exec 3>{}; echo >&3; exec sleep 1000'", self.path.display())
    }

    pub fn wait_until_it_runs(&self) {
        assert_eq!(self.turns.recv_timeout(PATIENCE), Ok("runs"), "the command does not start");
    }

    pub fn wait_until_nobody_is_left(&self) {
        assert_eq!(self.turns.recv_timeout(PATIENCE), Ok("ended"), "the command goes on");
    }
}
