//! The sessions that the manual shows, replayed: its commands are run as they stand there, and say what stands there.

use crate::support::phone;
use crate::support::program;
use crate::support::terminal;
use crate::support::watching;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use d2mtop::protocol::{Dialect, SlotState};
use phone::{phone_reflects, phone_with_slot_reflects};
use program::{Mediator, d2mtop, key_file, run};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use terminal::Terminal;
use watching::Watching;

/// Longer than anything takes on a busy machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(40);
/// Longer than it takes until a list that is asked for every second was asked for and came.
const SEVERAL_LISTS: Duration = Duration::from_secs(5);

const COMMANDS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/commands.md"));
const WATCH: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/watch.md"));
const JOURNAL: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/journal.md"));

/// The commands and what they print, in order, of the block of a page that begins with this command.
fn session(page: &'static str, first: &str) -> Vec<(&'static str, Vec<&'static str>)> {
    let begin = format!("```console\n$ {first}\n");
    let at = page.find(&begin).unwrap_or_else(|| panic!("the manual shows {first}"));
    let (block, _) = page[at..].trim_start_matches("```console\n").split_once("```").expect("it ends");
    let mut commands: Vec<(_, Vec<_>)> = Vec::new();
    for line in block.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push((command, Vec::new())),
            None => commands.last_mut().unwrap().1.push(line),
        }
    }
    commands
}

/// Without what differs from run to run: times, the host's name, and the widths that follow from it.
fn normal(line: &str) -> String {
    if let Ok(Value::Object(mut object)) = serde_json::from_str(line) {
        for differs in ["at", "clock_offset_ms"] {
            object.entry(differs).and_modify(|value| *value = 0.into());
        }
        return Value::Object(object).to_string();
    }
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = line.split_whitespace().collect();
    let word = |(index, word): (usize, &&str)| {
        let comes_after = |back: usize| index >= back && words[index - back] == "after";
        if comes_after(1) || comes_after(2) {
            return "SPAN".to_owned();
        }
        let is_day = words.get(index + 1).is_some_and(|next| months.contains(next));
        if word.starts_with("d2mtop@") {
            "d2mtop@HOST".to_owned()
        } else if is_day || months.contains(word) || is_time(word) {
            "TIME".to_owned()
        } else {
            without_fractions(word)
        }
    };
    words.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
}

/// `22:47`, `22:49:53`, `2026-11-22`
fn is_time(word: &str) -> bool {
    let only = |mark: char| {
        word.contains(mark) && word.chars().all(|character| character.is_ascii_digit() || character == mark)
    };
    only(':') || only('-') && word.len() == "2026-11-22".len()
}

/// `time=0.439` and `0.4/1.6` without the numbers; a version has two points, and stays.
fn without_fractions(word: &str) -> String {
    let parts = word.split_inclusive(['=', '/']).map(|part| {
        let number = part.trim_end_matches(['=', '/', ',']);
        let is_fraction = number.split('.').count() == 2 && number.parse::<f64>().is_ok();
        if is_fraction { part.replace(number, "N") } else { part.to_owned() }
    });
    parts.collect()
}

/// The people around the session, as it begins: who is in the group, and whether they are there.
struct Stage {
    mediator: Mediator,
    key: String,
    monitor: Option<Watching>,
}

impl Stage {
    fn set() -> Self {
        let mediator = Mediator::start(&[]);
        let home = mediator.home.path();
        let key = key_file(home).to_str().unwrap().to_owned();
        let url = mediator.url();
        let import = ["profile", "import", "home", "--key-file", &key, "--mediator", &url, "--server-group", "01"];
        let import = [&import[..], &["--store", "file", "--device-id", "a1b2c3d4e5f60718"]].concat();
        assert!(run(home, &import).status.success());
        let mut stage = Self { mediator, key, monitor: None };
        stage.monitor_watches("new");
        for (id, label) in [("5c12aa90b3f7e601", "Old laptop"), ("8f3a19c2d0e1b477", "Work laptop")] {
            let mut comes_and_goes = stage.device(&["watch", "--until-dry", "--persistent"], id, label, "new");
            assert!(comes_and_goes.output().unwrap().status.success(), "{label}");
        }
        stage
    }

    fn device(&self, arguments: &[&str], id: &str, label: &str, expect: &str) -> Command {
        let mut command = d2mtop(self.mediator.home.path(), arguments);
        command.args(["--url", &self.mediator.url(), "--key-file", &self.key]);
        command.args(["--device-id", id, "--label", label, "--expect", expect]);
        command
    }

    fn monitor(&mut self, arguments: &[&str], expect: &str, until: &str) {
        // One after the other: the same device twice would throw itself off.
        self.monitor = None;
        let command = self.device(arguments, "0102030405060708", "monitor", expect);
        self.monitor = Some(Watching::until(command, until));
    }

