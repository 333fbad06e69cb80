//! One-shot commands at a mediator of their own: run to their end, or read line by line while they go on.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use d2mtop::protocol::Dialect;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::program::{self, Mediator, d2mtop, key_file, schema};
use super::terminal::Terminal;

pub const BOTH: [Dialect; 2] = [Dialect::Mk, Dialect::Dgk];
pub const MONITOR: &str = "0102030405060708";
/// Of the phone, as it prints.
pub const PHONE: &str = "4d00000000000000";

pub fn mediator() -> Mediator {
    Mediator::start(&["--max-slots", "64"])
}

/// A command with its connection; what comes after `--` stays there.
pub fn command(mediator: &Mediator, dialect: Dialect, arguments: &[&str]) -> Command {
    command_at(mediator, &mediator.url(), dialect, arguments)
}

/// The same, for a server at this address.
pub fn command_at(mediator: &Mediator, url: &str, dialect: Dialect, arguments: &[&str]) -> Command {
    let split = arguments.iter().position(|argument| *argument == "--").unwrap_or(arguments.len());
    let (ours, theirs) = arguments.split_at(split);
    let (key, dialect) = (key_file(mediator.home.path()), dialect.to_string());
    let mut all = ours.to_vec();
    all.extend(["--url", url, "--key-file", key.to_str().unwrap(), "--dialect", &dialect]);
    all.extend(theirs);
    let mut command = d2mtop(mediator.home.path(), &all);
    command.env("PATH", "/usr/bin:/bin");
    command
}

pub fn run(mediator: &Mediator, dialect: Dialect, arguments: &[&str]) -> Output {
    program::checked(command(mediator, dialect, arguments).output().expect("d2mtop starts"))
}

/// Its exit code and what it printed must be these.
pub fn expect(mediator: &Mediator, dialect: Dialect, arguments: &[&str], code: i32, words: &str) -> (String, String) {
    let output = run(mediator, dialect, arguments);
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let all = format!("{dialect}, {arguments:?}: {stdout}{stderr}");
    assert_eq!(output.status.code(), Some(code), "{all}");
    assert!(all.contains(words), "no {words:?} in {all}");
    (stdout, stderr)
}

pub fn json(text: &str) -> Vec<Value> {
    schema::lines(text.as_bytes())
}

pub fn labels(mediator: &Mediator, dialect: Dialect) -> Vec<String> {
    let (stdout, _) = expect(mediator, dialect, &["devices", "--json", "--label", "looking"], 0, "");
    let devices = json(&stdout);
    devices.iter().filter_map(|device| device["label"].as_str()).map(str::to_owned).collect()
}

/// Another device of the group, which was there once.
pub fn other_device(mediator: &Mediator, dialect: Dialect, id: &str, label: &str) {
    let arguments = ["watch", "--until-dry", "--persistent", "--device-id", id, "--label", label];
    expect(mediator, dialect, &arguments, 0, "queue_dry");
}

pub fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("it runs");
}

/// Only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The lines of an output, as they come.
pub fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            let line = line.unwrap() + "\n";
            program::assert_no_key(line.as_bytes());
            schema::assert_documented(line.as_bytes(), &schema::EVENTS);
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The next line with these words.
pub fn line_with(words: &str, lines: &Receiver<String>) -> String {
    let mut all = String::new();
    loop {
        let line = lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|error| panic!("{error}: no {words:?} in {all}"));
        if line.contains(words) {
            return line;
        }
        all.push_str(&line);
    }
}

/// Everything until all who write there have ended.
pub fn rest_of(lines: &Receiver<String>) -> String {
    let mut rest = String::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => rest.push_str(&line),
            Err(RecvTimeoutError::Disconnected) => return rest,
            Err(RecvTimeoutError::Timeout) => panic!("somebody still writes after {rest}"),
        }
    }
}

/// A process whose output is read line by line.
pub struct Started {
    pub child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Started {
    pub fn new(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { child, stdout: lines_of(stdout), stderr: lines_of(stderr) }
    }

    pub fn wait_for(&self, words: &str) -> String {
        line_with(words, &self.stdout)
    }

    pub fn wait_for_remark(&self, words: &str) -> String {
        line_with(words, &self.stderr)
    }

    /// Its exit code, and what it still said on either stream.
    pub fn end(self) -> (Option<i32>, String) {
        let (code, stdout, stderr) = self.ended();
        (code, stdout + &stderr)
    }

    pub fn ended(mut self) -> (Option<i32>, String, String) {
        let (stdout, stderr) = (rest_of(&self.stdout), rest_of(&self.stderr));
        (self.child.wait().unwrap().code(), stdout, stderr)
    }
}

/// The same command, started by a shell, as `"$@"` of this script.
pub fn by_shell(script: &str, command: &Command) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", script, "sh"]).arg(command.get_program()).args(command.get_args());
    shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(Stdio::null());
    shell
}

/// The same command, started by somebody who ignores a signal.
pub fn ignoring(signal: &str, command: &Command) -> Command {
    by_shell(&format!("trap '' {signal}; exec \"$@\""), command)
}

/// A command with its connection, in the foreground of a terminal.
pub fn in_terminal(mediator: &Mediator, dialect: Dialect, arguments: &[&str]) -> Terminal {
    let command = command(mediator, dialect, arguments);
    let arguments: Vec<&str> = command.get_args().map(|argument| argument.to_str().unwrap()).collect();
    Terminal::start(&arguments, 24, 120, &[("PATH", "/usr/bin:/bin")])
}

/// Waits for its end, but not for long: much less than a server that says nothing is waited for.
pub fn ends_soon(child: &mut Child) -> Option<i32> {
    let process = Pid::from_child(child);
    let (ended, waiting) = channel::<()>();
    let watchdog = std::thread::spawn(move || {
        let is_late = waiting.recv_timeout(Duration::from_secs(10)) == Err(RecvTimeoutError::Timeout);
        is_late.then(|| kill_process(process, Signal::KILL))
    });
    let code = child.wait().unwrap().code();
    drop(ended);
    assert_eq!(watchdog.join().unwrap(), None, "it does not end");
    code
}
