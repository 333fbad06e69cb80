//! A program that goes on until it is killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// Killed when dropped.
pub struct Watching(Child);

impl Watching {
    /// Waits until it prints a line with these words.
    pub fn until(mut command: Command, words: &str) -> Self {
        let mut watching = Self(command.stdout(Stdio::piped()).spawn().expect("it starts"));
        let mut lines = BufReader::new(watching.0.stdout.take().expect("its output")).lines();
        assert!(lines.any(|line| line.expect("text").contains(words)), "it ended before it said {words}");
        // Its output is read to the end, so that it never waits.
        std::thread::spawn(move || lines.for_each(drop));
        watching
    }

    #[allow(dead_code, reason = "shared by tests, of which each uses a part")]
    pub fn goes_on(&mut self) -> bool {
        self.0.try_wait().expect("its state").is_none()
    }

    #[allow(dead_code, reason = "shared by tests, of which each uses a part")]
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