    fn monitor_watches(&mut self, expect: &str) {
        self.monitor(&["watch", "--stay-leader"], expect, "queue_dry");
    }

    fn monitor_holds_the_lock(&mut self) {
        self.monitor(&["lock", "contact-sync", "--stay-leader", "--json"], "existing", "lock_acquired");
    }

    /// As a shell runs it; what it prints on either stream.
    fn shell(&self, command: &str) -> Command {
        let home = self.mediator.home.path();
        let binary = Path::new(env!("CARGO_BIN_EXE_d2mtop")).parent().unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec 2>&1; {command}")]).stdin(Stdio::null()).stdout(Stdio::piped());
        shell.env_clear().env("HOME", home).env("XDG_RUNTIME_DIR", home).env("TZ", "UTC");
        shell.env("PATH", format!("{}:/usr/bin:/bin", binary.display()));
        shell
    }

    fn output(&self, command: &str) -> Vec<String> {
        let output = program::checked(self.shell(command).output().unwrap());
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// What a person sees of it.
    fn in_terminal(&self, command: &str) -> Vec<String> {
        let arguments: Vec<&str> = command.split(' ').skip(1).collect();
        let home = self.mediator.home.path().to_str().unwrap();
        let mut terminal = Terminal::start(&arguments, 30, 250, &[("HOME", home)]);
        assert_eq!(terminal.end().exit_code(), 0, "$ {command}\n{}", terminal.contents());
        terminal.contents().lines().map(str::to_owned).collect()
    }

    /// What a command prints that goes on until it is interrupted, while the laptop comes and goes.
    fn changes(&self, command: &str) -> Vec<String> {
        let mut child = self.shell(&format!("exec {command}")).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || output.lines().try_for_each(|line| sender.send(line.unwrap())));
        // Nothing tells when it has its first list. If the laptop was in that already, it comes once more.
        let came_and_went = (0..5).find_map(|_| {
            let laptop = self.device(&["watch"], "8f3a19c2d0e1b477", "Work laptop", "existing");
            let laptop = Watching::until(laptop, "queue_dry");
            let mut next = std::iter::from_fn(|| lines.recv_timeout(SEVERAL_LISTS).ok());
            let came = next.find(|line| line.contains("is connected"));
            drop(laptop);
            let came = came?;
            let went = lines.recv_timeout(PATIENCE).expect("the laptop goes");
            Some(vec![came, went])
        });
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        assert!(child.wait().unwrap().success());
        came_and_went.expect("the laptop comes")
    }
}

#[test]
fn the_commands_of_the_manual_say_what_stands_there() {
    let mut stage = Stage::set();
    let session = session(COMMANDS, "d2mtop devices");
    assert!(session.len() >= 8, "{session:?}");
    for (command, shown) in session {
        if command.contains("lock settings-sync") {
            stage.monitor_holds_the_lock();
        } else if command.contains("lock contact-sync") {
            stage.monitor_watches("existing");
        }
        let said = if command.contains("--watch-changes") { stage.changes(command) } else { stage.output(command) };
        assert_eq!(all_normal(&said), all_normal(&shown), "$ {command}\n{}", said.join("\n"));
    }
}

fn all_normal(lines: &[impl AsRef<str>]) -> Vec<String> {
    lines.iter().map(|line| normal(line.as_ref())).collect()
}

#[test]
fn a_watch_and_the_journal_say_what_the_manual_shows() {
    let stage = Stage::set();
    phone_reflects(&stage.mediator, Dialect::Dgk, 0, "Pixel 9");
    // Whoever is there is known from then on, and our slot is there.
    stage.output("d2mtop watch --until-dry");
    let session = session(WATCH, "d2mtop watch --until-dry");
    assert!(session.len() >= 5, "{session:?}");
    for (command, shown) in session {
        if command.contains("jq") && Command::new("jq").arg("--version").output().is_err() {
            eprintln!("not run: there is no jq here");
            continue;
        }
        phone_with_slot_reflects(SlotState::Existing, &stage.mediator, Dialect::Dgk, 1, "Pixel 9");
        let said = if command.contains('|') { stage.output(command) } else { stage.in_terminal(command) };
        let (mut lines, mut expected) = (all_normal(&said), all_normal(&shown));
        // The list and what the disk has come when they come.
        lines.sort();
        expected.sort();
        assert_eq!(lines, expected, "$ {command}\n{}", said.join("\n"));
    }
    for (command, shown) in self::session(JOURNAL, "d2mtop history --since 2h --limit 1") {
        let said = stage.output(command);
        assert_eq!(all_normal(&said), all_normal(&shown), "$ {command}\n{}", said.join("\n"));
    }
}
