//! `d2mtop manual`, and profiles that are called like a command.

use crate::support::program;
use crate::support::terminal;
use std::fs;
use std::path::Path;

use clap::ValueEnum as _;
use d2mtop::cli::TopicArg;
use d2mtop::headless::manual::page;
use program::{key_file, run};
use terminal::Terminal;

fn topics() -> Vec<String> {
    let names = TopicArg::value_variants().iter().map(|topic| topic.to_possible_value().unwrap());
    names.map(|name| name.get_name().to_owned()).collect()
}

#[test]
fn every_page_is_a_topic_and_is_printed_as_it_stands() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut files: Vec<_> =
        fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    let mut names: Vec<_> = topics().iter().map(|topic| format!("{topic}.md")).collect();
    names.sort();
    assert_eq!(files, names);
    let home = tempfile::tempdir().unwrap();
    for (name, topic) in topics().iter().zip(TopicArg::value_variants()) {
        let markdown = fs::read_to_string(directory.join(format!("{name}.md"))).unwrap();
        assert_eq!(page(*topic), markdown, "{name}");
        let output = run(home.path(), &["manual", name]);
        assert!(output.status.success() && output.stderr.is_empty(), "{name}");
        let text = String::from_utf8(output.stdout).unwrap();
        let title = markdown.lines().next().unwrap().trim_start_matches("# ");
        assert!(text.starts_with(&format!("{title}\n===")), "{name}: {text}");
        assert!(!text.contains('\x1b') && !text.contains("|---"), "{name}: {text}");
        let example = markdown.split("```console\n").nth(1).expect("an example").lines().next().unwrap();
        assert!(text.contains(&format!("    {example}\n")), "{name} opens with an example: {text}");
    }
    assert!(!home.path().join(".local").exists(), "whoever asks how to use it leaves no trace");
}

#[test]
fn without_a_topic_all_are_listed_and_an_unknown_one_is_told_them() {
    let home = tempfile::tempdir().unwrap();
    let list = String::from_utf8(run(home.path(), &["manual"]).stdout).unwrap();
    let unknown = run(home.path(), &["manual", "nonsense"]);
    assert_eq!(unknown.status.code(), Some(2));
    let told = String::from_utf8(unknown.stderr).unwrap();
    for topic in topics() {
        assert!(list.lines().any(|line| line.starts_with(&format!("  {topic} "))), "{topic}: {list}");
        assert!(told.contains(&topic), "{topic}: {told}");
    }
    let alias = run(home.path(), &["manual", "metrics"]);
    assert_eq!(alias.stdout, run(home.path(), &["manual", "monitoring"]).stdout);
}

#[test]
fn a_terminal_gets_lines_that_fit_and_no_colour_where_it_is_not_wanted() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    let env = [("HOME", home), ("NO_COLOR", "1")];
    for (env, is_bold) in [(&env[..1], true), (&env, false)] {
        let mut terminal = Terminal::start(&["manual", "proxy"], 60, 60, env);
        assert_eq!(terminal.end().exit_code(), 0);
        let contents = terminal.contents();
        assert!(contents.contains("included; whoever sends another is closed."), "{contents}");
        assert_eq!(!contents.contains("Frames\n------"), is_bold, "{contents}");
    }
}

#[test]
fn a_profile_called_like_a_command_opens_by_option_and_no_new_one_is_made() {
    let home = tempfile::tempdir().unwrap();
    let key = key_file(home.path()).to_str().unwrap().to_owned();
    let add = |name: &str| {
        let options = ["--mediator", "ws://127.0.0.1:9/", "--server-group", "01", "--key-file", &key];
        run(home.path(), &[&["profile", "add", name][..], &options].concat())
    };
    for (name, says) in [
        ("manual", "manual is a command of d2mtop"),
        ("join", "join is"),
        ("admit", "admit is"),
        ("config", "config is"),
        ("replay", "replay is"),
        ("redact", "redact is"),
    ] {
        let refused = add(name);
        assert_eq!(refused.status.code(), Some(2), "{name}");
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.contains(says) && said.contains("choose another name"), "{name}: {said}");
    }
    assert!(add("home").status.success());
    assert!(run(home.path(), &["manual"]).stderr.is_empty(), "no profile of that name, no remark");

    // As a version wrote it that had no such command.
    let file = home.path().join(".config/d2mtop/profiles.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("profile.home]", "profile.manual]").replace("\"home\"", "\"manual\"")).unwrap();
    let manual = run(home.path(), &["manual"]);
    assert!(manual.status.success());
    let remark = String::from_utf8(manual.stderr).unwrap();
    assert!(remark.contains("d2mtop -p manual"), "{remark}");

    // Without a terminal each gets as far as that it needs one, which only a profile that was found does.
    for arguments in [&["-p", "manual"][..], &["--profile", "manual"], &[]] {
        let opened = run(home.path(), arguments);
        let said = String::from_utf8(opened.stderr).unwrap();
        assert!(said.contains("not a terminal"), "{arguments:?}: {said}");
    }
    let unknown = String::from_utf8(run(home.path(), &["-p", "nobody"]).stderr).unwrap();
    assert!(unknown.contains("nobody"), "{unknown}");
    let twice = String::from_utf8(run(home.path(), &["manual2", "-p", "manual2"]).stderr).unwrap();
    assert!(twice.contains("named twice"), "{twice}");
}
