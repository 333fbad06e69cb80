//! A real terminal on a screen that nobody sees, and a reader of QR codes that looks at it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Long enough for a busy machine; only a failing test waits this long.
const PATIENCE: Duration = Duration::from_secs(60);
const PROGRAMS: [&str; 4] = ["Xvfb", "xterm", "import", "zbarimg"];

fn is_there(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(program).is_file())
}

/// A screen of its own.
pub struct Display {
    server: Child,
    name: String,
}

impl Display {
    /// [`None`], told on standard error, where a program that it takes is missing.
    pub fn start() -> Option<Self> {
        let missing: Vec<_> = PROGRAMS.into_iter().filter(|program| !is_there(program)).collect();
        if !missing.is_empty() {
            eprintln!("not run: {} missing; .ci/run installs what it takes", missing.join(", "));
            return None;
        }
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1400x1100x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts");
        let mut number = String::new();
        // It tells its number once it takes connections.
        BufReader::new(server.stdout.take().expect("a pipe"))
            .read_line(&mut number)
            .expect("the number of the display");
        Some(Self { server, name: format!(":{}", number.trim()) })
    }

    /// A terminal in these colours, in which a command of the shell runs until this is dropped.
    pub fn terminal(&self, (background, foreground): (&str, &str), geometry: &str, command: &str) -> Terminal {
        let xterm = Command::new("xterm")
            .env("DISPLAY", &self.name)
            .env("LC_ALL", "C.UTF-8")
            .args(["-u8", "+sb", "-bg", background, "-fg", foreground, "-geometry", geometry])
            .args(["-fn", "-misc-fixed-medium-r-normal--13-*-*-*-*-*-iso10646-1", "-e", "sh", "-c", command])
            .stderr(Stdio::null())
            .spawn();
        Terminal(xterm.expect("xterm starts"))
    }

    /// What a reader finds in pictures of the screen, as soon as it finds something.
    pub fn read_code(&self, folder: &Path) -> Option<String> {
        let (picture, began) = (folder.join("screen.png"), Instant::now());
        while began.elapsed() < PATIENCE {
            let taken =
                Command::new("import").env("DISPLAY", &self.name).args(["-window", "root"]).arg(&picture).status();
            assert!(taken.expect("import runs").success(), "no picture of the screen");
            let read = Command::new("zbarimg").args(["-q", "--raw"]).arg(&picture).output().expect("zbarimg runs");
            if read.status.success() {
                return Some(String::from_utf8(read.stdout).expect("text").trim_end().to_owned());
            }
        }
        None
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

pub struct Terminal(Child);

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
