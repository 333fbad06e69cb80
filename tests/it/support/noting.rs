//! Profiles that are watched with `--on`, and what the commands were given.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use d2mtop::protocol::Dialect;
use serde_json::Value;

use super::program::{Mediator, key_file, run, schema};

/// Longer than anything takes on a busy machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn add_profile(mediator: &Mediator, dialect: Dialect) {
    add_profile_at(&mediator.url(), mediator, dialect);
}

/// The profile `home`, which goes to the mediator by that URL.
pub fn add_profile_at(url: &str, mediator: &Mediator, dialect: Dialect) {
    let home = mediator.home.path();
    let (key, dialect) = (key_file(home), dialect.to_string());
    let mut arguments = vec!["profile", "add", "home", "--mediator", url, "--server-group", "01"];
    arguments.extend(["--key-file", key.to_str().unwrap(), "--dialect", &dialect, "--slot", "persistent"]);
    let added = run(home, &arguments);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
}

/// Watches until the queue is dry.
pub fn watch(mediator: &Mediator, arguments: &[&str]) -> Output {
    let all = [&["watch", "home", "--until-dry"], arguments].concat();
    let output = run(mediator.home.path(), &all);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// `--on EVENT=tee -a FILE`, and the file.
pub fn noting(home: &Path, event: &str) -> (String, PathBuf) {
    let path = home.join(event.replace('=', "-"));
    (format!("{event}=tee -a {}", path.display()), path)
}

pub fn noted(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    schema::alert_lines(text.as_bytes())
}

/// What a command is given, as it comes.
pub struct Noting {
    /// `EVENT=COMMAND`.
    pub option: String,
    lines: Receiver<Value>,
}

impl Noting {
    /// Through a pipe with a name.
    pub fn of(home: &Path, event: &str) -> Self {
        let path = home.join(format!("{}.pipe", event.replace('=', "-")));
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
        // Open for writing, too: neither opening it nor reading waits for the first command, nor ends with it.
        let pipe = File::options().read(true).write(true).open(&path).expect("the pipe opens");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines() {
                let value = schema::alert_lines(line.expect("text").as_bytes()).remove(0);
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        Self { option: format!("{event}=tee {}", path.display()), lines }
    }

    /// Waits until the command is run, and returns what it is given.
    pub fn next_line(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE);
        line.unwrap_or_else(|error| panic!("waited in vain for --on {}: {error}", self.option))
    }
}
