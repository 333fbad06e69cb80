//! The manual's page on joining, word by word: what it says to type is typed, and what it shows has to appear.

use crate::support::terminal::Terminal;

const PAGE: &str = include_str!("../../../docs/joining.md");
const SECTION: &str = "## Try it with demo --join\n";

/// What the page says, in its order.
#[derive(Debug)]
enum Step {
    Types(Which, String),
    Presses(Which, String),
    Sees(Which, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Which {
    First,
    Second,
}

fn steps() -> Vec<Step> {
    let section = PAGE.split_once(SECTION).expect("the section").1;
    let section = section.split("\n## ").next().unwrap();
    let mut which = Which::First;
    let mut steps = Vec::new();
    for (number, part) in section.split("```").enumerate() {
        if number % 2 == 1 {
            for line in part.lines().skip(1) {
                steps.push(match line.strip_prefix("$ ") {
                    Some(command) => Step::Types(which, command.to_owned()),
                    None => Step::Sees(which, line.to_owned()),
                });
            }
            continue;
        }
        let text = part.replace('\n', " ");
        for sentence in text.split(". ") {
            let mentions = [("first terminal", Which::First), ("second terminal", Which::Second)];
            let found = mentions.iter().filter_map(|(words, which)| Some((sentence.rfind(words)?, *which))).max();
            which = found.map_or(which, |(_, found)| found);
            if let Some(at) = sentence.find("Press ") {
                let keys = sentence[at..].split('`').skip(1).step_by(2);
                steps.extend(keys.map(|key| Step::Presses(which, key.to_owned())));
            }
        }
    }
    steps
}

/// The command as it stands on the first terminal, where the page leaves parts of it out.
fn filled(command: &str, first: Option<&Terminal>) -> String {
    if !command.contains('…') {
        return command.to_owned();
    }
    let shown = first.expect("the first terminal").contents();
    let line = shown.lines().map(str::trim).find(|line| line.starts_with("d2mtop join")).expect("the command");
    let (said, there): (Vec<&str>, Vec<&str>) = (command.split(' ').collect(), line.split(' ').collect());
    assert_eq!(said.len(), there.len(), "{command} is {line}");
    assert!(said.iter().zip(&there).all(|(said, there)| said == there || *said == "…"), "{command} is {line}");
    line.to_owned()
}

#[test]
fn the_page_on_joining_is_true_word_by_word() {
    let home = tempfile::tempdir().unwrap();
    let environment = [("HOME", home.path().to_str().unwrap())];
    let mut terminals: [Option<Terminal>; 2] = [None, None];
    let steps = steps();
    assert!(steps.len() > 15, "{steps:?}");
    for step in steps {
        eprintln!("{step:?}");
        match step {
            Step::Types(which, command) => {
                let command = filled(&command, terminals[0].as_ref());
                let place = &mut terminals[which as usize];
                if let Some(mut before) = place.take() {
                    assert!(before.end().success(), "{}", before.contents());
                    before.assert_restored();
                }
                let arguments: Vec<&str> = command.strip_prefix("d2mtop ").expect("a command").split(' ').collect();
                *place = Some(Terminal::start(&arguments, 45, 200, &environment));
            }
            Step::Presses(which, key) => {
                let keys = match key.as_str() {
                    "Enter" => "\r",
                    "Ctrl-C" => "\x03",
                    key => key,
                };
                terminals[which as usize].as_mut().unwrap().press(keys);
            }
            Step::Sees(which, words) => terminals[which as usize].as_mut().unwrap().wait_for(&words),
        }
    }
    for terminal in terminals.iter_mut().flatten() {
        assert!(terminal.end().success(), "{}", terminal.contents());
        terminal.assert_restored();
    }
    let profiles = std::fs::read_to_string(home.path().join(".config/d2mtop/profiles.toml")).unwrap_or_default();
    assert!(!profiles.contains("[profile."), "{profiles}");
}
